"""How a request reaches its FHIR server, and what the server hands over for one query."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from cds_service.sent import Resource


@dataclass(frozen=True, slots=True)
class FhirAccess:
    """The FHIR server that a request names, with the token that lives as long as the request; `life_s` in seconds."""

    base: str
    token: str | None = field(default=None, repr=False)
    life_s: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """The resources of one query; not `complete` when a later page could not be had."""

    resources: tuple[Resource, ...]
    complete: bool = True


# Query by key to answer by key, all within one deadline; a key without an answer could not be had. A query is a relative
# FHIR URL, or the link to a further page as it was received.
Fetch = Callable[[FhirAccess, Mapping[str, str]], Mapping[str, Answer]]
