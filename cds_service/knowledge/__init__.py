"""Everything that the service knows, read strictly and once; its version is the policies' and a hash of the files."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cds_service.clinical.bedside import Reference
from cds_service.clinical.policy import Policy
from cds_service.errors import KnowledgeError
from cds_service.evidence import EvidenceRow, Overrides
from cds_service.fhir.valuesets import Terminology
from cds_service.knowledge import sheets, tables
from cds_service.knowledge.files import Files
from cds_service.knowledge.suggestions import suggestions
from cds_service.knowledge.terms import local_codes, terminology
from cds_service.knowledge.trace import Trace, trace
from cds_service.rule import Rule
from cds_service.service import Service
from cds_service.suggestion import SuggestionSheet

PACKAGE = Path(__file__).resolve().parent.parent
ATTRIBUTES = "shared/source-attributes.yaml"


@dataclass(frozen=True)
class Knowledge:
    """All services by id, and what they share; `suggestions` and `traces` are by condition folder."""

    services: Mapping[str, Service]
    terminology: Terminology
    evidence: Mapping[str, EvidenceRow]
    overrides: Overrides
    suggestions: Mapping[str, Mapping[str, SuggestionSheet]]
    version: str
    traces: Mapping[str, Trace] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)


def default_folder() -> Path:
    """The shipped knowledge: beside the package in a checkout, else inside the wheel."""
    beside = PACKAGE.parent / "hooks"
    return beside if (beside / "shared").is_dir() else PACKAGE / "hooks"


def load(folder: Path | None = None, overlay: Path | None = None) -> Knowledge:
    """The knowledge of a folder, with a site's differences laid over it; raises KnowledgeError with all problems at once."""
    files = Files.read(folder or default_folder(), overlay)
    terms, rows, reasons = terminology(files), tables.evidence(files), tables.overrides(files)
    attributes = files.typed(ATTRIBUTES, dict[str, str]) or {}
    conditions = [found for name in files.folders() if (found := _condition(files, name, terms, rows, reasons))]
    _check_ids(files, conditions)
    local = _local(files, terms, conditions)
    if not files.folders():
        files.problem(str(folder or default_folder()), "folder", "no condition", "a folder with policy.yaml beside shared/")
    if files.problems:
        raise KnowledgeError(files.problems)
    return Knowledge(
        services={one.id: one for found in conditions for one in found.services},
        terminology=terms.with_local(local),
        evidence=rows,
        overrides=reasons,
        suggestions={one.folder: one.suggestions for one in conditions},
        version=f"{'-'.join(dict.fromkeys(one.policy.version for one in conditions))}+{files.digest()}",
        traces={one.folder: one.trace for one in conditions if one.trace},
        attributes=attributes,
    )


@dataclass(frozen=True, slots=True)
class Condition:
    """One folder beside `shared`, read."""

    folder: str
    policy: Policy
    services: tuple[Service, ...]
    rules: tuple[Rule, ...]
    suggestions: Mapping[str, SuggestionSheet]
    trace: Trace | None


def _condition(
    files: Files, folder: str, terms: Terminology, rows: Mapping[str, EvidenceRow], reasons: Overrides
) -> Condition | None:
    policy = files.typed(f"{folder}/policy.yaml", Policy)
    if policy is None:
        return None
    sets = sheets.drug_sets(files, folder, terms.drugs)
    reference = Reference(policy, sets, terms.drugs, tables.doses(files), tables.breakpoints(files))
    sheets.check_policy(files, folder, policy, reference)
    offered = suggestions(files, folder, reference)
    lists: dict[str, Iterable[str]] = {
        "evidence": rows,
        "override": reasons.reasons,
        "suggest": offered,
        "organism": {one.group for one in terms.organisms.values()},
    }
    rules = sheets.rules(files, folder, reference, lists)
    services = sheets.services(files, folder, rules, reference)
    named = trace(files, folder, {rule.id for rule in rules}, rows)
    return Condition(folder, policy, tuple(services), tuple(rules), offered, named)


def _check_ids(files: Files, conditions: Iterable[Condition]) -> None:
    """No two conditions may share the id of a service or of a rule."""
    seen: dict[str, str] = {}
    for one in conditions:
        for identifier in (*(service.id for service in one.services), *(rule.id for rule in one.rules)):
            if identifier in seen:
                files.problem(f"{one.folder}/policy.yaml", "id", identifier, f"an id of its own; {seen[identifier]} has it")
            seen.setdefault(identifier, one.folder)


def _local(files: Files, terms: Terminology, conditions: Iterable[Condition]) -> dict[str, dict[tuple[str, str], str]]:
    """The site's codes of all conditions."""
    found: dict[str, dict[tuple[str, str], str]] = {}
    for one in conditions:
        for kind, codes in local_codes(files, f"{one.folder}/policy.yaml", one.policy.local, terms).items():
            found.setdefault(kind, {}).update(codes)
    return found
