"""The effluent rate of continuous renal replacement, where a request or a procedure writes it in words."""

import re
from collections.abc import Iterable, Iterator

from cds_service.clinical.facts import Measure
from cds_service.fhir import words
from cds_service.fhir.quantity import exact
from cds_service.fhir.resources import Condition, several
from cds_service.fhir.times import begins, moment

LONGEST = 256
RATE = re.compile(
    r"\beffluent\b[^\d;.]{0,40}(?P<n>\d{1,5}(?:[.,]\d{1,3})?)\s?(?P<unit>m?l)\s?/\s?(?P<kg>kg\s?/\s?)?(?:h|hr|hour)\b", re.IGNORECASE
)
THOUSAND = 1000


def measures(told: Iterable[Condition]) -> dict[str, tuple[Measure, ...]]:
    """Rates in L/h as "effluent-rate", rates by weight in mL/kg/h as "effluent-by-weight", newest first."""
    found: dict[str, list[Measure]] = {}
    for one in told:
        for test, measure in _rates(one):
            found.setdefault(test, []).append(measure)
    return {test: tuple(sorted(every, key=_taken, reverse=True)) for test, every in found.items()}


def _rates(one: Condition) -> Iterator[tuple[str, Measure]]:
    reference = f"{one.resourceType}/{one.id}" if one.id else ""
    when = moment(one.authoredOn) or moment(one.performedDateTime) or begins(one.performedPeriod) or moment(one.recordedDate)
    concepts = [one.code, *several(one.orderDetail)]
    for text in (*(said for concept in concepts for said in words.spoken(concept)), *(note.text or "" for note in one.note or [])):
        match = RATE.search(text[:LONGEST])
        value = exact(match["n"].replace(",", ".")) if match else None
        if match is None or value is None:
            continue
        small = match["unit"].lower() == "ml"
        if match["kg"]:
            yield "effluent-by-weight", Measure(value if small else value * THOUSAND, "mL/kg/h", when, reference)
        else:
            yield "effluent-rate", Measure(value / THOUSAND if small else value, "L/h", when, reference)


def _taken(measure: Measure) -> float:
    return measure.taken.timestamp() if measure.taken else 0.0
