"""The stewardship dashboard at /governance and its exports: aggregates only, behind a credential of its own."""

import csv
import hmac
import io
from base64 import b64decode
from binascii import Error as NotBase64
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, render_template, request

from cds_service.finding import Indicator
from cds_service.knowledge import Knowledge
from cds_service.store.statistics import Happened
from cds_service.web.board import DAY, Board, RuleLine, board
from cds_service.web.intervals import Rate, Share
from cds_service.web.plots import over_time, parts, small_multiples, whisker
from cds_service.web.rule_pages import rules_of
from cds_service.web.site import guard, policies

PERIODS = (30, 90, 365)
USUAL_PERIOD = 365
REALM = 'Basic realm="ndm-cds governance", charset="UTF-8"'
COLUMNS = ("rule", "title", "cards", "spoke", "with an offer", "accepted", "overridden", "no feedback", "last spoke", "fell silent")


@dataclass(frozen=True)
class Governance:
    """The views; `between` reads the store, `credential` is None in development mode, where everybody may look."""

    knowledge: Knowledge
    between: Callable[[float, float], Happened]
    now: Callable[[], datetime]
    credential: str | None
    open_to_all: bool = False

    def board(self) -> str:
        """The dashboard."""
        found, days = self._found()
        largest = max((one.cards for one in found.rules), default=0)
        return render_template(
            "governance.html",
            title="Governance",
            board=found,
            days=days,
            periods=PERIODS,
            picture=over_time(found),
            multiples=small_multiples(found),
            bars={one.rule: parts(_became(one), largest) for one in found.rules},
            whisker=whisker,
            reasons=self._reasons(found),
            missing=self._missing(found),
        )

    def as_json(self) -> Response:
        """The same numbers for a machine."""
        found, days = self._found()
        return Response(orjson.dumps({"days": days, **plain(found)}), content_type="application/json")

    def as_csv(self) -> Response:
        """One line for each rule, for a spreadsheet."""
        found, days = self._found()
        rows = []
        for one in found.rules:
            last = one.last.date().isoformat() if one.last else ""
            counts = (one.cards, one.spoke, one.accepted.of, one.accepted.count, one.overridden.count, one.unanswered.count)
            rows.append((one.rule, one.title, *counts, last, "yes" if one.silent else "no"))
        return sheet(COLUMNS, rows, f"ndm-cds-{days}-days.csv")

    def over_time_as_csv(self) -> Response:
        """One line for each rule that opened a card and each stretch of time, with its cards by indicator."""
        found, days = self._found()
        indicators = [indicator.value for indicator in reversed(Indicator)]
        rows = [
            (stretch.begins.date().isoformat(), one.rule, one.title, *(stretch.cards[indicator] for indicator in indicators))
            for one in found.rules
            for stretch in one.over_time
        ]
        return sheet(("begins", "rule", "title", *indicators), rows, f"ndm-cds-{days}-days-over-time.csv")

    def admit(self) -> Response | None:
        """Nobody without the credential, as HTTP Basic (any name) or Bearer; without one configured, nobody at all."""
        if self.open_to_all or (self.credential and hmac.compare_digest(offered().encode(), self.credential.encode())):
            return None
        refusal = Response("This page needs its own credential.\n", 401, content_type="text/plain; charset=utf-8")
        refusal.headers["WWW-Authenticate"] = REALM
        return refusal

    def _found(self) -> tuple[Board, int]:
        days = int(request.args.get("days", "")) if request.args.get("days", "").isdecimal() else USUAL_PERIOD
        days = days if days in PERIODS else USUAL_PERIOD
        until = self.now().timestamp()
        titles = {rule: one.sheet.title for rule, (one, _) in rules_of(self.knowledge).items()}
        hooks = {service.id: service.hook for service in self.knowledge.services.values()}
        shadow = frozenset(rule for policy in policies(self.knowledge).values() for rule in policy.rules.shadow)
        return board(self.between(until - days * DAY, until), titles, hooks, shadow), days

    def _missing(self, found: Board) -> list[tuple[str, int]]:
        names = {key: name for service in self.knowledge.services.values() for key, name in service.parts.items()}
        return [(names.get(key, key), count) for key, count in found.missing]

    def _reasons(self, found: Board) -> list[tuple[str, int]]:
        known = {one.code: one.display for one in self.knowledge.overrides.reasons.values()}
        return [(known.get(code, code) if code else "no reason given", count) for code, count in found.reasons]


def _became(line: RuleLine) -> Sequence[tuple[str, Share]]:
    """What became of the cards of one rule, by the tone of its bar."""
    return (("accepted", line.accepted), ("overridden", line.overridden), ("none", line.unanswered))


def sheet(heads: Sequence[str], rows: Iterable[Sequence[object]], name: str) -> Response:
    """Rows as a CSV file to save under this name."""
    paper = io.StringIO()
    writer = csv.writer(paper)
    writer.writerow(heads)
    writer.writerows(rows)
    answer = Response(paper.getvalue(), content_type="text/csv; charset=utf-8")
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def offered() -> str:
    """The credential of the request, "" where there is none."""
    kind, _, said = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() == "bearer":
        return said.strip()
    if kind.lower() != "basic":
        return ""
    try:
        return b64decode(said, validate=True).decode("utf-8").partition(":")[2]
    except (NotBase64, UnicodeDecodeError):
        return ""


def plain(found: Board) -> Mapping[str, Any]:
    """The numbers of a board as JSON values, shares and rates with their intervals."""
    return {name: _plain(getattr(found, name)) for name in found.__dataclass_fields__}


def _plain(value: Any) -> Any:
    if isinstance(value, (Share, Rate)):
        return value.json()
    if isinstance(value, datetime):
        return value.isoformat(timespec="seconds")
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    if hasattr(value, "__dataclass_fields__"):
        return {name: _plain(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return dict(value)
    return round(value, 1) if isinstance(value, float) else value


def register(app: Flask, governance: Governance) -> None:
    """Adds /governance and its exports as JSON and CSV."""
    blueprint = Blueprint("governance", __name__)
    blueprint.before_request(governance.admit)
    views: Mapping[str, Callable[[], Any]] = {
        "/governance": governance.board,
        "/governance.json": governance.as_json,
        "/governance.csv": governance.as_csv,
        "/governance-over-time.csv": governance.over_time_as_csv,
    }
    for url, view in views.items():
        blueprint.add_url_rule(url, view.__name__, view)
    guard(blueprint)
    app.register_blueprint(blueprint)
