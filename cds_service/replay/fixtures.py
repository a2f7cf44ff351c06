"""Stored requests, each with the answer that was promised for it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import orjson

from cds_service.moments import written

REQUESTS, RESPONSES = "requests", "responses"


@dataclass(frozen=True)
class Answer:
    """What a service said: the HTTP status and the parsed body."""

    status: int
    body: Any

    @property
    def cards(self) -> list[dict[str, Any]]:
        cards = self.body.get("cards") if isinstance(self.body, dict) else None
        return [one for one in cards if isinstance(one, dict)] if isinstance(cards, list) else []


@dataclass(frozen=True)
class Fixture:
    """One stored request; `promised` is None where no answer is stored, `written` where it names no moment.

    `body` is the parsed request, or None where the file is not JSON: then `raw` is sent as it is.
    """

    file: Path
    raw: bytes
    body: Any
    written: datetime | None
    service: str | None
    promised: Answer | None

    @property
    def name(self) -> str:
        return self.file.stem

    @property
    def hook(self) -> str:
        return str(self.body.get("hook", "")) if isinstance(self.body, dict) else ""


def read_fixtures(paths: Iterable[Path], as_of: datetime | None = None) -> list[Fixture]:
    """Every request below these folders and among these files; `as_of` is the moment of those that name none."""
    return [_fixture(file, as_of) for path in paths for file in _files(path)]


def answer_file(request: Path) -> Path:
    """Where the answer to a request is stored: `responses/x.json` for `requests/x.json`, else `x.response.json` beside it."""
    if request.parent.name == REQUESTS:
        return request.parent.parent / RESPONSES / request.name
    return request.with_suffix(".response.json")


def store(fixture: Fixture, service: str, answer: Answer) -> Path:
    """Keeps an answer as the promised one."""
    file = answer_file(fixture.file)
    file.parent.mkdir(parents=True, exist_ok=True)
    promise = {"service": service, "status": answer.status, "body": answer.body}
    file.write_bytes(orjson.dumps(promise, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE))
    return file


def _files(path: Path) -> list[Path]:
    """A file itself; of a folder every request in it, and only `requests/` where there are such folders."""
    if path.is_file():
        return [path]
    found = sorted(path.rglob(f"{REQUESTS}/*.json")) or sorted(path.glob("*.json"))
    return [one for one in found if not one.name.endswith(".response.json") and one.parent.name != RESPONSES]


def _fixture(file: Path, as_of: datetime | None) -> Fixture:
    raw = file.read_bytes()
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError:
        body = None
    promise = answer_file(file)
    stored = orjson.loads(promise.read_bytes()) if promise.exists() else None
    return Fixture(
        file=file,
        raw=raw,
        body=body,
        written=_written(body) or as_of,
        service=stored.get("service") if stored else None,
        promised=Answer(stored["status"], stored["body"]) if stored else None,
    )


def _written(body: Any) -> datetime | None:
    try:
        return written(body)
    except ValueError:
        return None
