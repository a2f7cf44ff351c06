"""From what the rules said to the cards that a doctor reads."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from cds_service.cards.desk import Desk, Library, Style
from cds_service.cards.detail import Aside, brief, detail, rows, society
from cds_service.cards.plan import Sketch, ingredients, plan
from cds_service.cards.suggestions import suggestions
from cds_service.cards.text import headline
from cds_service.clinical.bedside import Bedside
from cds_service.evidence import EvidenceRow, Override
from cds_service.finding import Finding, Indicator, Overridden
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import REFERENCE, Card, Coding, Link, Source
from cds_service.service import Service, Verdicts

__all__ = ["Library", "Style", "ingredients", "plan", "write"]

PROJECT = "ndm-cds"
TOPICS = "urn:ndm-cds:rules"
MOST_SOCIETIES = 3


def write(
    verdicts: Verdicts,
    bedside: Bedside,
    service: Service,
    knowledge: Library,
    request: HookRequest,
    style: Style,
    overridden: frozenset[Overridden] = frozenset(),
) -> tuple[Card, ...]:
    """The cards of one answer, most urgent first; none where nothing has to be said."""
    desk = Desk(bedside, service, knowledge, request, style)
    return tuple(_card(desk, sketch) for sketch in plan(verdicts, bedside, service, overridden))


def _card(desk: Desk, sketch: Sketch) -> Card:
    lead, sheet = sketch.lead, desk.service.sheet
    offered, aside = suggestions(desk, sketch.own) if sheet.suggestions else ((), Aside())
    indicator = min(lead.indicator, sheet.indicator_at_most, key=lambda one: one.rank)
    hint = sheet.indicator_at_most is Indicator.INFO
    return Card(
        uuid=desk.style.new_id(),
        summary=headline(lead.summary),
        indicator=indicator.value,
        source=_source(desk, sketch),
        detail=brief(sketch, desk.bedside) if hint else detail(sketch, desk.bedside, desk.library.evidence, aside, desk.service.limited),
        suggestions=offered,
        selection="any" if desk.style.profile == "epic" else "at-most-one",
        override_reasons=_reasons(desk, sketch.own),
        links=_links(desk, lead),
        extension=_extension(desk, sketch.findings),
    )


def _source(desk: Desk, sketch: Sketch) -> Source:
    """Those who stand behind the evidence, by society and year; the project where no row names one."""
    cited = rows(sketch.own, desk.library.evidence)
    named = list(dict.fromkeys(society(row) for row in cited if row.society and row.verified != "article-only"))
    topic = Coding(TOPICS, sketch.lead.rule, sketch.lead.title)
    return Source(label="; ".join(named[:MOST_SOCIETIES]) or PROJECT, topic=topic, url=_evidence_url(desk, cited))


def _evidence_url(desk: Desk, cited: Sequence[EvidenceRow]) -> str:
    """Our page about the evidence; without one, the first document that is cited."""
    if desk.style.base:
        return f"{desk.style.base}/evidence"
    return next((row.url for row in cited if row.url.startswith("https://")), "")


def _links(desk: Desk, lead: Finding) -> tuple[Link, ...]:
    base = desk.style.base
    return (Link("About this alert", f"{base}/rules/{lead.rule}"),) if base else ()


def _reasons(desk: Desk, findings: Iterable[Finding]) -> tuple[Coding, ...]:
    """The override reasons of the card's own findings, each once."""
    known = desk.library.overrides
    words = dict.fromkeys(word for finding in findings for word in finding.override)
    return tuple([_reason(known.system, known.reasons[word]) for word in words if word in known.reasons])


@lru_cache(maxsize=256)
def _reason(system: str, reason: Override) -> Coding:
    return Coding(system, reason.code, reason.display)


def _extension(desk: Desk, findings: Sequence[Finding]) -> Mapping[str, Any]:
    orders = (order.reference for finding in findings for order in finding.remark.orders)
    about = list(dict.fromkeys(one for one in orders if REFERENCE.fullmatch(one)))
    extension: dict[str, Any] = {"ndm-cds.rules": [finding.rule for finding in findings], "ndm-cds.knowledge": desk.library.version}
    return {**extension, "davinci-crd.associated-resource": about} if about else extension
