"""The service over HTTP: everything that it works with is handed in, so a test can change each part."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from uuid import uuid4

from flask import Flask, Response, g, request
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from cds_service.knowledge import Knowledge
from cds_service.protocol.prefetch import Fetch
from cds_service.settings import Client, Settings
from cds_service.store.card_ids import CardIds
from cds_service.store.pseudonyms import Pseudonyms
from cds_service.web.admission import Admission
from cds_service.web.cds_hooks import cds_hooks
from cds_service.web.headers import add_headers
from cds_service.web.logs import ERROR, event, fault
from cds_service.web.operation import operation
from cds_service.web.outcome import outcome
from cds_service.web.pages_of_site import ONLY_RULES, ForPeople, add_pages
from cds_service.web.parts import Doorkeeper, Parts, Remembers

PLACES = 8


def utc_now() -> datetime:
    """The wall clock."""
    return datetime.now(UTC)


def random_id() -> str:
    """An id for a request, an error or a record."""
    return str(uuid4())


def no_keys() -> Mapping[str, float | None]:
    """The key ages of a service without registered clients."""
    return {}


def no_faults() -> Mapping[str, int]:
    """The faults of FHIR servers where none is called."""
    return {}


def create_app(
    settings: Settings,
    knowledge: Knowledge,
    *,
    store: Remembers,
    trust: Doorkeeper,
    fetch_for: Callable[[Client], Fetch | None],
    secret: bytes,
    now: Callable[[], datetime] = utc_now,
    clock: Callable[[], float] = time.monotonic,
    new_id: Callable[[], str] = random_id,
    ids: CardIds | None = None,
    admission: Admission | None = None,
    key_ages: Callable[[], Mapping[str, float | None]] = no_keys,
    fhir_faults: Callable[[], Mapping[str, int]] = no_faults,
    for_people: ForPeople = ONLY_RULES,
) -> Flask:
    """Build the WSGI application; `secret` keys the card ids and the pseudonyms, `now` gives an aware time."""
    from cds_service.web.metrics import Metrics  # not before the server has said where workers count together

    rules = {rule.id for service in knowledge.services.values() for rule in service.rules}
    parts = Parts(
        settings=settings,
        knowledge=knowledge,
        store=store,
        trust=trust,
        fetch_for=fetch_for,
        now=now,
        clock=clock,
        ids=ids or CardIds(secret),
        pseudonyms=Pseudonyms(secret),
        new_id=new_id,
        metrics=Metrics([*knowledge.services, "discovery", "unknown"], rules),
        admission=admission or Admission(PLACES),
        key_ages=key_ages,
        fhir_faults=fhir_faults,
    )
    return _application(parts, for_people)


def _application(parts: Parts, for_people: ForPeople) -> Flask:
    app = Flask(__name__, static_folder=None)
    app.url_map.strict_slashes = False
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    add_headers(app, parts.settings, parts.new_id)
    app.register_blueprint(cds_hooks(parts))
    app.register_blueprint(operation(parts))
    app.register_error_handler(HTTPException, _refused)
    app.register_error_handler(Exception, _broken(parts.new_id))
    add_pages(app, parts, for_people)
    return app


def _refused(error: HTTPException) -> Response:
    status = error.code or 500
    answer = outcome(status, error.name.lower().replace(" ", "-"))
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        answer.headers["Allow"] = ", ".join(sorted({*error.valid_methods, "OPTIONS"} - {"HEAD"}))
    return answer


def _broken(new_id: Callable[[], str]) -> Callable[[Exception], Response]:
    """A fault of ours: the caller gets an id, the log gets type and place, and nobody gets an empty list of cards."""

    def answer(error: Exception) -> Response:
        error_id = new_id()
        event("fault", ERROR, error_id=error_id, request_id=g.get("request_id"), route=request.endpoint, status=500, **fault(error))
        return outcome(500, "internal", error_id=error_id)

    return answer
