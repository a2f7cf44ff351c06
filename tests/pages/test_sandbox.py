"""What the sandbox page needs beside the real endpoints."""

import json
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.cases.record import Record
from cds_service.web.stories import Story, read_folder

SIGN = "ndm-order-sign"


def request_of(client: FlaskClient, story: Story, hook: str) -> tuple[str, dict[str, Any]]:
    """The service and the request that a record would send for a story."""
    services = {one["hook"]: one for one in client.get("/cds-services").get_json()["services"]}
    context: dict[str, Any] = {"userId": "Practitioner/p", "patientId": story.patient_id, "encounterId": story.encounter_id}
    prefetch = Record(story.resources).prefetch(services[hook]["prefetch"], context)
    if hook != "patient-view":
        context["draftOrders"] = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in story.drafts]}
    if hook == "order-select":
        context["selections"] = [f"MedicationRequest/{one['id']}" for one in story.drafts]
    body = {"hook": hook, "hookInstance": "6f1d9d52-95a4-4d3f-8a2c-5f0f3a3f1c11", "context": context, "prefetch": prefetch}
    return services[hook]["id"], body


def told(client: FlaskClient, name: str) -> Story:
    """One story as the page gets it."""
    raw = client.get(f"/sandbox/patients/{name}").get_json()
    resources, drafts = tuple(raw["resources"]), tuple(raw["drafts"])
    return Story(raw["title"], raw["story"], raw["patientId"], resources, drafts, None, raw["hook"], raw["encounterId"])


def test_there_are_at_least_twelve_stories(site: FlaskClient) -> None:
    """Each with a title and a sentence that says what happens."""
    found = site.get("/sandbox/patients").get_json()
    assert len(found) >= 12
    assert all(one["title"] and one["story"] for one in found)


def test_every_story_ends_as_it_promises(site: FlaskClient, stories: list[Story]) -> None:
    """The topics of the cards, in order, are those that the story's file names."""
    for written in stories:
        service, body = request_of(site, told(site, written.patient_id), written.hook)
        cards = site.post(f"/cds-services/{service}", json=body).get_json()["cards"]
        assert [card["source"]["topic"]["code"] for card in cards] == list(written.expect or ()), written.title


def test_an_unknown_patient_is_a_404(site: FlaskClient) -> None:
    """Without a word of the request in the answer."""
    answer = site.get("/sandbox/patients/somebody")
    assert answer.status_code == 404
    assert "somebody" not in answer.get_data(as_text=True)


def test_the_explanation_covers_every_rule_once(site: FlaskClient) -> None:
    """Spoke or kept silent, each with a reason and a title."""
    service, body = request_of(site, told(site, "pt-unprotected-aztreonam"), "order-sign")
    found = site.post(f"/sandbox/explain/{service}", json=body).get_json()
    rules = [one["rule"] for one in found["verdicts"]]
    assert len(rules) == len(set(rules)) >= 30
    assert all(one["why"] and one["title"] for one in found["verdicts"])
    spoke = next(one for one in found["verdicts"] if one["rule"] == "ndmAztreonamUnprotected")
    assert (spoke["kind"], spoke["indicator"], spoke["shown"]) == ("spoke", "critical", True)
    assert any("aztreonam" in line.lower() for line in spoke["saw"])


def test_the_explanation_shows_the_facts(site: FlaskClient) -> None:
    """Evidence, regimen, what is expected to work, kidney: as the service read them."""
    service, body = request_of(site, told(site, "pt-protected-regimen"), "order-sign")
    facts = site.post(f"/sandbox/explain/{service}", json=body).get_json()["facts"]
    assert any(line.startswith("current: NDM in") for line in facts["evidence"])
    assert len(facts["regimen"]) == 2
    assert facts["works"] != ["nothing"]
    assert int(facts["kidney"]["clearance"]) > 0


def test_orders_out_of_scope_are_explained_too(site: FlaskClient) -> None:
    """Where no rule was asked, the page says that nothing was read."""
    service, body = request_of(site, told(site, "pt-child"), "order-sign")
    body["context"]["draftOrders"]["entry"] = []
    found = site.post(f"/sandbox/explain/{service}", json=body).get_json()
    assert found["verdicts"] is None
    assert "nothing was read" in found["why"]


@pytest.mark.parametrize(("service", "status"), [(SIGN, 400), ("no-such-service", 404)])
def test_the_explanation_refuses_as_the_hook_does(site: FlaskClient, service: str, status: int) -> None:
    """A request that cannot be read is refused with the same words."""
    answer = site.post(f"/sandbox/explain/{service}", json={"hook": "order-sign"})
    assert answer.status_code == status
    assert answer.get_json()["resourceType"] == "OperationOutcome"


def test_the_explanation_is_not_remembered(site: FlaskClient) -> None:
    """Looking at an explanation changes no number of the dashboard."""
    service, body = request_of(site, told(site, "pt-unprotected-aztreonam"), "order-sign")
    site.post(f"/sandbox/explain/{service}", json=body)
    assert site.get("/governance.json").get_json()["signings"] == 0
    site.post(f"/cds-services/{service}", json=body)
    assert site.get("/governance.json").get_json()["signings"] == 1


def test_the_formulary_offers_usual_doses(site: FlaskClient) -> None:
    """A drug with a dose table starts with the dose for normal kidneys."""
    drugs = {one["name"]: one for one in site.get("/sandbox/formulary").get_json()}
    pair = next(one for name, one in drugs.items() if name.lower() == "ceftazidime-avibactam")
    assert pair["usual"] == {"dose": "2.5", "interval": "8", "infusion": "3"}


def test_own_patients_can_be_brought_along(tmp_path: Path) -> None:
    """Bundles and NDJSON of a folder become stories, each with the resources of its own patient."""
    patient = {"resourceType": "Patient", "id": "a", "name": [{"given": ["A"], "family": "B"}]}
    result = {"resourceType": "Observation", "id": "o", "subject": {"reference": "Patient/a"}}
    bundle = {"resourceType": "Bundle", "entry": [{"resource": patient}, {"resource": result}]}
    (tmp_path / "a.json").write_text(json.dumps(bundle))
    lines = [{"resourceType": "Patient", "id": "b"}, {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/b"}}]
    (tmp_path / "b.ndjson").write_text("\n\n".join(map(json.dumps, lines)))
    found = {one.patient_id: one for one in read_folder(tmp_path)}
    assert {name: [resource["id"] for resource in one.resources] for name, one in found.items()} == {"a": ["a", "o"], "b": ["b", "c"]}
    assert found["a"].title == "A B"


def test_no_adult_clearance_is_shown_for_a_child(site: FlaskClient) -> None:
    """Cockcroft-Gault is for adults."""
    service, body = request_of(site, told(site, "pt-child"), "order-sign")
    kidney = site.post(f"/sandbox/explain/{service}", json=body).get_json()["facts"]["kidney"]
    assert kidney["clearance"] is None
    assert kidney["said"][0] == "clearance is not computed under 18 years"
