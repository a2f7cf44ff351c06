"""One request from its bytes to its cards: what is in scope, where data come from, and that failure is never silence."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest
from msgspec import Raw
from msgspec.structs import replace

from cds_service.access import Answer, FhirAccess
from cds_service.cases.record import Record
from cds_service.errors import BadRequest, CannotDecide, UnknownService
from cds_service.fhir.client import FhirClient
from cds_service.fhir.misfiled import of_others
from cds_service.protocol.prefetch import fill
from cds_service.protocol.request import parse_request
from cds_service.sent import look
from cds_service.settings import Client, Server, Settings
from tests.fhir_client.faultfhir import Call, FaultServer
from tests.fhir_client.faults import ALL, FAULTS, Fault
from tests.terse import Asked, Corridor, rules

CARD = [["ndmAztreonamUnprotected"]]
SERVER = "https://ehr.example.org/fhir"
METOPROLOL = {"text": "metoprolol 50 mg PO"}


def draft(request: dict[str, Any], number: int = 0) -> dict[str, Any]:
    """A draft order of a request."""
    found: dict[str, Any] = request["context"]["draftOrders"]["entry"][number]["resource"]
    return found


def bare(request: dict[str, Any], base: str = SERVER) -> dict[str, Any]:
    """The same request with nothing prefetched, and a server to ask."""
    token = {"access_token": "secret", "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
    return {**{name: value for name, value in request.items() if name != "prefetch"}, "fhirServer": base, "fhirAuthorization": token}


# ---------------------------------------------------------------------------------------------- what is in scope


@pytest.mark.parametrize("drafts", [[METOPROLOL], [METOPROLOL, {"text": "salbutamol 2.5 mg"}], []])
@pytest.mark.parametrize("prefetch", [None, {}, {"results": "<html>"}, {"results": {"resourceType": "OperationOutcome"}}])
def test_other_orders_cost_nothing_and_never_fail(corridor: Corridor, drafts: list[Any], prefetch: Any) -> None:
    """RS-02, A17: without an antibacterial among the drafts the answer is silence, whatever the chart is like, and nobody is asked."""
    request = bare(corridor.request(drafts=drafts))
    request["prefetch"] = prefetch
    server = Asked(None)
    decision = corridor.decide(request, server)
    assert decision.cards == ()
    assert decision.verdicts is None
    assert server.queries == []


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"status": "active"},
        {"status": "stopped"},
        {"status": "cancelled"},
        {"status": "on-hold"},
        {"status": "entered-in-error"},
        {"doNotPerform": True},
        {"medicationCodeableConcept": {"text": "probenecid 500 mg PO"}},
        {"medicationCodeableConcept": {}},
        {"medicationCodeableConcept": None},
        {"medicationCodeableConcept": "aztreonam"},
        {"medicationCodeableConcept": None, "medicationReference": {"reference": "Medication/m1"}},
        {"medicationCodeableConcept": None, "medicationReference": {"display": "AZTREONAM 2 G IV SOLR"}},
        {"dosageInstruction": "2 g every 6 h"},
    ],
)
def test_antibacterials_their_ends_and_unreadable_orders_are_in_scope(corridor: Corridor, change: dict[str, Any]) -> None:
    """PF-08, RQ-12, A17: an order that can matter needs the chart: without it the answer is 412."""
    request = bare(corridor.request(drafts=["aztreonam"]))
    draft(request).update(change)
    with pytest.raises(CannotDecide) as caught:
        corridor.decide(request, Asked(None))
    assert caught.value.missing == ("results", "orders")


def test_a_chart_is_looked_at_whatever_is_ordered(corridor: Corridor) -> None:
    """PF-08: patient-view has no drafts, so the chart is always in scope."""
    with pytest.raises(CannotDecide):
        corridor.decide(bare(corridor.request("patient-view")), Asked(None))
    assert rules(corridor.decide(corridor.request("patient-view", results=[]))) == []


@pytest.mark.parametrize(("selected", "in_scope"), [("draft-1", False), ("draft-2", True), ("unknown", True), (None, True)])
def test_order_select_looks_at_what_was_chosen(corridor: Corridor, selected: str | None, in_scope: bool) -> None:
    """RQ-07: at order-select a chosen metoprolol is no business of ours, although an antibiotic stands among the drafts."""
    request = bare(corridor.request("order-select", drafts=[METOPROLOL, "aztreonam"]))
    request["context"]["selections"] = [f"MedicationRequest/{selected}"] if selected else []
    if in_scope:
        with pytest.raises(CannotDecide):
            corridor.decide(request, Asked(None))
    else:
        assert corridor.decide(request, Asked(None)).cards == ()


def test_a_bare_selection_means_the_same(corridor: Corridor) -> None:
    """RQ-07: "draft-1" is read as "MedicationRequest/draft-1"."""
    request = bare(corridor.request("order-select", drafts=[METOPROLOL, "aztreonam"]))
    request["context"]["selections"] = ["draft-1"]
    assert corridor.decide(request, Asked(None)).cards == ()


@pytest.mark.parametrize("form", ["{}", "MedicationRequest/{}", "https://record.example.org/fhir/MedicationRequest/{}"])
@pytest.mark.parametrize(("chosen", "spoken"), [("draft-1", True), ("draft-2", False), ("unknown", True)])
def test_every_form_of_a_selection_chooses_for_every_rule(corridor: Corridor, form: str, chosen: str, spoken: bool) -> None:
    """RQ-07: bare ids, references and absolute URLs choose the same draft, for the allergy rule as for any other."""
    allergic = {"allergies": [{"to": "aztreonam", "reaction": "anaphylaxis", "severity": "severe"}]}
    request = corridor.request("order-select", drafts=["aztreonam", "vancomycin"], running=["ceftazidime-avibactam"], patient=allergic)
    request["context"]["selections"] = [form.format(chosen)]
    assert rules(corridor.decide(request)) == ([["ndmBetaLactamAllergy"]] if spoken else [])


def test_an_order_without_a_medication_is_none_while_it_is_composed(corridor: Corridor) -> None:
    """RQ-13: a sandbox calls order-select before a drug is chosen; nothing is unreadable about that yet, at order-sign there is."""
    request = corridor.request("order-select", drafts=["aztreonam"])
    del draft(request)["medicationCodeableConcept"]
    assert rules(corridor.decide(request)) == []
    signing = corridor.request(drafts=["aztreonam"])
    del draft(signing)["medicationCodeableConcept"]
    assert rules(corridor.decide(signing)) == [["ndmUnreadableOrder", "ndmSusceptibilityMissing"]]


def test_a_draft_of_another_patient_is_left_out_and_counted(corridor: Corridor) -> None:
    """PF-11: the draft of somebody else is not judged and does not spoil the others."""
    request = corridor.request(drafts=["aztreonam", {"order": "meropenem", "whose": "other"}])
    decision = corridor.decide(request)
    assert rules(decision) == [["ndmAztreonamUnprotected"]]
    assert decision.bedside is not None
    assert decision.bedside.chart.foreign == 1
    alone = corridor.request(drafts=[{"order": "aztreonam", "whose": "other"}])
    assert corridor.decide(alone).cards == ()


def test_a_running_partner_of_another_patient_protects_nobody(corridor: Corridor) -> None:
    """PF-11: it is the only order on file, and still the record of this patient's orders was had."""
    request = corridor.request(drafts=["aztreonam"], running=[{"order": "ceftazidime-avibactam", "whose": "other"}])
    assert rules(corridor.decide(request)) == CARD


# ---------------------------------------------------------------------------------------- where the data come from


def test_the_story_is_the_same_wherever_the_data_come_from(corridor: Corridor) -> None:
    """PF-01: all prefetched, all fetched, and each single key fetched: the same cards."""
    line = {"drafts": ["aztreonam"], "patient": {"clearance": 40}}
    request, record = corridor.request(**line), corridor.record(**line)
    cards = corridor.decide(request).cards
    assert [card.indicator for card in cards] == ["critical"]
    assert corridor.decide(bare(request), Asked(record)).cards == cards
    for key in request["prefetch"]:
        some = bare(request) | {"prefetch": {name: value for name, value in request["prefetch"].items() if name != key}}
        server = Asked(record)
        assert corridor.decide(some, server).cards == cards
        assert len(server.queries) == 1


def paged(record: Record, size: int) -> Callable[[Call], None]:
    """A FHIR server with this record and small pages."""

    def script(call: Call) -> None:
        query, _, start = call.target.removeprefix("/fhir/").partition("&page=")
        found = record.answer(query)
        if call.headers.get("authorization") != "Bearer secret":
            call.send(401)
        elif found is None:
            call.send(404)
        elif found["resourceType"] != "Bundle":
            call.send(200, found)
        else:
            first, entries = int(start or 0), found.get("entry", [])
            page = {**found, "entry": entries[first : first + size]}
            if first + size < len(entries):
                page["link"] = [{"relation": "next", "url": f"{call.server.base}/{query}&page={first + size}"}]
            call.send(200, page)

    return script


@pytest.fixture
def rig(serve: Callable[..., FaultServer]) -> Callable[..., tuple[str, Callable[[], Any]]]:
    """A served record: its base address, and a fetch for each request."""

    def start(script: Callable[[Call], None], deadline_ms: int = 5_000) -> tuple[str, Callable[[], Any]]:
        server = serve(script)
        client = FhirClient(Settings(server=Server(deadline_ms=deadline_ms, allow_loopback_http=True)))
        registered = Client("hospital", "https://ehr.example.org", fhir_bases=(server.base,))
        return server.base, lambda: client.fetch_for(registered)

    return start


def test_the_decisive_result_may_stand_on_the_last_page(corridor: Corridor, rig: Callable[..., Any]) -> None:
    """PF-01, PF-07, FA-01: over a real connection, one resource a page, the same cards as from the prefetch."""
    line = {"drafts": ["aztreonam"], "running": ["colistin"]}
    base, fetch = rig(paged(corridor.record(**line), 1))
    assert corridor.decide(bare(corridor.request(**line), base), fetch()).cards == corridor.decide(corridor.request(**line)).cards


@pytest.mark.parametrize("form", ["contained", "another entry", "prefetched", "on the server", "display only"])
def test_a_medication_is_found_wherever_it_is(corridor: Corridor, form: str) -> None:
    """RQ-13: contained, in another entry of the drafts, prefetched beside the orders, on the FHIR server, or only in words."""
    request = corridor.request(drafts=["aztreonam"])
    cards = corridor.decide(request).cards
    medication = {"resourceType": "Medication", "id": "m1", "code": draft(request).pop("medicationCodeableConcept")}
    request |= {key: value for key, value in bare(request).items() if key.startswith("fhir")}
    server = Asked(Record([medication]) if form == "on the server" else None)
    reference = {"reference": "#m1" if form == "contained" else "Medication/m1"}
    if form == "contained":
        draft(request)["contained"] = [medication]
    elif form == "another entry":
        request["context"]["draftOrders"]["entry"].append({"resource": medication})
    elif form == "prefetched":
        request["prefetch"]["orders"]["entry"] = [
            {"resource": medication, "search": {"mode": "include"}},
            {"resource": {**draft(request), "id": "old", "status": "completed", "medicationReference": reference}},
        ]
    elif form == "display only":
        reference = {"display": "aztreonam 2 g IV"}
    draft(request)["medicationReference"] = reference
    found = corridor.decide(request, server)
    assert rules(found) == [list(card.extension["ndm-cds.rules"]) for card in cards]
    assert server.queries == (["Medication/m1"] if form in {"on the server", "prefetched"} else [])


def test_a_medication_that_is_nowhere_is_told(corridor: Corridor) -> None:
    """RQ-13, A17: an order whose drug cannot be had is not passed over in silence where the patient has NDM."""
    request = corridor.request(drafts=["aztreonam"])
    del draft(request)["medicationCodeableConcept"]
    draft(request)["medicationReference"] = {"reference": "Medication/m1"}
    assert "ndmUnreadableOrder" in rules(corridor.decide(request))[0]


def test_running_orders_are_followed_to_their_medications(corridor: Corridor) -> None:
    """RQ-13: the partner of a draft may be a running order whose drug is known by reference only."""
    request = corridor.request(drafts=["aztreonam"], running=["ceftazidime-avibactam"])
    assert corridor.decide(request).cards == ()
    running = request["prefetch"]["orders"]["entry"][0]["resource"]
    medication = {"resourceType": "Medication", "id": "m1", "code": running.pop("medicationCodeableConcept")}
    running["medicationReference"] = {"reference": "http://EHR.example.org:8443/r4/Medication/m1/_history/2"}
    request |= {key: value for key, value in bare(request).items() if key.startswith("fhir")}
    server = Asked(Record([medication]))
    assert corridor.decide(request, server).cards == ()
    assert server.queries == ["Medication/m1"]


FOREIGN = [
    "https://elsewhere.example/fhir/{}",
    "//elsewhere.example/{}",
    "HTTPS://ehr.example.org.elsewhere.example/fhir/{}",
    "x/..;/{}",
    "{};a=b",
]


@pytest.mark.parametrize("form", FOREIGN)
def test_what_lives_on_another_server_is_not_read_as_local(corridor: Corridor, form: str) -> None:
    """D14: the same id on another host is another resource; its order is unreadable, and nobody is asked."""
    request = corridor.request(drafts=["aztreonam"], running=["ceftazidime-avibactam"])
    request |= {key: value for key, value in bare(request).items() if key.startswith("fhir")}
    assert corridor.decide(request).cards == ()
    running = request["prefetch"]["orders"]["entry"][0]["resource"]
    medication = {"resourceType": "Medication", "id": "m1", "code": running.pop("medicationCodeableConcept")}
    request["prefetch"]["orders"]["entry"].append({"resource": medication})
    running["medicationReference"] = {"reference": "Medication/m1"}
    assert corridor.decide(request).cards == ()
    running["medicationReference"] = {"reference": form.format("Medication/m1")}
    server = Asked(Record([medication]))
    assert rules(corridor.decide(request, server))[0] == ["ndmAztreonamUnprotected", "ndmUnreadableOrder"]
    assert server.queries == []


def test_a_medication_that_the_server_exchanges_is_asked_for_once(corridor: Corridor) -> None:
    """D14: a draft whose medication comes back as another one is unreadable, and is not asked for a second time."""
    request = corridor.request(drafts=["aztreonam", "aztreonam"])
    request |= {key: value for key, value in bare(request).items() if key.startswith("fhir")}
    for number, version in ((0, ""), (1, "/_history/2")):
        del draft(request, number)["medicationCodeableConcept"]
        draft(request, number)["medicationReference"] = {"reference": f"{SERVER}/Medication/m1{version}"}
    server = Asked(None)
    other = Answer((look(Raw(b'{"resourceType": "Medication", "id": "m2", "code": {"text": "aztreonam"}}')),))

    def exchange(access: FhirAccess, queries: Mapping[str, str]) -> Mapping[str, Answer]:
        return server(access, queries) or dict.fromkeys(queries, other)

    assert rules(corridor.decide(request, exchange))[0][0] == "ndmUnreadableOrder"
    assert server.queries == ["Medication/m1"]


@pytest.mark.parametrize(
    "written",
    ["Patient/{}", "https://ehr.example.org/fhir/Patient/{}", "Patient/{}/_history/1", "https://x.example.org/r4/Patient/{}/_history/3"],
)
def test_a_patient_is_the_same_however_it_is_referred_to(corridor: Corridor, written: str) -> None:
    """PF-12: relative, absolute and versioned references name the same patient."""
    request = corridor.request(drafts=["aztreonam"])
    text = json.dumps(request).replace('"Patient/patient-1"', json.dumps(written.format("patient-1")))
    assert corridor.decide(text.encode()).cards == corridor.decide(request).cards


def test_a_result_of_another_patient_is_no_evidence(corridor: Corridor) -> None:
    """PF-11, T10: what a lenient server sends of others is no evidence, and is counted."""
    request = corridor.request(drafts=["aztreonam"])
    for one in request["prefetch"]["results"]["entry"]:
        if "NDM" in json.dumps(one["resource"]):
            one["resource"]["subject"] = {"reference": "Patient/somebody-else"}
    decision = corridor.decide(request)
    assert decision.cards == ()
    assert decision.bedside is not None
    assert decision.bedside.chart.foreign > 0


def of_somebody_else(request: dict[str, Any], key: str) -> dict[str, Any]:
    """The request with everything under one prefetch key naming other patients."""
    for number, one in enumerate(request["prefetch"][key]["entry"]):
        one["resource"]["subject"] = {"reference": f"Patient/somebody-{number}"}
    return request


def test_results_that_are_all_of_other_patients_are_no_results(corridor: Corridor) -> None:
    """T10, A17: a required part that is about others alone is missing; it is asked for again, and without an answer refused."""
    request = of_somebody_else(corridor.request(drafts=["aztreonam"]), "results")
    with pytest.raises(CannotDecide) as refused:
        corridor.decide(request)
    assert refused.value.missing == ("results",)
    access = {key: value for key, value in bare(request).items() if key.startswith("fhir")}
    server = Asked(corridor.record(drafts=["aztreonam"]))
    assert rules(corridor.decide({**request, **access}, server)) == CARD
    assert [one.split("?")[0] for one in server.queries] == ["Observation"]


def test_a_server_that_answers_with_others_alone_has_not_answered(corridor: Corridor) -> None:
    """T10: fetched results of other patients alone are as good as none, and the answer is a refusal."""
    request = corridor.request(drafts=["aztreonam"])
    found = corridor.record(drafts=["aztreonam"]).resources
    for others in (
        [{**one, "subject": {"reference": f"Patient/x{number}"}} for number, one in enumerate(found)],
        [{**one, "subject": {"reference": "Patient/x"}} for one in found],
    ):
        with pytest.raises(CannotDecide):
            corridor.decide(bare(request), Asked(Record(others)))


@pytest.mark.parametrize(
    "change", [{"id": "somebody-else"}, {"id": None}, {"id": 5}, {"birthDate": 5}], ids=["other", "nameless", "no id", "unreadable"]
)
@pytest.mark.parametrize("required", [True, False])
def test_a_person_who_is_another_one_is_missing(corridor: Corridor, change: dict[str, Any], required: bool) -> None:
    """D2: under the key of the patient another person, or one that cannot be read, is asked for again and is then missing, not empty."""
    request = corridor.request(drafts=["aztreonam"])
    request["prefetch"]["patient"] |= change
    parts = corridor.knowledge.services["ndm-order-sign"].sheet.prefetch
    asked = {**parts, "patient": replace(parts["patient"], required=required)}
    call, whose = parse_request(json.dumps(request).encode(), "order-sign"), partial(of_others, "patient-1")
    if required:
        with pytest.raises(CannotDecide) as refused:
            fill(call, asked, None, strange=whose)
        assert refused.value.missing == ("patient",)
    else:
        assert fill(call, asked, None, strange=whose).missing == {"patient"}
        assert "patient" in corridor.decide(request).missing
    server = Asked(corridor.record(drafts=["aztreonam"]))
    again = parse_request(json.dumps({**bare(request), "prefetch": request["prefetch"]}).encode(), "order-sign")
    assert fill(again, asked, server, strange=whose).missing == frozenset()
    assert server.queries == ["Patient/patient-1"]


def test_results_of_a_linked_record_are_this_patients(corridor: Corridor) -> None:
    """D2: what names a record that Patient.link calls the same person is neither missing nor unreadable."""
    request = of_somebody_else(corridor.request(drafts=["aztreonam"]), "results")
    linked = [one["resource"]["subject"] for one in request["prefetch"]["results"]["entry"]]
    request["prefetch"]["patient"]["link"] = [{"other": other, "type": "replaces"} for other in linked]
    assert rules(corridor.decide(request)) == CARD


# ----------------------------------------------------------------------------------------- failure is never silence


@pytest.mark.parametrize("fault", [one for one in FAULTS if one.gives != ALL], ids=str)
def test_a_faulty_server_never_looks_like_all_clear(corridor: Corridor, rig: Callable[..., Any], fault: Fault) -> None:
    """PF-08, RS-08, A17: an antibiotic whose checks could not run is a refusal; a finding that could be made is still told."""
    base, fetch = rig(fault.script, int(fault.deadline_s * 1000))
    request = corridor.request(drafts=["aztreonam"])
    with pytest.raises(CannotDecide):
        corridor.decide(bare(request, base), fetch())
    needed = {key: request["prefetch"][key] for key in ("results", "orders")}
    decision = corridor.decide(bare(request, base) | {"prefetch": needed}, fetch())
    assert "ndmAztreonamUnprotected" in rules(decision)[0]
    assert "allergies" in decision.missing


def test_a_rule_that_breaks_is_an_error_and_not_an_empty_answer(corridor: Corridor, monkeypatch: pytest.MonkeyPatch) -> None:
    """RS-07, A17: a fault of ours leaves the corridor as an exception; it never becomes an empty list."""

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr("cds_service.decide.read_chart", broken)
    with pytest.raises(ZeroDivisionError):
        corridor.decide(corridor.request(drafts=["aztreonam"]))


def test_an_unknown_service_is_not_found(corridor: Corridor) -> None:
    """RQ-20: an id that no service has is refused before the body is looked at."""
    with pytest.raises(UnknownService) as caught:
        corridor.decide(b"{", service="nope")
    assert caught.value.status == 404


def test_the_hook_of_another_service_is_refused(corridor: Corridor) -> None:
    """RQ-03: an order-sign request at the order-select service is 400."""
    with pytest.raises(BadRequest, match="hook"):
        corridor.decide(corridor.request(drafts=["aztreonam"]), service="ndm-order-select")


# ------------------------------------------------------------------------------------------- what changes nothing


def epic(request: dict[str, Any]) -> dict[str, Any]:
    """Vendor extensions wherever they may stand."""
    found = copy.deepcopy(request)
    block = {"com.epic.cdshooks.request.bpa-trigger-action": "23", "com.epic.cdshooks.request.cds-hooks-specification-version": "1.1"}
    found["extension"] = found["context"]["extension"] = block
    found["prefetch"]["extension"] = block
    return found


def sandbox(request: dict[str, Any]) -> dict[str, Any]:
    """The shape of the public sandbox: no Bundle type, no encounter, category as an object."""
    found = copy.deepcopy(request)
    found["context"]["draftOrders"].pop("type")
    draft(found)["category"] = draft(found)["category"][0]
    return found


def reordered(request: dict[str, Any]) -> dict[str, Any]:
    """The same members in another order, and keys that nobody asked for."""
    found = dict(reversed(list(copy.deepcopy(request).items())))
    found["prefetch"] = {"foo": {"resourceType": "Bundle"}, **dict(reversed(found["prefetch"].items())), "user": "123"}
    return found


@pytest.mark.parametrize("shape", [epic, sandbox, reordered])
def test_the_shape_of_a_request_changes_no_card(corridor: Corridor, shape: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    """RQ-10, RQ-17, RQ-19, PF-13: vendor blocks, the sandbox's shape, order and extra keys: the same cards."""
    request = corridor.request(drafts=["aztreonam"])
    assert rules(corridor.decide(shape(request))) == CARD


def test_the_same_call_is_answered_twice(corridor: Corridor) -> None:
    """RQ-05: hookInstance is no key to anything: the same body gives the same cards again, another body its own."""
    request = corridor.request(drafts=["aztreonam"])
    assert corridor.decide(request).cards == corridor.decide(request).cards
    assert corridor.decide(corridor.request(drafts=["aztreonam", "ceftazidime-avibactam"])).cards == ()


@pytest.mark.parametrize("junk", [{"resourceType": "Invented"}, {"resourceType": "NutritionOrder"}, {"resourceType": "MedicationOrder"}])
def test_other_kinds_of_drafts_change_nothing(corridor: Corridor, junk: dict[str, Any]) -> None:
    """RQ-11: other request types, old ones and invented ones are left alone."""
    request = corridor.request(drafts=["aztreonam"])
    request["context"]["draftOrders"]["entry"].append({"resource": junk})
    assert rules(corridor.decide(request)) == CARD


@pytest.mark.parametrize("value", [5, "x", [], None])
def test_a_draft_that_is_no_resource_is_told(corridor: Corridor, value: Any) -> None:
    """RQ-11, A17: one broken entry neither spoils the others nor vanishes."""
    request = corridor.request(drafts=["aztreonam"])
    request["context"]["draftOrders"]["entry"].append({"resource": value})
    found = [name for names in rules(corridor.decide(request)) for name in names]
    assert {"ndmAztreonamUnprotected", "ndmUnreadableOrder"} <= set(found)


@pytest.mark.parametrize(
    ("plain", "doubled"),
    [
        ('"status": "final"', '"status": "entered-in-error", "status": "final"'),
        ('"status": "final"', '"status": "final", "status": "entered-in-error"'),
        ('"text": "Detected"', '"text": "Not detected", "text": "Detected"'),
    ],
)
def test_a_result_that_two_readers_read_differently_is_told(corridor: Corridor, plain: str, doubled: str) -> None:
    """H5, A17: a name twice in a result of the chart makes this result unreadable, and neither evidence nor silence."""
    request = corridor.request(drafts=["meropenem"])
    whole = json.dumps(request)
    assert "ndmInactiveBetaLactam" in rules(corridor.decide(request))[0]
    results = [json.dumps(one["resource"]) for one in request["prefetch"]["results"]["entry"]]
    decisive = next(one for one in results if "NDM" in one and plain in one)
    decision = corridor.decide(whole.replace(decisive, decisive.replace(plain, doubled, 1)).encode())
    assert rules(decision) != []
    assert "ndmInactiveBetaLactam" not in [name for names in rules(decision) for name in names]


@pytest.mark.parametrize(
    "moment", ["0001-01-01", "0001-01-01T00:00:00Z", "9999-12-31", "9999-12-31T23:59:59+14:00", "2026-13-45", "x" * 5_000]
)
def test_no_date_breaks_a_sum(corridor: Corridor, moment: str) -> None:
    """G-11, A2, O10: dates at both ends of the calendar, and texts that are none, in every resource of the record."""
    text = json.dumps(corridor.request(drafts=["aztreonam", "cefiderocol"], running=["ceftazidime-avibactam"]))
    changed = re.sub(r'"(20\d\d-\d\d-\d\d[^"]*)"', json.dumps(moment), text)
    assert changed != text
    assert corridor.decide(changed.encode()).verdicts is not None
