"""Fills the parts of the record that a service asks for: what the client prefetched, then what its FHIR server has."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol
from urllib.parse import quote

from msgspec import Raw, Struct

from cds_service.access import Answer, Fetch
from cds_service.bundles import Page, open_page
from cds_service.errors import CannotDecide
from cds_service.protocol.request import HookRequest
from cds_service.sent import Resource

__all__ = ["Answer", "Fetch", "Part", "Prefetched", "fill", "query"]

Strange = Callable[[Sequence[Resource], Mapping[str, Sequence[Resource]]], bool]  # the resources of a part, and all parts
TOKEN = re.compile(r"\{\{([^{}]*)\}\}")
KIND = re.compile("[/?]")
NULL = b"null"


class Part(Protocol):
    """What a service says about one prefetch key."""

    @property
    def query(self) -> str:
        """The template."""

    @property
    def names(self) -> str:
        """What it holds, in human words."""

    @property
    def required(self) -> bool:
        """Nothing may be said without it."""


def nothing_strange(_resources: Sequence[Resource], _record: Mapping[str, Sequence[Resource]]) -> bool:
    """Whose the resources are is not looked at."""
    return False


class Prefetched(Struct, frozen=True):
    """The resources by prefetch key; `missing` are the keys that could not be had, or not all of them."""

    parts: Mapping[str, tuple[Resource, ...]]
    missing: frozenset[str] = frozenset()


class _Filling(Struct):
    """What is there so far: `have` per key, `wanted` what has to be asked, `gaps` the keys that nobody can fill."""

    have: dict[str, tuple[Resource, ...]] = {}
    wanted: dict[str, str] = {}
    gaps: set[str] = set()


def fill(
    request: HookRequest,
    parts: Mapping[str, Part],
    fetch: Fetch | None,
    also: Mapping[str, str] | None = None,
    strange: Strange = nothing_strange,
) -> Prefetched:
    """The parts of the record, and those that are missing; raises CannotDecide when a required one is.

    A part that the client says does not exist (null) is empty, not missing; one that holds resources of others alone is missing.
    `also` are further queries, asked in the same round; they are never required.
    """
    filling = _Filling(wanted=dict(also or {}))
    for key, part in parts.items():
        _supply(filling, key, request.prefetch.get(key), part.query, request.context)
    doubted = _distrust(filling, parts, request, strange)
    answers = _ask(request, filling.wanted, fetch)
    again = {key: url for key, url in _instead(request, parts, filling).items() if not _whole(answers.get(key))}
    answers |= {key: answer for key, answer in _ask(request, again, fetch).items() if answer.complete}
    have = doubted | filling.have | {key: _joined(filling, key, answer, again) for key, answer in answers.items()}
    missing = filling.gaps | {key for key in filling.wanted if not _whole(answers.get(key))}
    missing |= {key for key in parts.keys() & (doubted.keys() | answers.keys()) if strange(have.get(key, ()), have)}
    _demand(parts, missing)
    return Prefetched(have, frozenset(missing))


def _distrust(filling: _Filling, parts: Mapping[str, Part], request: HookRequest, strange: Strange) -> dict[str, tuple[Resource, ...]]:
    """What was sent and is all about others; it is asked for as if it had not been sent."""
    doubted = {key: found for key, found in filling.have.items() if strange(found, filling.have)}
    for key in doubted:
        del filling.have[key]
        url = query(parts[key].query, request.context)
        if url is not None:
            filling.wanted[key] = url
    return doubted


def query(template: str, values: Mapping[str, str]) -> str | None:
    """The relative URL of a template; None where the request does not know a value that it names."""
    names = [name.strip() for name in TOKEN.findall(template)]
    if any(name not in values for name in names):
        return None
    return TOKEN.sub(lambda match: quote(values[match[1].strip()], safe="~"), template)


def _supply(filling: _Filling, key: str, raw: Raw | None, template: str, values: Mapping[str, str]) -> None:
    page = _opened(raw, KIND.split(template, maxsplit=1)[0])
    if page is not None:
        filling.have[key] = page.resources
        if page.next is not None:
            filling.wanted[key] = page.next
    elif (url := query(template, values)) is not None:
        filling.wanted[key] = url
    elif raw is not None:
        filling.gaps.add(key)
    else:
        filling.have[key] = ()  # without an encounter there is no stay to ask for


def _opened(raw: Raw | None, kind: str) -> Page | None:
    """For the client null means that there is no such data; anything else that is not FHIR counts as not supplied."""
    if raw is None:
        return None
    return Page() if bytes(memoryview(raw)[:5]) == NULL else open_page(raw, kind)


def _instead(request: HookRequest, parts: Mapping[str, Part], filling: _Filling) -> Mapping[str, str]:
    """The whole query again for each page link, should the link lead where it may not be followed."""
    both = filling.have.keys() & filling.wanted.keys()
    asked = {key: query(part.query, request.context) for key, part in parts.items() if key in both}
    return {key: url for key, url in asked.items() if url is not None}


def _ask(request: HookRequest, wanted: Mapping[str, str], fetch: Fetch | None) -> dict[str, Answer]:
    if not wanted or fetch is None or request.fhir is None:
        return {}
    return dict(fetch(request.fhir, wanted))


def _joined(filling: _Filling, key: str, answer: Answer, again: Mapping[str, str]) -> tuple[Resource, ...]:
    """Pages that follow a prefetched one come after it; an answer to the whole query stands alone."""
    return answer.resources if key in again and answer.complete else (*filling.have.get(key, ()), *answer.resources)


def _whole(answer: Answer | None) -> bool:
    return answer is not None and answer.complete


def _demand(parts: Mapping[str, Part], missing: set[str]) -> None:
    lost = tuple(key for key, part in parts.items() if part.required and key in missing)
    if not lost:
        return
    named = ", ".join(f'{parts[key].names} (prefetch key "{key}")' for key in lost)
    raise CannotDecide(
        f"Data that every answer needs could not be had: {named}. Send them in prefetch, or let the service read them from a registered "
        "fhirServer with fhirAuthorization.",
        lost,
    )
