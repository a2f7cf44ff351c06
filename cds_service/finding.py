"""What a rule says at a bedside, or why it kept silent."""

from collections.abc import Mapping
from decimal import Decimal
from enum import StrEnum
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct, field

from cds_service.clinical.facts import Isolate, Order


class Indicator(StrEnum):
    """The urgency of a card in the specification's words."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        return _RANKS[self]


_RANKS = {one: rank for rank, one in enumerate(Indicator)}


class Quiet(StrEnum):
    """Why a rule kept silent."""

    OFF = "switched off"
    NO_MATCH = "does not apply"
    STOOD_DOWN = "stood down"
    NOTHING_TO_SAY = "nothing to say"


class Correction(Struct, frozen=True):
    """A dose that the table gives for an order: grams, hours; without an interval it is the order's single dose.

    `load_grams` is a loading dose of the table that is missing.
    """

    order: Order
    grams: Decimal
    interval_h: Decimal | None
    infusion_h: Decimal
    load_grams: Decimal | None = None


class Remark(Struct, frozen=True):
    """What a trigger has to say: the variable part of a finding.

    `words` fill the braces of the sheet's sentences, `variant` picks another summary, `notes` name further sentences of
    the sheet's `notes` block. `indicator` replaces the sheet's. `attached` says that this remark may not stand alone.
    `suggest` replaces the sheet's list.
    """

    orders: tuple[Order, ...] = ()
    isolates: tuple[Isolate, ...] = ()
    indicator: Indicator | None = None
    variant: str | None = None
    words: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    notes: tuple[str, ...] = ()
    suggest: tuple[str, ...] | None = None
    removes: tuple[Order, ...] = ()
    corrections: tuple[Correction, ...] = ()
    attached: bool = False


class Finding(Struct, frozen=True):
    """A rule that speaks: everything a card needs, in plain words.

    `suggest`, `override` and `evidence` are keys of the knowledge. `alone` says whether the finding may open a card of its own.
    """

    rule: str
    title: str
    indicator: Indicator
    summary: str
    detail: tuple[str, ...]
    remark: Remark
    suggest: tuple[str, ...] = ()
    override: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    alone: bool = True


class Silence(Struct, frozen=True):
    """A rule that kept silent: the kind of reason, and the reason in a phrase."""

    rule: str
    quiet: Quiet
    why: str


class Overridden(NamedTuple):
    """A rule that this user overrode with a reason while the regimen had just these ingredients."""

    rule: str
    ingredients: frozenset[str]
