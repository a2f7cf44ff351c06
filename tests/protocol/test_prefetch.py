"""Every shape in which a prefetch key can arrive, or stay away."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from msgspec import Raw

from cds_service.access import Answer, FhirAccess
from cds_service.errors import CannotDecide
from cds_service.protocol.prefetch import Prefetched, fill, query
from cds_service.protocol.request import parse_request
from cds_service.sent import look
from tests.protocol.requests import body, order_sign


@dataclass(frozen=True)
class Part:
    """A prefetch key as a service declares it."""

    query: str
    names: str
    required: bool = False


PARTS = {
    "patient": Part("Patient/{{context.patientId}}", "birth date and sex"),
    "results": Part("Observation?patient={{context.patientId}}&category=laboratory", "laboratory results", required=True),
    "orders": Part("MedicationRequest?patient={{context.patientId}}", "running medication orders", required=True),
    "encounter": Part("Encounter/{{context.encounterId}}", "the current stay"),
}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "total": 0}
OBSERVATION = {"resourceType": "Observation", "id": "o1"}
FULL = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": OBSERVATION}]}
WARNING = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "processing"}]}
ERROR = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
GOOD: dict[str, Any] = {"patient": {"resourceType": "Patient", "id": "pat1"}, "results": EMPTY, "orders": EMPTY, "encounter": None}


@dataclass
class Server:
    """Answers what it has; remembers what it was asked."""

    has: Mapping[str, Answer] = field(default_factory=dict)
    asked: list[Mapping[str, str]] = field(default_factory=list)

    def __call__(self, _: FhirAccess, queries: Mapping[str, str]) -> Mapping[str, Answer]:
        self.asked.append(dict(queries))
        return {key: self.has[url] for key, url in queries.items() if url in self.has}


def filled(prefetch: Mapping[str, Any], server: Server | None = None, **changes: Any) -> Prefetched:
    """The prefetch as the service fills it."""
    request = parse_request(body(order_sign(prefetch=dict(prefetch), **changes)), "order-sign")
    return fill(request, PARTS, server)


def filled_as_sent(results: str) -> Prefetched:
    """The prefetch with results in exactly this spelling."""
    text = json.dumps(order_sign(prefetch={**GOOD, "results": "RESULTS"})).replace('"RESULTS"', results)
    return fill(parse_request(text.encode(), "order-sign"), PARTS, None)


def answer(*resources: Mapping[str, Any], complete: bool = True) -> Answer:
    """An answer with these resources."""
    return Answer(tuple(look(Raw(json.dumps(one).encode())) for one in resources), complete)


def ids(found: Prefetched, key: str) -> list[str]:
    """The ids under a key."""
    return [json.loads(bytes(one.raw))["id"] for one in found.parts[key]]


RESULTS = "Observation?patient=pat1&category=laboratory"


@pytest.mark.parametrize(
    "value",
    [
        FULL,
        {**FULL, "type": "collection"},
        {
            "resourceType": "Bundle",
            "entry": [{"fullUrl": "https://ehr.example.org/fhir/Observation/o1", "resource": OBSERVATION, "search": {"mode": "match"}}],
        },
        OBSERVATION,
        {"response": {"status": "200 OK"}, "resource": FULL},
        {"response": {"status": 200}, "resource": OBSERVATION},
        {"resource": FULL},
        {"resourceType": "Bundle", "type": "batch-response", "entry": [{"resource": FULL, "response": {"status": "200"}}]},
        {"resourceType": "Bundle", "entry": [{"resource": WARNING, "search": {"mode": "outcome"}}, {"resource": OBSERVATION}]},
    ],
)
def test_one_result_in_many_shapes(value: Any) -> None:
    """PF-06, PF-10: searchset, collection, bare resource, old wrapper, batch response and a warning beside it are the same data."""
    server = Server()
    assert ids(filled({**GOOD, "results": value}, server), "results") == ["o1"]
    assert server.asked == []


@pytest.mark.parametrize(
    "value",
    [
        None,
        EMPTY,
        {"resourceType": "Bundle"},
        {"resourceType": "Bundle", "type": "searchset", "entry": []},
        {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": WARNING, "search": {"mode": "outcome"}}]},
        {
            "resourceType": "Bundle",
            "type": "searchset",
            "total": 0,
            "entry": [{"resource": {**WARNING, "issue": [{"severity": "information"}]}}],
        },
    ],
)
def test_an_empty_answer_is_an_answer(value: Any) -> None:
    """PF-03, PF-04, PF-06: null, no entries, and "no results" as a warning mean that there are none; nobody is asked again."""
    server = Server()
    found = filled({**GOOD, "results": value}, server)
    assert found.parts["results"] == ()
    assert found.missing == frozenset()
    assert server.asked == []


JUNK = [
    ERROR,
    {**ERROR, "issue": [{"severity": "fatal"}]},
    {"resourceType": "OperationOutcome"},
    {"resourceType": "OperationOutcome", "issue": "x"},
    WARNING,
    {"resourceType": "Bundle", "entry": [{"resource": ERROR}]},
    {"resourceType": "Bundle", "entry": [{"resource": OBSERVATION}, {"resource": ERROR, "search": {"mode": "outcome"}}]},
    "<html><body>HTTP Status 500</body></html>", "123", "", 5, True, [], [FULL], {},
    {"resourceType": "Patient", "id": "pat1"},
    {"resourceType": "Bundle", "entry": {}},
    {"resourceType": "Bundle", "entry": ["x"]},
    {"resourceType": "Bundle", "link": "x"},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Slot"}}]},
    {"resourceType": "Bundle", "type": "searchset", "total": 12},
    {"resourceType": 5},
    {"response": {"status": "404 Not Found"}, "resource": FULL},
    {"response": {"status": "500"}, "resource": ERROR},
    {"response": {"status": "200"}, "resource": None},
    {"resourceType": "Bundle", "type": "batch-response", "entry": [{"resource": {**FULL, "link": [{"relation": "next", "url": "x"}]}}]},
]  # fmt: skip


@pytest.mark.parametrize("value", JUNK)
def test_a_failed_or_senseless_value_is_no_data(value: Any) -> None:
    """PF-05, PF-06, PF-09, RS-08: an error or junk under a required key is 412 and never an empty record."""
    with pytest.raises(CannotDecide) as caught:
        filled({**GOOD, "results": value})
    assert caught.value.status == 412
    assert caught.value.missing == ("results",)
    assert "laboratory results" in caught.value.message
    assert '"results"' in caught.value.message


ODD_SPELLINGS = {
    "spaces": '{ "id" : "x" , "resourceType" :\n"OperationOutcome" , "issue" : [ { "severity" : "error" } ] }',
    "the type last": '{"issue": [{"severity": "error"}], "resourceType": "OperationOutcome"}',
    "the type with an escape": '{"resourceType": "Operation\\u004futcome", "issue": [{"severity": "error"}]}',
    "the type twice": '{"resourceType": "Observation", "issue": [{"severity": "error"}], "resourceType": "OperationOutcome"}',
}


@pytest.mark.parametrize("outcome", ODD_SPELLINGS.values(), ids=ODD_SPELLINGS.keys())
@pytest.mark.parametrize("first", [True, False])
def test_a_failure_is_seen_however_it_is_written(outcome: str, first: bool) -> None:
    """PF-05: an error beside good results makes the answer no answer, wherever it stands and however it is spelt."""
    entries = [f'{{"resource": {outcome}}}', json.dumps({"resource": {**OBSERVATION, "note": [{"text": "x" * 300}]}})]
    bundle = f'{{"resourceType": "Bundle", "entry": [{", ".join(entries if first else entries[::-1])}]}}'
    with pytest.raises(CannotDecide) as caught:
        filled_as_sent(bundle)
    assert caught.value.missing == ("results",)


def test_a_text_that_names_a_failure_is_none() -> None:
    """PF-06: a result whose text holds the word is a result."""
    found = filled({**GOOD, "results": {"resourceType": "Bundle", "entry": [{"resource": {**OBSERVATION, "code": "OperationOutcome"}}]}})
    assert ids(found, "results") == ["o1"]


@pytest.mark.parametrize("name", ['"total": 1', '"type": "searchset"', '"link": []'])
def test_a_name_twice_around_the_results_of_a_chart_is_taken(name: str) -> None:
    """H5: the envelope of a large Bundle is no value that is judged, so that a name twice in it is no reason to refuse the request."""
    result = json.dumps({**OBSERVATION, "note": [{"text": "x" * 300}]})
    found = filled_as_sent(f'{{"resourceType": "Bundle", {name}, {name}, "entry": [{{"resource": {result}}}]}}')
    assert ids(found, "results") == ["o1"]


@pytest.mark.parametrize("value", JUNK)
def test_a_failed_value_is_asked_for_once(value: Any) -> None:
    """PF-05, PF-09: the FHIR server is asked once for what the prefetch could not give."""
    server = Server({RESULTS: answer(OBSERVATION)})
    found = filled({**GOOD, "results": value}, server)
    assert ids(found, "results") == ["o1"]
    assert server.asked == [{"results": RESULTS}]


def test_the_value_junk_has_under_an_optional_key() -> None:
    """PF-05: an optional key that failed is missing by name, and the rest is judged."""
    found = filled({**GOOD, "patient": ERROR})
    assert found.missing == {"patient"}


def test_an_absent_key_is_asked_for_with_exactly_its_query() -> None:
    """PF-01, PF-02: only what is missing is fetched, all of it in one round."""
    server = Server({RESULTS: answer(OBSERVATION), "Patient/pat1": answer({"resourceType": "Patient", "id": "pat1"})})
    found = filled({"orders": EMPTY, "encounter": None}, server)
    assert server.asked == [{"patient": "Patient/pat1", "results": RESULTS}]
    assert found.missing == frozenset()


@pytest.mark.parametrize("server", [None, Server()])
def test_required_data_that_cannot_be_had_are_named(server: Server | None) -> None:
    """PF-08, RS-04: nothing prefetched, no server or none that answers: 412 with both keys in human words."""
    with pytest.raises(CannotDecide) as caught:
        filled({}, server)
    assert caught.value.missing == ("results", "orders")
    for words in ("laboratory results", "running medication orders", '"results"', '"orders"', "fhirServer"):
        assert words in caught.value.message
    assert "pat1" not in caught.value.message


def test_without_a_server_nobody_is_asked() -> None:
    """RQ-14, PF-08: without fhirServer missing keys stay missing."""
    server = Server({RESULTS: answer(OBSERVATION)})
    with pytest.raises(CannotDecide):
        filled({"orders": EMPTY}, server, fhirServer=None)
    assert server.asked == []
    assert filled({"results": EMPTY, "orders": EMPTY}, server, fhirServer=None).missing == {"patient", "encounter"}


NEXT = "https://ehr.example.org/fhir/Observation?page=2"
PAGED = {**FULL, "link": [{"relation": "self", "url": "x"}, {"relation": "next", "url": NEXT}]}


def test_the_next_page_of_a_prefetched_bundle_is_followed() -> None:
    """PF-07: the page that follows comes from the server, and both belong together."""
    server = Server({NEXT: answer({"resourceType": "Observation", "id": "o2"})})
    found = filled({**GOOD, "results": PAGED}, server)
    assert ids(found, "results") == ["o1", "o2"]
    assert found.missing == frozenset()


def test_a_page_link_that_leads_nowhere_is_replaced_by_the_whole_query() -> None:
    """PF-07: where the link may not be followed, the same search is asked for anew."""
    server = Server({RESULTS: answer(OBSERVATION, {"resourceType": "Observation", "id": "o2"})})
    found = filled({**GOOD, "results": PAGED}, server)
    assert ids(found, "results") == ["o1", "o2"]
    assert server.asked == [{"results": NEXT}, {"results": RESULTS}]
    assert found.missing == frozenset()


def test_a_page_that_cannot_be_had_makes_required_data_missing() -> None:
    """PF-07, RS-08: a first page alone is not the record: 412."""
    for server in (None, Server(), Server({NEXT: answer(OBSERVATION, complete=False)})):
        with pytest.raises(CannotDecide):
            filled({**GOOD, "results": PAGED}, server)


def test_a_page_of_optional_data_is_used_and_named() -> None:
    """PF-07: what was read may speak; that it is not all is known."""
    parts = {**PARTS, "problems": Part("Condition?patient={{context.patientId}}", "problem list")}
    page = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Condition", "id": "c1"}}],
        "link": [{"relation": "next", "url": "x"}],
    }
    request = parse_request(body(order_sign(prefetch={**GOOD, "problems": page})), "order-sign")
    found = fill(request, parts, None)
    assert ids(found, "problems") == ["c1"]
    assert found.missing == {"problems"}


def test_extra_keys_are_ignored() -> None:
    """PF-13: keys that nobody asked for change nothing."""
    plain = filled(GOOD)
    found = filled({**GOOD, "foo": FULL, "user": "123"})
    assert found.parts.keys() == plain.parts.keys()


def test_without_an_encounter_there_is_no_stay_to_ask_for() -> None:
    """PT-08: a template whose value is unknown is not asked for, and its part is not missing."""
    server = Server({"Patient/pat1": answer()})
    found = filled({"results": EMPTY, "orders": EMPTY}, server, **{"context.encounterId": None})
    assert server.asked == [{"patient": "Patient/pat1"}]
    assert found.parts["encounter"] == ()
    assert found.missing == frozenset()


def test_an_error_for_a_stay_that_cannot_be_asked_for_is_missing() -> None:
    """PF-05: a failed value stays failed where no query can mend it."""
    assert filled({**GOOD, "encounter": ERROR}, Server(), **{"context.encounterId": None}).missing == {"encounter"}


def test_further_queries_go_along_and_are_never_required() -> None:
    """RQ-13: medications that drafts point at are asked for in the same round."""
    request = parse_request(body(order_sign(prefetch=GOOD)), "order-sign")
    server = Server()
    found = fill(request, PARTS, server, {"Medication/m1": "Medication/m1"})
    assert server.asked == [{"Medication/m1": "Medication/m1"}]
    assert found.missing == {"Medication/m1"}


@pytest.mark.parametrize(
    ("template", "url"),
    [
        ("Patient/{{context.patientId}}", "Patient/a.b-c"),
        ("Patient/{{ context.patientId }}", "Patient/a.b-c"),
        ("Practitioner/{{userPractitionerId}}", "Practitioner/p%2B1"),
        ("Encounter/{{context.encounterId}}", None),
        ("Observation?patient={{context.patientId}}&x={{context.foo}}", "Observation?patient=a.b-c&x=1%26y%3D2%2F%3F%23%20%C3%A4"),
        ("Metadata", "Metadata"),
    ],
)
def test_a_template_becomes_a_url(template: str, url: str | None) -> None:
    """PT-01, PT-02: values are put in escaped, so that none can change the query."""
    values = {"context.patientId": "a.b-c", "userPractitionerId": "p+1", "context.foo": "1&y=2/?# \u00e4"}
    assert query(template, values) == url
