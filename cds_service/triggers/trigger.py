"""What every trigger is: a frozen question to a bedside, whose fields are the sheet's `with:` block."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Order
from cds_service.clinical.infection import Evidence
from cds_service.clinical.lists import Words
from cds_service.clinical.regimen import Drugs
from cds_service.finding import Remark

NONE = Drugs("none", frozenset())


@dataclass(frozen=True, slots=True)
class Says:
    """What the remarks of a trigger can bring to a sheet: words for its braces, variants and notes, each a list between spaces.

    Where there is `of`, every word of that closed list is a variant and a note too.
    """

    words: str = ""
    variants: str = ""
    notes: str = ""
    of: Words | None = None


class Trigger(Protocol):
    """A clinical pattern that names no drug and no number of its own."""

    SAYS: ClassVar[Says]

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        """Yields what there is to say about this bedside in the light of the evidence that matched."""


def names(orders: Sequence[Order]) -> str:
    """The drugs of some orders for a sentence: "a", "a and b", "a, b and c"."""
    listed = list(dict.fromkeys(order.drug.name for order in orders))
    return " and ".join([", ".join(listed[:-1]), listed[-1]] if len(listed) > 1 else listed)
