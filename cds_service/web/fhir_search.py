"""FHIR R4 search over resources in memory, as far as prefetch templates and the public CDS Hooks sandbox use it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

Resource = Mapping[str, Any]
Parameters = Sequence[tuple[str, str]]

DATES = ("effectiveDateTime", "effectivePeriod", "effectiveInstant", "performedDateTime", "performedPeriod", "authoredOn", "collection",
         "onsetDateTime", "recordedDate", "period", "issued")  # fmt: skip
REFERENCES = {
    "patient": ("subject", "patient"),
    "subject": ("subject", "patient"),
    "encounter": ("encounter",),
    "specimen": ("specimen",),
    "medication": ("medicationReference",),
    "result": ("result",),
    "has-member": ("hasMember",),
    "requester": ("requester",),
}
TOKENS = {
    "category": ("category",),
    "code": ("code", "medicationCodeableConcept"),
    "type": ("type",),
    "clinical-status": ("clinicalStatus",),
    "verification-status": ("verificationStatus",),
    "identifier": ("identifier",),
}
CODES = {"status": "status", "intent": "intent", "gender": "gender", "_id": "id"}
TIMES = {"date", "authoredon", "issued", "collected", "recorded-date", "onset-date", "birthdate"}
PAGE = {"_sort", "_count", "_offset", "_include", "_format", "_summary", "_elements", "_total", "_pretty"}
PREFIXES: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda found, wanted: found[: len(wanted)] == wanted,
    "ne": lambda found, wanted: found[: len(wanted)] != wanted,
    "ge": lambda found, wanted: found >= wanted,
    "gt": lambda found, wanted: found[: len(wanted)] > wanted,
    "sa": lambda found, wanted: found[: len(wanted)] > wanted,
    "le": lambda found, wanted: found[: len(wanted)] <= wanted,
    "lt": lambda found, wanted: found < wanted,
    "eb": lambda found, wanted: found < wanted,
}


def search(resources: Iterable[Resource], kind: str, parameters: Parameters) -> list[Resource]:
    """The resources of one type that meet all parameters, in the order asked for."""
    found = [one for one in resources if one.get("resourceType") == kind and all(fits(one, *pair) for pair in parameters)]
    order = next((value for name, value in parameters if name == "_sort"), "")
    for part in reversed([part for part in order.split(",") if part]):
        found.sort(key=lambda one: _moment(one) or "", reverse=part.startswith("-"))
    return found


def known(name: str) -> bool:
    """Whether this server looks at a parameter; others are left out of the self link, as FHIR asks of a lenient server."""
    bare = name.partition(":")[0]
    return bare in {*REFERENCES, *TOKENS, *CODES, *TIMES, *PAGE, "name", "family", "given"}


def fits(resource: Resource, name: str, value: str) -> bool:
    """Whether one resource meets one parameter; what this server does not know, narrows nothing."""
    bare, _, modifier = name.partition(":")
    wanted = value.split(",")
    if bare in CODES:
        return (str(resource.get(CODES[bare], "")) in wanted) != (modifier == "not")
    if bare in REFERENCES:
        return bool({one.rpartition("/")[2] for one in wanted} & _pointers(resource, REFERENCES[bare]))
    if bare in TOKENS:
        return _token(resource, TOKENS[bare], wanted, modifier)
    if bare in TIMES:
        return any(_dated(resource, one) for one in wanted)
    if bare in {"name", "family", "given"}:
        names = " ".join(str(part) for one in resource.get("name", []) for part in _flat(one)).lower()
        return any(one.lower() in names for one in wanted)
    return True


def included(resources: Iterable[Resource], found: Sequence[Resource], parameters: Parameters) -> list[Resource]:
    """What `_include` adds: the resources that the found ones point at."""
    wanted: set[str] = set()
    for name, value in parameters:
        if name == "_include":
            element = value.split(":")[1] if ":" in value else value
            wanted |= {pointer for one in found for pointer in _full_pointers(one, REFERENCES.get(element, (element,)))}
    known_ids = {id(one) for one in found}
    return [one for one in resources if f"{one.get('resourceType')}/{one.get('id')}" in wanted and id(one) not in known_ids]


def _full_pointers(resource: Resource, elements: Iterable[str]) -> set[str]:
    values = [item for element in elements for item in _listed(resource.get(element))]
    return {str(item.get("reference", "")) for item in values if isinstance(item, Mapping)} - {""}


def _pointers(resource: Resource, elements: Iterable[str]) -> set[str]:
    return {pointer.rpartition("/")[2] for pointer in _full_pointers(resource, elements)}


def _token(resource: Resource, elements: Iterable[str], wanted: Sequence[str], modifier: str) -> bool:
    concepts = [item for element in elements for item in _listed(resource.get(element)) if isinstance(item, Mapping)]
    if modifier == "text":
        said = " ".join(str(text) for one in concepts for text in _flat(one)).lower()
        return any(one.lower() in said for one in wanted)
    codings = [coding for one in concepts for coding in one.get("coding", [one])]
    have = {(str(one.get("system", "")), str(one.get("code", one.get("value", "")))) for one in codings}
    met = any(_same(one, have) for one in wanted)
    return met != (modifier == "not")


def _same(wanted: str, have: set[tuple[str, str]]) -> bool:
    system, bar, code = wanted.rpartition("|")
    return any((mine == code and (not bar or theirs == system)) or (bar and not code and theirs == system) for theirs, mine in have)


def _dated(resource: Resource, value: str) -> bool:
    prefix, wanted = (value[:2], value[2:]) if value[:2] in PREFIXES else ("eq", value)
    found = resource.get("birthDate") if resource.get("resourceType") == "Patient" else _moment(resource)
    return bool(found) and PREFIXES[prefix](_comparable(str(found)), _comparable(wanted))


def _moment(resource: Resource) -> str | None:
    """The time that a resource is filed under."""
    for element in DATES:
        value = resource.get(element)
        if isinstance(value, Mapping):
            value = value.get("start") or value.get("collectedDateTime")
        if value:
            return _comparable(str(value))
    return None


def _comparable(text: str) -> str:
    """A time in UTC, so that texts compare as times do; a date stays a date."""
    if "T" not in text:
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return (moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)).isoformat()


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _flat(value: Any) -> list[Any]:
    if isinstance(value, Mapping):
        return [text for one in value.values() for text in _flat(one)]
    if isinstance(value, list):
        return [text for one in value for text in _flat(one)]
    return [value]
