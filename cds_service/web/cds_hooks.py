"""The three endpoints of CDS Hooks: discovery, invocation, feedback; the only place that gives their statuses."""

from collections.abc import Callable, Mapping
from functools import partial, wraps
from typing import Any

import orjson
from flask import Blueprint, Response, g, request
from msgspec.structs import replace

from cds_service.cards import Style
from cds_service.decide import Decision, decide, service_of
from cds_service.errors import CannotDecide, ServiceError
from cds_service.protocol.discovery import entry
from cds_service.protocol.feedback import parse_feedback
from cds_service.protocol.response import to_json
from cds_service.service import Service
from cds_service.settings import Client
from cds_service.web.admission import REFUSAL
from cds_service.web.bodies import read_body
from cds_service.web.ledger import Ledger, verdicts
from cds_service.web.logs import event
from cds_service.web.outcome import MEDIA_TYPE, outcome
from cds_service.web.parts import Parts
from cds_service.web.trust import REFUSAL_BODY, REFUSAL_HEADERS, REFUSAL_STATUS, Refused
from cds_service.web.unavailable import unavailable_card

DISCOVERY = "/cds-services"
MEGABYTE = 1_000_000

View = Callable[..., Response]


def cds_hooks(parts: Parts) -> Blueprint:
    """The endpoints as a Flask blueprint."""
    pages = Blueprint("cds_hooks", __name__)
    hooks = CdsHooks(parts)
    pages.get(DISCOVERY)(hooks.counted(hooks.discovery))
    pages.post(f"{DISCOVERY}/<service_id>")(hooks.counted(hooks.invoke))
    pages.post(f"{DISCOVERY}/<service_id>/feedback")(hooks.counted(hooks.feedback))
    return pages


class CdsHooks:
    """Who calls, what is asked, what is answered."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._ledger = Ledger(parts)
        self._document = orjson.dumps({"services": [entry(one.sheet) for one in parts.knowledge.services.values()]})

    def discovery(self) -> Response:
        """The services; open to everybody unless the operator protects it."""
        if self._parts.settings.server.discovery == "protected":
            self._client(DISCOVERY)
        return Response(self._document, content_type=MEDIA_TYPE)

    def invoke(self, service_id: str) -> Response:
        """The cards for one hook call."""
        client = self._client(f"{DISCOVERY}/{service_id}")
        service = service_of(self._parts.knowledge, service_id)
        body = self._body()
        started = self._parts.clock()
        try:
            with self._parts.admission:
                decision = self._decide(client, service, body)
                answer = to_json(decision.cards)
        except CannotDecide as error:
            return self._cannot(client, service, body, error, started)
        said = verdicts(decision)
        self._ledger.decided(client, body, decision, said, self._since(started))
        self._count(decision, said)
        g.cards, g.missing = len(decision.cards), sorted(decision.missing)
        return Response(answer, content_type=MEDIA_TYPE)

    def feedback(self, service_id: str) -> Response:
        """What became of cards: acknowledged when it is kept, or when it is not about a card of ours."""
        path = f"{DISCOVERY}/{service_id}"
        client = self._client(f"{path}/feedback", path)
        service_of(self._parts.knowledge, service_id)
        entries = parse_feedback(self._body())
        foreign = self._ledger.feedback(client, service_id, entries)
        for one in entries:
            self._parts.metrics.feedback(one.outcome)
        if foreign:
            event("feedback-for-unknown-cards", request_id=g.request_id, client=client.name, service=service_id, count=foreign)
        return Response(orjson.dumps({"received": len(entries)}), content_type=MEDIA_TYPE)

    def counted(self, view: View) -> View:
        """Wrap a view: refusals become answers, and each call is counted and logged once."""

        @wraps(view)
        def answer(**names: str) -> Response:
            started = self._parts.clock()
            try:
                _refuse(request.environ)
                given = view(**names)
            except Refused as refused:
                self._parts.metrics.refused(refused.reason.value)
                g.reason = refused.reason.value
                given = Response(REFUSAL_BODY, REFUSAL_STATUS, REFUSAL_HEADERS)
            except ServiceError as error:
                g.reason = error.code
                given = outcome(error.status, error.code, error.message)
            except Exception:
                self._log(names.get("service_id", "discovery"), 500, self._since(started))
                raise  # whoever answers for faults gives the id
            self._log(names.get("service_id", "discovery"), given.status_code, self._since(started))
            return given

        return answer

    def _client(self, *paths: str) -> Client:
        client = self._parts.trust.client(request.headers.get("Authorization"), paths)
        g.client = client.name
        return client

    def _body(self) -> bytes:
        return read_body(request, self._parts.settings.server.max_body_mb * MEGABYTE)

    def _decide(self, client: Client, service: Service, body: bytes) -> Decision:
        parts = self._parts
        mint = parts.ids.minter(client.name, service.id)
        style = Style(profile=client.profile, public_url=parts.settings.server.public_url, new_id=mint)
        found = decide(
            parts.knowledge,
            service.id,
            body,
            fetch=parts.fetch_for(client),
            now=parts.now(),
            style=style,
            overridden=partial(self._ledger.overridden, client),
        )
        return replace(found, cards=()) if client.shadow else found

    def _cannot(self, client: Client, service: Service, body: bytes, error: CannotDecide, started: float) -> Response:
        """412, or for a client whose users would never see that, a card that says what could not be had; in shadow never a card."""
        g.missing = sorted(error.missing)
        as_card = client.unavailable == "card" and not client.shadow
        self._ledger.refused(client, service.id, body, 200 if as_card else 412, self._since(started), error.missing)
        if not as_card:
            raise error
        card = unavailable_card(service, error.missing, self._parts.ids.minter(client.name, service.id)(), self._parts.knowledge.version)
        return Response(to_json([card]), content_type=MEDIA_TYPE)

    def _count(self, decision: Decision, said: Mapping[str, str]) -> None:
        self._parts.metrics.verdicts(said)
        for card in decision.cards:
            self._parts.metrics.card(next(iter(card.extension.get("ndm-cds.rules", ())), ""), card.indicator)

    def _since(self, started: float) -> float:
        return (self._parts.clock() - started) * 1_000

    def _log(self, service: str, status: int, elapsed_ms: float) -> None:
        known = service if service in self._parts.knowledge.services or service == "discovery" else "unknown"
        self._parts.metrics.answered(known, status, elapsed_ms / 1_000)
        self._parts.metrics.fhir_faults(self._parts.fhir_faults())
        event(
            "answered",
            request_id=g.request_id,
            client=g.get("client"),
            service=known,
            route=request.endpoint,
            status=status,
            reason=g.get("reason"),
            cards=g.get("cards"),
            missing=g.get("missing"),
            elapsed_ms=round(elapsed_ms, 2),
        )


def _refuse(environ: Mapping[str, Any]) -> None:
    """Raises what the server says about a call that came too late or would have to wait too long."""
    refusal: ServiceError | None = environ.get(REFUSAL)
    if refusal is not None:
        raise refusal
