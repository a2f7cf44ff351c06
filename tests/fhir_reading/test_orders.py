"""Medication orders as hospitals write them: drug, route, dose, times and reasons."""

import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from msgspec import Raw

from cds_service.clinical.facts import Chart, Order
from cds_service.fhir import medicines, orders
from cds_service.fhir.chart import read_drafts, unresolved
from cds_service.knowledge import Knowledge
from cds_service.sent import look

Read, One = Callable[..., Chart], Callable[..., Order]
RXNORM, OID = "http://www.nlm.nih.gov/research/umls/rxnorm", "urn:oid:2.16.840.1.113883.6.88"
UCUM = "http://unitsofmeasure.org"
EPIC = [
    {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.698288", "code": "4711", "display": "AVIBACTAM CEFTAZIDIME"},
    *({"system": OID, "code": code} for code in ("2191", "1603834", "1603840", "1603841")),
]


def raw(resource: Any) -> Raw:
    """JSON bytes of a resource."""
    return Raw(json.dumps(resource).encode())


def draft(**elements: Any) -> dict[str, Any]:
    """A draft order with these elements."""
    return {"resourceType": "MedicationRequest", "id": "d", "status": "draft", "intent": "order", **elements}


def grams(value: float, unit: str = "g", **more: Any) -> dict[str, Any]:
    """A dose of so much."""
    return {"doseQuantity": {"value": value, "unit": unit, **more}}


@pytest.mark.parametrize(
    "elements",
    [
        {"medicationCodeableConcept": {"coding": EPIC}},
        {"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "1603840"}], "text": "ceftazidime-avibactam"}},
        {"medicationReference": {"reference": "#m"}, "contained": [{"resourceType": "Medication", "id": "m", "code": {"coding": EPIC}}]},
        {"medicationReference": {"display": "Ceftazidime-Avibactam 2.5 g"}},
        {
            "medicationReference": {"reference": "#m"},
            "contained": [
                {
                    "resourceType": "Medication",
                    "id": "m",
                    "ingredient": [
                        {"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "2191"}]}},
                        {"itemCodeableConcept": {"coding": [{"system": RXNORM, "code": "1603834"}]}},
                    ],
                }
            ],
        },
    ],
)
def test_the_drug_is_read_in_every_form(order: One, elements: dict[str, Any]) -> None:
    """Concept, contained resource, ingredients and a display alone name the same product."""
    assert order(**elements).drug.key == "ceftazidime-avibactam"


@pytest.mark.parametrize("where", ["bundle", "url", "record"])
def test_a_medication_resource_is_found_where_it_is(read: Read, knowledge: Knowledge, where: str) -> None:
    """A reference is followed into the draft Bundle, by full URL, and into the record; until then it is unresolved."""
    medication = {"resourceType": "Medication", "id": "m", "code": {"coding": EPIC}}
    name = "urn:uuid:5f0a" if where == "url" else "https://ehr.example.org/fhir/Medication/m"
    request = draft(medicationReference={"reference": name})
    entries = [{"resource": request}]
    if where != "record":
        entries.append({"fullUrl": name, "resource": medication})
    drafts = read_drafts(raw({"resourceType": "Bundle", "entry": entries}), "p", knowledge.terminology)
    known = drafts.orders if where != "record" else read(medication, drafts=[request]).orders
    assert [one.drug.key for one in known] == ["ceftazidime-avibactam"]
    assert drafts.unresolved == (("Medication/m",) if where == "record" else ())
    assert unresolved(drafts, {"record": [look(raw(medication))]}, knowledge.terminology) == ()


POINTS: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "r",
    "status": "active",
    "medicationReference": {"reference": "Medication/m"},
}
NAMED: dict[str, Any] = {
    "resourceType": "MedicationRequest",
    "id": "r",
    "status": "active",
    "medicationCodeableConcept": {"text": "aztreonam"},
}


@pytest.mark.parametrize(
    ("record", "asked"),
    [
        ([POINTS], True),
        ([{**POINTS, "medicationCodeableConcept": {"text": "beta-lactam antibiotic"}}], True),
        ([{**POINTS, "subject": {"reference": "Patient/other"}}], True),
        ([{"resourceType": "Bundle", "entry": [{"resource": POINTS}]}], True),
        ([{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "entry": [{"resource": POINTS}]}}]}], True),
        ([{"resourceType": 5}, 7, POINTS], True),
        ([NAMED], False),
        ([{**NAMED, "medicationReference": None}], False),
        ([{**POINTS, "status": "stopped"}], False),
        ([{**POINTS, "medicationReference": {"reference": "Medication/m", "display": "aztreonam"}}], False),
        ([POINTS, {"resourceType": "Medication", "id": "m", "code": {"text": "aztreonam"}}], False),
        ([POINTS, {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Medication", "id": "m"}}]}], False),
    ],
)
def test_a_running_order_is_asked_for_where_nothing_else_names_its_drug(record: list[Any], asked: bool, knowledge: Knowledge) -> None:
    """D14: running orders that point at a medication which nobody sent, wherever they stand; not those that say it themselves."""
    found = unresolved(read_drafts(None, "p", knowledge.terminology), {"record": [look(raw(one)) for one in record]}, knowledge.terminology)
    assert found == (("Medication/m",) if asked else ())


def test_a_mixture_is_read_by_what_is_in_it(read: Read) -> None:
    """An infusion bag points at its drug as an ingredient, by reference or only in words."""
    bag = {"resourceType": "Medication", "id": "bag", "code": {"text": "IV mixture"}}
    drug = {"resourceType": "Medication", "id": "drug", "code": {"coding": EPIC}}
    request = draft(medicationReference={"reference": "Medication/bag"})
    for item, key in (
        ({"itemReference": {"reference": "Medication/drug"}}, "ceftazidime-avibactam"),
        ({"itemReference": {"reference": "Medication/lost", "display": "cefiderocol"}}, "cefiderocol"),
        ({"itemCodeableConcept": {"text": "Azactam 2 g"}}, "aztreonam"),
    ):
        diluent = {"itemCodeableConcept": {"text": "Sodium chloride 0.9 %"}}
        (order,) = read({**bag, "ingredient": [diluent, item]}, drug, drafts=[request]).orders
        assert order.drug.key == key


def test_a_lost_medication_is_said(read: Read) -> None:
    """A reference that nobody can follow is an unreadable order, unless words beside it name the drug."""
    assert [one.why for one in read(drafts=[draft(medicationReference={"reference": "Medication/x"})]).unreadable] == [orders.UNRESOLVED]
    named = draft(medicationReference={"reference": "Medication/x", "display": "Meropenem 1 g"})
    assert [one.drug.key for one in read(drafts=[named]).orders] == ["meropenem"]


@pytest.mark.parametrize(
    ("elements", "why"),
    [
        ({}, orders.UNNAMED),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "999999"}]}}, orders.CODE_ONLY),
        (
            {"medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "J01XX99"}]}},
            "this service does not know the drug",
        ),
        ({"medicationCodeableConcept": {"coding": [{"system": "http://www.whocc.no/atc", "code": "J01DD52"}]}}, medicines.OPEN),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "2265702"}], "text": "meropenem"}}, medicines.CONTRADICTION),
        ({"medicationCodeableConcept": {"text": "ceftozopran 1 g"}}, "this service does not know the drug"),
        ({"medicationCodeableConcept": {"text": "aztreonam"}, "modifierExtension": [{"url": "urn:x"}]}, orders.MODIFIED),
        ({"medicationCodeableConcept": "aztreonam"}, orders.MALFORMED),
        ({"medicationCodeableConcept": {"text": "aztreonam"}, "dosageInstruction": {"text": "2 g"}}, orders.MALFORMED),
    ],
)
def test_an_antibiotic_that_cannot_be_read_is_said(read: Read, elements: dict[str, Any], why: str) -> None:
    """No order of an antibacterial disappears."""
    chart = read(drafts=[draft(**elements)])
    assert chart.orders == ()
    assert [(one.kind, one.why, one.draft) for one in chart.unreadable] == [("order", why, True)]


@pytest.mark.parametrize(
    "concept",
    [
        {"text": "Metoprolol 50 mg"},
        {"text": "Sodium chloride 0.9 %"},
        {"coding": [{"system": "http://www.whocc.no/atc", "code": "C07AB02"}]},
        {"coding": [{"system": RXNORM, "code": "6918", "display": "metoprolol"}]},
        {"text": "neomycin / polymyxin B / dexamethasone ophthalmic ointment"},
        {"text": "polymyxin B / trimethoprim eye drops"},
    ],
)
def test_other_drugs_are_neither_orders_nor_unreadable(read: Read, concept: dict[str, Any]) -> None:
    """What is no antibacterial, or only an eye drop, is of no interest."""
    chart = read(drafts=[draft(medicationCodeableConcept=concept)])
    assert [one for one in chart.orders if one.drug.antibacterial and one.route != "topical"] == []
    assert chart.unreadable == ()


def test_one_malformed_order_spoils_no_other(read: Read) -> None:
    """The readable drafts are judged beside the broken one."""
    chart = read(
        drafts=[draft(medicationCodeableConcept="aztreonam"), {**draft(medicationCodeableConcept={"text": "meropenem"}), "id": "e"}]
    )
    assert [one.drug.key for one in chart.orders] == ["meropenem"]
    assert len(chart.unreadable) == 1


@pytest.mark.parametrize(
    ("elements", "route"),
    [
        ({"dosageInstruction": [{"route": {"coding": [{"system": "http://snomed.info/sct", "code": "47625008"}]}}]}, "intravenous"),
        ({"dosageInstruction": [{"route": {"text": "IV piggyback"}}]}, "intravenous"),
        ({"dosageInstruction": [{"route": {"text": "Nebulised inhalation"}}]}, "inhaled"),
        ({"dosageInstruction": [{"text": "75 mg by nebuliser three times daily"}]}, "inhaled"),
        ({"dosageInstruction": [{"text": "2 g IV q8h"}]}, "intravenous"),
        ({"medicationCodeableConcept": {"text": "aztreonam lysine 75 mg"}}, "inhaled"),
        ({"medicationCodeableConcept": {"text": "Cayston"}}, "inhaled"),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "901610"}]}}, "inhaled"),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "1664986"}]}}, "intravenous"),
        ({"medicationCodeableConcept": {"coding": [{"system": RXNORM, "code": "808917"}]}}, "oral"),
        ({"medicationCodeableConcept": {"text": "cefiderocol"}}, "intravenous"),
        ({"medicationCodeableConcept": {"text": "aztreonam"}}, "unstated"),
        ({"medicationCodeableConcept": {"text": "gentamicin ophthalmic ointment"}}, "topical"),
        (
            {"medicationCodeableConcept": {"text": "gentamicin"}, "dosageInstruction": [{"route": {"text": "Bladder irrigation"}}]},
            "irrigation",
        ),
        ({"medicationCodeableConcept": {"text": "fosfomycin"}, "dosageInstruction": [{"text": "3 g by mouth once"}]}, "oral"),
    ],
)
def test_the_route_is_read_from_element_product_or_words(order: One, elements: dict[str, Any], route: str) -> None:
    """The stated route first, then the product, then the words; a drug that exists as injection only goes into a vein."""
    assert order(**elements).route == route


@pytest.mark.parametrize(
    ("dosage", "expected"),
    [
        ({"doseAndRate": [grams(2)]}, (Decimal(2), None, None)),
        ({"doseAndRate": [grams(2000, "mg")]}, (Decimal(2), None, None)),
        ({"doseAndRate": [grams(2, "gram", system=UCUM, code="g")]}, (Decimal(2), None, None)),
        ({"text": "2 g/0.5 g IV q8h over 3 h"}, (Decimal("2.5"), Decimal(8), Decimal(3))),
        ({"text": "2 g IV every 6 hours, infuse over 180 minutes"}, (Decimal(2), Decimal(6), Decimal(3))),
        ({"text": "1000 mg IV TID"}, (Decimal(1), Decimal(8), None)),
        ({"timing": {"repeat": {"frequency": 1, "period": 6, "periodUnit": "h"}}}, (None, Decimal(6), None)),
        ({"timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}}, (None, Decimal(8), None)),
        ({"timing": {"repeat": {"timeOfDay": ["06:00:00", "14:00:00", "22:00:00"]}}}, (None, Decimal(8), None)),
        ({"timing": {"code": {"coding": [{"code": "Q8H"}]}}}, (None, Decimal(8), None)),
        ({"timing": {"code": {"text": "Every 12 hours"}}}, (None, Decimal(12), None)),
        (
            {"timing": {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h", "duration": 180, "durationUnit": "min"}}},
            (None, Decimal(8), Decimal(3)),
        ),
        (
            {
                "doseAndRate": [
                    {**grams(2), "rateRatio": {"numerator": {"value": 2, "unit": "g"}, "denominator": {"value": 3, "unit": "h"}}}
                ]
            },
            (Decimal(2), None, Decimal(3)),
        ),
        ({"doseAndRate": [{**grams(2), "rateQuantity": {"value": 1, "unit": "g/h"}}]}, (Decimal(2), None, Decimal(2))),
        ({"doseAndRate": [{**grams(2), "rateQuantity": {"value": 100, "unit": "mL/h"}}]}, (Decimal(2), None, None)),
        ({"doseAndRate": [{"doseQuantity": {"value": "2", "unit": "g"}}]}, (None, None, None)),
    ],
)
def test_dose_interval_and_infusion_are_read(order: One, dosage: dict[str, Any], expected: tuple[Decimal | None, ...]) -> None:
    """Structured elements first, words where they are silent; millilitres an hour tell no time."""
    doses = order(dosageInstruction=[dosage]).doses
    found = (doses[0].grams, doses[0].interval_h, doses[0].infusion_h) if doses else (None, None, None)
    assert found == expected


@pytest.mark.parametrize(
    ("text", "grams"),
    [
        ("2 g-0.5 g IV q8h", "2.5"),
        ("2 gram-0.5 gram IV every 8 hours", "2.5"),
        ("2 g + 0.5 g IV q8h", "2.5"),
        ("2 g ceftazidime / 0.5 g avibactam IV q8h", "2.5"),
        ("ceftazidime 2 g and avibactam 0.5 g IV q8h", "2.5"),
        ("2 g-500 mg IV q8h", "2.5"),
        ("2 g/500 mg IV q8h", "2.5"),
        ("750 mg-190 mg IV q24h", "0.94"),
        ("2.5 g (2 g-0.5 g) IV q8h", "2.5"),
        ("2.5 g IV q8h, aztreonam 1 g", "2.5"),
        ("2.5 g + aztreonam 1 g", "2.5"),
        ("2.5 g + 2 g aztreonam", "2.5"),
    ],
)
def test_the_parts_of_a_combination_are_added_up_however_they_are_joined(order: One, text: str, grams: str) -> None:
    """Two components joined by a slash, a hyphen, a plus or their names are one dose; another drug's dose is none of it."""
    combination = {"medicationCodeableConcept": {"text": "ceftazidime-avibactam"}}
    (dose,) = order(**combination, dosageInstruction=[{"text": text}]).doses
    assert dose.grams == Decimal(grams)
    assert dose.most_grams is None


@pytest.mark.parametrize(
    ("dosage", "expected"),
    [
        ({"doseAndRate": [{"doseRange": {"low": {"value": 1, "unit": "g"}, "high": {"value": 2, "unit": "g"}}}]}, ("1", "2")),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 2, "unit": "g"}, "high": {"value": 2, "unit": "g"}}}]}, ("2", None)),
        ({"doseAndRate": [{"doseRange": {"high": {"value": 2, "unit": "g"}}}], "text": "2 g"}, (None, None)),
        ({"doseAndRate": [{"doseRange": {"low": {"value": 2, "unit": "g"}, "high": {"value": 1, "unit": "g"}}}]}, (None, None)),
        ({"text": "1-2 g IV q8h"}, ("1", "2")),
        ({"text": "1 g to 2 g IV q8h"}, ("1", "2")),
        ({"text": "2 g IV q8h (range 1-2 g)"}, ("2", None)),
    ],
)
def test_a_dose_range_is_read_by_both_ends(order: One, dosage: dict[str, Any], expected: tuple[str | None, str | None]) -> None:
    """A range has a least and a most; one with an open end or with its ends in the wrong order is no dose."""
    timed = {**dosage, "timing": {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}}}
    (dose,) = order(dosageInstruction=[timed]).doses
    assert (dose.grams, dose.most_grams) == tuple(Decimal(one) if one else None for one in expected)


@pytest.mark.parametrize(
    ("dosage", "expected"),
    [
        ({"text": "2 g IV every 6 to 8 hours over 3 h"}, ("6", "8")),
        ({"text": "2 g IV q6-8h"}, ("6", "8")),
        ({"text": "2 g IV q8h"}, ("8", None)),
        ({"timing": {"repeat": {"frequency": 1, "period": 6, "periodMax": 8, "periodUnit": "h"}}}, ("6", "8")),
        ({"timing": {"repeat": {"frequency": 3, "frequencyMax": 4, "period": 1, "periodUnit": "d"}}}, ("6", "8")),
        ({"timing": {"repeat": {"frequency": 3, "period": 1, "periodUnit": "d"}}}, ("8", None)),
    ],
)
def test_a_range_of_intervals_is_read_by_both_ends(order: One, dosage: dict[str, Any], expected: tuple[str, str | None]) -> None:
    """ "Every 6 to 8 h" is neither every 6 h nor no interval at all."""
    (dose,) = order(dosageInstruction=[{"doseAndRate": [grams(2)], **dosage}]).doses
    assert (dose.interval_h, dose.longest_h) == tuple(Decimal(one) if one else None for one in expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.67 g IV loading dose over 3 h, then 2 g IV q6h over 3 h", [("2.67", None, True), ("2", "6", False)]),
        ("100 mg IV once followed by 50 mg IV q12h", [("0.1", None, True), ("0.05", "12", False)]),
        ("2 g IV q6h then reassess", [("2", "6", False)]),
        ("2 g IV q6h", [("2", "6", False)]),
    ],
)
def test_a_loading_dose_in_one_text_is_a_dose_of_its_own(order: One, text: str, expected: list[tuple[str, str | None, bool]]) -> None:
    """A loading dose with its maintenance dose in one sentence is never read as too high a maintenance dose."""
    found = [(one.grams, one.interval_h, one.once) for one in order(dosageInstruction=[{"text": text}]).doses]
    assert found == [(Decimal(grams), Decimal(every) if every else None, once) for grams, every, once in expected]


def test_a_dose_repeated_as_calculated_and_ordered_counts_once(order: One) -> None:
    """The ordered one counts, and doses are never added up."""
    kinds = [
        {**grams(value), "type": {"coding": [{"code": kind}]}}
        for kind, value in (("calculated", 1.9), ("admin-amount", 20), ("ordered", 2))
    ]
    (dose,) = order(dosageInstruction=[{"doseAndRate": kinds}]).doses
    assert dose.grams == 2


@pytest.mark.parametrize("category", [[{"coding": [{"code": "discharge"}]}], {"coding": [{"code": "discharge"}]}, [{"text": "Discharge"}]])
def test_the_discharge_list_is_known(order: One, category: Any) -> None:
    """As a list, as one object in the older fashion, and in words."""
    assert order(category=category).setting == "discharge"


@pytest.mark.parametrize(
    ("elements", "ending"),
    [({"status": "stopped"}, True), ({"status": "on-hold"}, True), ({"doNotPerform": True}, True), ({"status": "draft"}, False)],
)
def test_a_draft_that_stops_or_forbids_orders_nothing(order: One, elements: dict[str, Any], ending: bool) -> None:
    """Stopping, holding and forbidding are no ordering."""
    assert order(**elements).ending is ending


@pytest.mark.parametrize("status", ["completed", "cancelled", "entered-in-error", "stopped"])
def test_an_ended_order_of_the_record_is_never_unreadable(read: Read, status: str) -> None:
    """What no longer runs needs not be understood."""
    old = {**draft(medicationCodeableConcept={"text": "ceftozopran 1 g"}), "status": status, "subject": {"reference": "Patient/p"}}
    assert read(old).unreadable == ()


@pytest.mark.parametrize(
    ("elements", "reasons"),
    [
        ({"reasonCode": [{"text": "Septic shock"}]}, {"septic-shock"}),
        ({"reasonCode": {"text": "Septic shock"}}, {"septic-shock"}),
        ({"reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "76571007"}]}]}, {"septic-shock"}),
        ({"reasonCode": [{"coding": [{"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "R7881"}]}]}, {"bacteraemia"}),
        ({"note": [{"text": "Surgical prophylaxis"}]}, {"prophylaxis"}),
        ({"dosageInstruction": [{"text": "2 g IV once for surgical prophylaxis"}]}, {"prophylaxis"}),
        ({"reasonReference": [{"display": "Pyelonephritis"}]}, {"pyelonephritis"}),
        ({"reasonCode": [{"text": "No evidence of osteomyelitis"}]}, set()),
    ],
)
def test_the_reason_is_read_by_code_words_and_reference(order: One, elements: dict[str, Any], reasons: set[str]) -> None:
    """Why a drug is given stands in codes, notes and instructions; a denied reason is none."""
    assert order(**elements).reasons == reasons


def test_a_reason_that_points_at_a_problem_is_followed(read: Read) -> None:
    """A reasonReference means what the condition means."""
    problem = {"resourceType": "Condition", "id": "c", "code": {"text": "Osteomyelitis"}, "subject": {"reference": "Patient/p"}}
    request = draft(medicationCodeableConcept={"text": "aztreonam"}, reasonReference=[{"reference": "Condition/c"}])
    (order,) = read(problem, drafts=[request]).orders
    assert order.reasons == {"osteomyelitis"}


def test_an_older_shape_does_not_crash(read: Read) -> None:
    """STU3's single category and its dose outside of doseAndRate are read as far as they go."""
    request = draft(
        medicationCodeableConcept={"text": "aztreonam 2 g IV"},
        category={"coding": [{"code": "inpatient"}]},
        context={"reference": "Encounter/e"},
        requester={"agent": {"reference": "Practitioner/x"}},
        dosageInstruction=[
            {
                "sequence": 1,
                "doseQuantity": {"value": 2, "unit": "g"},
                "timing": {"repeat": {"frequency": 1, "period": 8, "periodUnit": "h"}},
            }
        ],
    )
    (order,) = read(drafts=[request]).orders
    assert order.doses[0].interval_h == 8
    assert order.doses[0].grams == 2
