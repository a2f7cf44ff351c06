"""The shipped value sets: every code checked, named and in one place."""

import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.fhir import systems
from cds_service.knowledge import Knowledge

ROOT = Path(__file__).resolve().parents[2] / "hooks" / "shared"
SETS = {path.stem: json.loads(path.read_text("utf-8")) for path in sorted((ROOT / "valuesets").glob("*.json"))}
ROWS = [
    (name, include["system"], concept)
    for name, one in SETS.items()
    for include in one["compose"]["include"]
    for concept in include["concept"]
]
LOINC = sorted({concept["code"] for _, system, concept in ROWS if system == systems.LOINC})
SNOMED = sorted({concept["code"] for _, system, concept in ROWS if system == systems.SNOMED})
D5 = (
    "0123456789",
    "1234067895",
    "2340178956",
    "3401289567",
    "4012395678",
    "5987604321",
    "6598710432",
    "7659821043",
    "8765932104",
    "9876543210",
)
SHUFFLE = ("0123456789", "1576283094", "5803796142", "8916043527", "9453126870", "4286573901", "2793806415", "7046913258")


def mod10(digits: str) -> int:
    """The check digit of LOINC: every second digit from the right doubled."""
    doubled = [int(digit) * (2 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(digits))]
    return -sum(one // 10 + one % 10 for one in doubled) % 10


def verhoeff(number: str) -> int:
    """The checksum of SNOMED CT, which is 0 for a valid identifier."""
    check = 0
    for place, digit in enumerate(reversed(number)):
        check = int(D5[check][int(SHUFFLE[place % 8][int(digit)])])
    return check


@pytest.mark.parametrize("name", SETS)
def test_each_file_is_a_complete_value_set(name: str) -> None:
    """A value set names itself, its publisher, and the owner of each code system in it."""
    found: dict[str, Any] = SETS[name]
    assert found["resourceType"] == "ValueSet"
    assert found["url"] == f"urn:ndm-cds:valueset:{name}".lower()
    assert found["publisher"] == "ndm-cds"
    assert found["status"] == "active"
    assert found["title"]
    assert found["description"]
    assert found["copyright"].count(":") >= len(found["compose"]["include"])
    assert re.fullmatch(r"[A-Za-z0-9.-]{1,64}", found["id"])


@pytest.mark.parametrize("code", LOINC)
def test_every_loinc_code_has_its_check_digit(code: str) -> None:
    """A mistyped LOINC code cannot be shipped; parts and answers have a scheme of their own."""
    if code.startswith("L"):
        assert re.fullmatch(r"L[AP]\d+-\d", code)
        return
    digits, _, check = code.partition("-")
    assert mod10(digits) == int(check)


@pytest.mark.parametrize("code", SNOMED)
def test_every_snomed_code_has_its_check_digit(code: str) -> None:
    """A SNOMED CT identifier that a spreadsheet has rounded cannot be shipped."""
    assert re.fullmatch(r"[1-9]\d{5,17}", code)
    assert verhoeff(code) == 0


def test_the_checks_find_a_wrong_digit() -> None:
    """The two checks refuse a code with one digit changed."""
    assert mod10("73983") != 1
    assert verhoeff("387386005") != 0


def test_every_code_is_a_string_with_a_name() -> None:
    """A code without a display cannot be checked by a reader."""
    assert all(isinstance(concept["code"], str) and concept["display"].strip() for _, _, concept in ROWS)
    assert len(ROWS) > 1500


def test_no_code_stands_in_two_value_sets_of_one_kind() -> None:
    """One code has one meaning in its kind."""
    seen: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    for name, system, concept in ROWS:
        for code in systems.codes(system, concept["code"]):
            seen[name.partition("-")[0], system, code].add(name)
    assert {key: names for key, names in seen.items() if len(names) > 1} == {}


def test_no_name_is_a_placeholder() -> None:
    """Names that were not sighted are our own words, never a note to ourselves."""
    assert not [concept for _, _, concept in ROWS if re.search(r"sighted|TRAP|component;|UNVERIFIED", concept["display"])]


def test_every_code_is_found_again(knowledge: Knowledge) -> None:
    """What a value set lists, the terminology knows by its kind and key."""
    terms = knowledge.terminology
    for name, system, concept in ROWS:
        kind, _, key = name.partition("-")
        assert terms.code(kind, system, concept["code"]) == key
        assert terms.display(system, concept["code"])


def test_the_keys_of_the_acceptance_concepts_exist(knowledge: Knowledge) -> None:
    """The organisms, drugs and places that cases speak of have a row."""
    terms = knowledge.terminology
    assert {"klebsiella-pneumoniae", "escherichia-coli", "pseudomonas-aeruginosa", "stenotrophomonas-maltophilia"} <= terms.organisms.keys()
    groups = {one.group for one in terms.organisms.values()}
    assert groups == {
        "enterobacterales",
        "pseudomonas",
        "acinetobacter",
        "stenotrophomonas",
        "other-non-fermenters",
        "unspecified-gram-negative",
        "gram-positive",
        "yeast",
    }
    ampc = {key for key, one in terms.organisms.items() if "ampc" in one.traits}
    assert ampc == {
        "enterobacter-cloacae",
        "citrobacter-freundii",
        "klebsiella-aerogenes",
        "hafnia-alvei",
        "serratia-marcescens",
        "providencia-stuartii",
        "morganella-morganii",
    }


def test_every_circumstance_word_of_the_sheets_exists() -> None:
    """A word that no record can produce would be a rule that never speaks."""
    known = yaml.safe_load((ROOT / "circumstances.yaml").read_text("utf-8"))["circumstances"]
    policy = yaml.safe_load((ROOT.parent / "ndm" / "policy.yaml").read_text("utf-8"))
    asked = {
        word
        for key in (
            "empiric_reasons",
            "other_reasons",
            "targeted_reasons",
            "target_reasons",
            "unknown_cause",
            "not_treatment",
            "silent_with",
        )
        for word in policy[key]
    }
    asked |= {*policy["cystitis"]["reasons"], *policy["cystitis"]["never_with"]}
    for sheet in (ROOT.parent / "ndm" / "rules").glob("*.yaml"):
        block = yaml.safe_load(sheet.read_text("utf-8")).get("with") or {}
        asked |= {word for key in ("circumstances", "words") for word in block.get(key, [])}
    asked |= {"crrt", "peritoneal-dialysis", "haemodialysis", "acute-kidney-injury", "intensive-care", "colonisation"}
    assert asked - known.keys() == set()


@pytest.mark.parametrize(
    ("spelled", "official"),
    [
        ("urn:oid:2.16.840.1.113883.6.88", systems.RXNORM),
        ("2.16.840.1.113883.6.1", systems.LOINC),
        ("http://loinc.org/", systems.LOINC),
        ("HTTP://LOINC.ORG", systems.LOINC),
        ("https://loinc.org", systems.LOINC),
        ("http://snomed.info/sct|http://snomed.info/sct/900000000000207008", systems.SNOMED),
        ("http://snomed.info/sct/731000124108", systems.SNOMED),
        ("urn:oid:2.16.840.1.113883.6.96", systems.SNOMED),
        ("http://terminology.hl7.org/CodeSystem/v2-0078", systems.INTERPRETATION),
        ("http://hl7.org/fhir/v2/0078", systems.INTERPRETATION),
        ("urn:oid:1.2.840.114350.1.13", "urn:oid:1.2.840.114350.1.13"),
    ],
)
def test_a_code_system_is_known_by_every_spelling(spelled: str, official: str) -> None:
    """URL, OID, version, capitals and slashes change nothing."""
    assert systems.canonical(spelled) == official


@pytest.mark.parametrize("code", ["0456-2700-01", "00456270001", "0456-2700", "00456-2700-10", "004562700"])
def test_an_ndc_is_read_in_every_format(code: str) -> None:
    """Ten digits with hyphens and eleven without name the same product, whatever its package."""
    assert systems.product(code) == "004562700"


@pytest.mark.parametrize("code", ["", "456", "abc", "0456-27000-01", "123456789012"])
def test_what_is_no_ndc_names_no_product(code: str) -> None:
    """A code of another shape is not cut to fit."""
    assert systems.product(code) == ""
