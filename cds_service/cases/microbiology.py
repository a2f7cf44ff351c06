"""The laboratory results of a case: specimens, cultures, markers and susceptibilities."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from cds_service.cases.chart import HL7, UCUM, Chart, status
from cds_service.cases.sheet import ResultLine

LABORATORY = [status("observation-category", "laboratory")]
LETTERS = {"S": "susceptible", "I": "intermediate", "R": "resistant", "NS": "non-susceptible"}
SAYS = "says "
TESTED = re.compile(r"(?:(?P<letter>S|I|R|NS)\b)?\s*(?:MIC )?(?P<sign><=|>=|<|>)?\s*(?P<mic>\d+(?:\.\d+)?)?")


def cultures(chart: Chart, number: int, line: ResultLine) -> None:
    """All resources of one line: the specimen, the culture, markers, susceptibilities, the report."""
    hours = line.hours if line.hours is not None else 24 * (line.days if line.days is not None else chart.usual.result_days)
    name = line.sample or f"sample-{number}"
    head: dict[str, Any] = {"status": line.status, "category": LABORATORY, **_dates(chart, line, hours)}
    if line.specimen:
        head["specimen"] = _specimen(chart, name, line, hours)
    if line.text is not None:
        _report(chart, f"{name}-report-{number}", line, head, (), line.text)
        return
    first = len(chart.resources)
    main = _culture(chart, f"{name}-culture-{number}", line, head)
    _markers(chart, f"{name}-{number}", line, head)
    for agent, said in line.tested.items():
        _susceptibility(chart, f"{name}-{number}-{agent.replace('+', '-')}", line, head, agent, said)
    members = [{"reference": f"Observation/{one['id']}"} for one in chart.resources[first:] if one is not main]
    if main and members:
        main["hasMember"] = members
    if line.form == "report":
        _report(chart, f"{name}-report-{number}", line, head, [one["id"] for one in chart.resources[first:]], None)


def _dates(chart: Chart, line: ResultLine, hours: float) -> dict[str, str]:
    """When it was collected and issued, as far as the record says."""
    reported = line.reported if line.reported is not None else max(hours - 20, min(hours, 0.2))
    if line.dated in {"nowhere", "specimen"}:
        return {}
    issued = {"issued": chart.when(-(line.reported if line.dated == "issued" and line.reported is not None else reported))}
    if line.dated == "issued":
        return {"issued": chart.when(-hours)}
    return {"effectiveDateTime": chart.when(-hours), **issued}


def _specimen(chart: Chart, name: str, line: ResultLine, hours: float) -> dict[str, str]:
    known = f"specimen-{name}"
    if not any(one["id"] == known for one in chart.resources):
        body: dict[str, Any] = {"type": chart.lexicon.concept("specimen", line.specimen or "")}
        if line.dated in {"collected", "specimen"}:
            body["collection"] = {"collectedDateTime": chart.when(-hours)}
        chart.add("Specimen", known, body, line.whose)
    return {"reference": f"Specimen/{known}"}


def _culture(chart: Chart, name: str, line: ResultLine, head: Mapping[str, Any]) -> dict[str, Any] | None:
    if not line.organism and not line.pending and not (line.form == "organism" and line.found):
        return None
    key = "screening" if line.screening else line.specimen or "unknown"
    code = chart.lexicon.concept("screening" if line.screening else "culture", key, "Screening culture" if line.screening else "Culture")
    body = {**head, "code": code}
    if line.pending:
        return chart.add("Observation", name, {**body, "status": "registered"}, line.whose)
    value = chart.lexicon.concept("organism", line.organism or "")
    if line.form == "organism":
        value = {"text": f"{value['text'] or 'Gram-negative bacilli'}, {', '.join(_several(line.found))}-producing"}
    return chart.add("Observation", name, {**body, "valueCodeableConcept": value}, line.whose)


def _markers(chart: Chart, name: str, line: ResultLine, head: Mapping[str, Any]) -> None:
    found = () if line.form == "organism" else _several(line.found)
    said = [(marker, "detected") for marker in found] + [(marker, "not-detected") for marker in _several(line.absent)]
    lines = [
        {"code": _marker(chart, marker, line), "valueCodeableConcept": chart.lexicon.concept("answer", answer)} for marker, answer in said
    ]
    if lines and line.form == "panel":
        chart.add("Observation", f"{name}-panel", {**head, "code": {"text": "Resistance gene panel"}, "component": lines}, line.whose)
        return
    for (marker, _), body in zip(said, lines, strict=True):
        chart.add("Observation", f"{name}-{marker.lower()}", {**head, **body}, line.whose)


def _marker(chart: Chart, marker: str, line: ResultLine) -> dict[str, Any]:
    concept = chart.lexicon.concept("marker", marker)
    return {**concept, "text": f"{concept['text']} (screening)"} if line.screening and not line.organism else concept


def _susceptibility(chart: Chart, name: str, line: ResultLine, head: Mapping[str, Any], agent: str, said: str) -> None:
    body: dict[str, Any] = {**head, "code": _agent(chart, agent)}
    if line.tested_days is not None:
        body |= {"effectiveDateTime": chart.when(-24 * line.tested_days), "issued": chart.when(-24 * line.tested_days)}
    if said == "pending":
        chart.add("Observation", name, {**body, "status": "registered"}, line.whose)
        return
    if said.startswith(SAYS):
        chart.add("Observation", name, {**body, "valueString": said.removeprefix(SAYS)}, line.whose)
        return
    parts = TESTED.fullmatch(said)
    if not parts or not (parts["letter"] or parts["mic"]):
        raise ValueError(f"{agent}: {said!r} is not an answer such as 'S', 'R 16', 'MIC 8', 'says >8' or 'pending'")
    if parts["letter"]:
        code = {"system": HL7 + "v3-ObservationInterpretation", "code": parts["letter"]}
        body["interpretation"] = [{"coding": [code], "text": LETTERS[parts["letter"]].capitalize()}]
    if parts["mic"]:
        sign = {"comparator": parts["sign"]} if parts["sign"] else {}
        body["valueQuantity"] = {"value": float(parts["mic"]), **sign, "unit": "mg/L", "system": UCUM, "code": "mg/L"}
    else:
        body["valueCodeableConcept"] = {"text": LETTERS[parts["letter"]].capitalize()}
    chart.add("Observation", name, body, line.whose)


def _agent(chart: Chart, agent: str) -> dict[str, Any]:
    drugs = " + ".join(str(chart.lexicon.concept("drug", one)["text"]) for one in agent.split("+"))
    return chart.lexicon.concept("susceptibility", agent, f"{drugs} [Susceptibility]")


def _report(chart: Chart, name: str, line: ResultLine, head: Mapping[str, Any], members: Iterable[str], text: str | None) -> None:
    body: dict[str, Any] = {key: value for key, value in head.items() if key != "specimen"}
    if "specimen" in head:
        body["specimen"] = [head["specimen"]]
    body["category"] = [status("v2-0074", "MB"), status("v2-0074", "LAB")]
    body["code"] = chart.lexicon.concept("report", "microbiology", "Microbiology report")
    results = [{"reference": f"Observation/{one}"} for one in members if not one.startswith("specimen-")]
    chart.add(
        "DiagnosticReport", name, {**body, **({"result": results} if results else {}), **({"conclusion": text} if text else {})}, line.whose
    )


def requests(chart: Chart, agents: Iterable[str]) -> None:
    """Laboratory requests that are under way: a drug to be tested, or "culture"."""
    for number, agent in enumerate(agents, 1):
        text = "Blood culture" if agent == "culture" else str(_agent(chart, agent)["text"])
        body = {"status": "active", "intent": "order", "code": {"text": text}, "authoredOn": chart.when(-2)}
        chart.add("ServiceRequest", f"request-{number}", body)


def _several(markers: str | tuple[str, ...]) -> tuple[str, ...]:
    return (markers,) if isinstance(markers, str) else markers
