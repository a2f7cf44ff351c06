"""Calling a service: what is answered to what, and with which status."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
from flask.testing import FlaskClient
from msgspec import structs

from cds_service.access import FhirAccess
from cds_service.errors import Overloaded
from cds_service.knowledge import Knowledge
from cds_service.settings import Settings
from cds_service.store.card_ids import CardIds
from cds_service.web.admission import REFUSAL, Admission, overloaded

from .conftest import SECRET, Build, Kept
from .hospital import NOW, ORDER_SIGN, Hospital, bundle, carbapenemase, order, request, speaking


def outcome(answer: Any) -> dict[str, Any]:
    """The OperationOutcome of a refusal, with everything that each of them must have."""
    body = json.loads(answer.data)
    assert answer.status_code >= 400
    assert answer.content_type == "application/json"
    assert body["resourceType"] == "OperationOutcome"
    assert body["issue"][0]["severity"] in {"error", "fatal"}
    assert body["issue"][0]["diagnostics"]
    assert "cards" not in body
    return body


def test_an_order_in_danger_is_answered_with_a_card(open_caller: FlaskClient) -> None:
    """RQ-01, RS-01: a POST of a request is answered with 200 and cards."""
    answer = open_caller.post(ORDER_SIGN, json=speaking())
    assert (answer.status_code, answer.content_type) == (200, "application/json")
    assert [card["indicator"] for card in json.loads(answer.data)["cards"]] == ["critical"]


def test_a_harmless_order_is_answered_with_an_empty_list(open_caller: FlaskClient) -> None:
    """RS-02: nothing to say is 200 with an empty list."""
    answer = open_caller.post(ORDER_SIGN, json=request(order("Paracetamol")))
    assert (answer.status_code, json.loads(answer.data)) == (200, {"cards": []})


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "application/json; charset=UTF-8",
        "application/json;charset=utf8",
        "application/fhir+json",
        "application/json+fhir",
        "APPLICATION/JSON",
        "application/json; profile=x; q=1",
        None,
    ],
)
def test_json_by_any_of_its_names_is_taken(open_caller: FlaskClient, kind: str | None) -> None:
    """G-09: JSON with parameters, FHIR's name for it, and no name at all are read."""
    assert open_caller.post(ORDER_SIGN, data=json.dumps(speaking()), content_type=kind).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/xml"},
        {"Content-Type": "application/fhir+xml"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/json; charset=utf-16"},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/json", "Content-Encoding": "br"},
    ],
)
def test_other_bodies_are_not_supported(open_caller: FlaskClient, headers: dict[str, str]) -> None:
    """G-09, H6, H7, H10: XML, forms, other charsets and compressed bodies are refused with 415."""
    answer = open_caller.post(ORDER_SIGN, data=json.dumps(speaking()), headers=headers)
    assert answer.status_code == 415
    outcome(answer)


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "status"),
    [
        ("GET", "/cds-services", None, None, 200),
        ("POST", ORDER_SIGN, request(order("Paracetamol")), "application/json", 200),
        ("POST", ORDER_SIGN, {}, "application/json", 400),
        ("GET", "/nope", None, None, 404),
        ("GET", ORDER_SIGN, None, None, 405),
        ("POST", ORDER_SIGN, request(prefetch={"results": "lost"}), "application/json", 412),
        ("POST", ORDER_SIGN, request(), "text/xml", 415),
    ],
)
def test_every_answer_says_that_it_is_json(
    open_caller: FlaskClient, method: str, path: str, body: Any, kind: str | None, status: int
) -> None:
    """G-08: good answers and refusals of each kind are application/json, and can be read as UTF-8."""
    answer = open_caller.open(path, method=method, data=None if body is None else json.dumps(body), content_type=kind)
    assert (answer.status_code, answer.content_type) == (status, "application/json")
    assert json.loads(answer.data.decode("utf-8"))


@pytest.mark.parametrize("accept", [None, "*/*", "application/json", "application/json+fhir", "text/html"])
def test_any_wish_for_the_answer_is_answered_with_json(open_caller: FlaskClient, accept: str | None) -> None:
    """G-10: whatever the client accepts, the answer is JSON."""
    answer = open_caller.post(ORDER_SIGN, json=speaking(), headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.content_type) == (200, "application/json")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'"x"',
        b"null",
        b"1",
        b"{}",
        b"{} x",
        b'{"a": NaN}',
        b'{"hook": "order-sign", "hook": "order-sign"}',
        b'{"hook": "order-sign"} // comment',
        b"\xff\xfe{\x00}\x00",
        b"\xef\xbb\xbf{}",
        b'{"hook": "\xff"}',
        b"[" * 100_000,
        b'{"a":' * 1_000 + b"1" + b"}" * 1_000,
    ],
)
def test_a_body_that_is_no_request_is_a_bad_request(open_caller: FlaskClient, body: bytes) -> None:
    """G-06, G-11, H2, H4, H5, H6: whatever is no request is answered with 400 and JSON, never with 500."""
    answer = open_caller.post(ORDER_SIGN, data=body, content_type="application/json")
    assert answer.status_code == 400
    outcome(answer)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", ORDER_SIGN, "OPTIONS, POST"),
        ("PUT", ORDER_SIGN, "OPTIONS, POST"),
        ("DELETE", "/cds-services", "GET, OPTIONS"),
        ("POST", "/cds-services", "GET, OPTIONS"),
        ("GET", f"{ORDER_SIGN}/feedback", "OPTIONS, POST"),
        ("POST", "/healthz", "GET, OPTIONS"),
    ],
)
def test_another_method_is_refused_with_those_that_are_offered(open_caller: FlaskClient, method: str, path: str, allowed: str) -> None:
    """G-12: 405 names the methods, in JSON."""
    answer = open_caller.open(path, method=method)
    assert (answer.status_code, answer.headers["Allow"]) == (405, allowed)
    outcome(answer)


@pytest.mark.parametrize("path", ["/cds-services/nope", "/cds-services/nope/feedback"])
def test_an_unknown_service_is_not_found(open_caller: FlaskClient, path: str) -> None:
    """RQ-20: an unknown id is 404."""
    answer = open_caller.post(path, json=speaking())
    assert answer.status_code == 404
    assert outcome(answer)["issue"][0]["details"]["text"] == "unknown-service"


@pytest.mark.parametrize("path", ["/", "/nope", "/cds-service", "/.well-known/cds-services", "/cds-services/a/b/c"])
def test_an_unknown_address_is_answered_in_json(open_caller: FlaskClient, path: str) -> None:
    """RS-06, RS-07: no page of HTML stands where a machine asks."""
    answer = open_caller.get(path)
    if answer.status_code != 200 and answer.status_code // 100 != 3:
        assert outcome(answer)["issue"][0]["code"] == "not-found"


def test_the_hook_must_be_that_of_the_service(open_caller: FlaskClient) -> None:
    """RQ-03: another hook at this id is 400 with the reason."""
    answer = open_caller.post(ORDER_SIGN, json={**speaking(), "hook": "patient-view"})
    assert answer.status_code == 400
    assert outcome(answer)["issue"][0]["diagnostics"].startswith("hook:")


def test_a_final_slash_changes_nothing(open_caller: FlaskClient) -> None:
    """DI-01: with and without a final slash the same is answered, without a redirect."""
    assert open_caller.get("/cds-services/").data == open_caller.get("/cds-services").data
    assert open_caller.post(f"{ORDER_SIGN}/", json=speaking()).status_code == 200


@pytest.mark.parametrize("over", [0, 1])
def test_a_body_may_have_just_the_largest_size(build: Build, settings: Settings, over: int) -> None:
    """G-13, H1: the limit itself is taken, one byte more is 413."""
    small = Settings(type(settings.server)(max_body_mb=1), settings.store, development=True)
    caller = build(small).test_client()
    body = json.dumps(speaking()).encode()
    answer = caller.post(ORDER_SIGN, data=body + b" " * (1_000_000 - len(body) + over), content_type="application/json")
    assert answer.status_code == (413 if over else 200)
    if over:
        outcome(answer)


def test_a_stated_size_is_believed_before_anything_is_read(open_caller: FlaskClient) -> None:
    """H1: a length beyond the limit is refused at once, whatever follows."""
    answer = open_caller.post(ORDER_SIGN, data=b"{}", content_type="application/json", environ_overrides={"CONTENT_LENGTH": "99999999999"})
    assert answer.status_code == 413


def test_a_body_without_a_length_is_counted(build: Build, settings: Settings) -> None:
    """H1: a chunked body is read up to the limit and then refused."""
    small = Settings(type(settings.server)(max_body_mb=1), settings.store, development=True)
    body = json.dumps(speaking()).encode()
    for text, status in ((body, 200), (body + b" " * 1_000_000, 413)):
        environ = {
            "wsgi.input": BytesIO(text),
            "wsgi.input_terminated": True,
            "CONTENT_TYPE": "application/json",
            "HTTP_TRANSFER_ENCODING": "chunked",
        }
        answer = build(small).test_client().post(ORDER_SIGN, environ_overrides=environ, headers={"Content-Length": ""})
        assert answer.status_code == status


def test_required_data_that_cannot_be_had_are_412(open_caller: FlaskClient, kept: Kept) -> None:
    """PF-08, RS-04: without results and without a FHIR server the check was not made, and the answer says so."""
    answer = open_caller.post(ORDER_SIGN, json={**request(), "prefetch": {}})
    assert answer.status_code == 412
    body = outcome(answer)
    assert body["issue"][0]["code"] == "incomplete"
    assert "results" in body["issue"][0]["diagnostics"]
    assert [record["status"] for record in kept.decisions] == [412]


def test_a_client_that_hides_412_gets_a_card_instead(build: Build, settings: Settings, hospital: Hospital, kept: Kept) -> None:
    """RS-08: by configuration of the client the same fact is one warning, and never an empty list."""
    client = settings.clients[0]
    as_card = Settings(
        settings.server, settings.store, (type(client)(client.name, client.issuer, jwks_file=client.jwks_file, unavailable="card"),)
    )
    answer = build(as_card).test_client().post(ORDER_SIGN, json={**request(), "prefetch": {}}, headers=hospital.authorization())
    cards = json.loads(answer.data)["cards"]
    assert (answer.status_code, [card["indicator"] for card in cards]) == (200, ["warning"])
    assert "laboratory results" in cards[0]["detail"]
    assert [record["missing"] for record in kept.decisions] == [["orders", "results"]]


def test_a_shadow_client_never_gets_a_card(build: Build, settings: Settings, hospital: Hospital, kept: Kept) -> None:
    """Whatever its configuration says, a client in shadow is told 412 where the others get the card about missing data."""
    client = replace(settings.clients[0], unavailable="card", shadow=True)
    caller = build(replace(settings, clients=(client,))).test_client()
    answer = caller.post(ORDER_SIGN, json={**request(), "prefetch": {}}, headers=hospital.authorization())
    assert (answer.status_code, [record["status"] for record in kept.decisions]) == (412, [412])


def test_a_fault_of_ours_is_never_an_empty_list(build: Build, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """RS-07, RS-08: when the service breaks, the answer is 500 with an id, and the id stands in the log."""

    def broken(_access: FhirAccess, _queries: Any) -> Any:
        raise ZeroDivisionError("a secret of the patient")

    caller = build(Settings(settings.server, settings.store, development=True), fetch=broken, new_id=lambda: "id-1").test_client()
    answer = caller.post(ORDER_SIGN, json={**request(fhirServer="http://127.0.0.1:1/fhir"), "prefetch": {}})
    assert answer.status_code == 500
    body = outcome(answer)
    assert (body["id"], body["issue"][0]["code"], body["issue"][0]["severity"]) == ("id-1", "exception", "fatal")
    assert b"secret" not in answer.data


def test_an_overloaded_service_says_so_at_once(build: Build, settings: Settings) -> None:
    """P4, A24: when all places are taken the answer is 503 with Retry-After."""

    class Full(Admission):
        def __enter__(self) -> None:
            raise Overloaded("full")

    caller = build(Settings(settings.server, settings.store, development=True), admission=Full(1)).test_client()
    answer = caller.post(ORDER_SIGN, json=speaking())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    outcome(answer)


def test_a_call_that_waited_too_long_for_its_turn_is_told_so(open_caller: FlaskClient) -> None:
    """P4, A24: what the server found to be late is not judged any more."""
    answer = open_caller.post(ORDER_SIGN, json=speaking(), environ_overrides={REFUSAL: overloaded()})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    outcome(answer)


def test_the_same_call_twice_is_judged_twice(open_caller: FlaskClient) -> None:
    """RQ-05: hookInstance is no key of a cache; the answers are the same but for the ids."""
    first, second = (json.loads(open_caller.post(ORDER_SIGN, json=speaking()).data)["cards"] for _ in range(2))
    other = json.loads(
        open_caller.post(ORDER_SIGN, json={**request(order("Paracetamol")), "hookInstance": speaking()["hookInstance"]}).data
    )
    assert [card["summary"] for card in first] == [card["summary"] for card in second]
    assert {card["uuid"] for card in first}.isdisjoint(card["uuid"] for card in second)
    assert other == {"cards": []}


def test_card_ids_can_be_recognised(open_caller: FlaskClient) -> None:
    """CA-07, SU-02, O5: every card and suggestion has an id that proves itself."""
    cards = json.loads(open_caller.post(ORDER_SIGN, json=speaking()).data)["cards"]
    ids = [card["uuid"] for card in cards] + [one["uuid"] for card in cards for one in card.get("suggestions", ())]
    assert len(set(ids)) == len(ids) > 1
    assert all(CardIds(SECRET).ours("development", "ndm-order-sign", one) for one in ids)


def test_a_decision_is_kept_without_the_patient(open_caller: FlaskClient, kept: Kept) -> None:
    """SE-21: what is kept names rules, card ids, versions and times; people stand there as hashes."""
    open_caller.post(ORDER_SIGN, json=speaking())
    (record,) = kept.decisions
    assert record["verdicts"]["ndmAztreonamUnprotected"] == "spoke"
    assert record["cards"][0]["ingredients"] == ["aztreonam"]
    assert {"pat1", "Practitioner/p1", speaking()["hookInstance"]}.isdisjoint(str(value) for value in record.values())
    assert len({record["patient"], record["clinician"], record["instance"], record["request"]}) == 4


def test_an_override_keeps_the_rule_quiet_for_the_same_regimen(open_caller: FlaskClient, kept: Kept) -> None:
    """An overridden rule does not speak again while the regimen is the same, and speaks when it changes."""
    kept.overrides = frozenset({("ndmAztreonamUnprotected", frozenset({"aztreonam"}))})
    rules = [card["extension"]["ndm-cds.rules"][0] for card in json.loads(open_caller.post(ORDER_SIGN, json=speaking()).data)["cards"]]
    assert "ndmAztreonamUnprotected" not in rules
    kept.overrides = frozenset({("ndmAztreonamUnprotected", frozenset({"aztreonam", "meropenem"}))})
    rules = [card["extension"]["ndm-cds.rules"][0] for card in json.loads(open_caller.post(ORDER_SIGN, json=speaking()).data)["cards"]]
    assert "ndmAztreonamUnprotected" in rules


@pytest.mark.parametrize("hours", [12, 1, 0])
def test_an_override_lasts_as_long_as_the_knowledge_says(
    build: Build, settings: Settings, knowledge: Knowledge, kept: Kept, hours: int
) -> None:
    """The store is asked for overrides of the last `lasts_h` hours and of no more."""
    changed = structs.replace(knowledge, overrides=structs.replace(knowledge.overrides, lasts_h=hours))
    build(replace(settings, development=True, clients=()), knowledge=changed).test_client().post(ORDER_SIGN, json=speaking())
    assert kept.since == NOW - hours * 3_600


def test_answers_are_not_stored_and_not_guessed_at(open_caller: FlaskClient) -> None:
    """O9: every answer, good or bad, forbids storing and guessing, and names no product of others."""
    for answer in (open_caller.get("/cds-services"), open_caller.get("/nope"), open_caller.post(ORDER_SIGN, json=speaking())):
        assert (answer.headers["Cache-Control"], answer.headers["X-Content-Type-Options"]) == ("no-store", "nosniff")
        assert answer.headers["Server"] == "ndm-cds"


@pytest.mark.parametrize(
    ("sent", "kept_as_is"),
    [("abc-1.2:3_4", True), ("x" * 64, True), ("x" * 65, False), ("a b", False), ("a\nb", False), ("ä", False), ("", False)],
)
def test_a_request_id_goes_through(open_caller: FlaskClient, sent: str, kept_as_is: bool) -> None:
    """O4: a harmless request id comes back as it was; any other is replaced."""
    environ = {"HTTP_X_REQUEST_ID": sent}
    answer = open_caller.get("/cds-services", environ_overrides=environ)
    assert (answer.headers["X-Request-ID"] == sent) == kept_as_is


def test_other_patients_never_mix(open_caller: FlaskClient) -> None:
    """RQ-22, O6: fifty calls at the same time are each answered for their own order."""

    def ask(number: int) -> bool:
        drug = ("Aztreonam", "Meropenem", "Paracetamol")[number % 3]
        body = request(order(drug, f"rx{number}"), prefetch={"results": bundle(carbapenemase())})
        cards = json.loads(open_caller.application.test_client().post(ORDER_SIGN, json=body).data)["cards"]
        named = {name for card in cards for name in card["extension"].get("davinci-crd.associated-resource", ())}
        return named == (set() if drug == "Paracetamol" else {f"MedicationRequest/rx{number}"})

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(50)))
