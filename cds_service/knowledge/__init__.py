"""Everything that the service knows, read strictly and once; its version is the policies' and a hash of the files."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path

from msgspec import Struct, field

from cds_service.clinical import lists
from cds_service.clinical.bedside import Reference
from cds_service.clinical.doses import DoseTable
from cds_service.clinical.policy import Policy
from cds_service.clinical.susceptibility import Breakpoint
from cds_service.errors import KnowledgeError
from cds_service.evidence import EvidenceRow, Overrides
from cds_service.fhir.valuesets import Terminology
from cds_service.knowledge import tables
from cds_service.knowledge.files import Files
from cds_service.knowledge.known import Known, closed_lists
from cds_service.knowledge.policies import check_policy
from cds_service.knowledge.services import services
from cds_service.knowledge.sets import drug_sets
from cds_service.knowledge.sheets import rules
from cds_service.knowledge.suggestions import suggestions
from cds_service.knowledge.terms import local_codes, terminology
from cds_service.knowledge.trace import Trace, trace
from cds_service.rule import Rule
from cds_service.service import Service
from cds_service.suggestion import SuggestionSheet

PACKAGE = Path(__file__).resolve().parent.parent
ATTRIBUTES = "shared/source-attributes.yaml"


class Knowledge(Struct, frozen=True):
    """All services by id, and what they share; `suggestions`, `traces` and `words`, the closed lists, are by condition folder."""

    services: Mapping[str, Service]
    terminology: Terminology
    evidence: Mapping[str, EvidenceRow]
    overrides: Overrides
    suggestions: Mapping[str, Mapping[str, SuggestionSheet]]
    version: str
    traces: Mapping[str, Trace] = field(default_factory=dict)
    attributes: Mapping[str, str] = field(default_factory=dict)
    words: Mapping[str, Mapping[str, Collection[str] | None]] = field(default_factory=dict)


def default_folder() -> Path:
    """The shipped knowledge: beside the package in a checkout, else inside the wheel."""
    beside = PACKAGE.parent / "hooks"
    return beside if (beside / "shared").is_dir() else PACKAGE / "hooks"


def load(folder: Path | None = None, overlay: Path | None = None) -> Knowledge:
    """The knowledge of a folder, with a site's differences laid over it; raises KnowledgeError with all problems at once."""
    files = Files.read(folder or default_folder(), overlay)
    shelf = _shelf(files)
    attributes = files.table(ATTRIBUTES, dict[str, lists.Text]) or {}
    conditions = [_condition(shelf, name) for name in files.folders()]
    _check_ids(files, conditions)
    if not files.folders():
        files.problem(str(folder or default_folder()), "folder", "no condition", "a folder with policy.yaml beside shared/")
    local = _local(files, shelf.terms, conditions)
    if not files.failed:
        files.check_asked()
    if files.problems:
        raise KnowledgeError(files.told())
    return Knowledge(
        services={one.id: one for found in conditions for one in found.services},
        terminology=shelf.terms.with_local(local),
        evidence=shelf.evidence,
        overrides=shelf.overrides,
        suggestions={one.folder: one.suggestions for one in conditions},
        version=f"{'-'.join(dict.fromkeys(one.policy.version for one in conditions if one.policy))}+{files.digest()}",
        traces={one.folder: one.trace for one in conditions if one.trace},
        attributes=attributes,
        words={one.folder: one.words for one in conditions},
    )


class Shelf(Struct, frozen=True):
    """What all conditions share, read."""

    files: Files
    terms: Terminology
    evidence: Mapping[str, EvidenceRow]
    overrides: Overrides
    doses: DoseTable
    breakpoints: tuple[Breakpoint, ...]
    words: Mapping[str, Collection[str] | None]


def _shelf(files: Files) -> Shelf:
    terms = terminology(files)
    rows, ids = tables.evidence(files)
    reasons = tables.overrides(files)
    words = {
        **closed_lists(),
        **(_named(terms) if terms.drugs else {}),
        "evidence": None if tables.EVIDENCE in files.failed and not ids else ids,
        "override": None if tables.OVERRIDES in files.failed else reasons.reasons.keys(),
    }
    known = Known(files, words)
    for key, row in rows.items():
        known.look(tables.EVIDENCE, row, under=f"evidence.{key}")
    return Shelf(files, terms, rows, reasons, tables.doses(files, known), tables.breakpoints(files, known), words)


def _named(terms: Terminology) -> dict[str, Collection[str] | None]:
    """The closed lists that the tables of names make."""
    groups = {one.group for one in terms.organisms.values()}
    return {
        "drug": terms.drugs.keys(),
        "ingredient": terms.names["ingredient"].keys(),
        "agent": {*terms.drugs, *terms.ingredients.pairs},
        "species": terms.organisms.keys(),
        "group": groups,
        "organism": {*groups, *terms.organisms},
        "trait": {trait for one in terms.organisms.values() for trait in one.traits},
        "specimen": terms.specimens.keys(),
        "circumstance": terms.names["circumstance"].keys(),
        "marker": terms.names["marker"].keys(),
        "reaction": terms.names["reaction"].keys(),
        "test": terms.tests.keys(),
        "pending": {"susceptibility", "culture", *terms.tests},
    }


class Condition(Struct, frozen=True):
    """One folder beside `shared`, read; without a policy where that could not be read."""

    folder: str
    policy: Policy | None
    services: tuple[Service, ...]
    rules: tuple[Rule, ...]
    suggestions: Mapping[str, SuggestionSheet]
    trace: Trace | None
    words: Mapping[str, Collection[str] | None]


def _condition(shelf: Shelf, folder: str) -> Condition:
    """A condition whose policy cannot be read is read on, so that all its mistakes are met at once."""
    files, terms = shelf.files, shelf.terms
    known = Known(files, dict(shelf.words))
    policy = files.typed(f"{folder}/policy.yaml", Policy)
    sets = drug_sets(known, folder, terms.drugs)
    failed = f"{folder}/drug-sets.yaml" in files.failed
    known.words["set"] = None if failed else sets.keys()
    known.words["drugs"] = None if failed or not terms.drugs else {*sets, *terms.drugs}
    reference = Reference(policy, sets, terms.drugs, shelf.doses, shelf.breakpoints)  # type: ignore[arg-type]  # a problem by then
    offered = suggestions(known, folder, reference)
    known.words["suggest"] = None if f"{folder}/suggestions.yaml" in files.failed else offered.keys()
    found, known.words["rule"] = rules(known, folder, reference)
    if policy:
        check_policy(known, f"{folder}/policy.yaml", policy, reference)
    services_ = services(known, folder, found, reference)
    return Condition(folder, policy, tuple(services_), tuple(found), offered, trace(known, folder), known.words)


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
        if one.policy and terms.drugs:
            for kind, codes in local_codes(files, f"{one.folder}/policy.yaml", one.policy.local, terms).items():
                found.setdefault(kind, {}).update(codes)
    return found
