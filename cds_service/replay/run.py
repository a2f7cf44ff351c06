"""Replays fixtures: asks, compares, says what differs."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson

from cds_service.cards import Style
from cds_service.decide import decide
from cds_service.errors import ServiceError
from cds_service.knowledge import Knowledge
from cds_service.moments import moved
from cds_service.protocol.response import to_json
from cds_service.replay.compare import Difference, differences
from cds_service.replay.fixtures import Answer, Fixture
from cds_service.replay.wire import Remote, service_for

Ask = Callable[[Fixture, str], tuple[Answer, timedelta]]
ANYWHERE = "https://cds.example.org"  # stands for the address of the service, so that an answer is the same on every machine
ISSUES = {400: "invalid", 404: "not-found", 412: "incomplete"}  # R4 value set "issue-type"


@dataclass(frozen=True)
class Outcome:
    """One fixture and what came of it; `differences` is empty where no answer was promised."""

    fixture: Fixture
    service: str
    answer: Answer
    differences: tuple[Difference, ...]

    @property
    def kept(self) -> bool:
        return not self.differences


def replay(fixtures: Iterable[Fixture], ask: Ask, services: Sequence[Mapping[str, Any]], chosen: str | None = None) -> Iterator[Outcome]:
    """Asks for each fixture in turn; `services` are discovery entries, `chosen` one service for all."""
    for fixture in fixtures:
        service = chosen or fixture.service or service_for(list(services), fixture.hook)
        if service is None:
            reason = Difference(
                "service",
                f"one that answers the hook {fixture.hook or 'of a body that is not JSON'!s}",
                "none or several; name it with --service",
            )
            yield Outcome(fixture, "", Answer(0, None), (reason,))
            continue
        answer, shift = ask(fixture, service)
        found = differences(fixture.promised, answer, shift) if fixture.promised else []
        yield Outcome(fixture, service, answer, tuple(found))


def ask_engine(knowledge: Knowledge, now: datetime, new_id: Callable[[], Callable[[], str]]) -> Ask:
    """Asks the engine of this process, at the moment for which each fixture was written."""

    def ask(fixture: Fixture, service: str) -> tuple[Answer, timedelta]:
        return engine_answer(
            knowledge, service, fixture.raw, fixture.written or now, Style(public_url=ANYWHERE, new_id=new_id())
        ), timedelta(0)

    return ask


def ask_remote(remote: Remote, now: datetime) -> Ask:
    """Asks a running service, with every date of the request moved to the present."""

    def ask(fixture: Fixture, service: str) -> tuple[Answer, timedelta]:
        by = now - fixture.written if fixture.written else timedelta(0)
        body = orjson.dumps(moved(fixture.body, by)) if fixture.body is not None and fixture.written else fixture.raw
        return _anywhere(remote.call(service, body), remote.url.rstrip("/")), by

    return ask


def _anywhere(answer: Answer, address: str) -> Answer:
    """The answer with the service's own address taken out of its links."""
    return Answer(answer.status, orjson.loads(orjson.dumps(answer.body).replace(address.encode(), ANYWHERE.encode())))


def engine_answer(knowledge: Knowledge, service: str, body: bytes, now: datetime, style: Style) -> Answer:
    """What the service would answer, refusals with their status included."""
    try:
        decision = decide(knowledge, service, body, fetch=None, now=now, style=style)
    except ServiceError as error:
        return Answer(error.status, refusal(error))
    return Answer(200, orjson.loads(to_json(decision.cards)))


def refusal(error: ServiceError) -> dict[str, Any]:
    """A refusal as the OperationOutcome that a client reads, without the identifier that only a running service gives it."""
    kind = ISSUES.get(error.status, "processing")
    issue = {"severity": "error", "code": kind, "details": {"text": error.code}, "diagnostics": error.message}
    return {"resourceType": "OperationOutcome", "issue": [issue]}
