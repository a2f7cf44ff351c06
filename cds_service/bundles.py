"""A Bundle, opened: what a FHIR server or a client hands over for one query, or why it is no answer."""

from collections.abc import Iterator

from msgspec import Raw, Struct
from msgspec.json import Decoder

from cds_service.sent import MALFORMED, NOTHING, Resource, look

HARMLESS = {"information", "warning"}
OUTCOME = "OperationOutcome"
BRACE, LEAST = ord("{"), len('{"":0}')


class Page(Struct, frozen=True):
    """One Bundle or one resource, opened; `next` is the link to the following page."""

    resources: tuple[Resource, ...] = ()
    next: str | None = None


class _Entry(Struct, gc=False, frozen=True):
    resource: Raw = NOTHING


class _Link(Struct, gc=False, frozen=True):
    relation: str = ""
    url: str = ""


class _Bundle(Struct, gc=False, frozen=True, rename="camel"):
    """A Bundle, a single resource, or the wrapper `{response, resource}` of clients from before version 1.0."""

    resource_type: str = ""
    entry: list[_Entry] | None = None
    link: list[_Link] | None = None
    total: Raw = NOTHING
    response: Raw = NOTHING
    resource: Raw = NOTHING


class _Issue(Struct, gc=False, frozen=True):
    severity: str = ""


class _Outcome(Struct, gc=False, frozen=True):
    issue: list[_Issue]


class _Status(Struct, gc=False, frozen=True):
    status: str | int = ""


_bundle = Decoder(_Bundle).decode
_outcome = Decoder(_Outcome).decode
_status = Decoder(_Status).decode


def open_page(raw: Raw | bytes, kind: str) -> Page | None:
    """The resources of a searchset, a collection or a single resource of this type; None for a failure, for junk, and where
    an entry holds none.

    With "" as the type any resources will do.
    """
    try:
        found = _bundle(raw)
    except MALFORMED:
        return None
    if found.resource_type == "Bundle":
        return _open_bundle(found, kind)
    if found.resource_type == kind or (not kind and found.resource_type not in {"", OUTCOME}):
        return Page((look(raw if isinstance(raw, Raw) else Raw(raw)),))
    if not found.resource_type and memoryview(found.resource) and _succeeded(found.response):
        return open_page(found.resource, kind)
    return None


def _open_bundle(bundle: _Bundle, kind: str) -> Page | None:
    entries = [look(one.resource) for one in bundle.entry or ()]
    kinds = {one.seen.resourceType for one in entries}
    if "" in kinds and not all(map(_solid, entries)):
        return None
    if OUTCOME in kinds:
        if not all(_harmless(one.raw) for one in entries if one.seen.resourceType == OUTCOME):
            return None
        entries = [one for one in entries if one.seen.resourceType != OUTCOME]
    following = next((one.url for one in bundle.link or () if one.relation == "next"), None)
    if not entries:
        return None if following is None and _positive(bundle.total) else Page((), following)
    named = next((one.seen.resourceType for one in entries if one.seen.resourceType in {kind, "Bundle"} or not kind), None)
    if named == "Bundle":
        return _flatten(entries, kind)
    return Page(tuple(entries), following) if named else None


def _flatten(bundles: list[Resource], kind: str) -> Page | None:
    """A batch response carries one Bundle per search; each of them has to be whole."""
    pages = [open_page(one.raw, kind) for one in bundles]
    whole = [page for page in pages if page is not None and page.next is None]
    return Page(tuple(_all(whole))) if len(whole) == len(pages) else None


def _all(pages: list[Page]) -> Iterator[Resource]:
    return (one for page in pages for one in page.resources)


def _harmless(outcome: Raw) -> bool:
    """ "No results" and "may not be the whole record" arrive as warnings beside a good answer."""
    try:
        issues = _outcome(outcome).issue
    except MALFORMED:
        return False
    return bool(issues) and all(one.severity in HARMLESS for one in issues)


def _solid(resource: Resource) -> bool:
    """An object that says something; an entry without one stands for a resource that was lost on the way."""
    view = memoryview(resource.raw)
    return len(view) >= LEAST and view[0] == BRACE


def _positive(total: Raw) -> bool:
    text = bytes(total)
    return text.isdigit() and int(text) > 0


def _succeeded(response: Raw) -> bool:
    try:
        return not memoryview(response) or str(_status(response).status).startswith("2")
    except MALFORMED:
        return False
