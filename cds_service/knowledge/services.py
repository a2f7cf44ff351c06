"""The CDS services of one condition, and whether the rules and they agree."""

import re
from collections.abc import Collection, Sequence

from cds_service.clinical.bedside import Reference
from cds_service.clinical.lists import PART
from cds_service.knowledge.known import HOOKS, Known
from cds_service.rule import Rule
from cds_service.service import Service, ServiceSheet

OTHERS = {"policy.yaml", "drug-sets.yaml", "suggestions.yaml", "trace.yaml"}
OWN = re.compile(r"^(?:[A-Z][A-Za-z]+/)?\{\{[\w.]+\}\}$|^[A-Z][A-Za-z]+\?(?:[^ ]*&)?(?:patient|subject|encounter|_id)=\{\{[^ ]*$")
CONTEXT = {"context.patientId", "context.userId", "context.encounterId"}


def services(known: Known, folder: str, rules: Sequence[Rule], reference: Reference) -> list[Service]:
    """Every service file of a condition: each that is none of the other sheets."""
    found = []
    for name in known.files.under(f"{folder}/*.yaml"):
        sheet = known.files.typed(name, ServiceSheet) if name.rsplit("/", 1)[-1] not in OTHERS else None
        if sheet is None:
            continue
        known.look(name, sheet)
        _check_templates(known, name, sheet)
        own = tuple(rule for rule in rules if sheet.hook in rule.sheet.hooks)
        _check_cards(known, name, sheet, rules, own)
        _check_parts(known, name, sheet, own)
        found.append(Service(sheet, folder, own, reference))
    return found


def _check_cards(known: Known, name: str, sheet: ServiceSheet, rules: Sequence[Rule], own: Collection[Rule]) -> None:
    """A rule speaks in a service where its sheet names the hook and the service names it in a card group: both or neither."""
    placed: dict[str, str] = {}
    for group, plan in sheet.cards.items():
        for word in plan.rules():
            if placed.setdefault(word, group) != group:
                known.files.problem(name, f"cards.{group}", word, f"a rule that stands in one group; {placed[word]} has it")
    if sheet.hook not in HOOKS:
        return
    for rule in rules:
        if rule in own and rule.id not in placed:
            known.files.problem(rule.file, "hooks", sheet.hook, f"a hook whose service names the rule in its cards; {name} does not")
        elif rule not in own and rule.id in placed:
            wanted = f"a rule whose sheet has the hook {sheet.hook}; {rule.file} does not"
            known.files.problem(name, f"cards.{placed[rule.id]}", rule.id, wanted)


def _check_parts(known: Known, name: str, sheet: ServiceSheet, own: Collection[Rule]) -> None:
    for rule in own:
        for part in known.words_of(rule.trigger, PART):
            if part not in sheet.prefetch:
                known.files.problem(name, "prefetch", "nothing", f"the part {part}, which {rule.id} asks for")


def _check_templates(known: Known, name: str, sheet: ServiceSheet) -> None:
    for key, part in sheet.prefetch.items():
        tokens = set(re.findall(r"\{\{([^}]*)\}\}", part.query))
        if tokens - CONTEXT or not OWN.search(part.query):
            wanted = "a relative FHIR URL about one patient, user or encounter, and no other token than theirs"
            known.files.problem(name, f"prefetch.{key}.query", part.query, wanted)
        if part.required and "context.encounterId" in tokens:
            known.files.problem(name, f"prefetch.{key}.required", "true", "false: clients may not know an encounter")
