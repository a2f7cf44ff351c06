"""What one suggestion sheet comes to for one patient."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from cds_service.clinical.doses import written
from cds_service.clinical.facts import Order
from cds_service.fhir.drafts import Prescribed
from cds_service.protocol.response import REFERENCE, Action
from cds_service.triggers.trigger import names


class LeftOut(NamedTuple):
    """A drug that is not offered, and why."""

    what: str
    why: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """The actions of one suggestion, words beside it, and what was left out.

    `dosed` says that kidney function was used, `allergic` that allergies were.
    """

    label: str = ""
    actions: tuple[Action, ...] = ()
    notes: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    dosed: bool = False
    allergic: bool = False


NOTHING = Proposal()


def removal(orders: Iterable[Order]) -> tuple[tuple[Action, ...], tuple[str, ...]]:
    """Deletes of the drafts that have an id, and notes about what only the user can take away."""
    every = list(dict.fromkeys(orders))
    named = [order for order in every if order.draft and REFERENCE.fullmatch(order.reference)]
    nameless = [order for order in every if order.draft and order not in named]
    running = [order for order in every if not order.draft]
    actions = tuple(
        Action("delete", f"Remove the draft order for {_described(order)}", resource_id=reference)
        for reference, order in {order.reference: order for order in named}.items()
    )
    notes = []
    if nameless:
        notes.append(f"Take {names(nameless)} out of the drafts by hand: the draft has no id.")
    if running:
        notes.append(f"Stop the running order for {names(running)} by hand: a card can change drafts only.")
    return actions, tuple(notes)


def _described(order: Order) -> str:
    return ", ".join([order.drug.name, *(written(dose) for dose in order.doses)])


def regimen(doses: Sequence[tuple[str, Sequence[Prescribed]]]) -> str:
    """Drugs with their doses in a line: "a 2.67 g once over 3 h, then 2 g every 6 h over 3 h + b 2 g every 6 h over 3 h"."""
    return " + ".join(f"{name} {', then '.join(dose.short for dose in given)}" for name, given in doses)


def grouped(left: Iterable[LeftOut]) -> tuple[str, ...]:
    """One line for each reason, with everything that it holds for."""
    found: dict[str, list[str]] = {}
    for one in left:
        names_ = found.setdefault(one.why, [])
        if one.what not in names_:
            names_.append(one.what)
    return tuple(f"{', '.join(whats)}: {why}" for why, whats in found.items())
