"""Whole requests made of clinical cases, and ways to take them through the corridor."""

import copy
import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from cds_service.access import Answer, FhirAccess
from cds_service.cards import Style
from cds_service.cases.build import chart_of, request
from cds_service.cases.lexicon import Lexicon
from cds_service.cases.read import Case
from cds_service.cases.record import Record
from cds_service.cases.sheet import CaseLine, Usual
from cds_service.decide import Decision, decide
from cds_service.knowledge import Knowledge
from cds_service.protocol.prefetch import Fetch
from tests.fhir_client.faultfhir import FaultServer, Script

NDM = {"organism": "klebsiella-pneumoniae", "specimen": "blood", "found": "NDM", "days": 2}


def style() -> Style:
    """Cards with counted names, the same in every run."""
    numbers = itertools.count(1)
    return Style(new_id=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}")


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


def resources(value: Mapping[str, Any]) -> tuple[msgspec.Raw, ...]:
    """The resources of a searchset or the resource itself, in bytes."""
    found = [one["resource"] for one in value.get("entry", ())] if value["resourceType"] == "Bundle" else [value]
    return tuple(msgspec.Raw(json.dumps(one).encode()) for one in found)


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

    def decide(self, body: Mapping[str, Any] | bytes, fetch: Fetch | None = None, service: str | None = None) -> Decision:
        """What the corridor says to a request."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        name = service or f"ndm-{json.loads(raw)['hook']}"
        return decide(self.knowledge, name, raw, fetch=fetch, now=self.now, style=style())


@pytest.fixture(scope="session")
def corridor(knowledge: Knowledge, usual: Usual, lexicon: Lexicon) -> Corridor:
    """The shipped knowledge with the usual patient."""
    return Corridor(knowledge, usual, lexicon, datetime(2026, 11, 20, 12, 0, tzinfo=UTC))


@pytest.fixture
def serve() -> Iterator[Callable[..., FaultServer]]:
    """Starts servers with a script each, and ends them."""
    started: list[FaultServer] = []

    def start(script: Script) -> FaultServer:
        started.append(FaultServer(script))
        return started[-1]

    yield start
    for one in started:
        one.close()


def rules(decision: Decision) -> list[list[str]]:
    """The rules that each card speaks for."""
    return [list(card.extension["ndm-cds.rules"]) for card in decision.cards]
