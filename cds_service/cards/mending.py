"""What else has to change so that a suggestion is right as it stands: doses of drafts that stay, and a word on those that may go."""

from collections.abc import Sequence

from msgspec import Struct

from cds_service.cards.afterwards import afterwards, spoken
from cds_service.cards.changes import correct, infuse
from cds_service.cards.desk import Desk
from cds_service.cards.proposal import ByHand, Proposal
from cds_service.clinical.facts import Order
from cds_service.finding import Finding
from cds_service.protocol.response import Action
from cds_service.suggestion import Act
from cds_service.triggers.trigger import names

MENDING = {Act.CORRECT: correct, Act.INFUSE: infuse}


class Mending(Struct, frozen=True):
    """Further actions of a suggestion, how its label goes on, and what stays to be looked at."""

    actions: tuple[Action, ...] = ()
    label: str = ""
    left: tuple[ByHand, ...] = ()


def mending(desk: Desk, gone: Sequence[Order], new: Sequence[Order]) -> Mending:
    """The drafts that stay beside the new orders, with the doses that the rules would ask for as soon as both are signed."""
    stays = [order for order in (*desk.bedside.regimen.signed, *desk.bedside.regimen.discharge) if order not in gone]
    if not stays:
        return Mending()
    about = [one for one in spoken(desk, afterwards(desk.bedside, gone, new)) if any(order in stays for order in one.remark.orders)]
    found = list(_mended(desk, about))
    actions = tuple(action for proposal in found for action in proposal.actions)
    return Mending(actions, "".join(f"; {one.label[:1].lower()}{one.label[1:]}" for one in found), tuple(_left(about, stays)))


def _mended(desk: Desk, about: Sequence[Finding]) -> list[Proposal]:
    sheets = {key: desk.sheets[key] for one in about for key in one.suggest if key in desk.sheets}
    found = []
    for key, sheet in sheets.items():
        act = MENDING.get(sheet.does)
        asking = about if sheet.does is Act.INFUSE else [one for one in about if key in one.suggest]
        proposal = act(desk, asking, sheet) if act else Proposal()
        found += [proposal] if proposal.actions else []
    return found


def _left(about: Sequence[Finding], stays: Sequence[Order]) -> list[ByHand]:
    """A draft that stays and that a rule would then speak against: another rule's matter, and the prescriber's choice."""
    return [
        ByHand(f"{names(spoken_of)} stays as ordered, and this service will then ask about it ({one.summary})")
        for one in about
        if (spoken_of := [order for order in one.remark.removes if order in stays])
    ]
