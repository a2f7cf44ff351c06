"""What one suggestion sheet comes to for one patient."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from cds_service.cards.text import capital
from cds_service.clinical.doses import written
from cds_service.clinical.facts import Order
from cds_service.fhir.drafts import Prescribed
from cds_service.protocol.response import REFERENCE, Action
from cds_service.triggers.trigger import names


class LeftOut(NamedTuple):
    """A drug that is not offered, and why; `allergic` where an allergy is the reason."""

    what: str
    why: str
    allergic: bool = False


class ByHand(NamedTuple):
    """What the user has to do besides taking a suggestion, and to which drugs that one leads; "" where there is no choice."""

    what: str
    choice: str = ""


class Proposal(Struct, frozen=True):
    """The actions of one suggestion, words beside it, what is left to do by hand, and what was left out.

    `dosed` says that kidney function was used, `allergic` that allergies were, `alerted` that a recorded one speaks against the drug.
    """

    label: str = ""
    actions: tuple[Action, ...] = ()
    notes: tuple[str, ...] = ()
    by_hand: tuple[ByHand, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    dosed: bool = False
    allergic: bool = False
    alerted: bool = False


NOTHING = Proposal()


def removal(orders: Iterable[Order], choice: str = "") -> tuple[tuple[Action, ...], tuple[ByHand, ...]]:
    """Deletes of the drafts that have an id, and what only the user can take away if that is the choice."""
    every = list(dict.fromkeys(orders))
    named = [order for order in every if order.draft and REFERENCE.fullmatch(order.reference)]
    nameless = [order for order in every if order.draft and not REFERENCE.fullmatch(order.reference)]
    running = [order for order in every if not order.draft]
    actions = tuple(
        Action("delete", f"Remove the draft order for {_described(order)}", resource_id=reference)
        for reference, order in {order.reference: order for order in named}.items()
    )
    left = [f"take {names(nameless)} out of the drafts by hand: the draft has no id"] if nameless else []
    left += [f"stop the running {names(running)} by hand: a card can change drafts only"] if running else []
    return actions, tuple(ByHand(what, choice) for what in left)


def _described(order: Order) -> str:
    return ", ".join([order.drug.name, *(written(dose) for dose in order.doses)])


def regimen(doses: Sequence[tuple[str, Sequence[Prescribed]]]) -> str:
    """Drugs with their doses in a line: "a 2.67 g once over 3 h, then 2 g every 6 h over 3 h + b 2 g every 6 h over 3 h"."""
    return " + ".join(f"{name} {', then '.join(dose.short for dose in given)}" for name, given in doses)


def told(left: Iterable[ByHand]) -> tuple[str, ...]:
    """One sentence for each thing to do, with every choice that asks for it: "If you change to a or b: stop the running c by hand"."""
    found: dict[str, list[str]] = {}
    for one in left:
        choices = found.setdefault(one.what, [])
        if one.choice and one.choice not in choices:
            choices.append(one.choice)
    return tuple(f"If you change to {_either(choices)}: {what}." if choices else f"{capital(what)}." for what, choices in found.items())


def _either(choices: Sequence[str]) -> str:
    *first, last = choices
    return f"{', '.join(first)} or {last}" if first else last


def grouped(left: Iterable[LeftOut]) -> tuple[str, ...]:
    """One line for each reason, with everything that it holds for."""
    found: dict[str, list[str]] = {}
    for one in left:
        names_ = found.setdefault(one.why, [])
        if one.what not in names_:
            names_.append(one.what)
    return tuple(f"{capital(', '.join(whats))}: {why}" for why, whats in found.items())
