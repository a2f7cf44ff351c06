"""Carbapenemase results in every shape that laboratories send."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from cds_service.clinical.facts import Chart
from cds_service.fhir import laboratory, observations, orders, reports, susceptibility, verdicts

Read = Callable[..., Chart]
LOINC, SNOMED = "http://loinc.org", "http://snomed.info/sct"
V3 = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
NDM = {"coding": [{"system": LOINC, "code": "73982-1"}]}
DETECTED = {"coding": [{"system": SNOMED, "code": "260373001"}]}
ABSENT = {"coding": [{"system": SNOMED, "code": "260415000"}]}
KLEBSIELLA = {"coding": [{"system": SNOMED, "code": "56415008"}]}


def observation(identity: str = "o", **elements: Any) -> dict[str, Any]:
    """A final result of two days ago."""
    head = {"resourceType": "Observation", "id": identity, "status": "final", "effectiveDateTime": "2026-11-18T08:00:00Z"}
    return {**head, "subject": {"reference": "Patient/p"}, **elements}


def flag(code: str) -> list[dict[str, Any]]:
    """An interpretation."""
    return [{"coding": [{"system": V3, "code": code}]}]


def found(chart: Chart) -> dict[str, bool]:
    """Every marker that was looked for, and whether it was found."""
    return {one.marker: one.found for isolate in chart.isolates for one in isolate.detections}


def problems(chart: Chart) -> list[str]:
    """Why results could not be read."""
    return [one.why for one in chart.unreadable]


@pytest.mark.parametrize(
    "elements",
    [
        {"code": NDM, "valueCodeableConcept": DETECTED},
        {"code": NDM, "valueCodeableConcept": DETECTED, "interpretation": flag("POS")},
        {"code": NDM, "valueCodeableConcept": DETECTED, "interpretation": flag("A")},
        {"code": NDM, "valueCodeableConcept": DETECTED, "interpretation": flag("CAR")},
        {"code": NDM, "valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA11882-0"}]}},
        {"code": NDM, "valueCodeableConcept": {"coding": [{"system": LOINC, "code": "LA6576-8"}]}},
        {"code": NDM, "valueCodeableConcept": {"text": "Detected"}},
        {"code": NDM, "valueString": "POSITIVE"},
        {"code": NDM, "valueString": "Present"},
        {"code": NDM, "valueBoolean": True},
        {"code": NDM, "interpretation": flag("POS")},
        {"code": NDM, "interpretation": flag("DET")},
        {"code": NDM, "interpretation": [{"coding": [{"system": "http://hl7.org/fhir/v2/0078", "code": "POS"}]}]},
        {"code": NDM, "interpretation": [{"text": "Positive"}]},
        {"code": NDM, "interpretation": [{"coding": [{"code": "POS"}]}]},
        {"code": NDM, "interpretation": {"coding": [{"system": V3, "code": "POS"}]}, "valueString": "Detected"},
        {"code": {"coding": [{"system": "urn:oid:2.16.840.1.113883.6.1", "code": "73982-1"}]}, "valueCodeableConcept": DETECTED},
        {"code": {"text": "NDM carbapenemase gene (blaNDM)"}, "valueString": "Detected"},
        {"code": {"coding": [{"system": "urn:oid:1.2.3", "code": "NDM", "display": "CARBA-R NDM"}]}, "valueString": "detected"},
        {"code": {"coding": [{"system": LOINC, "code": "102120-3"}]}, "valueString": "NDM"},
        {"code": {"coding": [{"system": LOINC, "code": "102120-3"}]}, "valueCodeableConcept": {"text": "New Delhi metallo-beta-lactamase"}},
        {"code": {"coding": [{"system": LOINC, "code": "63368-5"}]}, "valueString": "blaNDM-1 detected, blaKPC not detected"},
        {"code": {"text": "Carbapenemase gene panel"}, "component": [{"code": NDM, "valueCodeableConcept": DETECTED}]},
        {"code": {"text": "Culture"}, "valueCodeableConcept": {"text": "Klebsiella pneumoniae, NDM-producing"}},
        {"code": {"coding": [{"system": LOINC, "code": "41852-5"}]}, "valueString": "E. coli, carbapenemase NDM positive"},
    ],
)
def test_a_positive_result_is_found_in_every_shape(read: Read, elements: dict[str, Any]) -> None:
    """Coded, written, boolean, flagged, typed, as component or in the organism's name, a finding is a finding."""
    chart = read(observation(**elements))
    assert found(chart)["NDM"] is True
    assert problems(chart) == []


@pytest.mark.parametrize(
    "elements",
    [
        {"code": NDM, "valueCodeableConcept": ABSENT},
        {"code": NDM, "valueCodeableConcept": ABSENT, "interpretation": flag("N")},
        {"code": NDM, "valueString": "Not Detected"},
        {"code": NDM, "valueString": "NEG"},
        {"code": NDM, "valueString": "ND"},
        {"code": NDM, "valueBoolean": False},
        {"code": NDM, "interpretation": flag("NEG")},
        {"code": NDM, "interpretation": flag("ND")},
        {"code": NDM, "valueString": "NDM: ND"},
        {"code": {"coding": [{"system": LOINC, "code": "102120-3"}]}, "valueString": "negative for NDM"},
        {"code": {"text": "Culture"}, "valueCodeableConcept": {"text": "E. coli, NDM not detected"}},
    ],
)
def test_a_negative_result_is_no_finding(read: Read, elements: dict[str, Any]) -> None:
    """A denial in any shape is a denial, and no finding anywhere."""
    chart = read(observation(**elements))
    assert found(chart)["NDM"] is False
    assert problems(chart) == []


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        ({"code": NDM, "valueCodeableConcept": DETECTED, "interpretation": flag("NEG")}, verdicts.CONFLICT),
        ({"code": NDM, "valueString": "Indeterminate"}, verdicts.WORDLESS),
        ({"code": NDM, "valueString": "see report"}, verdicts.WORDLESS),
        ({"code": NDM, "interpretation": flag("CAR")}, verdicts.WORDLESS),
        ({"code": NDM}, verdicts.EMPTY),
        ({"code": NDM, "valueString": "KPC"}, verdicts.OTHER_TYPE),
        ({"code": {"text": "KPC/NDM/VIM PCR"}, "valueString": "Detected"}, verdicts.UNTYPED),
        (
            {"code": NDM, "valueCodeableConcept": DETECTED, "modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
            observations.MODIFIED,
        ),
        ({"code": {"text": "Comment"}, "note": [{"text": "NDM carbapenemase detected by reference laboratory"}]}, reports.IN_WORDS),
        ({"code": NDM, "valueCodeableConcept": DETECTED, "effectiveDateTime": "2026-11-25T08:00:00Z"}, laboratory.FUTURE),
    ],
)
def test_what_cannot_be_read_is_said(read: Read, elements: dict[str, Any], why: str) -> None:
    """A result about the mechanism that cannot be understood is neither positive, nor negative, nor lost."""
    chart = read(observation(**elements))
    assert problems(chart) == [why]
    assert "NDM" not in found(chart)


def test_a_result_a_few_hours_ahead_is_a_clock_and_no_future(read: Read) -> None:
    """Clocks differ; a day ahead is the limit."""
    chart = read(observation(code=NDM, valueCodeableConcept=DETECTED, effectiveDateTime="2026-11-21T11:59:00Z"))
    assert found(chart) == {"NDM": True}


@pytest.mark.parametrize("value", ["N/A", "Not applicable", "Not tested", "Test not performed", "Pending"])
def test_a_test_that_was_not_done_says_nothing(read: Read, value: str) -> None:
    """Panels report genes as not applicable; that is neither a finding nor a riddle."""
    chart = read(observation(code=NDM, valueString=value), observation("x", code=NDM, dataAbsentReason={"text": "not performed"}))
    assert found(chart) == {}
    assert problems(chart) == []


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled"])
def test_a_withdrawn_result_is_gone(read: Read, status: str) -> None:
    """What was entered in error was never found."""
    chart = read(observation(code=NDM, valueCodeableConcept=DETECTED, status=status))
    assert chart.isolates == ()
    assert chart.unreadable == ()


def test_a_registered_result_is_still_awaited(read: Read) -> None:
    """A test without an answer yet is pending, and no unreadable result."""
    chart = read(
        observation(code={"text": "Aztreonam/avibactam [Susceptibility]"}, status="registered"),
        observation("n", code=NDM, status="registered"),
    )
    assert chart.pending_tests == {"susceptibility"}
    assert chart.unreadable == ()


@pytest.mark.parametrize("reference", ["Patient/p", "https://ehr.example.org/fhir/Patient/p", "Patient/p/_history/3", "urn:uuid:p"])
def test_the_patient_is_known_by_every_kind_of_reference(read: Read, reference: str) -> None:
    """Relative, absolute and versioned references mean the same patient."""
    chart = read(observation(code=NDM, valueCodeableConcept=DETECTED, subject={"reference": reference}))
    assert found(chart) == {"NDM": True}
    assert chart.foreign == 0


OTHER = {"subject": {"reference": "Patient/other"}}


@pytest.mark.parametrize(
    "order", [("own", "other", "none", "broken"), ("none", "other", "own", "broken"), ("broken", "none", "other", "own")]
)
def test_whose_a_result_is_does_not_hang_on_the_one_before_it(read: Read, order: tuple[str, ...]) -> None:
    """The patient's own results and those with null as subject are read, another's and one that names nobody are not, in any order."""
    subjects: dict[str, Any] = {"own": {"reference": "Patient/p"}, "other": {"reference": "Patient/other"}, "none": None, "broken": 7}
    chart = read(
        *(observation(f"o{number}", code=NDM, valueCodeableConcept=DETECTED, subject=subjects[order[number % 4]]) for number in range(16))
    )
    read_as_own = [one for isolate in chart.isolates for one in isolate.detections]
    assert (len(read_as_own), len(chart.unreadable), chart.foreign) == (8, 4, 4)


@pytest.mark.parametrize(
    "resource",
    [
        observation(code=NDM, valueCodeableConcept=DETECTED, **OTHER),
        observation(code={"text": "carbapenemase gene"}, valueString="NDM detected", **OTHER),
        observation(code=NDM, valueString=7, **OTHER),
        observation(code=[NDM], **OTHER),
        {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "conclusion": "NDM producer.", **OTHER},
    ],
)
def test_a_result_of_another_patient_is_left_out_and_counted(read: Read, resource: dict[str, Any]) -> None:
    """3B.35: whatever it found, in whatever shape."""
    chart = read(resource)
    assert (chart.isolates, chart.unreadable, chart.foreign) == ((), (), 1)


@pytest.mark.parametrize(
    "resource",
    [
        observation(code=NDM, valueCodeableConcept={"text": "Not detected"}, **OTHER),
        observation(code={"text": "Creatinine"}, valueQuantity={"value": 1, "unit": "mg/dL"}, **OTHER),
        observation(code=NDM, valueCodeableConcept=DETECTED, status="cancelled", **OTHER),
        {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "conclusion": "No growth.", **OTHER},
        {"resourceType": "Patient", "id": "x", **OTHER},
    ],
)
def test_other_things_of_another_patient_are_only_counted(read: Read, resource: dict[str, Any]) -> None:
    """So is what could not have mattered for this patient either."""
    chart = read(resource)
    assert (chart.isolates, chart.unreadable, chart.foreign) == ((), (), 1)


@pytest.mark.parametrize("drug", ["aztreonam", "beta-lactam antibiotic", "metoprolol"])
@pytest.mark.parametrize("patient", [None, "somebody"])
def test_a_draft_of_another_patient_is_left_out_and_counted(read: Read, drug: str, patient: str | None) -> None:
    """An order that names another patient is no order of this one."""
    draft = {"resourceType": "MedicationRequest", "id": "d", "status": "draft", "medicationCodeableConcept": {"text": drug}, **OTHER}
    linked = [{"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": f"Patient/{patient}"}}]}] if patient else []
    chart = read(*linked, drafts=[draft])
    assert (chart.orders, chart.unreadable, chart.foreign) == ((), (), 1)


def test_a_draft_for_a_linked_record_is_this_patients(read: Read) -> None:
    """A draft that names a record which Patient.link says is the same person is judged as any other."""
    draft = {"resourceType": "MedicationRequest", "id": "d", "status": "draft", "medicationCodeableConcept": {"text": "aztreonam"}, **OTHER}
    chart = read({"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "Patient/other"}}]}, drafts=[draft])
    assert [one.drug.key for one in chart.orders] == ["aztreonam"]
    assert (chart.unreadable, chart.foreign) == ((), 0)


@pytest.mark.parametrize(
    "change",
    [
        {"subject": 5},
        {"subject": "Patient/p"},
        {"subject": [{"reference": "Patient/p"}]},
        {"code": [{"text": "NDM gene"}]},
        {"code": [{"coding": [{"system": "http://loinc.org", "code": "73982-1"}]}]},
        {"code": "NDM gene"},
        {"code": {"text": ["NDM"]}},
        {"resourceType": None},
        {"resourceType": 5},
        {"code": {"text": "carbapenemase gene"}, "valueCodeableConcept": [{"text": "NDM detected"}]},
        {"code": {"text": "gene panel"}, "component": {"code": NDM, "valueCodeableConcept": DETECTED}},
        {"code": {"text": "gene panel"}, "component": [[NDM]]},
        {"code": {"text": "gene"}, "valueString": ["NDM found"]},
    ],
)
def test_a_decisive_result_of_broken_shape_is_said_to_be_unreadable(read: Read, change: dict[str, Any]) -> None:
    """D3: what names the mechanism and is no FHIR is never dropped in silence, whatever is wrong with it."""
    resource = {**observation(code=NDM, valueCodeableConcept=DETECTED), **change}
    chart = read({name: value for name, value in resource.items() if value is not None})
    assert chart.isolates == ()
    assert [(one.kind, one.why) for one in chart.unreadable] == [("result", "it is not a valid FHIR resource")]


@pytest.mark.parametrize(
    "resource",
    [
        {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "conclusion": ["NDM producer"]},
        {"resourceType": "DiagnosticReport", "id": "r", "subject": 5, "conclusion": "NDM producer"},
        {"resourceType": "Condition", "id": "c", "code": [{"text": "NDM infection"}]},
    ],
)
def test_broken_reports_and_problems_are_not_passed_over(read: Read, resource: dict[str, Any]) -> None:
    """D3: reports and problems that name the mechanism are heard of even where their shape is wrong."""
    (only,) = read(resource).unreadable
    assert (only.kind, only.reference, only.why) == (
        "result",
        f"{resource['resourceType']}/{resource['id']}",
        "it is not a valid FHIR resource",
    )


@pytest.mark.parametrize("change", [{"subject": 5}, {"resourceType": None}])
def test_a_running_order_of_broken_shape_is_said_to_be_unreadable(read: Read, change: dict[str, Any]) -> None:
    """D3: an antibiotic that runs and is no FHIR is not taken for absent."""
    order = {
        "resourceType": "MedicationRequest",
        "id": "o",
        "status": "active",
        "medicationCodeableConcept": {"text": "aztreonam"},
        **change,
    }
    chart = read({name: value for name, value in order.items() if value is not None})
    assert [(one.kind, one.reference) for one in chart.unreadable] == [("order", "MedicationRequest/o")]


@pytest.mark.parametrize("first", [True, False])
def test_a_linked_record_counts_as_this_patients(read: Read, first: bool) -> None:
    """Patient.link names the same person, wherever in the record the patient stands."""
    patient = {"resourceType": "Patient", "id": "p", "link": [{"other": {"reference": "Patient/old"}, "type": "replaces"}]}
    result = observation(code=NDM, valueCodeableConcept=DETECTED, subject={"reference": "Patient/old"})
    chart = read(*([patient, result] if first else [result, patient]))
    assert found(chart) == {"NDM": True}
    assert chart.foreign == 0


def test_a_missing_subject_is_accepted(read: Read) -> None:
    """A result without a subject came in this patient's prefetch."""
    resource = observation(code=NDM, valueCodeableConcept=DETECTED)
    del resource["subject"]
    assert found(read(resource)) == {"NDM": True}


@pytest.mark.parametrize(
    "wreck",
    [
        observation("x", code="73982-1"),
        observation("x", code=NDM, valueCodeableConcept=[DETECTED]),
        observation("x", code=NDM, valueString=7),
        observation("x", code=NDM, component={"code": NDM}),
    ],
)
def test_one_malformed_result_spoils_no_other(read: Read, wreck: dict[str, Any]) -> None:
    """The others are judged; one that looks like the mechanism is said to be unreadable."""
    chart = read(wreck, observation("y", code=NDM, valueCodeableConcept=DETECTED))
    assert found(chart)["NDM"] is True
    assert all(one.why == laboratory.MALFORMED for one in chart.unreadable)


def test_a_malformed_result_about_the_mechanism_is_said(read: Read) -> None:
    """Its code still tells what it was about."""
    chart = read(observation("x", code=NDM, valueCodeableConcept="Detected"))
    assert [(one.kind, one.why) for one in chart.unreadable] == [("result", laboratory.MALFORMED)]


@pytest.mark.parametrize(
    "junk", ["<html>502</html>", 7, None, [], {}, {"resourceType": "Basic"}, {"entry": 3}, {"resourceType": "Bundle", "entry": [None]}]
)
def test_junk_is_no_chart_and_no_crash(read: Read, junk: Any) -> None:
    """An error page in place of a bundle is as nothing."""
    chart = read(observation(code=NDM, valueCodeableConcept=DETECTED), as_is=[junk])
    assert found(chart) == {"NDM": True}


def test_a_bare_resource_and_a_nested_bundle_are_read(read: Read) -> None:
    """A single resource in place of a bundle, and a bundle in a bundle, hold the same result."""
    one = observation(code=NDM, valueCodeableConcept=DETECTED)
    nested = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "entry": [{"resource": one}]}}]}
    assert found(read(as_is=[one])) == found(read(as_is=[nested])) == {"NDM": True}


def test_a_resource_that_comes_twice_counts_once(read: Read) -> None:
    """Two prefetch keys may hold the same observation."""
    one = observation(code=NDM, valueCodeableConcept=DETECTED)
    (isolate,) = read(one, one).isolates
    assert len(isolate.detections) == 1


def test_mcim_and_ecim_are_told_apart_under_one_code(read: Read) -> None:
    """The words name the method where the code only says carbapenemase."""
    code = {"coding": [{"system": LOINC, "code": "86930-5", "display": "Carbapenemase [Presence] in Isolate"}]}
    chart = read(
        observation("m", code={**code, "text": "Modified carbapenem inactivation method (mCIM)"}, valueString="Positive"),
        observation("e", code={"text": "EDTA carbapenem inactivation method (eCIM)"}, valueString="Positive"),
    )
    assert found(chart) == {"MCIM": True, "ECIM": True}


def test_an_organism_as_code_with_the_gene_as_component(read: Read) -> None:
    """Swiss notifications code the producer as the question and the gene as its component."""
    code = {"coding": [{"system": SNOMED, "code": "737528008"}]}
    chart = read(observation(code=code, interpretation=flag("POS"), component=[{"code": NDM, "valueCodeableConcept": DETECTED}]))
    assert found(chart)["NDM"] is True
    assert [one.organism.key for one in chart.isolates if one.organism] == ["escherichia-coli"]


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Klebsiella pneumoniae (CRE)", "klebsiella-pneumoniae"),
        ("Gram negative rods: Escherichia coli", "escherichia-coli"),
        ("E. coli, ESBL negative", "escherichia-coli"),
        ("Enterobacterales", "enterobacterales"),
        ("E. coli and K. pneumoniae", None),
        ("No Klebsiella pneumoniae isolated", None),
    ],
)
def test_the_organism_is_the_most_exact_name(read: Read, text: str, key: str | None) -> None:
    """A species stands before its group; of two species none is chosen, and a denied one did not grow."""
    culture = {"text": "Blood culture"}
    found = read(
        observation(code=culture, valueString=text),
        observation("g", code=NDM, valueString="Detected", derivedFrom=[{"reference": "Observation/o"}]),
    )
    assert {one.organism.key for one in found.isolates if one.organism} == ({key} if key else set())


@pytest.mark.parametrize(
    "text", ["Tumour cells positive for vimentin (VIM)", "Neonatal diabetes mellitus (NDM)", "Monoclonal B-cell lymphocytosis (MBL)"]
)
def test_other_meanings_of_an_abbreviation_raise_nothing(read: Read, text: str) -> None:
    """Pathology and genetics use the same letters."""
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"text": "Pathology"},
        "conclusion": text,
    }
    problem = {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}, "code": {"text": text}}
    assert problems(read(report, problem)) == []


def test_an_organism_as_answer_to_a_phenotype_question(read: Read) -> None:
    """A KPC producer as the value of a resistance code is a KPC producer and no NDM."""
    value = {"coding": [{"system": SNOMED, "code": "713171002"}]}
    chart = read(
        observation(code={"coding": [{"system": LOINC, "code": "100901-8"}]}, valueCodeableConcept=value, interpretation=flag("POS"))
    )
    assert found(chart) == {"KPC": True}


def test_isolate_specimen_and_organism_come_from_the_parent(read: Read) -> None:
    """The culture names organism and specimen; its members need not repeat them."""
    culture = observation(
        "c",
        code={"coding": [{"system": LOINC, "code": "600-7"}]},
        valueCodeableConcept=KLEBSIELLA,
        specimen={"reference": "Specimen/s"},
        hasMember=[{"reference": "Observation/g"}],
    )
    gene = observation("g", code=NDM, valueCodeableConcept=DETECTED, effectiveDateTime="2026-11-19T08:00:00Z")
    specimen = {
        "resourceType": "Specimen",
        "id": "s",
        "subject": {"reference": "Patient/p"},
        "type": {"coding": [{"system": SNOMED, "code": "119297000"}]},
        "collection": {"collectedDateTime": "2026-11-18T08:00:00Z"},
    }
    (isolate,) = read(culture, gene, specimen).isolates
    assert isolate.organism
    assert isolate.specimen
    assert (isolate.organism.key, isolate.specimen.key, isolate.screening) == ("klebsiella-pneumoniae", "blood", False)
    assert [one.marker for one in isolate.detections] == ["NDM"]


def test_a_specimen_on_the_test_or_the_report_holds_for_its_results(read: Read) -> None:
    """Test, organism and susceptibility hang on one another; the specimen stands once, on the test or on the report."""
    local = {"system": "http://example.org/local", "code": "1"}
    tested = observation("t", code={"text": "BLOOD CULTURE"}, specimen={"display": "Blood"}, hasMember=[{"reference": "Observation/o"}])
    organism = observation("o", code={"coding": [{**local, "display": "KLEBSIELLA PNEUMONIAE"}]}, valueString="KLEBSIELLA PNEUMONIAE")
    gene = observation("g", code=NDM, valueCodeableConcept=DETECTED, derivedFrom=[{"reference": "Observation/o"}])
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"text": "Microbiology"},
        "specimen": [{"display": "Blood"}],
        "result": [{"reference": "Observation/o"}, {"reference": "Observation/g"}],
    }
    for chart in (read(tested, organism, gene), read(report, organism, gene)):
        (isolate,) = chart.isolates
        assert isolate.organism
        assert isolate.specimen
        assert (isolate.organism.key, isolate.specimen.key) == ("klebsiella-pneumoniae", "blood")


def test_a_report_may_conclude_in_a_code(read: Read) -> None:
    """A conclusion coded as a producer of the mechanism is said where no result says it."""
    coded = {"coding": [{"system": SNOMED, "code": "870562001"}]}
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"text": "Microbiology"},
        "conclusionCode": [coded],
    }
    assert problems(read(report)) == [reports.IN_WORDS]


@pytest.mark.parametrize(
    ("elements", "screening", "surveillance"),
    [
        ({"specimen": {"display": "Rectal swab"}}, False, True),
        ({"bodySite": {"text": "Rectum"}}, False, True),
        ({"method": {"text": "Surveillance culture"}}, True, False),
        ({"specimen": {"display": "Blood"}}, False, False),
        ({"specimen": {"display": "Urine (screening)"}}, True, False),
        ({"specimen": {"display": "Groin wound"}}, False, False),
    ],
)
def test_carriage_is_known_by_place_or_purpose(read: Read, elements: dict[str, Any], screening: bool, surveillance: bool) -> None:
    """The same gene code is used for infection and for carriage; specimen, site and method tell which."""
    (isolate,) = read(observation(code=NDM, valueCodeableConcept=DETECTED, **elements)).isolates
    assert isolate.screening is screening
    assert (isolate.specimen is not None and isolate.specimen.surveillance) is surveillance


def culture_of_groin(name: str) -> dict[str, Any]:
    """A culture by its name, of a swab whose site is the groin, with its marker."""
    marker = {"code": NDM, "valueCodeableConcept": DETECTED}
    return observation(code={"text": name}, specimen={"display": "Groin swab"}, component=[marker])


def test_the_culture_of_a_wound_is_no_search_for_carriage(read: Read) -> None:
    """A wound culture from a swab of the groin comes from a wound; any other culture comes from where the swab was taken."""
    (wound,), (other,) = (read(culture_of_groin(name)).isolates for name in ("Wound culture", "Culture"))
    assert wound.specimen
    assert other.specimen
    assert (wound.specimen.key, other.specimen.key) == ("wound", "groin")


def test_the_conclusion_of_a_report_is_read_where_no_result_says_it(read: Read) -> None:
    """Free text about the mechanism is said to be unreadable; beside a coded result it adds nothing."""
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"text": "Microbiology"},
        "effectiveDateTime": "2026-11-18T08:00:00Z",
        "conclusion": "CRE, NDM carbapenemase producer.",
    }
    assert problems(read(report)) == [reports.IN_WORDS]
    assert problems(read({**report, "conclusion": "NDM not detected."})) == []
    assert (
        problems(read({**report, "result": [{"reference": "Observation/o"}]}, observation(code=NDM, valueCodeableConcept=DETECTED))) == []
    )


@pytest.mark.parametrize(
    ("code", "elements", "expected"),
    [
        ({"text": "Aztreonam [Susceptibility]"}, {"valueString": "Resistant"}, ("aztreonam", "resistant", None)),
        ({"coding": [{"system": LOINC, "code": "73603-3"}]}, {"interpretation": flag("S")}, ("ceftazidime-avibactam", "susceptible", None)),
        (
            {"text": "Meropenem MIC"},
            {"valueQuantity": {"value": 16, "unit": "ug/mL"}, "interpretation": flag("R")},
            ("meropenem", "resistant", "16"),
        ),
        ({"text": "Meropenem"}, {"valueQuantity": {"value": 8, "comparator": ">", "unit": "mg/L"}}, ("meropenem", "unstated", "16")),
        ({"text": "Meropenem"}, {"valueString": "<=0.25 mcg/mL S"}, ("meropenem", "susceptible", "0.25")),
        (
            {"text": "Meropenem"},
            {"valueQuantity": {"value": 12, "unit": "mm"}, "interpretation": flag("R")},
            ("meropenem", "resistant", None),
        ),
        ({"text": "Cefiderocol"}, {"valueString": "S", "interpretation": flag("R")}, ("cefiderocol", "unstated", None)),
        (
            {"text": "Cefiderocol zone"},
            {"valueQuantity": {"value": 22, "unit": "mm", "system": "http://unitsofmeasure.org", "code": "mm"}},
            ("cefiderocol", "unstated", None),
        ),
        ({"text": "Cefepime"}, {"interpretation": flag("SDD")}, ("cefepime", "susceptible", None)),
        ({"text": "Cefepime"}, {"interpretation": flag("NS")}, ("cefepime", "non-susceptible", None)),
        ({"text": "Cefiderocol MIC"}, {"valueString": "2 (S)"}, ("cefiderocol", "susceptible", "2")),
        ({"text": "Ceftazidime-avibactam MIC"}, {"valueString": ">16/4 R"}, ("ceftazidime-avibactam", "resistant", "32")),
        ({"text": "Aztreonam-avibactam MIC"}, {"valueString": "0.5/4"}, ("aztreonam-avibactam", "unstated", "0.5")),
        ({"text": "Aztreonam-avibactam"}, {"valueString": "22"}, ("aztreonam-avibactam", "unstated", None)),
        ({"text": "Aztreonam-avibactam"}, {"valueString": "sent away"}, None),
        ({"text": "Aztreonam-avibactam"}, {"valueString": "8/4"}, ("aztreonam-avibactam", "unstated", "8")),
        ({"text": "Aztreonam-avibactam"}, {"valueString": "<=4/4 ug/mL"}, ("aztreonam-avibactam", "unstated", "4")),
        ({"text": "Cefiderocol"}, {"valueString": "Susceptible, increased exposure"}, ("cefiderocol", "increased-exposure", None)),
        (
            {"text": "Cefiderocol"},
            {"interpretation": [{"coding": [{"system": V3, "code": "I"}], "text": "Susceptible, Increased exposure"}]},
            ("cefiderocol", "increased-exposure", None),
        ),
        ({"text": "Cefiderocol"}, {"interpretation": flag("I")}, ("cefiderocol", "intermediate", None)),
        (
            {"text": "Cefiderocol"},
            {"valueString": "Susceptible, increased exposure", "interpretation": flag("R")},
            ("cefiderocol", "unstated", None),
        ),
        ({"text": "Cefiderocol"}, {"valueString": "> 8"}, ("cefiderocol", "unstated", "16")),
        ({"text": "Cefiderocol"}, {"valueString": "MIC>16"}, ("cefiderocol", "unstated", "32")),
        ({"text": "Cefiderocol"}, {"valueString": "R (MIC 16)"}, ("cefiderocol", "resistant", "16")),
        ({"text": "Cefiderocol"}, {"valueString": "0,5"}, ("cefiderocol", "unstated", "0.5")),
        ({"text": "Cefiderocol"}, {"valueQuantity": {"value": 0.5}}, ("cefiderocol", "unstated", "0.5")),
        ({"text": "Cefiderocol"}, {"valueInteger": 16}, ("cefiderocol", "unstated", None)),
        ({"text": "Cefiderocol MIC"}, {"valueInteger": 16}, ("cefiderocol", "unstated", "16")),
        ({"text": "Cefiderocol"}, {"valueString": "16", "method": {"text": "Broth microdilution"}}, ("cefiderocol", "unstated", "16")),
        ({"text": "Cefiderocol"}, {"valueString": "5", "method": {"text": "Disk diffusion"}}, ("cefiderocol", "unstated", None)),
        ({"coding": [{"system": LOINC, "code": "44-8"}]}, {"valueString": "16"}, ("aztreonam", "unstated", "16")),
        ({"coding": [{"system": LOINC, "code": "45-5"}]}, {"valueString": "16"}, ("aztreonam", "unstated", None)),
        (
            {"text": "Aztreonam-avibactam"},
            {"valueRatio": {"numerator": {"value": 8}, "denominator": {"value": 4}}},
            ("aztreonam-avibactam", "unstated", "8"),
        ),
        (
            {"text": "Cefiderocol"},
            {"component": [{"code": {"text": "MIC"}, "valueQuantity": {"value": 16, "unit": "mg/L"}}]},
            ("cefiderocol", "unstated", "16"),
        ),
        (
            {"text": "Cefiderocol"},
            {"valueString": "16", "component": [{"code": {"text": "Method"}, "valueString": "Etest"}]},
            ("cefiderocol", "unstated", "16"),
        ),
        ({"text": "Cefiderocol"}, {"component": [{"code": {"text": "Cefozopran"}, "valueString": "R"}]}, None),
        (
            {"text": "Cefiderocol"},
            {
                "component": [
                    {"code": {"text": "MIC"}, "valueString": "16"},
                    {"code": {"text": "Interpretation"}, "valueCodeableConcept": {"text": "Resistant"}},
                ]
            },
            ("cefiderocol", "resistant", "16"),
        ),
        ({"text": "Gentamicin trough"}, {"valueQuantity": {"value": 1.2, "unit": "ug/mL"}}, None),
        ({"text": "ATM-AVI"}, {"valueCodeableConcept": {"text": "Susceptible"}}, ("aztreonam-avibactam", "susceptible", None)),
        ({"text": "Ceftazidime-avibactam + aztreonam"}, {"valueString": "S"}, ("ceftazidime-avibactam+aztreonam", "susceptible", None)),
    ],
)
def test_susceptibilities_are_read_by_code_or_text(
    read: Read, code: dict[str, Any], elements: dict[str, Any], expected: tuple[str, str, str | None] | None
) -> None:
    """An MIC is read in every shape of value, a zone in millimetres is none, and a drug level is no susceptibility."""
    chart = read(observation(code=code, **elements))
    results = [
        (one.agent, str(one.answer), str(one.mic) if one.mic is not None else None)
        for isolate in chart.isolates
        for one in isolate.susceptibilities
    ]
    assert results == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        ({"valueString": "16"}, susceptibility.NO_UNIT),
        ({"valueQuantity": {"value": 22, "unit": "mm"}}, susceptibility.DIAMETER),
        ({"valueString": "S", "interpretation": flag("R")}, verdicts.CONFLICT),
        ({"valueString": "16 mm", "interpretation": flag("R")}, ""),
        ({"valueString": "16", "interpretation": flag("S")}, ""),
        ({"valueString": "16 mg/L"}, ""),
    ],
)
def test_a_susceptibility_that_could_not_be_read_says_why(read: Read, elements: dict[str, Any], why: str) -> None:
    """A number that may be an MIC or a zone, a zone alone and answers that disagree are kept as unread, never dropped."""
    chart = read(observation(code={"text": "Cefiderocol"}, **elements))
    (result,) = [one for isolate in chart.isolates for one in isolate.susceptibilities]
    assert result.unread == why


@pytest.mark.parametrize(
    ("value", "read_as", "unread"),
    [
        ({"valueQuantity": {"value": 175, "unit": "cms"}}, "175", False),
        ({"valueString": "1.75 m"}, "175", False),
        ({"valueQuantity": {"value": 175, "unit": "flasks"}}, None, True),
        ({"valueQuantity": {"value": 175}}, None, True),
        ({"valueInteger": 175}, None, True),
        ({"valueQuantity": {"value": 75, "unit": "%"}}, None, False),
        ({"valueString": "not measured"}, None, False),
    ],
)
def test_a_number_in_no_unit_is_kept_as_unread(read: Read, value: dict[str, Any], read_as: str | None, unread: bool) -> None:
    """A height without a unit, or in one that is none, is no height, and the chart says so; a percentile is another thing."""
    chart = read(observation(code={"coding": [{"system": LOINC, "code": "8302-2"}]}, **value))
    assert [one.value for one in chart.measures.get("height", ())] == ([Decimal(read_as)] if read_as else [])
    assert chart.unread_tests == (frozenset({"height"}) if unread else frozenset())


def test_the_wording_of_a_broken_order_names_its_reason() -> None:
    """The reasons that a card prints are sentences' ends without patient data."""
    assert all(
        one == one.strip() and not one.endswith(".") for one in (orders.UNRESOLVED, orders.MALFORMED, reports.IN_WORDS, laboratory.FUTURE)
    )
