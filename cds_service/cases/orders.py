"""The medication orders of a case."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cds_service.cases.chart import ENCOUNTER, UCUM, Chart, owner, status
from cds_service.cases.sentence import Sentence, read_sentence
from cds_service.cases.sheet import OrderLine

UNITS = {"MU": "[iU]"}


def order(chart: Chart, line: OrderLine, name: str, running: Mapping[str, OrderLine], draft: bool = False) -> dict[str, Any]:
    """One MedicationRequest; a draft that renews or stops a running order repeats what it does not say itself."""
    twin = running.get(line.renews or line.stops or "")
    spoken = line.order or (twin.order if twin else "")
    starts = line.starts if line.starts is not None or draft else chart.usual.running_since
    state = line.status or ("stopped" if line.stops else "draft" if draft else "active")
    body = {
        "resourceType": "MedicationRequest",
        "id": name,
        "status": state,
        "authoredOn": chart.when(min(starts or 0, 0)),
        **_circumstances(chart, line),
    }
    if line.text is not None:
        return {**body, "medicationCodeableConcept": {"text": line.text}}
    sentence = _whole(chart, read_sentence(spoken))
    body["medicationCodeableConcept"] = chart.lexicon.concept("drug", sentence.drug, line.label)
    dosage = _dosage(chart, sentence, line, starts)
    return {**body, "dosageInstruction": [dosage]} if dosage else body


def _circumstances(chart: Chart, line: OrderLine) -> dict[str, Any]:
    """For whom, on which list, in place of what and why."""
    said: dict[str, Any] = {
        "intent": line.intent,
        "category": [status("medicationrequest-category", line.setting)],
        **owner(line.whose),
        "encounter": {"reference": f"Encounter/{ENCOUNTER}"},
    }
    if line.forbids:
        said["doNotPerform"] = True
    if line.replaces:
        said["priorPrescription"] = {"reference": f"MedicationRequest/{line.replaces}"}
    if line.reason:
        said["reasonCode"] = [chart.circumstance(line.reason)]
    return said


def _whole(chart: Chart, sentence: Sentence) -> Sentence:
    usual = chart.usual.orders.get(sentence.drug)
    return sentence.over(read_sentence(f"{sentence.drug} {usual}") if usual else None)


def _dosage(chart: Chart, sentence: Sentence, line: OrderLine, starts: float | None) -> dict[str, Any]:
    dosage: dict[str, Any] = {}
    timing = _timing(chart, sentence, line, None if "start" in line.without else starts)
    if timing:
        dosage["timing"] = timing
    if sentence.route and "route" not in line.without:
        dosage["route"] = chart.lexicon.concept("route", sentence.route)
    if sentence.amount is not None and "dose" not in line.without:
        dosage["doseAndRate"] = [_dose(sentence)]
    return dosage


def _timing(chart: Chart, sentence: Sentence, line: OrderLine, starts: float | None) -> dict[str, Any]:
    timing: dict[str, Any] = {}
    repeat = _bounds(chart, line, starts)
    if sentence.once:
        timing["event"] = [chart.when(starts or 0)]
        repeat = {"count": 1}
    elif sentence.interval_h is not None and "interval" not in line.without:
        repeat |= {"frequency": 1, "period": _number(sentence.interval_h), "periodUnit": "h"}
    if sentence.infusion_h is not None and "infusion" not in line.without:
        whole = sentence.infusion_h == int(sentence.infusion_h)
        length = sentence.infusion_h if whole else sentence.infusion_h * 60
        repeat |= {"duration": _number(round(length, 3)), "durationUnit": "h" if whole else "min"}
    return {**timing, **({"repeat": repeat} if repeat else {})}


def _bounds(chart: Chart, line: OrderLine, starts: float | None) -> dict[str, Any]:
    if line.days is not None and starts is None:
        return {"boundsDuration": {"value": _number(Decimal(str(line.days))), "unit": "days", "system": UCUM, "code": "d"}}
    ends = line.ends
    if line.days is not None:
        ends = (starts or 0) + 24 * line.days
    if starts is None and ends is None:
        return {}
    period = {"start": chart.when(starts or 0)}
    return {"boundsPeriod": {**period, "end": chart.when(ends)} if ends is not None else period}


def _dose(sentence: Sentence) -> dict[str, Any]:
    unit = sentence.unit or "g"
    least = _quantity(sentence.amount or Decimal(0), unit)
    if sentence.most is not None:
        return {"doseRange": {"low": least, "high": _quantity(sentence.most, unit)}}
    return {"rateQuantity": least} if unit == "g/h" else {"doseQuantity": least}


def _quantity(amount: Decimal, unit: str) -> dict[str, Any]:
    written = UNITS.get(unit, unit)
    return {"value": _number(amount * 1_000_000 if unit == "MU" else amount), "unit": written, "system": UCUM, "code": written}


def _number(value: Decimal) -> int | float:
    return int(value) if value == int(value) else float(value)
