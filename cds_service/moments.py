"""Moves the dates of a document: a fixture is written for one moment and means the same at any other."""

import re
from datetime import UTC, date, datetime, timedelta
from typing import Any

WRITTEN = "ndm-cds.written"
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2})")


def written(document: Any) -> datetime | None:
    """The moment that a document says it was written for: `extension` of a request, `written` of a patient; None where it does not say."""
    if not isinstance(document, dict):
        return None
    extension = document.get("extension")
    said = extension.get(WRITTEN) if isinstance(extension, dict) else document.get("written")
    return moment(said) if isinstance(said, str) else None


def moment(text: str) -> datetime:
    """A moment in ISO 8601, in UTC where it names no zone; ValueError where it reads as none."""
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def moved(document: Any, by: timedelta) -> Any:
    """The same document with every date and moment in it moved; texts that only contain a date stay as they are."""
    if isinstance(document, dict):
        return {key: moved(value, by) for key, value in document.items()}
    if isinstance(document, list):
        return [moved(value, by) for value in document]
    return _text(document, by) if isinstance(document, str) else document


def to_now(document: Any, now: datetime) -> Any:
    """The document as if it had been written now; unchanged where it does not say when it was written."""
    then = written(document)
    return moved(document, now - then) if then else document


def _text(text: str, by: timedelta) -> str:
    if MOMENT.fullmatch(text):
        return _moment(text, by)
    if DATE.fullmatch(text):
        return _date(text, by)
    return text


def _moment(text: str, by: timedelta) -> str:
    """A moment keeps its zone and its precision: a record that writes whole seconds goes on doing so."""
    try:
        found = datetime.fromisoformat(text) + by
    except (ValueError, OverflowError):
        return text
    said = found.isoformat(timespec="milliseconds" if "." in text else "seconds")
    return said.removesuffix("+00:00") + "Z" if text.endswith("Z") else said


def _date(text: str, by: timedelta) -> str:
    """A date moves by whole days, so that ages stay."""
    try:
        return (date.fromisoformat(text) + timedelta(days=round(by / timedelta(days=1)))).isoformat()
    except (ValueError, OverflowError):
        return text
