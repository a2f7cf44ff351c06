"""Lets a worker meet each of its services once before a doctor does."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import orjson

from cds_service.cards import Style
from cds_service.decide import decide
from cds_service.errors import ServiceError
from cds_service.fhir.quantity import load_units
from cds_service.knowledge import Knowledge
from cds_service.protocol.response import to_json

UNITS_AFTER_S = 10.0  # loading takes a second of the processor, which the first requests need more


def warm_up(knowledge: Knowledge, fixtures: Path, now: datetime) -> None:
    """One whole answer of each service that the fixtures have a request for; the library of rare units follows later, in the background."""
    for service, body in _requests(knowledge, fixtures):
        with suppress(ServiceError):
            to_json(decide(knowledge, service, body, fetch=None, now=now, style=Style(new_id=lambda: "warm-up")).cards)
    later = threading.Timer(UNITS_AFTER_S, load_units)
    later.daemon = True
    later.start()


def _requests(knowledge: Knowledge, fixtures: Path) -> Iterator[tuple[str, bytes]]:
    """The first request in the order of the file names for every service of the condition in whose folder it lies."""
    for service in knowledge.services.values():
        for path in sorted(fixtures.glob(f"{service.condition}/requests/*.json")):
            body = path.read_bytes()
            if orjson.loads(body).get("hook") == service.hook:
                yield service.id, body
                break
