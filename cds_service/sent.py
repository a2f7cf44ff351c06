"""A FHIR resource as it was sent, with what one glance at it shows."""

from msgspec import DecodeError, Raw, Struct
from msgspec.json import Decoder

MALFORMED = (DecodeError, UnicodeDecodeError, RecursionError)
NOTHING = Raw()


class Glance(Struct, gc=False, frozen=True):
    """Its type, whose it is, and what decides whether an Observation or an order is worth reading; the rest never leaves its bytes."""

    resourceType: str = ""  # noqa: N815, these are FHIR's own names
    subject: Raw = NOTHING
    patient: Raw = NOTHING
    code: Raw = NOTHING
    valueCodeableConcept: Raw = NOTHING  # noqa: N815
    valueString: Raw = NOTHING  # noqa: N815
    component: Raw = NOTHING
    note: Raw = NOTHING
    hasMember: Raw = NOTHING  # noqa: N815
    medicationCodeableConcept: Raw = NOTHING  # noqa: N815
    medicationReference: Raw = NOTHING  # noqa: N815


UNREADABLE = Glance()  # of what is no object, or says its type other than in words
_glance = Decoder(Glance).decode


class Resource(Struct, gc=False, frozen=True):
    """The bytes of a resource and what was seen in them; whoever opens a Bundle looks once, and nobody after that."""

    raw: Raw
    seen: Glance


def look(raw: Raw) -> Resource:
    """One glance at a resource."""
    try:
        return Resource(raw, _glance(raw))
    except MALFORMED:
        return Resource(raw, UNREADABLE)
