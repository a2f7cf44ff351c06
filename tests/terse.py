"""A patient in a few words, as a clinical case tells it: the whole request, the record behind it, and what the corridor decides."""

import copy
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from cds_service.access import Answer, FhirAccess
from cds_service.cards import Style
from cds_service.cases.build import chart_of, request
from cds_service.cases.lexicon import Lexicon
from cds_service.cases.read import Case
from cds_service.cases.record import Record
from cds_service.cases.run import numbered
from cds_service.cases.sheet import CaseLine, Usual
from cds_service.decide import Decision, decide
from cds_service.knowledge import Knowledge
from cds_service.protocol.prefetch import Fetch
from cds_service.sent import Resource, look

NDM = {"organism": "klebsiella-pneumoniae", "specimen": "blood", "found": "NDM", "days": 2}


class Asked:
    """A FHIR server in memory that remembers what it was asked."""

    def __init__(self, record: Record | None) -> None:
        self.record, self.queries = record, []

    def __call__(self, _: FhirAccess, queries: Mapping[str, str]) -> Mapping[str, Answer]:
        self.queries += queries.values()
        if self.record is None:
            return {}
        found = {key: self.record.answer(query) for key, query in queries.items()}
        return {key: Answer(resources(value)) for key, value in found.items() if value is not None}


def resources(value: Mapping[str, Any]) -> tuple[Resource, ...]:
    """The resources of a searchset or the resource itself, in bytes."""
    found = [one["resource"] for one in value.get("entry", ())] if value["resourceType"] == "Bundle" else [value]
    return tuple(look(msgspec.Raw(json.dumps(one).encode())) for one in found)


class Corridor:
    """Cases as requests, records and decisions."""

    def __init__(self, knowledge: Knowledge, usual: Usual, lexicon: Lexicon, now: datetime) -> None:
        self.knowledge, self.usual, self.lexicon, self.now = knowledge, usual, lexicon, now

    def case(self, hook: str = "order-sign", **line: Any) -> Case:
        """A case; one current NDM isolate unless it says otherwise."""
        told = {"case": "told here", "hook": hook, "results": [NDM], "expect": "silence", **line}
        return Case("told here", "", "ndm", "here", msgspec.convert(told, CaseLine))

    def request(self, hook: str = "order-sign", **line: Any) -> dict[str, Any]:
        """The whole request of a case, everything prefetched."""
        queries = {key: part.query for key, part in self.knowledge.services[f"ndm-{hook}"].sheet.prefetch.items()}
        return copy.deepcopy(request(self.case(hook, **line), queries, self.usual, self.lexicon, self.now))

    def record(self, hook: str = "order-sign", **line: Any) -> Record:
        """The patient's record of a case, as a FHIR server would have it."""
        return Record(chart_of(self.case(hook, **line).line, self.usual, self.lexicon, self.now).resources)

    def decide(
        self, body: Mapping[str, Any] | bytes, fetch: Fetch | None = None, service: str | None = None, now: datetime | None = None
    ) -> Decision:
        """What the corridor says to a request, at the moment for which it was written unless another is named."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        name = service or f"ndm-{json.loads(raw)['hook']}"
        return decide(self.knowledge, name, raw, fetch=fetch, now=now or self.now, style=Style(new_id=numbered()))


def rules(decision: Decision) -> list[list[str]]:
    """The rules that each card speaks for."""
    return [list(card.extension["ndm-cds.rules"]) for card in decision.cards]
