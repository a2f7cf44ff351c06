"""The sheet of suggestions: read strictly, and every order that it can write is valid."""

import json
from pathlib import Path

import pytest

from cds_service.clinical.bedside import Reference
from cds_service.clinical.policy import Policy
from cds_service.errors import Problem
from cds_service.knowledge import tables
from cds_service.knowledge.files import Files
from cds_service.knowledge.known import Known
from cds_service.knowledge.suggestions import RXNORM, suggestions
from cds_service.knowledge.terms import terminology

from .ward import DRUGS

SHIPPED = (Path(__file__).parents[2] / "hooks" / "ndm" / "suggestions.yaml").read_text()
HOOKS = Path(__file__).parents[2] / "hooks"
KEYS = {
    "add-ceftazidime-avibactam",
    "add-aztreonam",
    "switch-to-pair",
    "switch-to-aztreonam-avibactam",
    "switch-to-cefiderocol",
    "keep-protection",
    "stop-drug",
    "correct-dose",
    "limit-to-72-h",
    "set-infusion",
    "extend-course",
    "consult-id",
    "consult-allergy",
    "consult-obstetrics",
    "test-acinetobacter",
    "test-combination",
    "test-pseudomonas",
    "test-genes",
    "order-creatinine",
    "order-liver-tests",
    "repeat-cultures",
}


def problems(text: str) -> list[Problem]:
    """What the loader says about this text of the sheet."""
    return read(text)[1]


def read(text: str) -> tuple[dict[str, object], list[Problem]]:
    """The suggestions of this text, and what the loader says about it."""
    files = Files.read(HOOKS)
    files.texts["ndm/suggestions.yaml"] = text.encode()
    policy = files.typed("ndm/policy.yaml", Policy)
    assert policy is not None
    terms = terminology(files)
    known = Known(files, {"drug": terms.drugs.keys(), "pending": ("susceptibility", "culture", *terms.tests)})
    reference = Reference(policy, {}, DRUGS, tables.doses(files, known))
    return dict(suggestions(known, "ndm", reference)), files.problems


def test_the_shipped_sheet_has_every_key() -> None:
    """All suggestions that rules may name are there, and nothing is wrong with them."""
    found, wrong = read(SHIPPED)
    assert (set(found), wrong) == (KEYS, [])


@pytest.mark.parametrize(
    ("old", "new", "key", "expected"),
    [
        (
            'rxnorm: "1603840"',
            'rxnorm: "1272"',
            "products.ceftazidime-avibactam.rxnorm",
            "an RxNorm code of valuesets/drug-ceftazidime-avibactam.json",
        ),
        ("  cefiderocol: {rxnorm", "  cefiderokol: {rxnorm", "products", "a drug of drugs.yaml (did you mean cefiderocol"),
        ('label: "Keep {drug}"', 'label: "Keep {patient}"', "suggestions.keep-protection.label", "only {drug} or {kept} or {regimen}"),
        ('label: "Keep {drug}"', 'label: "<b>Keep</b>"', "suggestions.keep-protection.label", "one plain sentence"),
        ("{does: limit, hours: 72,", "{does: limit,", "suggestions.limit-to-72-h.hours", "a value: limit needs it"),
        ("drugs: [cefiderocol]", "drugs: []", "suggestions.switch-to-cefiderocol.drugs", "a value: switch needs it"),
        ("does: keep,", "does: hide,", "suggestions.keep-protection.does", "one of start, switch"),
        ("priority: urgent}", "priority: at-once}", "suggestions.consult-id.request.priority", "one of routine, urgent"),
        ("route: {system", "rout: {system", "rout", "did you mean route"),
    ],
)
def test_every_mistake_is_named(old: str, new: str, key: str, expected: str) -> None:
    """A mistake in the sheet is reported with its key and what was expected."""
    assert old in SHIPPED
    found = problems(SHIPPED.replace(old, new, 1))
    assert any(one.key == key and expected in one.expected for one in found), found


def test_codes_come_from_the_value_sets() -> None:
    """Each product's code and display stand in the value set of its drug."""
    for name in ("ceftazidime-avibactam", "aztreonam", "aztreonam-avibactam", "cefiderocol"):
        valueset = json.loads((HOOKS / "shared" / "valuesets" / f"drug-{name}.json").read_text())
        assert any(include["system"] == RXNORM for include in valueset["compose"]["include"])
