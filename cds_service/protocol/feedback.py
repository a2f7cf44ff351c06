"""What became of a card, as clients tell it: the form of CDS Hooks 2.0 and the two older or vendor forms that are in use."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from cds_service.errors import BadRequest
from cds_service.strict_json import strict_json

Outcome = Literal["accepted", "overridden"]

MOST_ENTRIES = 1_000
LONGEST_ID = 255
LONGEST_COMMENT = 10_000
_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPIC_REASON = "com.epic.cdshooks.feedback.overrideReason."


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a card was overridden: a code of a system; either may be missing."""

    system: str | None = None
    code: str | None = None


@dataclass(frozen=True, slots=True)
class Feedback:
    """One outcome of one card; the comment can hold anything, so it never shows."""

    card: str
    outcome: Outcome
    at: datetime
    suggestions: tuple[str, ...] = ()
    reason: Reason | None = None
    comment: str | None = field(default=None, repr=False)

    @property
    def reasoned(self) -> bool:
        """An override that says why."""
        return self.outcome == "overridden" and (self.reason is not None or bool(self.comment))


def parse_feedback(body: bytes) -> tuple[Feedback, ...]:
    """Read the body of a feedback call, or raise BadRequest that names the member at fault."""
    try:
        document = strict_json(body)
    except ValueError:
        raise BadRequest("The body is not JSON: UTF-8 without duplicate names or NaN is expected.") from None
    entries = document.get("feedback") if isinstance(document, dict) else None
    if not isinstance(entries, list) or not entries:
        raise BadRequest('feedback: an object with the list "feedback" of at least one entry is expected.')
    if len(entries) > MOST_ENTRIES:
        raise BadRequest(f"feedback: at most {MOST_ENTRIES} entries are taken in one call.")
    return tuple(_entry(entry, f"feedback[{place}]") for place, entry in enumerate(entries))


def _entry(entry: Any, place: str) -> Feedback:
    if not isinstance(entry, dict):
        raise BadRequest(f"{place}: an object is expected.")
    card = _text(entry.get("card"), f"{place}.card")
    outcome = entry.get("outcome")
    if outcome not in ("accepted", "overridden"):
        raise BadRequest(f'{place}.outcome: "accepted" or "overridden" is expected.')
    at = _moment(entry.get("outcomeTimestamp"), f"{place}.outcomeTimestamp")
    if outcome == "accepted":
        return Feedback(card, "accepted", at, _suggestions(entry.get("acceptedSuggestions"), f"{place}.acceptedSuggestions"))
    reason, comment = _override(entry, place)
    return Feedback(card, "overridden", at, reason=reason, comment=comment)


def _text(value: Any, place: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST_ID:
        raise BadRequest(f"{place}: a string of 1 to {LONGEST_ID} characters is expected.")
    return value


def _moment(value: Any, place: str) -> datetime:
    """RFC 3339 with a zone, normalised to UTC."""
    try:
        if isinstance(value, str) and _MOMENT.fullmatch(value):
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise BadRequest(f"{place}: a time with date and zone is expected, such as 2026-01-31T12:00:00Z.")


def _suggestions(value: Any, place: str) -> tuple[str, ...]:
    if not isinstance(value, list) or not value:
        raise BadRequest(f"{place}: a list of at least one object with the id of a suggestion is expected.")
    found = []
    for number, one in enumerate(value):
        if not isinstance(one, dict):
            raise BadRequest(f"{place}[{number}]: an object with an id is expected.")
        found.append(_text(one.get("id"), f"{place}[{number}].id"))
    return tuple(dict.fromkeys(found))


def _override(entry: Mapping[str, Any], place: str) -> tuple[Reason | None, str | None]:
    """Reason and comment from `overrideReason`, from Epic's `overrideReasons`, or, where they give none, from Epic's extension."""
    reason, comment = None, None
    for name, value in _told(entry):
        if not isinstance(value, dict):
            raise BadRequest(f"{place}.{name}: an object is expected.")
        reason = reason or _reason(value, f"{place}.{name}")
        comment = comment or _comment(value.get("userComment"), f"{place}.{name}.userComment")
    extended = _epic_extension(entry)
    return reason or extended, comment


def _told(entry: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("overrideReason", "overrideReasons"):
        value = entry.get(name)
        for one in value if isinstance(value, list) else [value]:
            if one is not None:
                yield name, one


def _reason(value: Mapping[str, Any], place: str) -> Reason | None:
    """The coding in `reason`, or, as the public sandbox used to send it, beside it."""
    coding = value.get("reason")
    if coding is None and "code" in value:
        coding = value
    if coding is None:
        return _epic_extension(value)
    if not isinstance(coding, dict) or not isinstance(coding.get("code"), str) or not coding["code"]:
        raise BadRequest(f"{place}.reason: a coding with a code is expected.")
    return Reason(_or_none(coding.get("system")), coding["code"])


def _epic_extension(holder: Mapping[str, Any]) -> Reason | None:
    extension = holder.get("extension")
    if not isinstance(extension, dict):
        return None
    parts = {name.removeprefix(_EPIC_REASON): value for name, value in extension.items() if name.startswith(_EPIC_REASON)}
    code = next((parts[name] for name in ("code", "id", "reason") if isinstance(parts.get(name), str)), None)
    code = code or next((value for value in parts.values() if isinstance(value, str)), None)
    return Reason(_or_none(parts.get("system")), code) if code else None


def _comment(value: Any, place: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or len(value) > LONGEST_COMMENT:
        raise BadRequest(f"{place}: a string of at most {LONGEST_COMMENT} characters is expected.")
    return value or None


def _or_none(value: Any) -> str | None:
    return value if isinstance(value, str) and value else None
