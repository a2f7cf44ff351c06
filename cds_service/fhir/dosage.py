"""One dosage instruction in grams and hours, and the span of time that an order states."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from cds_service.clinical.facts import Dose
from cds_service.fhir import sig
from cds_service.fhir.quantity import Amount, amount, convert, hours, length, mass, number
from cds_service.fhir.resources import Concept, Dosage, DoseAndRate, Quantity, Ratio, Repeat, several
from cds_service.fhir.times import moment

EMPTY = Dose()
NO_REPEAT = Repeat()
TRUST = ("ordered", "", "calculated")
PER_HOUR = "g/h"
T = TypeVar("T", datetime, Decimal)
RATE_DIGITS = 1  # a rate is rounded when it is written, so the hours that follow from it are no more exact


class Span(Struct, frozen=True):
    """When an order starts and ends, and for how many hours it lasts, as far as it says."""

    starts: datetime | None = None
    ends: datetime | None = None
    duration_h: Decimal | None = None


class Line(Struct, frozen=True):
    """One instruction with its words as far as they are read, the hours from dose to dose, and whether it is given once.

    `ingredients` are those of the drug that is ordered.
    """

    dosage: Dosage
    text: str
    interval_h: Decimal | None
    once: bool
    ingredients: frozenset[str] = frozenset()


def line(dosage: Dosage, ingredients: frozenset[str] = frozenset()) -> Line:
    """What both the dose and the course ask of an instruction."""
    text = sig.plain(texts(dosage))
    interval = _interval(dosage, text)
    return Line(dosage, text, interval, _once(dosage, text, interval), ingredients)


def doses(lines: Sequence[Line]) -> tuple[Dose, ...]:
    """Every instruction as a dose; nothing where none of them says anything."""
    found = _daily([_dose(step) for one in lines for step in _steps(one)])
    return found if any(one != EMPTY for one in found) else ()


def _daily(found: Sequence[Dose]) -> tuple[Dose, ...]:
    """Lines that give the same dose once a day, each at another hour of the ward, are one dose given more often."""
    if len(found) < 2:
        return tuple(found)
    times = {one: found.count(one) for one in found}
    split = {one for one, often in times.items() if often > 1 and one.interval_h == sig.DAY_H and not one.once}
    return tuple(replace(one, interval_h=sig.DAY_H / times[one]) if one in split else one for one in dict.fromkeys(found))


def _steps(whole: Line) -> list[Line]:
    """A loading dose and what follows it are two doses where only one text says both; a first step without an interval is given once."""
    dosage = whole.dosage
    structured = dosage.doseAndRate or dosage.doseQuantity or (dosage.timing and dosage.timing.repeat and dosage.timing.repeat.periodUnit)
    parts = sig.steps(dosage.text or "") if not structured else []
    if len(parts) < 2 or any(sig.dose(sig.plain(one)) is None for one in parts):
        return [whole]
    firsts = [one if sig.interval(sig.plain(one)) is not None else f"{one} once" for one in parts[:-1]]
    return [line(replace(dosage, text=one), whole.ingredients) for one in (*firsts, parts[-1])]


def texts(dosage: Dosage) -> str:
    """All that the instruction says in words."""
    more = [concept.text for concept in several(dosage.additionalInstruction)]
    return " ".join([text for text in (dosage.text, *more, dosage.patientInstruction) if text])


def _dose(step: Line) -> Dose:
    dosage, text = step.dosage, step.text
    rate = _ordered(dosage.doseAndRate or ([DoseAndRate(doseQuantity=dosage.doseQuantity)] if dosage.doseQuantity else []))
    given, most = _amounts(rate, step)
    found = _of(_whole(given, step))
    hourly = convert(_metric(rate.rateQuantity), PER_HOUR) if rate and rate.rateQuantity else None
    infusion = _infusion(dosage, rate, given if most is None else None, hourly) or sig.infusion(text)
    return replace(
        found,
        most_grams=mass(most, "g"),
        interval_h=step.interval_h,
        longest_h=_longest(dosage, text) if step.interval_h is not None else None,
        infusion_h=infusion,
        once=step.once,
        continuous=sig.continuous(text) or (hourly is not None and found.grams is None),
        as_needed=bool(dosage.asNeededBoolean) or dosage.asNeededCodeableConcept is not None,
    )


def _amounts(rate: DoseAndRate | None, step: Line) -> tuple[Amount | None, Amount | None]:
    """The dose, or the least and the most of a range that leaves no end open; words count where nothing else says it."""
    given = amount(rate.doseQuantity) if rate else None
    if given:
        return given, None
    if rate and rate.doseRange:
        least, most = amount(rate.doseRange.low), amount(rate.doseRange.high)
        if least is None or most is None or least.unit != most.unit or least.value > most.value:
            return None, None
        return least, (most if most != least else None)
    return sig.spread(step.text) or (sig.dose(step.text, step.ingredients), None)


def _ordered(rates: Sequence[DoseAndRate]) -> DoseAndRate | None:
    """Clients repeat one dose as calculated and as ordered: the ordered one counts, and they are never added up."""
    if len(rates) < 2:
        return rates[0] if rates else None
    ranked = [(_kind(one), one) for one in rates]
    return next((one for kind in TRUST for mine, one in ranked if mine == kind), rates[0])


def _kind(rate: DoseAndRate) -> str:
    return next((coding.code for coding in (rate.type.coding or []) if coding.code), rate.type.text or "") if rate.type else ""


def _whole(given: Amount | None, step: Line) -> Amount | None:
    """A dose that states the first component alone, while the words beside it spell out both, is the sum of the two."""
    parts = sig.components(step.text, step.ingredients) if given else None
    if given is None or parts is None or mass(given, parts[2]) != parts[0]:
        return given
    return Amount(parts[0] + parts[1], parts[2])


def _of(given: Amount | None) -> Dose:
    if given is None:
        return EMPTY
    return Dose(
        grams=mass(given, "g"), international_units=mass(given, "[iU]"), grams_per_kg=mass(given, "g/kg"), in_milligrams=given.unit == "mg"
    )


def _metric(quantity: Quantity | None) -> Amount | None:
    """Rates of volume say nothing about time while the volume is not known."""
    found = amount(quantity)
    return found if found and mass(found, PER_HOUR) is not None else None


def _interval(dosage: Dosage, text: str) -> Decimal | None:
    """Hours from dose to dose: the exact repeat first, then the code's institution times, then words."""
    timing = dosage.timing
    if timing is None:
        return sig.interval(text)
    exact = _repeated(timing.repeat or NO_REPEAT)
    if exact is not None:
        return exact
    return _coded(timing.code) or sig.interval(text)


def _repeated(repeat: Repeat) -> Decimal | None:
    period = hours(number(repeat.period), repeat.periodUnit)
    often = number(repeat.frequencyMax) or number(repeat.frequency)
    if repeat.timeOfDay and (period is None or period == sig.DAY_H) and not often:
        return sig.DAY_H / len(repeat.timeOfDay)
    often = often or Decimal(1)
    return period / often if period is not None and period > 0 and often > 0 else None


def _longest(dosage: Dosage, text: str) -> Decimal | None:
    """The most hours from dose to dose where the instruction leaves a range."""
    repeat = (dosage.timing.repeat if dosage.timing else None) or NO_REPEAT
    if number(repeat.period) is None:
        return sig.longest(text)
    most = hours(number(repeat.periodMax) or number(repeat.period), repeat.periodUnit)
    often = number(repeat.frequency) or Decimal(1)
    ranged = number(repeat.periodMax) or number(repeat.frequencyMax)
    return most / often if ranged and most and often > 0 else None


def _coded(code: Concept | None) -> Decimal | None:
    """ "Q8H" and "BID" are words too."""
    if code is None:
        return None
    spoken = [text for coding in code.coding or [] for text in (coding.code, coding.display)]
    readings = (sig.interval(sig.plain(text)) for text in (*spoken, code.text) if text)
    return next((found for found in readings if found is not None), None)


def _once(dosage: Dosage, text: str, interval: Decimal | None) -> bool:
    timing = dosage.timing
    if timing is None:
        return sig.once(text)
    if number((timing.repeat or NO_REPEAT).count) == 1:
        return True
    if interval is not None:
        return False
    coded = timing.code.text if timing.code else None
    named = [coding.code or coding.display for coding in (timing.code.coding or [])] if timing.code else []
    return len(timing.event or []) == 1 or any(sig.once(sig.plain(one)) for one in (text, coded, *named) if one)


def _infusion(dosage: Dosage, rate: DoseAndRate | None, given: Amount | None, hourly: Decimal | None) -> Decimal | None:
    repeat = dosage.timing.repeat if dosage.timing else None
    stated = hours(number(repeat.duration), repeat.durationUnit or "h") if repeat else None
    if stated is not None:
        return stated
    if rate and rate.rateRatio:
        return _by_ratio(rate.rateRatio, given)
    grams = mass(given, "g")
    return round(grams / hourly, RATE_DIGITS) if grams and hourly else None


def _by_ratio(ratio: Ratio, given: Amount | None) -> Decimal | None:
    """A dose per time tells the hours of this dose; millilitres per time do not."""
    drug = mass(amount(ratio.numerator), given.unit) if given else None
    time = length(ratio.denominator)
    return time * given.value / drug if given and drug and time else None


def span(lines: Sequence[Line], supply: Quantity | None) -> Span:
    """First start and last end over all instructions; an instruction without an end leaves the order open."""
    spans = [_span(one) for one in lines]
    starts = min([one.starts for one in spans if one.starts], default=None)
    lasting = [course for course, one in zip(spans, lines, strict=True) if not one.once]
    longest = _last([one.duration_h for one in lasting])
    longest = longest if longest is not None else length(supply)
    return Span(starts, _last([one.ends for one in lasting]) or after(starts, longest), longest)


def _last(found: Sequence[T | None]) -> T | None:
    """The last of them, where all are known."""
    known = [one for one in found if one is not None]
    return max(known, default=None) if len(known) == len(found) else None


def after(start: datetime | None, lasting: Decimal | None) -> datetime | None:
    """The moment so many hours later."""
    try:
        return start + timedelta(hours=float(lasting)) if start and lasting is not None else None
    except OverflowError:
        return None


def _span(found: Line) -> Span:
    timing = found.dosage.timing
    repeat = (timing.repeat if timing else None) or NO_REPEAT
    period = repeat.boundsPeriod
    events = [when for one in (timing.event if timing else None) or [] if (when := moment(one))]
    lasting = length(repeat.boundsDuration)
    if lasting is None:
        count, every = number(repeat.count), found.interval_h
        lasting = count * every if count and count > 1 and every else sig.duration(found.text)
    if period:
        return Span(moment(period.start) or min(events, default=None), moment(period.end, end=True), lasting)
    return Span(min(events, default=None), None, lasting)
