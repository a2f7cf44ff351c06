"""The library that the cards of the tests are written from: doses, services and wordings are the shipped ones."""

import json
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec
import pytest

from cds_service.clinical.bedside import Reference
from cds_service.clinical.policy import Policy
from cds_service.finding import Indicator
from cds_service.knowledge import tables
from cds_service.knowledge.files import Files
from cds_service.knowledge.known import Known
from cds_service.knowledge.suggestions import RXNORM, suggestions
from cds_service.rule import Match, Reviewed, Rule, RuleSheet
from cds_service.service import Service, ServiceSheet
from cds_service.triggers.allergy import DrugAllergy

from .ward import CODES, CROSS, DRUGS, Library, Ward

HOOKS = Path(__file__).parents[2] / "hooks"


@pytest.fixture(scope="session")
def files() -> Files:
    """The shipped knowledge; value sets of the suggested drugs as far as they are not there."""
    found = Files.read(HOOKS)
    for key, (code, display) in CODES.items():
        include = [{"system": RXNORM, "concept": [{"code": code, "display": display}]}]
        text = json.dumps({"resourceType": "ValueSet", "id": f"drug-{key}", "compose": {"include": include}})
        found.texts.setdefault(f"shared/valuesets/drug-{key}.json", text.encode())
    return found


@pytest.fixture(scope="session")
def shelf(files: Files) -> tuple[Policy, Library, dict[str, Service]]:
    """Policy, library and services; the rule about allergies stands in every service."""
    policy = files.typed("ndm/policy.yaml", Policy)
    assert policy is not None
    known = Known(files, {})
    reference = Reference(policy, {}, DRUGS, tables.doses(files, known))
    sheet = RuleSheet(
        id="ndmBetaLactamAllergy",
        title="Allergy",
        trigger="drug-allergy",
        hooks=(),
        indicator=Indicator.WARNING,
        summary="x",
        match=Match(),
        reviewed=Reviewed(by="author", checked_by="pending", on=date(2026, 11, 22), next=date(2027, 5, 22)),
    )
    rule = Rule(sheet, DrugAllergy(CROSS, 10), "here")
    services = {}
    for name in ("order-sign", "order-select", "patient-view"):
        found = files.typed(f"ndm/{name}.yaml", ServiceSheet)
        assert found is not None, files.problems
        services[found.hook] = Service(found, "ndm", (rule,), reference)
    sheets = suggestions(known, "ndm", reference)
    assert not files.problems, files.problems
    library = Library(services, tables.evidence(files)[0], tables.overrides(files), {"ndm": sheets})
    return policy, library, services


@pytest.fixture
def ward(shelf: tuple[Policy, Library, dict[str, Service]]) -> Callable[..., Ward]:
    """A ward of one patient; keywords change the patient, `hook` the service and `policy` single values of the policy."""

    def make(hook: str = "order-sign", policy: Mapping[str, Any] | None = None, **more: Any) -> Ward:
        base, library, services = shelf
        return Ward(msgspec.structs.replace(base, **(policy or {})), library, services[hook], **more)

    return make
