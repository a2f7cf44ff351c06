"""One CDS service: its declaration, its rules, and the order in which they speak."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Annotated

from msgspec import Meta, Struct
from msgspec import field as sheet_field
from msgspec.structs import replace

from cds_service.clinical import lists
from cds_service.clinical.bedside import Bedside, Reference
from cds_service.clinical.cystitis import cystitis_only
from cds_service.clinical.policy import Sheet
from cds_service.finding import Finding, Indicator, Quiet, Silence
from cds_service.kept import kept
from cds_service.rule import REGIMEN, Rule
from cds_service.triggers.activity import DrugPair
from cds_service.triggers.allergy import DrugAllergy


class Part(Sheet, frozen=True):
    """One prefetch key: its template, and what it holds in human words."""

    query: str
    names: lists.Text
    required: bool = False


class Group(Sheet, frozen=True):
    """How the findings of one group become cards.

    `one`: only the first in precedence opens a card. `merge`: all share a card. `each`: a card for each. `attach`: lines
    that join the group's card, and may open it where `one` or `each` names them too; beside a critical card of another group
    they join that one, where the other notes of a `merge` group are dropped.
    """

    one: tuple[lists.Rule, ...] = ()
    merge: tuple[lists.Rule, ...] = ()
    each: tuple[lists.Rule, ...] = ()
    attach: tuple[lists.Rule, ...] = ()

    def rules(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys((*self.one, *self.merge, *self.each, *self.attach)))


class ServiceSheet(Sheet, frozen=True):
    """The headings of a service file; the discovery entry is read off it."""

    id: Annotated[str, Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", description="small letters and digits, with hyphens between")]
    hook: lists.Hook
    title: lists.Text
    description: lists.Text
    prefetch: dict[str, Part]
    usage_requirements: str = sheet_field(default="", name="usageRequirements")
    cards: dict[lists.CardGroup, Group] = sheet_field(default_factory=dict)
    indicator_at_most: Indicator = Indicator.CRITICAL
    suggestions: bool = True


class Suppression(StrEnum):
    """Why a whole service keeps silent about a session."""

    DECEASED = "the patient has died"
    COMFORT = "the goal of care is comfort"
    CYSTITIS = "bladder infection treated with a drug for it"
    NOT_ARMED = "no draft orders, stops or holds a systemic antibacterial treatment"


class Verdicts(Struct, frozen=True):
    """What every rule of a service said about one bedside."""

    findings: tuple[Finding, ...]
    silences: tuple[Silence, ...]


class Service(Struct, frozen=True, dict=True):
    """A service of one condition, ready to judge."""

    sheet: ServiceSheet
    condition: str
    rules: tuple[Rule, ...]
    reference: Reference

    @kept
    def id(self) -> str:
        return self.sheet.id

    @kept
    def hook(self) -> str:
        return self.sheet.hook

    @kept
    def orders(self) -> bool:
        """The hook is about orders; patient-view is not."""
        return self.hook.startswith("order-")

    @property
    def composing(self) -> bool:
        """The hook fires while orders are still being put together."""
        return self.hook == "order-select"

    @kept
    def parts(self) -> Mapping[str, str]:
        return {key: part.names for key, part in self.sheet.prefetch.items()}

    @kept
    def allergy(self) -> DrugAllergy | None:
        """The rule about allergies."""
        return next((rule.trigger for rule in self.rules if isinstance(rule.trigger, DrugAllergy)), None)

    @kept
    def watched(self) -> frozenset[str]:
        """The drugs of the rules that speak although no antibacterial is ordered."""
        return frozenset().union(*(rule.trigger.watched for rule in self.rules if isinstance(rule.trigger, DrugPair)))

    @kept
    def limited(self) -> frozenset[str]:
        """The rules whose sheet names limits: the last sentence of what they find."""
        return frozenset(rule.id for rule in self.rules if rule.sheet.limits)

    @kept
    def groups(self) -> tuple[tuple[Group, tuple[str, ...]], ...]:
        """How findings become cards, in order of precedence, with the rules that each group names."""
        return tuple((group, group.rules()) for group in self.sheet.cards.values())

    @kept
    def joining(self) -> frozenset[str]:
        """The rules whose findings may join a card of another group."""
        return frozenset(rule for group in self.sheet.cards.values() for rule in group.attach)

    def judge(self, bedside: Bedside) -> Verdicts:
        """Asks every rule; those about the regimen first, since doses of a wrong regimen can wait."""
        why = self._quiet(bedside)
        findings: list[Finding] = []
        silences: list[Silence] = []
        for rule in self._in_turn:
            verdict = self._ask(rule, bedside, why)
            if isinstance(verdict, Silence):
                silences.append(verdict)
                continue
            findings.append(verdict)
            if rule.condemns and verdict.alone:
                bedside = bedside.condemned(rule.id)
        return Verdicts(tuple(findings), tuple(silences))

    def _ask(self, rule: Rule, bedside: Bedside, why: Suppression | None) -> Finding | Silence:
        if rule.id in bedside.policy.rules.off:
            return Silence(rule.id, Quiet.OFF, "site policy")
        if why and not (why is Suppression.NOT_ARMED and isinstance(rule.trigger, DrugPair)):
            return Silence(rule.id, Quiet.STOOD_DOWN, why)
        verdict = rule.judge(bedside)
        if isinstance(verdict, Silence):
            return verdict
        if not _selected(bedside, verdict):
            return Silence(rule.id, Quiet.STOOD_DOWN, "about orders that are not selected")
        most = self.sheet.indicator_at_most
        return replace(verdict, indicator=most) if verdict.indicator.rank > most.rank else verdict

    @kept
    def _in_turn(self) -> Sequence[Rule]:
        return sorted(self.rules, key=lambda rule: rule.sheet.group != REGIMEN)

    def _quiet(self, bedside: Bedside) -> Suppression | None:
        """Why nothing at all may be said about this session, or None."""
        if bedside.chart.person.deceased:
            return Suppression.DECEASED
        if not self.orders:
            return None
        drafts = bedside.regimen.signed
        if (bedside.words | bedside.stated(drafts)) & set(bedside.policy.silent_with):
            return Suppression.COMFORT
        if cystitis_only(bedside):
            return Suppression.CYSTITIS
        unread = any(one.draft and one.kind == "order" for one in bedside.chart.unreadable)
        return None if bedside.regimen.armed or unread else Suppression.NOT_ARMED


def _selected(bedside: Bedside, finding: Finding) -> bool:
    """While orders are being chosen, only those just selected are spoken about, in the light of all."""
    about = finding.remark.orders
    return not about or any(bedside.chosen(order) for order in about)
