"""The discovery document: what clients and administrators read first."""

import json
import re

import pytest
from flask.testing import FlaskClient
from msgspec.structs import replace

from cds_service.knowledge import Knowledge
from cds_service.settings import Settings

from .conftest import Build
from .hospital import Hospital, request

DISCOVERY = "/cds-services"
TOKEN = re.compile(r"\{\{(.*?)\}\}")


def test_the_document_is_there_without_a_token(caller: FlaskClient, knowledge: Knowledge) -> None:
    """DI-01, DI-02, DI-14, DI-16, DI-17: GET gives the list of services, open to everybody and the same each time."""
    first, second = caller.get(DISCOVERY), caller.get(DISCOVERY)
    assert (first.status_code, first.content_type) == (200, "application/json")
    assert first.data == second.data
    assert {service["id"] for service in json.loads(first.data)["services"]} == set(knowledge.services)


def test_every_entry_says_what_clients_need(caller: FlaskClient) -> None:
    """DI-03 to DI-09, DI-19: hook, id, title, description, prefetch and the version of the specification, and nothing empty."""
    services = json.loads(caller.get(DISCOVERY).data)["services"]
    for service in services:
        assert re.fullmatch(r"[A-Za-z0-9._~-]+", service["id"])
        assert service["hook"] in {"order-sign", "order-select", "patient-view"}
        assert all(service[name].strip() for name in ("title", "description", "usageRequirements"))
        assert re.fullmatch(r"\d+\.\d+\.\d+", service["version"])
        assert service["prefetch"]
        assert all(isinstance(template, str) and template for template in service["prefetch"].values())


def test_each_service_has_an_id_of_its_own(caller: FlaskClient) -> None:
    """DI-11, DI-12, ST-01: no two entries share their id, since clients keep them by their address."""
    ids = [service["id"] for service in json.loads(caller.get(DISCOVERY).data)["services"]]
    assert len(ids) == len(set(ids))


def test_without_a_service_the_list_is_empty(build: Build, settings: Settings, knowledge: Knowledge) -> None:
    """DI-13: a service that has nothing to offer says so with an empty list, and with 200."""
    answer = build(knowledge=replace(knowledge, services={})).test_client().get(DISCOVERY)
    assert (answer.status_code, json.loads(answer.data)) == (200, {"services": []})


def test_every_listed_service_answers(open_caller: FlaskClient) -> None:
    """DI-04: each id can be called at its hook."""
    for service in json.loads(open_caller.get(DISCOVERY).data)["services"]:
        body = {**request(), "hook": service["hook"], "prefetch": dict.fromkeys(service["prefetch"])}
        if service["hook"] == "order-select":
            body["context"] = {**body["context"], "selections": ["MedicationRequest/rx1"]}
        assert open_caller.post(f"{DISCOVERY}/{service['id']}", json=body).status_code == 200


def test_templates_ask_only_what_every_client_can_fill(caller: FlaskClient) -> None:
    """PT-01 to PT-10: plain tokens of the context, relative URLs, and the search parameters of the specification's list."""
    allowed = {"patient", "category", "code", "status", "date", "clinical-status", "_count", "_sort"}
    for service in json.loads(caller.get(DISCOVERY).data)["services"]:
        for template in service["prefetch"].values():
            assert set(TOKEN.findall(template)) <= {"context.patientId", "context.encounterId", "context.userId"}
            assert re.match(r"[A-Z][A-Za-z]+[/?]", template)
            assert "sort:" not in template
            assert {part.partition("=")[0] for part in template.partition("?")[2].split("&") if part} <= allowed


def test_nothing_is_null_or_empty(caller: FlaskClient) -> None:
    """G-01, G-03, G-04, G-05: strict JSON without nulls and without empty members."""

    def walk(value: object) -> None:
        assert value is not None
        assert value not in ("", [], {})
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            walk(inner)

    walk(json.loads(caller.get(DISCOVERY).data))


@pytest.mark.parametrize(("path", "status"), [(DISCOVERY, 200), ("/cds-services/ndm-order-sign", 401), ("/elsewhere", 401)])
def test_discovery_can_be_protected(build: Build, settings: Settings, hospital: Hospital, path: str, status: int) -> None:
    """DI-17, SE-02: a protected document needs a token for exactly its address."""
    protected = Settings(
        type(settings.server)(public_url=settings.server.public_url, discovery="protected"), settings.store, settings.clients
    )
    caller = build(protected).test_client()
    assert caller.get(DISCOVERY).status_code == 401
    assert caller.get(DISCOVERY, headers=hospital.authorization(path)).status_code == status
