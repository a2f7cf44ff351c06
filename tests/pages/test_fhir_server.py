"""The fixture FHIR server: what it finds, how it pages, how it fails on purpose."""

import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from cds_service.web.fhir_server import NOTICE, TOKEN

BASE = "/sandbox/fhir"


def ids(bundle: dict[str, Any], mode: str = "match") -> list[str]:
    """The ids of the resources of one page."""
    return [entry["resource"]["id"] for entry in bundle.get("entry", []) if entry["search"]["mode"] == mode]


def test_a_read_gives_the_resource_moved_to_today(fhir: FlaskClient) -> None:
    """A patient keeps the age of the story, because the birth date moves with the rest."""
    patient = fhir.get(f"{BASE}/Patient/p1").get_json()
    assert patient["birthDate"] == "1986-11-25"
    assert fhir.get(f"{BASE}/MedicationRequest/m1").get_json()["authoredOn"].startswith("2026-11-23T08:00:00")


def test_a_read_of_nothing_is_a_404_with_an_outcome(fhir: FlaskClient) -> None:
    """An unknown id is answered as FHIR asks."""
    response = fhir.get(f"{BASE}/Patient/nobody")
    assert (response.status_code, response.get_json()["resourceType"]) == (404, "OperationOutcome")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("Observation?patient=p1&category=laboratory&_sort=-date&_count=1000", ["o7", "o6", "o5", "o4", "o3", "o2", "o1"]),
        ("Observation?patient=p1&category=vital-signs", ["o8"]),
        ("Observation?subject=Patient/p1&_sort=date&_count=2", ["o1", "o2"]),
        ("Observation?patient=other", []),
        ("Observation?patient=p1&code=http://loinc.org|2160-0,http://loinc.org|1-1&_count=1&_sort=-date", ["o8"]),
        ("Observation?patient=p1&code=http://snomed.info/sct|2160-0", []),
        ("Observation?patient=p1&date=ge2026-11-01", ["o8"]),
        ("Observation?patient=p1&date=ge2026-12-01", []),
        ("Observation?patient=p1&_count=0", []),
        ("MedicationRequest?patient=p1&status=active", ["m1"]),
        ("MedicationRequest?patient=p1&status=stopped,completed", []),
        ("MedicationRequest?patient=p1&status:not=stopped", ["m1"]),
        ("Patient?name=exam", ["p1"]),
    ],
)
def test_a_search_finds_what_its_parameters_say(fhir: FlaskClient, query: str, found: list[str]) -> None:
    """The searches of our templates and of the public sandbox narrow as FHIR R4 says."""
    assert ids(fhir.get(f"{BASE}/{query}").get_json()) == found


def test_a_search_by_post_is_the_same_search(fhir: FlaskClient) -> None:
    """The public sandbox asks by POST first."""
    bundle = fhir.post(f"{BASE}/Observation/_search", data={"patient": "p1", "category": "vital-signs"}).get_json()
    assert ids(bundle) == ["o8"]


def test_an_include_brings_the_medication_along(fhir: FlaskClient) -> None:
    """The public sandbox asks for running orders together with what they name by reference."""
    bundle = fhir.get(f"{BASE}/MedicationRequest?_include=MedicationRequest:medication&patient=p1&status=active").get_json()
    assert (ids(bundle), ids(bundle, "include")) == (["m1"], ["drug"])


def test_pages_are_joined_by_next_links(fhir: FlaskClient) -> None:
    """Whoever follows the links sees every result once, and the last page has no further link."""
    url: str | None = f"{BASE}/Observation?patient=p1&_count=3"
    seen: list[str] = []
    while url:
        page = fhir.get(url).get_json()
        seen += ids(page)
        following = [one["url"] for one in page["link"] if one["relation"] == "next"]
        url = "{0.path}?{0.query}".format(urlsplit(following[0])) if following else None
    assert seen == [f"o{number}" for number in range(1, 9)]


def test_the_self_link_leaves_out_what_was_not_looked_at(fhir: FlaskClient) -> None:
    """A lenient server says which parameters it used."""
    page = fhir.get(f"{BASE}/Observation?patient=p1&made-up=1").get_json()
    assert page["link"][0]["url"].endswith("/Observation?patient=p1")


def test_it_says_that_it_is_a_fixture_server(fhir: FlaskClient) -> None:
    """Nobody should take it for a record."""
    statement = fhir.get(f"{BASE}/metadata")
    assert statement.get_json()["implementation"]["description"] == NOTICE
    assert statement.get_json()["fhirVersion"] == "4.0.1"
    assert statement.headers["X-Fixture-Server"] == NOTICE


def test_any_page_may_read_it(fhir: FlaskClient) -> None:
    """A browser on another origin asks first and is let in, also with a token."""
    response = fhir.options(f"{BASE}/Observation", headers={"Origin": "http://else.example", "Access-Control-Request-Method": "GET"})
    assert response.status_code == 200
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in response.headers["Access-Control-Allow-Headers"]


@pytest.mark.parametrize(("fault", "status"), [("unauthorized", 401), ("broken", 500), ("token", 401)])
def test_a_fault_strikes_the_type_that_it_is_switched_on_for(fhir: FlaskClient, fault: str, status: int) -> None:
    """The fault is part of the address, so that two windows do not disturb each other."""
    assert fhir.get(f"{BASE}/faults/{fault}/Observation/Observation?patient=p1").status_code == status
    assert fhir.get(f"{BASE}/faults/{fault}/Observation/Patient/p1").status_code == 200
    assert fhir.get(f"{BASE}/faults/{fault}/all/Patient/p1").status_code == status


def test_the_right_token_opens_it(fhir: FlaskClient) -> None:
    """With the token that the page shows, the guarded server answers."""
    headers = {"Authorization": f"Bearer {TOKEN}"}
    assert fhir.get(f"{BASE}/faults/token/all/Patient/p1", headers=headers).status_code == 200


def test_a_fault_that_is_none_is_not_found(fhir: FlaskClient) -> None:
    """A misspelt fault does not pass for a server in good health."""
    assert fhir.get(f"{BASE}/faults/500/all/Patient/p1").status_code == 404
    assert fhir.get(f"{BASE}/faults/500/all/Observation?patient=p1").status_code == 404


def test_a_slow_server_waits(fhir: FlaskClient, pauses: list[float]) -> None:
    """A slow answer comes after the deadline of the service."""
    fhir.get(f"{BASE}/faults/slow/all/Patient/p1")
    assert pauses == [4]


def test_a_broken_page_cannot_be_read(fhir: FlaskClient) -> None:
    """The first page is sound, the second one stops in the middle of a word."""
    first = fhir.get(f"{BASE}/faults/broken-page/all/Observation?patient=p1").get_json()
    following = next(one["url"] for one in first["link"] if one["relation"] == "next")
    second = fhir.get("{0.path}?{0.query}".format(urlsplit(following)))
    assert len(ids(first)) == 3
    with pytest.raises(json.JSONDecodeError):
        json.loads(second.data)
