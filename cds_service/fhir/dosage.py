"""One dosage instruction in grams and hours, and the span of time that an order states."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace
from msgspec.structs import replace as replaced

from cds_service.clinical.facts import Dose
from cds_service.fhir import sig
from cds_service.fhir.quantity import Amount, amount, convert, hours, length, mass, number
from cds_service.fhir.resources import Concept, Dosage, DoseAndRate, Quantity, Ratio, Repeat, several
from cds_service.fhir.times import moment

EMPTY = Dose()
NO_REPEAT = Repeat()
TRUST = ("ordered", "", "calculated")
PER_HOUR = "g/h"
RATE_DIGITS = 1  # a rate is rounded when it is written, so the hours that follow from it are no more exact


class Span(Struct, frozen=True):
    """When an order starts and ends, and for how many hours it lasts, as far as it says."""

    starts: datetime | None = None
    ends: datetime | None = None
    duration_h: Decimal | None = None


def doses(instructions: Sequence[Dosage]) -> tuple[Dose, ...]:
    """Every instruction as a dose; nothing where none of them says anything."""
    found = _daily([_dose(step) for one in instructions for step in _steps(one)])
    return found if any(one != EMPTY for one in found) else ()


def _daily(found: Sequence[Dose]) -> tuple[Dose, ...]:
    """Lines that give the same dose once a day, each at another hour of the ward, are one dose given more often."""
    times = {one: found.count(one) for one in found}
    split = {one for one, often in times.items() if often > 1 and one.interval_h == sig.DAY_H and not one.once}
    return tuple(replace(one, interval_h=sig.DAY_H / times[one]) if one in split else one for one in dict.fromkeys(found))


def _steps(dosage: Dosage) -> list[Dosage]:
    """A loading dose and what follows it are two doses where only one text says both; a first step without an interval is given once."""
    structured = dosage.doseAndRate or dosage.doseQuantity or (dosage.timing and dosage.timing.repeat and dosage.timing.repeat.periodUnit)
    parts = sig.steps(dosage.text or "") if not structured else []
    if len(parts) < 2 or any(sig.dose(sig.plain(one)) is None for one in parts):
        return [dosage]
    firsts = [one if sig.interval(sig.plain(one)) is not None else f"{one} once" for one in parts[:-1]]
    return [replaced(dosage, text=one) for one in (*firsts, parts[-1])]


def texts(dosage: Dosage) -> str:
    """All that the instruction says in words."""
    more = [concept.text for concept in several(dosage.additionalInstruction)]
    return " ".join(text for text in (dosage.text, *more, dosage.patientInstruction) if text)


def _dose(dosage: Dosage) -> Dose:
    text = sig.plain(texts(dosage))
    rate = _ordered(dosage.doseAndRate or ([DoseAndRate(doseQuantity=dosage.doseQuantity)] if dosage.doseQuantity else []))
    given = amount(rate.doseQuantity) if rate else None
    if given is None and not (rate and rate.doseRange):
        given = sig.dose(text)
    found = _of(_whole(given, text))
    interval = _interval(dosage, text)
    hourly = convert(_metric(rate.rateQuantity), PER_HOUR) if rate and rate.rateQuantity else None
    infusion = _infusion(dosage, rate, given, hourly) or sig.infusion(text)
    return replace(
        found,
        interval_h=interval,
        infusion_h=infusion,
        once=_once(dosage, text, interval),
        continuous=sig.continuous(text) or (hourly is not None and found.grams is None),
        as_needed=bool(dosage.asNeededBoolean) or dosage.asNeededCodeableConcept is not None,
    )


def _ordered(rates: Sequence[DoseAndRate]) -> DoseAndRate | None:
    """Clients repeat one dose as calculated and as ordered: the ordered one counts, and they are never added up."""
    ranked = [(_kind(one), one) for one in rates]
    return next((one for kind in TRUST for mine, one in ranked if mine == kind), rates[0] if rates else None)


def _kind(rate: DoseAndRate) -> str:
    return next((coding.code for coding in (rate.type.coding or []) if coding.code), rate.type.text or "") if rate.type else ""


def _whole(given: Amount | None, text: str) -> Amount | None:
    """A dose that states the first component alone, while the words beside it spell out both, is the sum of the two."""
    parts = sig.components(text)
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
    often = number(repeat.frequency) or Decimal(1)
    if repeat.timeOfDay and (period is None or period == sig.DAY_H) and not number(repeat.frequency):
        return sig.DAY_H / len(repeat.timeOfDay)
    if period is None or period <= 0 or often <= 0 or number(repeat.periodMax) or number(repeat.frequencyMax):
        return None
    return period / often


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


def span(instructions: Sequence[Dosage], supply: Quantity | None) -> Span:
    """First start and last end over all instructions; an instruction without an end leaves the order open."""
    spans = [_span(one) for one in instructions]
    starts = min((one.starts for one in spans if one.starts), default=None)
    lasting = [one for one, dosage in zip(spans, instructions, strict=True) if not _single(dosage)]
    ends = [one.ends for one in lasting]
    last = max((end for end in ends if end), default=None) if ends and all(ends) else None
    lengths = [one.duration_h for one in lasting]
    longest = max((one for one in lengths if one is not None), default=None) if all(one is not None for one in lengths) else None
    longest = longest if longest is not None else length(supply)
    return Span(starts, last or after(starts, longest), longest)


def after(start: datetime | None, lasting: Decimal | None) -> datetime | None:
    """The moment so many hours later."""
    try:
        return start + timedelta(hours=float(lasting)) if start and lasting is not None else None
    except OverflowError:
        return None


def _single(dosage: Dosage) -> bool:
    text = sig.plain(texts(dosage))
    return _once(dosage, text, _interval(dosage, text))


def _span(dosage: Dosage) -> Span:
    timing = dosage.timing
    repeat = (timing.repeat if timing else None) or NO_REPEAT
    period = repeat.boundsPeriod
    events = [found for one in (timing.event if timing else None) or [] if (found := moment(one))]
    lasting = length(repeat.boundsDuration)
    text = sig.plain(texts(dosage))
    if lasting is None:
        count, every = number(repeat.count), _interval(dosage, text)
        lasting = count * every if count and count > 1 and every else sig.duration(text)
    if period:
        return Span(moment(period.start) or min(events, default=None), moment(period.end, end=True), lasting)
    return Span(min(events, default=None), None, lasting)
