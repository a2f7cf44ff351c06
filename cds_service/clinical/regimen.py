"""Drafts and running orders as one regimen: what the patient will receive once the session is signed."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct

from cds_service.clinical.facts import Order, Route, Setting
from cds_service.clinical.policy import ActiveRow, RegimenPolicy
from cds_service.kept import kept

SYSTEMIC = {Route.INTRAVENOUS, Route.INTRAMUSCULAR, Route.UNSTATED}
AT_HOME = {Setting.DISCHARGE, Setting.OUTPATIENT, Setting.COMMUNITY}
NOT_ORDERED = {"proposal", "plan", "option"}


class Drugs:
    """A named set of drugs, as a sheet's `with:` block refers to it."""

    __slots__ = ("keys", "name")

    def __init__(self, name: str, keys: Iterable[str]) -> None:
        self.name = name
        self.keys = frozenset(keys)

    def __contains__(self, order: object) -> bool:
        return isinstance(order, Order) and order.drug.key in self.keys

    def __bool__(self) -> bool:
        return bool(self.keys)

    def __repr__(self) -> str:
        return f"Drugs({self.name})"


class Regimen(Struct, frozen=True, dict=True):
    """The effective regimen of one session.

    `drafts` are being ordered, `running` go on, `endings` are running orders that this session stops or holds,
    `replaced` are running orders that a draft takes over, `ended` those that give nothing any more. `therapy` excludes the
    take-home list, which is judged alone: its drafts are `discharge`, what was prescribed for home before is `prescribed`.
    """

    now: datetime
    policy: RegimenPolicy
    drafts: tuple[Order, ...] = ()
    running: tuple[Order, ...] = ()
    endings: tuple[Order, ...] = ()
    replaced: tuple[Order, ...] = ()
    discharge: tuple[Order, ...] = ()
    prescribed: tuple[Order, ...] = ()
    ended: tuple[Order, ...] = ()

    @kept
    def therapy(self) -> tuple[Order, ...]:
        """Every systemic antibacterial that the patient will receive in hospital."""
        return tuple(order for order in (*self.drafts, *self.running) if treats(order))

    @kept
    def keys(self) -> frozenset[str]:
        """The drugs of the therapy, each once."""
        return frozenset(order.drug.key for order in self.therapy)

    @kept
    def signed(self) -> tuple[Order, ...]:
        """The systemic antibacterials among the drafts."""
        return tuple(order for order in self.drafts if treats(order))

    @kept
    def armed(self) -> bool:
        """A session speaks about antibiotics when it orders, stops or holds one."""
        return bool(self.signed) or any(treats(order) for order in (*self.endings, *self.discharge))

    def of(self, drugs: Drugs, among: Sequence[Order] | None = None) -> tuple[Order, ...]:
        keys = drugs.keys
        return tuple([order for order in (self.therapy if among is None else among) if order.drug.key in keys])

    def before(self) -> "Regimen":
        """The regimen as it ran before this session."""
        return Regimen(self.now, self.policy, running=(*self.running, *self.endings, *self.replaced))

    @kept
    def take_home(self) -> "Regimen":
        """The discharge list as a regimen of its own."""
        return Regimen(self.now, self.policy, drafts=self.discharge, running=self.prescribed)

    def start(self, order: Order) -> datetime:
        """When the order takes effect from now on; what began earlier, and what a renewal carries on, counts as running now."""
        starts = max(order.starts or self.now, self.now)
        return self.now if any(self._carries_on(old, starts) for old in self._renewed_by(order)) else starts

    def _renewed_by(self, order: Order) -> list[Order]:
        """Running orders of the same drug that this draft replaces, or that are stopped beside it."""
        if not order.draft or not (self.replaced or self.endings):
            return []
        names = {order.replaces, order.reference} - {""}
        same = [old for old in (*self.replaced, *self.endings) if old.drug.key == order.drug.key]
        return [old for old in same if old in self.endings or old.reference in names]

    def carried_by(self, order: Order) -> tuple[Order, ...]:
        """The running orders that go on when the draft that would have renewed them is gone."""
        names = {order.reference, order.replaces} - {""} if order.draft else set()
        return tuple(old for old in self.replaced if old.reference in names)

    def _carries_on(self, old: Order, starts: datetime) -> bool:
        """The old order lasts until its renewal starts; the last dose of one that stops now acts for its interval."""
        if old in self.endings:
            acts = max([self.policy.single_dose_h, *(dose.interval_h for dose in old.doses if dose.interval_h)])
            return starts - self.now <= timedelta(hours=float(acts))
        ends = self.end(old)
        return ends is None or starts - ends <= self._window

    @kept
    def _window(self) -> timedelta:
        return timedelta(hours=float(self.policy.overlap_h))

    def end(self, order: Order) -> datetime | None:
        """When the order ends, counting a single dose as long as the policy lets it act; None for an open end."""
        if order.ends:
            return order.ends
        begins = order.starts or self.now
        if order.doses and all(dose.once for dose in order.doses):
            return begins + timedelta(hours=float(self.policy.single_dose_h))
        return begins + timedelta(hours=float(order.duration_h)) if order.duration_h is not None and order.draft else None

    def covers(self, partner: Order, order: Order) -> bool:
        """The partner is there within the overlap window after the order begins, and both run together."""
        if self.start(partner) > self.start(order) + self._window:
            return False
        ends, begins = self.end(partner), self.start(order)
        if ends is not None and ends <= begins:
            return self._bridged(partner, order)
        other = self.end(order)
        return other is None or other > self.start(partner) or self._bridged(order, partner)

    def _bridged(self, first: Order, second: Order) -> bool:
        """A loading dose and its maintenance count as one course although the first has ended."""
        heirs = [one for one in self.therapy if one.drug.key == first.drug.key and one is not first]
        return any(self.start(one) <= self.start(second) + self._window and not self._gone(one, second) for one in heirs)

    def _gone(self, one: Order, other: Order) -> bool:
        ends = self.end(one)
        return ends is not None and ends <= self.start(other)

    def delay_h(self, order: Order, partner: Order) -> Decimal:
        """How many hours after the order its partner begins."""
        return Decimal(round((self.start(partner) - self.start(order)).total_seconds() / 3600))

    @kept
    def active_rows(self) -> tuple[tuple[ActiveRow, tuple[Order, ...]], ...]:
        """The rows of drugs that are expected to work and are here completely, each with its orders."""
        rows = []
        for row in self.policy.active:
            legs = [[order for order in self.therapy if order.drug.key == key] for key in row.drugs]
            if all(legs) and _together(self, legs):
                rows.append((row, tuple(order for leg in legs for order in leg)))
        return tuple(rows)

    def paired(self, orders: Iterable[Order]) -> bool:
        """These drugs stand in one row: they work together, or are one that works alone."""
        keys = {order.drug.key for order in orders}
        return any(keys <= set(row.drugs) for row in self.policy.active)

    @kept
    def active(self) -> tuple[Order, ...]:
        """Every order of a row that is here completely."""
        return tuple(dict.fromkeys(order for _, orders in self.active_rows for order in orders))

    @kept
    def dosed(self) -> tuple[Order, ...]:
        """The drafts of rows that are here completely, in hospital or on the discharge list: their doses are judged."""
        home = self.take_home.active if self.discharge else ()
        return tuple(dict.fromkeys(order for order in (*self.active, *home) if order.draft))

    @kept
    def directed(self) -> frozenset[str]:
        """The keys of all drugs that stand in a row of the policy."""
        return frozenset(key for row in self.policy.active for key in row.drugs)


def _together(regimen: Regimen, legs: list[list[Order]]) -> bool:
    """Every leg has, for each other leg, an order that covers it."""
    return all(
        any(regimen.covers(partner, order) for order in leg for partner in other) for leg in legs for other in legs if leg is not other
    )


def treats(order: Order) -> bool:
    """A systemic antibacterial order."""
    return order.drug.antibacterial and systemic(order)


def systemic(order: Order) -> bool:
    """Given so that it reaches the whole body; a drug by mouth only where it is absorbed."""
    return order.route in SYSTEMIC or (order.route is Route.ORAL and order.drug.oral_absorbed)


def regimen(orders: Sequence[Order], policy: RegimenPolicy, now: datetime) -> Regimen:
    """Merges drafts with running orders: a draft replaces its predecessor, an ending draft removes it."""
    drafts = [order for order in orders if order.draft]
    known = {order.reference: order for order in orders if not order.draft and order.reference}
    ending = {name for order in drafts if order.ending for name in (order.reference, order.replaces) if name in known}
    wanted = [order for order in drafts if not order.ending and order.intent not in NOT_ORDERED]
    taken = {name for order in wanted for name in (order.reference, order.replaces) if name}
    live = [order for order in known.values() if _runs(order, policy, now)]
    live += [order for order in orders if not order.draft and not order.reference and _runs(order, policy, now)]
    running = [order for order in live if order.reference not in taken | ending]
    home = [order for order in wanted if _take_home(order, live)]
    apart, lasting = {id(order) for order in home}, {id(order) for order in live}
    stays = [order for order in wanted if id(order) not in apart and not _over(order, now)]
    return Regimen(
        now,
        policy,
        drafts=tuple(stays),
        running=tuple(order for order in running if order.setting is not Setting.DISCHARGE),
        endings=tuple(order for order in live if order.reference in ending),
        replaced=tuple(order for order in live if order.reference in taken - ending),
        discharge=tuple(home),
        prescribed=tuple(order for order in running if order.setting in AT_HOME),
        ended=tuple(order for order in known.values() if id(order) not in lasting),
    )


def _runs(order: Order, policy: RegimenPolicy, now: datetime) -> bool:
    if order.status != "active" or order.ending or order.intent in NOT_ORDERED:
        return False
    if order.ends and order.ends <= now:
        return False
    given_once = bool(order.doses) and all(dose.once for dose in order.doses)
    spent = order.starts is not None and order.starts + timedelta(hours=float(policy.single_dose_h)) <= now
    return not (given_once and spent)


def _over(order: Order, now: datetime) -> bool:
    return order.ends is not None and order.ends <= now


def _take_home(order: Order, live: Sequence[Order]) -> bool:
    """Discharge prescriptions, and those for home of a patient who is treated in hospital, are a list of their own."""
    if order.setting is Setting.DISCHARGE:
        return True
    return order.setting in AT_HOME and any(one.setting is Setting.INPATIENT and treats(one) for one in live)
