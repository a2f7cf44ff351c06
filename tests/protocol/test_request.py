"""Which requests are taken, and which are refused with the name of the field."""

import json
from typing import Any

import pytest

from cds_service.access import FhirAccess
from cds_service.errors import BadRequest
from cds_service.protocol.request import MOST_DRAFTS, HookRequest, parse_request
from tests.protocol.requests import body, changed, draft, order_sign


def read(request: Any, hook: str = "order-sign") -> HookRequest:
    """The request as the service reads it."""
    return parse_request(body(request), hook)


def refusal(request: Any, hook: str = "order-sign") -> str:
    """What the refusal says."""
    with pytest.raises(BadRequest) as caught:
        read(request, hook)
    assert caught.value.status == 400
    return caught.value.message


def test_the_smallest_request_is_read() -> None:
    """RQ-01: hook, instance, user, patient, encounter, drafts and server of R0."""
    found = read(order_sign())
    assert (found.hook, found.user, found.patient_id, found.encounter_id) == ("order-sign", "Practitioner/p1", "pat1", "enc1")
    assert found.fhir == FhirAccess("https://ehr.example.org/fhir")
    assert found.draft_orders is not None
    assert json.loads(bytes(found.draft_orders))["entry"][0]["resource"]["id"] == "rx1"


@pytest.mark.parametrize("field", ["hook", "hookInstance", "context", "context.userId", "context.patientId", "context.draftOrders"])
def test_a_missing_required_field_is_named(field: str) -> None:
    """RQ-02, RQ-04, RQ-06, RQ-07: without a required field the answer is 400 and says which."""
    assert field.rpartition(".")[2] in refusal(order_sign(**{field: None}))


@pytest.mark.parametrize("field", ["hook", "hookInstance", "context.userId", "context.patientId"])
@pytest.mark.parametrize("value", [5, True, [], {}, "", "  ", "a\u0000b", "x" * 300])
def test_an_ill_typed_field_is_named(field: str, value: Any) -> None:
    """G-11, RQ-02, RQ-04, RQ-07: a number, a list, an empty or unprintable text where a string belongs is 400 with the field's name."""
    assert field.rpartition(".")[2] in refusal(order_sign(**{field: value}))


@pytest.mark.parametrize(
    ("field", "value", "named"),
    [
        ("context", [], "context"), ("context", {}, "context"), ("context", "x", "context"), ("context", 5, "context"),
        ("prefetch", [], "prefetch"), ("prefetch", "x", "prefetch"), ("prefetch", 5, "prefetch"),
        ("fhirServer", 5, "fhirServer"), ("fhirServer", {}, "fhirServer"),
        ("context.draftOrders", [], "draftOrders"), ("context.draftOrders", {}, "draftOrders"), ("context.draftOrders", "x", "draftOrders"),
        ("context.draftOrders", draft(), "draftOrders"),
        ("context.draftOrders", {"resourceType": "Bundle", "entry": {}}, "draftOrders"),
        ("context.draftOrders", {"resourceType": "Bundle", "entry": ["x"]}, "draftOrders"),
        ("context.encounterId", 5, "encounterId"), ("context.encounterId", {}, "encounterId"), ("context.patientId", "a/b", "patientId"),
        ("context.patientId", "..", "patientId"), ("context.patientId", "a?b=c", "patientId"), ("context.patientId", "a b", "patientId"),
    ],
)  # fmt: skip
def test_a_field_of_the_wrong_form_is_named(field: str, value: Any, named: str) -> None:
    """RQ-06, RQ-10, RQ-21: an object of the wrong form is 400 with its name, never 500."""
    assert named in refusal(order_sign(**{field: value}))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"  ",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"5",
        b"true",
        b"{}",
        b'{"hook":"order-sign"',
        b"\x00",
        b"not json",
        b'{"a":1,}',
        b"{'a':1}",
        b'{"hook":"order-sign"} // a comment',
    ],
)
def test_what_is_no_json_object_is_refused(content: bytes) -> None:
    """G-06, G-11: no object, no JSON, a comment, a trailing comma: 400."""
    with pytest.raises(BadRequest):
        parse_request(content, "order-sign")


def test_another_hook_is_refused_by_name() -> None:
    """RQ-03: the hook of a request must be the one that the service is registered for."""
    message = refusal(order_sign(hook="patient-view"))
    assert "order-sign" in message
    assert "hook" in message


@pytest.mark.parametrize("instance", ["d1577c69-dfbe-44ad-ba6d-3e05e953b2ea", "3F1DDE72-162B-11EC-99E8-0050568B7BE6", "not-a-uuid", "1"])
def test_any_hook_instance_is_taken(instance: str) -> None:
    """RQ-04: UUIDs of every version and case, and what is no UUID at all."""
    assert read(order_sign(hookInstance=instance)).hook_instance == instance


@pytest.mark.parametrize("user", ["Practitioner/1", "PractitionerRole/1", "Patient/1", "RelatedPerson/1", "Device/1", "somebody"])
def test_any_kind_of_user_is_taken(user: str) -> None:
    """RQ-08: the user may be of any type."""
    assert read(order_sign(**{"context.userId": user})).user == user


@pytest.mark.parametrize("name", ["pat1", "Patient/pat1", "el0VeGTE1vcmdn5N.BKPUFg3", "Patient/a_b", "x" * 120, "123~4:5"])
def test_a_patient_is_bare_or_with_its_type(name: str) -> None:
    """RQ-09: "Patient/x" is the same as "x"; ids may be longer than FHIR allows."""
    found = read(order_sign(**{"context.patientId": name}))
    assert found.patient_id == name.removeprefix("Patient/")
    assert found.context["context.patientId"] == found.patient_id


@pytest.mark.parametrize(("encounter", "read_as"), [(None, None), ("enc1", "enc1"), ("Encounter/enc1", "enc1")])
def test_the_encounter_is_optional(encounter: str | None, read_as: str | None) -> None:
    """RQ-07: without an encounter the request is as good; "Encounter/x" is the same as "x"."""
    found = read(order_sign(**{"context.encounterId": encounter}))
    assert found.encounter_id == read_as
    assert found.context.get("context.encounterId") == read_as


@pytest.mark.parametrize(
    "bundle",
    [
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "entry": []},
        {"resourceType": "Bundle", "entry": None},
        {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "NutritionOrder"}}, {"resource": {"resourceType": "Invented"}}]},
        {"resourceType": "Bundle", "entry": [{"resource": 5}, {"fullUrl": "urn:uuid:1"}, {}]},
    ],
)
def test_drafts_may_have_any_content(bundle: dict[str, Any]) -> None:
    """RQ-10, RQ-11: no type, no entries, other request types and broken resources do not make the request invalid."""
    assert read(order_sign(**{"context.draftOrders": bundle})).draft_orders is not None


def test_missing_drafts_say_what_a_client_may_lack() -> None:
    """RQ-07: a client without the right to share unsigned orders sends no draftOrders; the refusal says so."""
    assert "permission" in refusal(order_sign(**{"context.draftOrders": None}))


def test_unknown_members_and_extensions_are_tolerated() -> None:
    """RQ-17, RQ-18: extensions in the root, the context and the authorization, and unknown fields, change nothing."""
    block = {"com.epic.cdshooks.request.bpa-trigger-action": "23", "com.epic.cdshooks.request.fhir-version": "R4", "a": {"b": [1, None]}}
    request = order_sign(extension=block, unknown=[1, 2], **{"context.extension": block, "context.foo": "bar"})
    request["fhirAuthorization"] = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "extension": block}
    plain = read(order_sign())
    found = read(request)
    assert (found.patient_id, found.user, found.selections) == (plain.patient_id, plain.user, plain.selections)
    assert found.fhir == FhirAccess("https://ehr.example.org/fhir", "t", 300.0)


@pytest.mark.parametrize(
    "block",
    [
        5, "x", [], {}, None, {"access_token": 5}, {"access_token": ""}, {"access_token": "a b"}, {"access_token": "a\r\nX: y"},
        {"access_token": "t", "token_type": "MAC"}, {"access_token": "t", "token_type": 5}, {"access_token": "t", "expires_in": "soon"},
        {"access_token": "t", "expires_in": True}, {"access_token": "t", "expires_in": 10**40}, {"token_type": "Bearer"},
    ],
)  # fmt: skip
def test_a_malformed_authorization_is_not_used(block: Any) -> None:
    """RQ-16: a block that is not as the specification has it is left alone: no token, no 500."""
    request = order_sign()
    request["fhirAuthorization"] = block
    assert read(request).fhir == FhirAccess("https://ehr.example.org/fhir")


def test_an_authorization_without_a_server_is_of_no_use() -> None:
    """RQ-14: without fhirServer the request is judged from its prefetch."""
    request = order_sign(fhirServer=None)
    request["fhirAuthorization"] = {"access_token": "t", "token_type": "Bearer"}
    assert read(request).fhir is None


def test_scopes_are_not_read() -> None:
    """RQ-16: SMART 1, SMART 2 and vendor strings in scope decide nothing."""
    request = order_sign()
    for scope in ("patient/*.read", "patient/Observation.rs", "PATIENT.READ epic", 5):
        request["fhirAuthorization"] = {"access_token": "t", "token_type": "bearer", "scope": scope}
        found = read(request).fhir
        assert found is not None
        assert found.token == "t"


def test_order_select_names_what_was_chosen() -> None:
    """RQ-07: selections are references to drafts; none chosen is an empty list."""
    request = order_sign(hook="order-select", **{"context.selections": ["MedicationRequest/rx1"]})
    assert read(request, "order-select").selections == {"MedicationRequest/rx1"}
    assert read(changed(request, {"context.selections": []}), "order-select").selections == frozenset()


@pytest.mark.parametrize("sent", ["rx1", "MedicationRequest/rx1", "https://record.example.org/fhir/MedicationRequest/rx1"])
def test_a_selection_has_one_form(sent: str) -> None:
    """RQ-07: a bare id and an absolute reference name the draft as a relative reference does."""
    request = order_sign(hook="order-select", **{"context.selections": [sent]})
    assert read(request, "order-select").selections == {"MedicationRequest/rx1"}


@pytest.mark.parametrize("selections", [None, "MedicationRequest/rx1", [5], {}, 5])
def test_order_select_without_a_list_of_selections_is_refused(selections: Any) -> None:
    """RQ-07: selections are required at order-select, as a list of strings."""
    assert "selections" in refusal(order_sign(hook="order-select", **{"context.selections": selections}), "order-select")


def test_patient_view_has_no_drafts() -> None:
    """RQ-07: patient-view needs user and patient only."""
    found = read(order_sign(hook="patient-view", **{"context.draftOrders": None}), "patient-view")
    assert found.draft_orders is None
    assert "userId" in refusal(order_sign(hook="patient-view", **{"context.userId": None, "context.draftOrders": None}), "patient-view")


@pytest.mark.parametrize("missing", [{}, {"prefetch": None}])
def test_prefetch_may_be_absent(missing: dict[str, Any]) -> None:
    """RQ-21: no prefetch is an empty prefetch."""
    assert read(order_sign(**missing)).prefetch == {}
    request = order_sign()
    request["prefetch"] = None
    assert read(request).prefetch == {}


CANARY = "MILLER-4711"
TEXTS = ("hook", "hookInstance", "context.userId", "context.patientId", "context.encounterId")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field in TEXTS for value in (CANARY + "\u0000", [CANARY], {CANARY: CANARY}, CANARY * 100)),
        ("context.draftOrders", CANARY), ("context.draftOrders", {"resourceType": CANARY}), ("context", [CANARY]), ("prefetch", CANARY),
        ("prefetch", [CANARY]), ("fhirServer", [CANARY]), ("fhirServer", {CANARY: 1}),
    ],
)  # fmt: skip
def test_refusals_never_repeat_what_was_sent(field: str, value: Any) -> None:
    """RS-06, A16: no refusal contains a word of the request."""
    assert CANARY not in refusal(order_sign(**{field: value}))


def test_a_user_of_a_known_kind_fills_the_user_tokens() -> None:
    """PT-02: userPractitionerId and its kin come from userId."""
    assert read(order_sign()).context["userPractitionerId"] == "p1"
    assert read(order_sign(**{"context.userId": "PractitionerRole/7"})).context["userPractitionerRoleId"] == "7"
    assert not [name for name in read(order_sign(**{"context.userId": "somebody"})).context if name.startswith("user")]


def bundle(resources: list[Any]) -> dict[str, Any]:
    """A collection."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


@pytest.mark.parametrize("nested", [False, True])
def test_the_drafts_of_one_call_are_limited(nested: bool) -> None:
    """D7: 500 draft orders are taken, 501 are refused with what to do, also where they stand in Bundles inside the Bundle."""
    drafts = [draft(f"d{number}") for number in range(MOST_DRAFTS + 1)]
    fits, over = ([bundle(some[:250]), bundle(some[250:])] if nested else some for some in (drafts[:-1], drafts))
    assert read(order_sign(**{"context.draftOrders": bundle(fits)})).draft_orders is not None
    said = refusal(order_sign(**{"context.draftOrders": bundle(over)}))
    assert "501 entries; at most 500" in said
    assert "Send only" in said
