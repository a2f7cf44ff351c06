"""The corridor: one request from its bytes to its cards, read from top to bottom."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from functools import partial

from msgspec import Struct
from msgspec.structs import replace

from cds_service.cards import Style, plan, write
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.policy import Policy
from cds_service.errors import UnknownService
from cds_service.fhir.chart import Drafts, read_chart, read_drafts, unresolved
from cds_service.fhir.misfiled import of_others
from cds_service.fhir.references import Home
from cds_service.finding import Overridden
from cds_service.knowledge import Knowledge
from cds_service.protocol.prefetch import Fetch, Prefetched, fill
from cds_service.protocol.request import HookRequest, parse_request
from cds_service.protocol.response import Card
from cds_service.service import Service, Verdicts

MEDICATION = re.compile(r"Medication/[A-Za-z0-9._~:-]+")
MOST_MEDICATIONS = 30


class Decision(Struct, frozen=True):
    """What was answered and why; without `verdicts` the orders were none of this service's business."""

    service: Service
    request: HookRequest
    cards: tuple[Card, ...]
    verdicts: Verdicts | None
    bedside: Bedside | None
    missing: frozenset[str]
    version: str


def nothing_overridden(_: HookRequest) -> frozenset[Overridden]:
    """Without a memory nothing was overridden."""
    return frozenset()


def decide(
    knowledge: Knowledge,
    service_id: str,
    body: bytes,
    *,
    fetch: Fetch | None,
    now: datetime,
    style: Style,
    overridden: Callable[[HookRequest], frozenset[Overridden]] = nothing_overridden,
) -> Decision:
    """The cards for one hook call; raises UnknownService, BadRequest or CannotDecide, and never answers nothing because something broke."""
    service = service_of(knowledge, service_id)
    request = parse_request(body, service.hook)
    home = Home.at(request.fhir.base if request.fhir else None)
    drafts = read_drafts(request.draft_orders, request.patient_id, knowledge.terminology, composing=service.composing, home=home)
    if not concerned(service, request, drafts):
        return Decision(service, request, (), None, None, frozenset(), knowledge.version)
    parts = fill(request, service.sheet.prefetch, fetch, _named(drafts.unresolved), partial(of_others, request.patient_id, home=home))
    record = with_medications(parts, request, drafts, fetch, knowledge)
    bedside = stand_at(service, request, drafts, record, knowledge, now)
    verdicts = service.judge(bedside)
    due = plan(verdicts, bedside, service)  # an override only takes cards away: where none is due, nobody is asked for one
    cards = write(verdicts, bedside, service, knowledge, request, style, overridden(request)) if due else ()
    return Decision(service, request, cards, verdicts, bedside, bedside.chart.missing, knowledge.version)


def service_of(knowledge: Knowledge, service_id: str) -> Service:
    """The service with this id; raises UnknownService."""
    service = knowledge.services.get(service_id)
    if service is None:
        raise UnknownService("No service has this id; GET /cds-services lists them.")
    return service


def concerned(service: Service, request: HookRequest, drafts: Drafts) -> bool:
    """Whether the drafts can give any rule something to say, so that all other signings cost nothing and never fail.

    An antibacterial, a drug that a rule watches beside them, what stops or holds one, and every order that could not be read, or that
    names another record, which may yet turn out to be one of this patient's.
    """
    if not service.orders or drafts.unreadable or drafts.unresolved or drafts.strangers:
        return True
    chosen = selected(request, drafts)
    return any(order.drug.antibacterial or order.drug.key in service.watched for order in drafts.orders if order.among(chosen))


def with_medications(record: Prefetched, request: HookRequest, drafts: Drafts, fetch: Fetch | None, knowledge: Knowledge) -> Prefetched:
    """The record with the medications that its orders only point at; those that stay lost make their order unreadable."""
    if fetch is None or request.fhir is None:
        return record
    asked = record.missing | record.parts.keys()
    wanted = _named(tuple(name for name in unresolved(drafts, record.parts, knowledge.terminology) if name not in asked))
    if not wanted:
        return record
    found = fetch(request.fhir, wanted)
    return replace(record, parts={**record.parts, **{name: answer.resources for name, answer in found.items()}})


def stand_at(service: Service, request: HookRequest, drafts: Drafts, record: Prefetched, knowledge: Knowledge, now: datetime) -> Bedside:
    """The chart of the request as facts, seen through the policy of the service's condition."""
    policy = service.reference.policy
    chart = read_chart(
        request.patient_id,
        drafts,
        record.parts,
        record.missing & service.sheet.prefetch.keys(),
        knowledge.terminology,
        now,
        sought=_sought(policy),
        future_h=policy.windows.future_h,
        procedure_days=policy.windows.procedure_days,
    )
    return Bedside(chart, service.reference, request.hook, now, selected(request, drafts), parts=service.parts)


def selected(request: HookRequest, drafts: Drafts) -> frozenset[str]:
    """The drafts that the user has just selected, as far as they are there; nothing stands for all of them."""
    return request.selections & {f"MedicationRequest/{one.id}" for one in drafts.requests if one.id}


def _sought(policy: Policy) -> frozenset[str]:
    return frozenset(policy.evidence.genes).union(*policy.evidence.phenotypes)


def _named(references: tuple[str, ...]) -> Mapping[str, str]:
    """Reads by the reference itself; what is no plain reference is not asked for."""
    return {name: name for name in references[:MOST_MEDICATIONS] if MEDICATION.fullmatch(name)}
