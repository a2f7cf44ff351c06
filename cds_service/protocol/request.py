"""From the bytes of a hook call to a request: who asks, for whom, about which orders, with what data."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder

from cds_service.access import FhirAccess
from cds_service.errors import BadRequest
from cds_service.protocol.guard import check_body, without_duplicates
from cds_service.sent import MALFORMED, NOTHING

__all__ = ["FhirAccess", "HookRequest", "parse_request"]

LONGEST_ID = 255
LONGEST_LIFE_S = 10**9
ID = re.compile(r"(?!\.{1,2}\Z)[A-Za-z0-9._~:@+-]+")
REFERENCE = re.compile(r"[A-Za-z]+/([A-Za-z0-9._~:@+-]+)")
TOKEN = re.compile(r"[!-~]+")
EMPTY: Mapping[str, Any] = MappingProxyType({})
MOST_KEYS = 200
MOST_DRAFTS = 500  # a session has up to about 40
TOO_MANY = (
    "context.draftOrders: {found} entries; at most {most} are judged together. "
    "Send only the unsigned orders of this patient that are being chosen or signed now."
)
NO_ORDERS = (
    "context.draftOrders: missing; the hook {hook} carries the unsigned orders as a FHIR Bundle. "
    "A client that leaves it out lacks, as a rule, the permission to share unsigned orders."
)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """One call of a hook.

    `user` is "Practitioner/x" as sent, `patient_id` and `encounter_id` are bare. `selections` are the references that
    order-select names, as "Type/id". `context` holds the plain values that prefetch templates may ask for.
    """

    hook: str
    hook_instance: str
    user: str
    patient_id: str
    encounter_id: str | None = None
    draft_orders: Raw | None = None
    selections: frozenset[str] = frozenset()
    prefetch: Mapping[str, Raw] = field(default_factory=dict, repr=False)
    fhir: FhirAccess | None = None
    context: Mapping[str, str] = field(default_factory=dict, repr=False)


class _Entry(Struct, frozen=True, rename="camel"):
    resource: Raw = NOTHING


class _Orders(Struct, frozen=True, rename="camel"):
    resource_type: str = ""
    entry: list[_Entry] | None = None


class _Context(Struct, frozen=True, rename="camel"):
    draft_orders: Raw = NOTHING


class _Body(Struct, frozen=True):
    """The two places whose content stays in its bytes."""

    context: _Context | None = None
    prefetch: dict[str, Raw] | None = None


_body = Decoder(_Body).decode
_orders = Decoder(_Orders).decode


def parse_request(body: bytes, hook: str) -> HookRequest:
    """Read a call of this hook; raises BadRequest, which names the field and never its content."""
    check_body(body)
    raw = _decode(body)
    prefetch = raw.prefetch or {}
    if len(prefetch) > MOST_KEYS:
        raise BadRequest(f"prefetch: more than {MOST_KEYS} keys; send those that GET /cds-services names.")
    whole = without_duplicates(body, prefetch.values())
    _check_hook(whole, hook)
    context = whole.get("context")
    if not isinstance(context, Mapping) or not context:
        raise BadRequest("context: missing or empty; an object with userId and patientId is expected.")
    patient = _id(context, "patientId", "Patient")
    encounter = _id(context, "encounterId", "Encounter") if context.get("encounterId") is not None else None
    user = _text(context, "userId", "context.")
    return HookRequest(
        hook=hook,
        hook_instance=_text(whole, "hookInstance"),
        user=user,
        patient_id=patient,
        encounter_id=encounter,
        draft_orders=_draft_orders(raw, context, hook),
        selections=_selections(context, hook),
        prefetch=prefetch,
        fhir=_access(whole),
        context=_values(context, user, patient, encounter),
    )


def _decode(body: bytes) -> _Body:
    try:
        return _body(body)
    except ValidationError as error:  # its text names the place and the types, never a value
        raise BadRequest(f"The request has not the form of a hook call: {error}.") from None
    except MALFORMED as error:
        why = str(error) if isinstance(error, DecodeError) else "nested too deeply"
        raise BadRequest(f"The body is not valid JSON: {why}.") from None


def _check_hook(whole: Mapping[str, Any], hook: str) -> None:
    if _text(whole, "hook") != hook:
        raise BadRequest(f'hook: this service is registered for "{hook}"; GET /cds-services lists the hook of each service.')


def _text(found: Mapping[str, Any], name: str, where: str = "") -> str:
    value = found.get(name)
    if value is None:
        raise BadRequest(f"{where}{name}: missing; a string is expected.")
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_ID or not value.isprintable():
        raise BadRequest(f"{where}{name}: a string of 1 to {LONGEST_ID} printable characters is expected.")
    return value


def _id(context: Mapping[str, Any], name: str, kind: str) -> str:
    """A bare id; clients also send "Patient/x"."""
    value = _text(context, name, "context.").removeprefix(f"{kind}/")
    if not ID.fullmatch(value):
        raise BadRequest(f'context.{name}: the id of a {kind} is expected, such as "123".')
    return value


def _draft_orders(raw: _Body, context: Mapping[str, Any], hook: str) -> Raw | None:
    if not hook.startswith("order-"):
        return None
    if context.get("draftOrders") is None:
        raise BadRequest(NO_ORDERS.format(hook=hook))
    bundle = raw.context.draft_orders if raw.context else NOTHING
    if _opened(bundle).resource_type != "Bundle":
        raise BadRequest("context.draftOrders: a FHIR Bundle is expected, with entry as a list of objects that hold a resource each.")
    if (found := _count(bundle)) > MOST_DRAFTS:
        raise BadRequest(TOO_MANY.format(found=found, most=MOST_DRAFTS))
    return bundle


def _opened(resource: Raw) -> _Orders:
    try:
        return _orders(resource)
    except MALFORMED:
        return _Orders()


def _count(resource: Raw) -> int:
    """The resources of a Bundle, with those of Bundles inside it."""
    found = _opened(resource)
    if found.resource_type != "Bundle":
        return 1
    entries = found.entry or ()
    return len(entries) if len(entries) > MOST_DRAFTS else sum(_count(one.resource) for one in entries)


def _selections(context: Mapping[str, Any], hook: str) -> frozenset[str]:
    found = context.get("selections")
    if hook != "order-select":
        return frozenset()
    if not isinstance(found, Sequence) or isinstance(found, str) or not all(isinstance(one, str) for one in found):
        raise BadRequest("context.selections: a list of references to entries of draftOrders is expected.")
    return frozenset(map(_reference, found))


def _reference(name: str) -> str:
    """ "Type/id" of a draft; clients also send the bare id of a medication order, and absolute references."""
    return "/".join(name.split("/")[-2:]) if "/" in name else f"MedicationRequest/{name}"


def _access(whole: Mapping[str, Any]) -> FhirAccess | None:
    """The FHIR server with its token; a block that is not as the specification has it is not used at all."""
    base = whole.get("fhirServer")
    if base is None:
        return None
    if not isinstance(base, str):
        raise BadRequest("fhirServer: the base URL of the FHIR server is expected, as a string.")
    found = whole.get("fhirAuthorization")
    block = found if isinstance(found, Mapping) else EMPTY
    token, kind, life = block.get("access_token"), block.get("token_type", "Bearer"), block.get("expires_in")
    if not isinstance(token, str) or not TOKEN.fullmatch(token) or not isinstance(kind, str) or kind.lower() != "bearer":
        return FhirAccess(base)
    if life is None:
        return FhirAccess(base, token)
    timed = isinstance(life, int | float) and not isinstance(life, bool) and abs(life) < LONGEST_LIFE_S
    return FhirAccess(base, token, float(life)) if timed else FhirAccess(base)


def _values(context: Mapping[str, Any], user: str, patient: str, encounter: str | None) -> Mapping[str, str]:
    """What a template may name: the plain fields of the context, and the id of a user of one of four kinds."""
    plain = {f"context.{name}": value for name, value in context.items() if isinstance(value, str)}
    own = {"context.patientId": patient, **({"context.encounterId": encounter} if encounter else {})}
    kind, _, name = user.partition("/")
    if kind in {"Practitioner", "PractitionerRole", "Patient", "RelatedPerson"} and REFERENCE.fullmatch(user):
        own[f"user{kind}Id"] = name
    return MappingProxyType({**plain, **own})
