"""What every answer carries: no caching, no guessing of types, the request id, and CORS for the origins that the operator names."""

import re
from collections.abc import Callable

from flask import Flask, Response, g, request
from werkzeug.exceptions import NotFound

from cds_service.settings import Settings

ALLOWED_HEADERS = "Authorization, Content-Type, X-Request-ID"
ALLOWED_METHODS = "GET, POST, OPTIONS"
PREFLIGHT_LIFE_S = "600"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def add_headers(app: Flask, settings: Settings, new_id: Callable[[], str]) -> None:
    """Register what happens before and after each request, whatever it is for and however it ends."""

    @app.before_request
    def _begin() -> Response | None:
        offered = request.headers.get("X-Request-ID", "")
        g.request_id = offered if _REQUEST_ID.fullmatch(offered) else new_id()
        if request.method == "OPTIONS" and not isinstance(request.routing_exception, NotFound):
            return _preflight()
        return None

    @app.after_request
    def _end(answer: Response) -> Response:
        answer.headers.setdefault("Cache-Control", "no-store")
        answer.headers["X-Content-Type-Options"] = "nosniff"
        answer.headers["Server"] = "ndm-cds"
        answer.headers["X-Request-ID"] = g.get("request_id") or new_id()
        _share(answer, settings)
        return answer


def _preflight() -> Response:
    """A preflight needs no token: a browser sends none with it."""
    answer = Response(status=204)
    del answer.headers["Content-Type"]
    answer.headers["Allow"] = ALLOWED_METHODS
    return answer


def _share(answer: Response, settings: Settings) -> None:
    """Name the origin that may read the answer; no credentials, since a token is sent by the client itself."""
    if not (settings.development or settings.server.cors_origins):
        return
    answer.headers.add("Vary", "Origin")
    origin = request.headers.get("Origin")
    if origin is None or not (settings.development or origin in settings.server.cors_origins):
        return
    answer.headers["Access-Control-Allow-Origin"] = origin
    answer.headers["Access-Control-Expose-Headers"] = "X-Request-ID"
    if request.method == "OPTIONS":
        answer.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        answer.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        answer.headers["Access-Control-Max-Age"] = PREFLIGHT_LIFE_S
