"""A terse case becomes a complete CDS Hooks request, as an electronic record would send it."""

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cds_service.cases.chart import ENCOUNTER, PATIENT, PRESCRIBER, Chart
from cds_service.cases.lexicon import Lexicon
from cds_service.cases.microbiology import cultures, requests
from cds_service.cases.orders import order
from cds_service.cases.patient import patient
from cds_service.cases.read import Case
from cds_service.cases.record import Record
from cds_service.cases.sheet import CaseLine, OrderLine, Usual


def request(case: Case, queries: Mapping[str, str], usual: Usual, lexicon: Lexicon, now: datetime) -> dict[str, Any]:
    """The whole request; the prefetch keys that the case calls unavailable stay out."""
    chart = chart_of(case.line, usual, lexicon, now)
    context = _context(case.line, chart)
    wanted = {key: query for key, query in queries.items() if key not in case.line.unavailable}
    return {
        "hook": case.line.hook,
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{case.condition}/{case.name}")),
        "context": context,
        "prefetch": Record(chart.resources).prefetch(wanted, context),
    }


def chart_of(line: CaseLine, usual: Usual, lexicon: Lexicon, now: datetime) -> Chart:
    """The record of the case: the patient, results, running orders and drafts."""
    chart = Chart(usual, lexicon, now)
    patient(chart, line.patient)
    for number, result in enumerate(line.results, 1):
        cultures(chart, number, result)
    requests(chart, line.requested)
    running: dict[str, OrderLine] = {}
    for number, one in enumerate(line.running, 1):
        written = OrderLine(order=one) if isinstance(one, str) else one
        name = written.id or f"running-{number}"
        running[name] = written
        chart.resources.append(order(chart, written, name, running={}))
    for number, one in enumerate(line.drafts, 1):
        written = OrderLine(order=one) if isinstance(one, str) else one
        name = written.id or written.renews or written.stops or f"draft-{number}"
        chart.drafts.append(order(chart, written, name, running=running, draft=True))
    return chart


def _context(line: CaseLine, chart: Chart) -> dict[str, Any]:
    """Who orders what for whom."""
    found: dict[str, Any] = {"userId": PRESCRIBER, "patientId": PATIENT, "encounterId": ENCOUNTER}
    if line.hook == "patient-view":
        return found
    entries = [{"resource": one} for one in chart.drafts]
    found["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    if line.hook == "order-select":
        names = line.selected if line.selected is not None else [one["id"] for one in chart.drafts]
        found["selections"] = [f"MedicationRequest/{name}" for name in names]
    return found
