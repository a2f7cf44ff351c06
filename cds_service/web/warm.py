"""Lets a worker meet each of its services once before a doctor does."""

from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import orjson

from cds_service.cards import Style
from cds_service.decide import decide
from cds_service.errors import ServiceError
from cds_service.knowledge import Knowledge
from cds_service.protocol.response import to_json


def warm_up(knowledge: Knowledge, fixtures: Path, now: datetime) -> None:
    """One whole answer of each service that the fixtures have a request for."""
    for service, body in _requests(knowledge, fixtures):
        with suppress(ServiceError):
            to_json(decide(knowledge, service, body, fetch=None, now=now, style=Style(new_id=lambda: "warm-up")).cards)


def _requests(knowledge: Knowledge, fixtures: Path) -> Iterator[tuple[str, bytes]]:
    """The first request in the order of the file names for every service of the condition in whose folder it lies."""
    for service in knowledge.services.values():
        for path in sorted(fixtures.glob(f"{service.condition}/requests/*.json")):
            body = path.read_bytes()
            if orjson.loads(body).get("hook") == service.hook:
                yield service.id, body
                break
