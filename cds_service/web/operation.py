"""What operators ask: is it alive, is it ready, what does it count, which version runs, what does it offer."""

from typing import Any

import orjson
from flask import Blueprint, Response

from cds_service import __version__
from cds_service.protocol.discovery import SPECIFICATION
from cds_service.shipped import shipped
from cds_service.web.outcome import MEDIA_TYPE
from cds_service.web.parts import Parts


def operation(parts: Parts) -> Blueprint:
    """The endpoints as a Flask blueprint; none of them needs a token, and none says anything about a patient."""
    pages = Blueprint("operation", __name__)
    desk = _Desk(parts)
    pages.get("/healthz")(desk.health)
    pages.get("/readyz")(desk.readiness)
    pages.get("/metrics")(desk.metrics)
    pages.get("/version")(desk.version)
    pages.get("/openapi.json")(desk.openapi)
    return pages


class _Desk:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._openapi = shipped("docs/openapi.json").read_bytes()

    def health(self) -> Response:
        """The process answers; nothing else is looked at, so that a database in trouble restarts nobody."""
        return _json({"status": "ok"})

    def readiness(self) -> Response:
        """Whether calls should be sent here: not while the database is out of reach."""
        parts = self._parts
        store = "ok" if parts.store.healthy() else "unavailable"
        ready = store == "ok"
        state = {"status": "ready" if ready else "not ready", "knowledge": "ok", "store": store, "spoolBytes": parts.store.waiting()}
        ages = {client: round(age) for client, age in parts.key_ages().items() if age is not None}
        return _json({**state, **({"keyAgeSeconds": ages} if ages else {})}, 200 if ready else 503)

    def metrics(self) -> Response:
        """Counters in the text form of Prometheus."""
        dropped = self._parts.store.take_dropped()
        if dropped:
            self._parts.metrics.dropped(dropped)
        text, kind = self._parts.metrics.text(self._parts.store.waiting(), self._parts.key_ages())
        return Response(text, content_type=kind)

    def version(self) -> Response:
        """The version of the program and of the knowledge."""
        return _json({"name": "ndm-cds", "version": __version__, "knowledge": self._parts.knowledge.version, "cdsHooks": SPECIFICATION})

    def openapi(self) -> Response:
        """The description of this interface, the same as `docs/openapi.json`."""
        return Response(self._openapi, content_type=MEDIA_TYPE)


def _json(content: dict[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(content), status, content_type=MEDIA_TYPE)
