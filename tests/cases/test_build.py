"""A terse case becomes the request that a record would send."""

from datetime import datetime
from typing import Any

import msgspec
import pytest

from cds_service.cases import Case, Lexicon, Usual, request
from cds_service.cases.sheet import CaseLine

QUERIES = {
    "patient": "Patient/{{context.patientId}}",
    "results": "Observation?patient={{context.patientId}}&category=laboratory",
    "reports": "DiagnosticReport?patient={{context.patientId}}&category=LAB,MB",
    "orders": "MedicationRequest?patient={{context.patientId}}&status=active",
    "vitals": "Observation?patient={{context.patientId}}&category=vital-signs",
    "allergies": "AllergyIntolerance?patient={{context.patientId}}",
    "conditions": "Condition?patient={{context.patientId}}&clinical-status=active",
    "procedures": "Procedure?patient={{context.patientId}}",
    "requests": "ServiceRequest?patient={{context.patientId}}&status=active",
    "specimens": "Specimen?patient={{context.patientId}}",
    "encounter": "Encounter/{{context.encounterId}}",
}
NDM = {"organism": "klebsiella-pneumoniae", "specimen": "blood", "found": "NDM"}


@pytest.fixture(name="built")
def _built(usual: Usual, lexicon: Lexicon, now: datetime) -> Any:
    def build(**line: Any) -> dict[str, Any]:
        case = Case("a case", "someRule", "ndm", "some-rule.yaml", msgspec.convert({"case": "a case", **line}, CaseLine))
        return request(case, QUERIES, usual, lexicon, now)

    return build


def _resources(body: dict[str, Any], key: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in body["prefetch"][key].get("entry", [])]


def _drafts(body: dict[str, Any]) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in body["context"]["draftOrders"]["entry"]]


def test_the_request_is_one_of_the_specification(built: Any) -> None:
    """Hook, instance, context and prefetch are those of a CDS Hooks call, the same in every run."""
    body = built(drafts=["aztreonam"])
    assert body == built(drafts=["aztreonam"])
    assert body["hook"] == "order-sign"
    assert set(body["context"]) == {"userId", "patientId", "encounterId", "draftOrders"}
    assert set(body["prefetch"]) == set(QUERIES)


def test_what_is_unavailable_stays_out(built: Any) -> None:
    """A prefetch key that the case calls unavailable is not sent."""
    assert "results" not in built(drafts=["aztreonam"], unavailable=["results"])["prefetch"]


def test_patient_view_has_no_drafts_and_order_select_has_selections(built: Any) -> None:
    """The context is that of the hook."""
    assert "draftOrders" not in built(hook="patient-view")["context"]
    assert built(hook="order-select", drafts=["aztreonam"])["context"]["selections"] == ["MedicationRequest/draft-1"]
    assert built(hook="order-select", drafts=["aztreonam"], selected=[])["context"]["selections"] == []


def test_clearance_becomes_a_creatinine(built: Any) -> None:
    """The creatinine is the one that gives the clearance by Cockcroft and Gault: 72 kg, 68 years, so 72 / clearance."""
    (creatinine,) = [one for one in _resources(built(patient={"clearance": 30}), "results") if one["id"] == "creatinine-1"]
    assert creatinine["valueQuantity"]["value"] == pytest.approx(72 / 30)


@pytest.mark.parametrize(("lacks", "key"), [("weight", "vitals"), ("creatinine", "results")])
def test_what_the_patient_lacks_is_not_in_the_record(built: Any, lacks: str, key: str) -> None:
    """A number that the case says is missing is missing."""
    assert not [one for one in _resources(built(patient={"lacks": [lacks]}), key) if one["id"].startswith(lacks)]


@pytest.mark.parametrize(("lacks", "element"), [("birth date", "birthDate"), ("sex", "gender")])
def test_elements_of_the_patient_can_lack(built: Any, lacks: str, element: str) -> None:
    """Birth date and sex can be absent."""
    assert element not in built(patient={"lacks": [lacks]})["prefetch"]["patient"]
    assert element in built()["prefetch"]["patient"]


def test_age_counts_from_now(built: Any, now: datetime) -> None:
    """The birth date is that of somebody whose birthday was on the first of this month."""
    assert built(patient={"age": 40})["prefetch"]["patient"]["birthDate"] == f"{now.year - 40}-{now.month:02d}-01"


def test_a_result_has_specimen_culture_and_marker(built: Any) -> None:
    """One line gives the resources that a laboratory would send, all of one specimen and two days old."""
    body = built(results=[NDM])
    results = [one for one in _resources(body, "results") if one["id"].startswith("sample")]
    assert [one["id"] for one in results] == ["sample-1-culture-1", "sample-1-1-ndm"]
    assert {one["specimen"]["reference"] for one in results} == {"Specimen/specimen-sample-1"}
    assert results[0]["hasMember"] == [{"reference": "Observation/sample-1-1-ndm"}]
    assert results[0]["effectiveDateTime"] == "2026-11-18T12:00:00.000+00:00"


def test_a_panel_has_components(built: Any) -> None:
    """Form panel puts all markers into the components of one observation."""
    body = built(results=[{**NDM, "absent": ["KPC"], "form": "panel"}])
    (panel,) = [one for one in _resources(body, "results") if one["id"].endswith("panel")]
    assert len(panel["component"]) == 2


def test_an_organism_can_carry_its_marker_in_its_name(built: Any) -> None:
    """Form organism writes the marker beside the species and nowhere else."""
    body = built(results=[{**NDM, "form": "organism"}])
    (culture,) = [one for one in _resources(body, "results") if one["id"].startswith("sample")]
    assert culture["valueCodeableConcept"] == {"text": "Klebsiella pneumoniae, NDM-producing"}


def test_a_report_groups_its_results(built: Any) -> None:
    """Form report adds a DiagnosticReport that points at the observations."""
    (report,) = _resources(built(results=[{**NDM, "form": "report"}]), "reports")
    assert {one["reference"] for one in report["result"]} == {"Observation/sample-1-culture-1", "Observation/sample-1-1-ndm"}


def test_a_report_can_be_text_alone(built: Any) -> None:
    """A line with text is a report with a conclusion."""
    (report,) = _resources(built(results=[{"specimen": "blood", "text": "NDM detected"}]), "reports")
    assert report["conclusion"] == "NDM detected"


@pytest.mark.parametrize(
    ("said", "part", "value"),
    [
        ("S", "interpretation", "S"),
        ("R 16", "value", 16.0),
        ("MIC 8", "value", 8.0),
        ("R >16", "comparator", ">"),
        ("NS", "interpretation", "NS"),
        ("pending", "status", "registered"),
    ],
)
def test_susceptibilities_are_written_as_laboratories_print_them(built: Any, said: str, part: str, value: object) -> None:
    """Letter, MIC, comparator and pending each have their place."""
    body = built(results=[{**NDM, "tested": {"aztreonam": said}}])
    (test,) = [one for one in _resources(body, "results") if one["id"].endswith("aztreonam")]
    quantity = test.get("valueQuantity", {})
    found = {
        "interpretation": test.get("interpretation", [{"coding": [{}]}])[0]["coding"][0].get("code"),
        "status": test["status"],
        **quantity,
    }
    assert found[part] == value


def test_an_unreadable_susceptibility_is_refused(built: Any) -> None:
    """A word that is no answer of a laboratory is a mistake in the case."""
    with pytest.raises(ValueError, match="'maybe' is not an answer"):
        built(results=[{**NDM, "tested": {"aztreonam": "maybe"}}])


@pytest.mark.parametrize(
    ("dated", "effective", "issued"),
    [("collected", True, True), ("issued", False, True), ("specimen", False, False), ("nowhere", False, False)],
)
def test_a_result_can_be_dated_in_several_places(built: Any, dated: str, effective: bool, issued: bool) -> None:
    """The date stands where the case says, or nowhere."""
    body = built(results=[{**NDM, "dated": dated}])
    (marker,) = [one for one in _resources(body, "results") if one["id"].endswith("-ndm")]
    assert ("effectiveDateTime" in marker, "issued" in marker) == (effective, issued)


def test_a_culture_can_be_pending(built: Any) -> None:
    """A pending culture is registered and has no value."""
    (culture,) = [one for one in _resources(built(results=[{"specimen": "blood", "pending": True}]), "results") if "culture" in one["id"]]
    assert culture["status"] == "registered"
    assert "valueCodeableConcept" not in culture


def test_orders_say_what_their_sentence_says(built: Any) -> None:
    """Dose, route, interval and infusion of a draft are those of the usual order unless it says otherwise."""
    (draft,) = _drafts(built(drafts=["aztreonam 1 g q8h"]))
    (dosage,) = draft["dosageInstruction"]
    assert dosage["doseAndRate"][0]["doseQuantity"]["value"] == 1
    assert dosage["timing"]["repeat"] == {"frequency": 1, "period": 8, "periodUnit": "h", "duration": 3, "durationUnit": "h"}


@pytest.mark.parametrize(
    ("order", "place"),
    [
        ({"order": "aztreonam", "without": ["dose"]}, "doseAndRate"),
        ({"order": "aztreonam", "without": ["route"]}, "route"),
        ({"order": "norepinephrine", "without": ["route"]}, "timing"),
    ],
)
def test_parts_of_an_order_can_be_unsaid(built: Any, order: dict[str, Any], place: str) -> None:
    """What the case leaves out is left out."""
    (draft,) = _drafts(built(drafts=[order]))
    assert all(place not in dosage for dosage in draft.get("dosageInstruction", []))


def test_units_are_those_of_ucum(built: Any) -> None:
    """Million units become international units, rates become rates."""
    colistin, rate = _drafts(built(drafts=["colistin", "aztreonam 0.25 g/h iv continuous"]))
    assert colistin["dosageInstruction"][0]["doseAndRate"][0]["doseQuantity"] == {
        "value": 4_500_000,
        "unit": "[iU]",
        "system": "http://unitsofmeasure.org",
        "code": "[iU]",
    }
    assert rate["dosageInstruction"][0]["doseAndRate"][0]["rateQuantity"]["value"] == 0.25


def test_half_hours_are_written_in_minutes(built: Any) -> None:
    """An infusion of half an hour is 30 minutes."""
    (draft,) = _drafts(built(drafts=["ertapenem"]))
    repeat = draft["dosageInstruction"][0]["timing"]["repeat"]
    assert (repeat["duration"], repeat["durationUnit"]) == (30, "min")


def test_a_single_dose_has_its_moment(built: Any) -> None:
    """An order given once names the moment and a count."""
    (draft,) = _drafts(built(drafts=["fosfomycin 3 g po once"]))
    timing = draft["dosageInstruction"][0]["timing"]
    assert timing == {"event": ["2026-11-20T12:00:00.000+00:00"], "repeat": {"count": 1}}


@pytest.mark.parametrize(
    ("order", "bounds"),
    [
        ({"order": "aztreonam", "days": 14}, "boundsDuration"),
        ({"order": "aztreonam", "starts": 0, "days": 14}, "boundsPeriod"),
        ({"order": "aztreonam", "ends": 72}, "boundsPeriod"),
        ({"order": "aztreonam", "starts": 0}, "boundsPeriod"),
    ],
)
def test_the_length_of_an_order_is_written_as_records_do(built: Any, order: dict[str, Any], bounds: str) -> None:
    """Days without a start are a duration, everything else is a period."""
    (draft,) = _drafts(built(drafts=[order]))
    assert bounds in draft["dosageInstruction"][0]["timing"]["repeat"]


def test_a_draft_that_stops_repeats_the_running_order(built: Any) -> None:
    """A stop carries the running order's id and drug, and the status stopped."""
    body = built(running=[{"order": "aztreonam", "id": "atm"}], drafts=[{"stops": "atm"}])
    (draft,), (running,) = _drafts(body), _resources(body, "orders")
    assert (draft["id"], draft["status"], running["status"]) == ("atm", "stopped", "active")
    assert draft["medicationCodeableConcept"] == running["medicationCodeableConcept"]


def test_a_draft_that_replaces_points_at_the_running_order(built: Any) -> None:
    """A replacement names the order that it follows."""
    (draft,) = _drafts(built(running=[{"order": "aztreonam", "id": "atm"}], drafts=[{"order": "aztreonam 1 g", "replaces": "atm"}]))
    assert draft["priorPrescription"] == {"reference": "MedicationRequest/atm"}


def test_free_text_has_no_code(built: Any) -> None:
    """An order in free text is a text and nothing else."""
    (draft,) = _drafts(built(drafts=[{"text": "some antibiotic"}]))
    assert draft["medicationCodeableConcept"] == {"text": "some antibiotic"}
    assert "dosageInstruction" not in draft


def test_orders_can_be_forbidden_reasoned_and_of_others(built: Any) -> None:
    """Prohibition, reason and the patient whom it is about are written where FHIR has them."""
    (draft,) = _drafts(built(drafts=[{"order": "aztreonam", "forbids": True, "reason": {"text": "for a lab"}, "whose": "other"}]))
    assert draft["doNotPerform"] is True
    assert draft["reasonCode"] == [{"text": "for a lab"}]
    assert draft["subject"] == {"reference": "Patient/patient-2"}
    (nobody,) = _drafts(built(drafts=[{"order": "aztreonam", "whose": "unstated"}]))
    assert "subject" not in nobody


def test_the_rest_of_the_patient_is_in_the_record(built: Any) -> None:
    """Problems, procedures, allergies, place, height and further numbers each have their resource."""
    patient = {
        "conditions": ["sepsis", {"text": "a cold"}],
        "procedures": ["haemodialysis"],
        "allergies": [
            {"to": "aztreonam", "reaction": "anaphylaxis", "severity": "severe", "criticality": "high", "years": 2},
            {"to": "penicillin"},
        ],
        "intensive_care": True,
        "height": 180,
        "measured": {"alt": [{"value": 300, "hours": 5, "upper": 40}]},
    }
    body = built(patient=patient)
    assert len(_resources(body, "conditions")) == 2
    assert len(_resources(body, "procedures")) == 1
    first, second = _resources(body, "allergies")
    assert (first["criticality"], first["reaction"][0]["severity"]) == ("high", "severe")
    assert "reaction" not in second
    assert "location" in body["prefetch"]["encounter"]
    assert {one["id"] for one in _resources(body, "vitals")} == {"weight-1", "height-1"}
    (alt,) = [one for one in _resources(body, "results") if one["id"] == "alt-1"]
    assert alt["referenceRange"][0]["high"]["value"] == 40


def test_requests_are_under_way(built: Any) -> None:
    """A test that was asked for is an active request, a culture too."""
    texts = [one["code"]["text"] for one in _resources(built(requested=["cefiderocol", "culture"]), "requests")]
    assert texts[1] == "Blood culture"
    assert texts[0].startswith("Cefiderocol".lower()) or texts[0].startswith("Cefiderocol")
