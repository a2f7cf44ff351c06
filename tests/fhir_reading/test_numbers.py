"""Numbers, units, times and references are read exactly or not at all."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from msgspec import Raw

from cds_service.fhir.quantity import Amount, amount, convert, exact, is_unit, length, mass, number, spelled, written
from cds_service.fhir.references import Subjects, bare
from cds_service.fhir.resources import Quantity
from cds_service.fhir.times import day, moment


def quantity(value: str, **more: str) -> Quantity:
    """A Quantity with a raw number."""
    return Quantity(value=Raw(value.encode()), **more)


@pytest.mark.parametrize("text", ["0", "2.5", "-1", "2.50", "1e3", "999999999999", "0.0000001"])
def test_a_plain_number_is_read_exactly(text: str) -> None:
    """H11: a JSON number keeps every digit."""
    assert number(Raw(text.encode())) == Decimal(text)


@pytest.mark.parametrize(
    "text", ['"2.5"', '"1E+999999999"', "true", "null", "1E+999999999", "1e13", "1e-13", "1234567890123456789", "[1]", "", "NaN", "9" * 41]
)
def test_what_is_no_reasonable_number_is_refused(text: str) -> None:
    """H4, A14: strings, booleans, monsters and over-long numbers are not numbers."""
    assert number(Raw(text.encode())) is None


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN", "1e999999999"])
def test_infinity_and_nan_never_pass(text: str) -> None:
    """No comparison ever meets a number that is not finite."""
    assert exact(text) is None


@pytest.mark.parametrize(
    ("value", "unit", "wanted", "expected"),
    [
        ("2000", "mg", "g", "2"),
        ("2", "g", "g", "2"),
        ("500000", "ug", "g", "0.5"),
        ("4", "ug/mL", "mg/L", "4"),
        ("0.9", "mg/dL", "mg/dL", "0.9"),
        ("9", "mg/L", "mg/dL", "0.9"),
        ("4.5", "10*6.[iU]", "[iU]", "4500000"),
        ("1500", "mL/h", "L/h", "1.5"),
        ("1.8", "m", "cm", "180"),
        ("72000", "g", "kg", "72"),
        ("90", "min", "h", "1.5"),
        ("2", "mmol/L", "mmol/L", "2"),
        ("160", "[lb_av]", "kg", "72.5747792"),
        ("70", "[in_i]", "cm", "177.8"),
        ("11", "[stone_av]", "kg", "69.85322498"),
        ("6", "[ft_i]", "cm", "182.88"),
        ("101.3", "[degF]", "Cel", "38.5"),
    ],
)
def test_units_are_converted(value: str, unit: str, wanted: str, expected: str) -> None:
    """A number in one unit becomes the same amount in another."""
    assert convert(Amount(Decimal(value), unit), wanted) == Decimal(expected)


@pytest.mark.parametrize("unit", ["mm", "", "tablet", "mg", "%", "][", "((((", "mol/L"])
def test_a_unit_of_another_kind_is_refused(unit: str) -> None:
    """A zone diameter is never an MIC, nor is a number without a unit."""
    assert convert(Amount(Decimal(20), unit), "mg/L") is None


def test_moles_become_grams_by_molar_mass() -> None:
    """Creatinine of 88.4 umol/L is one mg/dL."""
    found = convert(Amount(Decimal("88.4"), "umol/L"), "mg/dL", Decimal("113.12"))
    assert found is not None
    assert round(found, 3) == Decimal("1.000")


def test_moles_need_the_molar_mass() -> None:
    """An amount of substance is no mass without the molar mass."""
    assert convert(Amount(Decimal("88.4"), "umol/L"), "mg/dL") is None


def test_a_dose_never_loads_the_unit_library() -> None:
    """Doses are masses, units or masses per weight; a vial is neither."""
    assert mass(Amount(Decimal(1), "vial"), "g") is None
    assert mass(Amount(Decimal(50), "mg/kg"), "g/kg") == Decimal("0.05")


@pytest.mark.parametrize(
    ("written", "code"),
    [("grams", "g"), ("MG", "mg"), ("lbs", "[lb_av]"), ("MU", "10*6.[iU]"), ("µmol/L", "umol/L"), ("IU/L", "U/L"), ("mL", "mL")]
    + [(one, "[ft_i]") for one in ("ft", "foot", "Feet", "ft.", "'")]
    + [(one, "[in_i]") for one in ("in.", "ins", "Inches", '"')]
    + [(one, "[stone_av]") for one in ("st", "stone", "Stones")]
    + [(one, "mg/dL") for one in ("mg%", "mg/100 mL", "mg/100mL", "MG/DL")]
    + [("meters", "m"), ("metres", "m"), ("cms", "cm"), ("ounces", "[oz_av]"), ("lb_av", "[lb_av]"), ("kg.", "kg")],
)
def test_units_as_people_write_them(written: str, code: str) -> None:
    """Common spellings of units mean the UCUM unit."""
    assert spelled(written) == code


@pytest.mark.parametrize(
    ("text", "expected"),
    [("175 cm", ("175", "cm")), ("1,6 mg/dL", ("1.6", "mg/dL")), ("80kg", ("80", "kg")), ("8", ("8", "")), ("about 8", None), ("", None)],
)
def test_a_number_with_its_unit_is_read_from_a_text(text: str, expected: tuple[str, str] | None) -> None:
    """A text that is one number and its unit is that amount, any other is none."""
    assert written(text) == (Amount(Decimal(expected[0]), expected[1]) if expected else None)


@pytest.mark.parametrize(("unit", "known"), [("mg/dL", True), ("", True), ("mm[Hg]", True), ("kgs", False), ("mg/dLl", False)])
def test_a_unit_of_ucum_is_known(unit: str, known: bool) -> None:
    """A unit is one of UCUM or it is none, usual or not; how people spell it does not count."""
    assert is_unit(unit) is known


def test_the_ucum_code_counts_more_than_the_printed_unit() -> None:
    """The coded unit is used where it is UCUM's."""
    found = amount(quantity("2", unit="gram (dry powder)", system="http://unitsofmeasure.org", code="g"))
    assert found == Amount(Decimal(2), "g")


def test_a_foreign_unit_code_is_not_taken_for_ucum() -> None:
    """A unit of a local system is read by its words."""
    found = amount(quantity("2", unit="g", system="urn:oid:1.2.3", code="17"))
    assert found == Amount(Decimal(2), "g")


def test_a_duration_in_days_is_hours() -> None:
    """Two weeks are 336 hours."""
    assert length(quantity("2", unit="weeks", system="http://unitsofmeasure.org", code="wk")) == 336


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22T10:00:00Z", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22T15:30:00.123+05:30", datetime(2026, 11, 22, 10, 0, 0, 123000, tzinfo=UTC)),
        ("2026-11-22T10:00:00", datetime(2026, 11, 22, 10, tzinfo=UTC)),
        ("2026-11-22", datetime(2026, 11, 22, tzinfo=UTC)),
        ("2026-11", datetime(2026, 11, 1, tzinfo=UTC)),
        ("2026", datetime(2026, 1, 1, tzinfo=UTC)),
        ("yesterday", None),
        ("2026-13-01", None),
        ("0001-01-01T00:00:00+14:00", None),
        ("", None),
        (None, None),
    ],
)
def test_times_of_every_precision_are_moments_in_utc(text: str | None, expected: datetime | None) -> None:
    """Every offset and precision becomes one moment, nonsense none."""
    assert moment(text) == expected


@pytest.mark.parametrize(("text", "expected"), [("2026-11-22", (2026, 11, 23)), ("2026-12", (2027, 1, 1)), ("2026", (2027, 1, 1))])
def test_an_end_covers_its_whole_day(text: str, expected: tuple[int, int, int]) -> None:
    """An order that ends on a day ends when the day is over."""
    assert moment(text, end=True) == datetime(*expected, tzinfo=UTC)


@pytest.mark.parametrize("text", ["9999", "9999-12-31", "9999-12"])
def test_the_end_of_time_is_no_crash(text: str) -> None:
    """A date beyond the calendar is no date."""
    assert moment(text, end=True) is None


def test_a_birth_year_is_its_first_day() -> None:
    """A birth date may be a year alone."""
    assert str(day("1958")) == "1958-01-01"


@pytest.mark.parametrize(
    "reference",
    [
        "Patient/p1",
        "https://ehr.example.org/fhir/Patient/p1",
        "Patient/p1/_history/3",
        "https://ehr.example.org/fhir/Patient/p1/_history/3",
        "urn:uuid:p1",
    ],
)
def test_a_patient_is_the_same_however_it_is_referred_to(reference: str) -> None:
    """Relative, absolute, versioned and URN references name one patient."""
    assert Subjects("p1").own(Raw(b'{"reference":"%s"}' % reference.encode()))


@pytest.mark.parametrize("subject", ['{"reference":"Patient/p2"}', '{"reference":"Group/p1"}', '{"reference":"urn:uuid:p2"}'])
def test_another_subject_is_foreign(subject: str) -> None:
    """Another patient and a group are not this patient."""
    assert Subjects("p1").own(Raw(subject.encode())) is False


@pytest.mark.parametrize(
    ("reference", "own"),
    [
        ("Patient/p1", True),
        ("https://ehr.example.org/fhir/Patient/p1", True),
        ("http://EHR.example.org.:8080/dstu2/open/Patient/p1/_history/1", True),
        ("urn:uuid:p1", True),
        ("https://elsewhere.example/fhir/Patient/p1", True),
        ("https://elsewhere.example/fhir/Patient/p2", False),
        ("//elsewhere.example/Patient/p1", True),
        ("Patient/x/..;/Patient/p1", False),
        ("Patient/p2/../Patient/p1", False),
        ("Patient/p1;v=1", False),
    ],
)
def test_a_patient_is_known_by_the_id_on_any_host(reference: str, own: bool) -> None:
    """PF-12: servers behind a proxy name themselves in more than one way; paths that two servers read differently never count."""
    subjects = Subjects("p1")
    assert subjects.own(Raw(json.dumps({"reference": reference}).encode())) is own


@pytest.mark.parametrize("subject", ['"Patient/p1"', "[]", "5", '{"reference":5}', '{"reference":["Patient/p2"]}'])
def test_a_subject_that_is_no_reference_is_nobodys(subject: str) -> None:
    """D3: nonsense in the place of the patient makes a resource broken; it does not make it another patient's."""
    assert Subjects("p1").own(Raw(subject.encode())) is None


@pytest.mark.parametrize("subject", ["{}", "null", '{"display":"Doe"}', '{"reference":"#pat"}', '{"identifier":{"value":"7"}}'])
def test_a_subject_that_names_nobody_is_accepted(subject: str) -> None:
    """What came in this patient's prefetch without a subject is this patient's."""
    assert Subjects("p1").own(Raw(subject.encode()))


def test_linked_records_are_the_same_patient() -> None:
    """A record that Patient.link names counts, also when it was met before the link."""
    subjects = Subjects("p1")
    assert not subjects.own(Raw(b'{"reference":"Patient/old"}'))
    subjects.link("old")
    assert subjects.own(Raw(b'{"reference":"Patient/old"}'))


@pytest.mark.parametrize(
    ("reference", "expected"),
    [(None, ""), ("", ""), ("Medication/a/", "Medication/a"), ("#m", "#m"), ("http://x/fhir/Medication/a", "Medication/a")],
)
def test_references_are_compared_by_type_and_id(reference: str | None, expected: str) -> None:
    """Where the server stands does not matter."""
    assert bare(reference) == expected
