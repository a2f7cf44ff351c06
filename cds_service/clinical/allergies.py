"""What a recorded allergy means for one drug: the question that both the alert and the offer of another drug ask."""

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from cds_service.clinical.facts import Allergy, Drug

DAYS_A_YEAR = 365.25


class Reaction(StrEnum):
    """How an allergy touches a drug, worst first."""

    SEVERE = "severe"
    CROSS = "cross"
    SAME = "same"
    SIMILAR = "similar"
    RELATED = "related"
    FORGOTTEN = "forgotten"


BARRED = {Reaction.SEVERE, Reaction.CROSS, Reaction.SAME}
ALERTED = {*BARRED, Reaction.SIMILAR}
Chains = Sequence[Sequence[str]]


def reaction(allergy: Allergy, drug: Drug, cross: Chains, forgotten_years: int, now: datetime, similar: Chains = ()) -> Reaction | None:
    """None where the two have nothing to do with one another.

    `cross` are rows of ingredients that share a side chain, `similar` of those whose chains only resemble one another. SEVERE, CROSS and
    SIMILAR come of a severe reaction, to the drug or to a relative; SAME, FORGOTTEN and RELATED of any other, FORGOTTEN a mild one
    longer ago than so many years.
    """
    same = bool(drug.ingredients & allergy.substances)
    related, resembles = crosses(allergy, drug, cross), chained(allergy, drug, similar)
    if allergy.severe:
        return Reaction.SEVERE if same else Reaction.CROSS if related else Reaction.SIMILAR if resembles else None
    if not same:
        return Reaction.RELATED if related or resembles else None
    days = (now - allergy.recorded).total_seconds() / 86400 if allergy.recorded else None
    old = allergy.mild and days is not None and days > forgotten_years * DAYS_A_YEAR
    return Reaction.FORGOTTEN if old else Reaction.SAME


def chained(allergy: Allergy, drug: Drug, rows: Chains) -> bool:
    """An ingredient of the allergy and one of the drug stand in one row."""
    return any(allergy.substances & set(row) and drug.ingredients & set(row) for row in rows)


def crosses(allergy: Allergy, drug: Drug, cross: Chains) -> bool:
    """A side chain is shared, or the whole class is named."""
    return chained(allergy, drug, cross) or bool(allergy.groups & drug.classes)


def worst(
    allergies: Sequence[Allergy], drug: Drug, cross: Chains, forgotten_years: int, now: datetime, similar: Chains = ()
) -> tuple[Reaction, Allergy] | None:
    """The allergy that weighs most against a drug."""
    found = [(kind, one) for one in allergies if (kind := reaction(one, drug, cross, forgotten_years, now, similar))]
    return min(found, key=lambda pair: list(Reaction).index(pair[0]), default=None)
