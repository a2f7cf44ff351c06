"""Cards as CDS Hooks 2.0.1 defines them; a card that the specification forbids cannot be built."""

import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal
from urllib.parse import urlsplit

import orjson
from msgspec import Struct, field

from cds_service.settings import LOOPBACK

LONGEST_SUMMARY = 139  # "fewer than 140 characters"; counted as UTF-16, which every client agrees on
LONGEST_TOPIC = 100
REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9\-.]+")
LINE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202f\u2060-\u206f\ufeff]")
MARKUP = re.compile(r"<[A-Za-z!/?]|!\[|\]\(")

Json = Mapping[str, Any]


def _demand(holds: bool, what: str) -> None:
    """Refuses a part that the specification forbids; the message never holds its content."""
    if not holds:
        raise ValueError(f"not a valid CDS Hooks response: {what}")


def _said(text: str, what: str) -> None:
    _demand(bool(text.strip()), f"{what} is empty")


class Coding(Struct, frozen=True):
    """A code of a system; `display` may be missing for a topic, never for an override reason."""

    system: str
    code: str
    display: str = ""

    def __post_init__(self) -> None:
        _said(self.system, "coding.system")
        _said(self.code, "coding.code")

    def json(self) -> dict[str, Any]:
        return _filled(code=self.code, system=self.system, display=self.display)


class Source(Struct, frozen=True):
    """Who stands behind a card; an EHR takes a topic code only of ASCII letters and digits."""

    label: str
    topic: Coding
    url: str = ""

    def __post_init__(self) -> None:
        _said(self.label, "source.label")
        code = self.topic.code
        _demand(code.isascii() and code.isalnum() and len(code) <= LONGEST_TOPIC, "source.topic.code has other than letters and digits")
        _demand(not self.url or safe(self.url), "source.url is not https")

    def json(self) -> dict[str, Any]:
        return _filled(label=self.label, url=self.url, topic=self.topic.json())


class Link(Struct, frozen=True):
    """An absolute link, https or on this very machine; it launches nothing."""

    label: str
    url: str

    def __post_init__(self) -> None:
        _said(self.label, "link.label")
        _demand(safe(self.url), "link.url is neither https nor on loopback")

    def json(self) -> dict[str, Any]:
        return {"label": self.label, "url": self.url, "type": "absolute"}


class Action(Struct, frozen=True):
    """One change of the orders: a new resource, a whole changed one, or the reference of a draft to remove."""

    type: Literal["create", "update", "delete"]
    description: str
    resource: Json | None = None
    resource_id: str = ""

    def __post_init__(self) -> None:
        _said(self.description, "action.description")
        if self.type == "delete":
            _demand(self.resource is None, "a delete holds a resource")
            _demand(bool(REFERENCE.fullmatch(self.resource_id)), "a delete without a relative reference")
            return
        _demand(not self.resource_id, f"{self.type} with a resourceId")
        resource = self.resource
        _demand(resource is not None and bool(resource.get("resourceType")), f"{self.type} without a resource")
        assert resource is not None
        _demand((self.type == "update") == ("id" in resource), "an update needs the resource's id, and a create has none")
        _demand(not hollow(resource), "a resource with a null or an empty value")

    def json(self) -> dict[str, Any]:
        return _filled(type=self.type, description=self.description, resource=self.resource, resourceId=self.resource_id)


class Suggestion(Struct, frozen=True):
    """Actions that belong together."""

    label: str
    uuid: str
    actions: tuple[Action, ...]

    def __post_init__(self) -> None:
        _said(self.label, "suggestion.label")
        _said(self.uuid, "suggestion.uuid")
        _demand(bool(self.actions), "a suggestion without an action")

    def json(self) -> dict[str, Any]:
        return {"label": self.label, "uuid": self.uuid, "actions": [one.json() for one in self.actions]}


class Card(Struct, frozen=True):
    """One card; `selection` says how several suggestions exclude one another, and is sent only with suggestions."""

    uuid: str
    summary: str
    indicator: Literal["info", "warning", "critical"]
    source: Source
    detail: str = ""
    suggestions: tuple[Suggestion, ...] = ()
    selection: Literal["at-most-one", "any"] = "at-most-one"
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
    extension: Json = field(default_factory=dict)

    def __post_init__(self) -> None:
        _said(self.uuid, "card.uuid")
        _said(self.summary, "card.summary")
        _demand(units(self.summary) <= LONGEST_SUMMARY, f"card.summary is longer than {LONGEST_SUMMARY}")
        _demand(not LINE.search(self.summary), "card.summary holds a line break or an unseen character")
        _demand(self.indicator in {"info", "warning", "critical"}, "card.indicator")
        _demand(self.selection in {"at-most-one", "any"}, "card.selectionBehavior")
        _demand(not self.detail or bool(self.detail.strip()), "card.detail is blank")
        _demand(not MARKUP.search(self.detail), "card.detail holds HTML, an image or a link")
        _demand(all(one.display.strip() for one in self.override_reasons), "an override reason without a display")
        _demand(len({one.uuid for one in self.suggestions}) == len(self.suggestions), "two suggestions with one uuid")
        _demand(not hollow(self.extension) or not self.extension, "card.extension holds a null or an empty value")

    def json(self) -> dict[str, Any]:
        return _filled(
            uuid=self.uuid,
            summary=self.summary,
            detail=self.detail,
            indicator=self.indicator,
            source=self.source.json(),
            suggestions=[one.json() for one in self.suggestions],
            selectionBehavior=self.selection if self.suggestions else "",
            overrideReasons=[one.json() for one in self.override_reasons],
            links=[one.json() for one in self.links],
            extension=self.extension,
        )


def to_json(cards: Sequence[Card]) -> bytes:
    """The body of the answer; decimals keep every digit that they came with."""
    _demand(len({card.uuid for card in cards}) == len(cards), "two cards with one uuid")
    return orjson.dumps({"cards": [card.json() for card in cards]}, default=_exactly)


def units(text: str) -> int:
    """Length in UTF-16 units, as browsers and EHRs count."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def hollow(value: Any) -> bool:
    """A null, a blank text or an empty list or object stands somewhere inside."""
    if isinstance(value, str):
        return not value or value.isspace()
    if isinstance(value, dict):
        return not value or any(map(hollow, value.values()))
    if isinstance(value, (list, tuple)):
        return not value or any(map(hollow, value))
    return value is None


def _filled(**parts: Any) -> dict[str, Any]:
    """Only what says something: an empty optional element is left out."""
    return {name: value for name, value in parts.items() if value}


@lru_cache(maxsize=512)
def safe(url: str) -> bool:
    """Whether a link may lead there: https, or http on this very machine."""
    parts = urlsplit(url)
    local = parts.scheme == "http" and parts.hostname in LOOPBACK
    return bool(parts.hostname) and not re.search(r"\s", url) and (parts.scheme == "https" or local)


def _exactly(value: Any) -> orjson.Fragment:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(str(value))
    raise TypeError(f"no JSON for {type(value).__name__}")
