"""What a card may offer to do: one sheet for each suggestion, by the key that rule sheets name."""

from enum import StrEnum
from typing import Literal

from msgspec import Struct

from cds_service.clinical import lists
from cds_service.clinical.policy import Sheet
from cds_service.kept import kept


class Act(StrEnum):
    """What a suggestion does to the orders."""

    START = "start"
    SWITCH = "switch"
    KEEP = "keep"
    STOP = "stop"
    CORRECT = "correct"
    LIMIT = "limit"
    INFUSE = "infuse"
    EXTEND = "extend"
    REQUEST = "request"


class Code(Sheet, frozen=True):
    """A code with its display, as the terminology gives them."""

    system: lists.Text
    code: lists.Text
    display: lists.Text


class Request(Sheet, frozen=True):
    """A consult or a test to be asked for; without a code it is asked for in words.

    `pending` names what must not be under way already, by the words that the chart has for it.
    """

    text: lists.Text
    codes: tuple[Code, ...] = ()
    priority: Literal["routine", "urgent", "asap", "stat"] = "routine"
    pending: tuple[lists.Pending, ...] = ()


class AtSite(Sheet, frozen=True):
    """A sentence for an infection of these sites, or that the record calls so; also where the site is not known."""

    text: lists.Text
    specimens: tuple[lists.Specimen, ...] = ()
    words: tuple[lists.Circumstance, ...] = ()


class Product(Struct, frozen=True):
    """What is written on a suggested order of one drug.

    `dialysis` says how it is given on dialysis days; `first_dose` is said there where the table has no row for a first dose.
    """

    drug: str
    name: str
    code: Code
    dialysis: str = ""
    first_dose: str = ""


class SuggestionSheet(Struct, frozen=True, dict=True):
    """One suggestion, its products resolved.

    `drugs` are those that the regimen has afterwards. `label` and `note` are plain sentences with `{word}` places; a switch has
    the label `label_beside` where a drug of the new regimen stays, and `label_adding` where nothing is taken away. `untested` is said where
    the isolate was not tested against it.
    `hours` and `days` are the length that LIMIT and EXTEND write. `review` is said at a clearance of `review_below` mL/min or
    less, and on renal replacement.
    """

    key: str
    does: Act
    label: str
    route: Code
    label_beside: str = ""
    label_adding: str = ""
    note: str = ""
    untested: str = ""
    at_site: AtSite | None = None
    products: tuple[Product, ...] = ()
    request: Request | None = None
    hours: int | None = None
    days: int | None = None
    review_below: int | None = None
    review: str = ""

    @kept
    def drugs(self) -> tuple[str, ...]:
        return tuple(product.drug for product in self.products)

    @kept
    def choice(self) -> str:
        """What it offers, by name: "a + b"."""
        return " + ".join(product.name for product in self.products)
