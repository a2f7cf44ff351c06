"""Turns the sheets of one condition into rules and services, and checks that every word in them is known."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from typing import Any, get_type_hints

import msgspec

from cds_service.clinical.bedside import Reference
from cds_service.clinical.facts import Drug
from cds_service.clinical.infection import State
from cds_service.clinical.policy import Policy
from cds_service.clinical.regimen import Drugs
from cds_service.conditions import SOFTER, UNLESS
from cds_service.knowledge.files import Files
from cds_service.knowledge.tables import unknown
from cds_service.knowledge.told import told
from cds_service.rule import LONGEST_SUMMARY, Rule, RuleSheet, braces
from cds_service.service import Service, ServiceSheet
from cds_service.triggers import TRIGGERS, Trigger

HOOKS = {"order-sign", "order-select", "patient-view"}
UNARMED = "interacts"


def drug_sets(files: Files, folder: str, drugs: Mapping[str, Drug]) -> dict[str, frozenset[str]]:
    """The drug sets of a condition; a member is a drug key, or "class:x" for every drug of a class."""
    name = f"{folder}/drug-sets.yaml"
    raw = (files.yaml(name) or {}).get("sets", {})
    found: dict[str, frozenset[str]] = {}
    for key, entry in raw.items():
        members = entry["drugs"] if isinstance(entry, dict) else entry
        found[key] = _members(files, name, f"sets.{key}", members, drugs)
    return found


def _members(files: Files, name: str, key: str, members: Iterable[str], drugs: Mapping[str, Drug]) -> frozenset[str]:
    keys: set[str] = set()
    for member in members:
        if member.startswith("class:"):
            wanted = {drug.key for drug in drugs.values() if member.removeprefix("class:") in drug.classes}
            if not wanted:
                files.problem(name, key, member, "a class that at least one drug of drugs.yaml has")
            keys |= wanted
        else:
            unknown(files, name, key, [member], drugs, "a drug of drugs.yaml")
            keys.add(member)
    return frozenset(keys)


def rules(files: Files, folder: str, reference: Reference, lists: Mapping[str, Iterable[str]]) -> list[Rule]:
    """Every sheet of a condition as a rule; `lists` holds the known evidence, override and suggestion words."""
    found: dict[str, Rule] = {}
    for name in files.under(f"{folder}/rules/*.yaml"):
        sheet = files.typed(name, RuleSheet)
        if sheet is None:
            continue
        _check_sheet(files, name, sheet, lists)
        trigger = _bind(files, name, sheet, reference)
        if sheet.id in found:
            files.problem(name, "id", sheet.id, f"an id of its own; {found[sheet.id].file} has it")
        elif trigger:
            found[sheet.id] = Rule(sheet, trigger, name)
    return list(found.values())


def _check_sheet(files: Files, name: str, sheet: RuleSheet, lists: Mapping[str, Iterable[str]]) -> None:
    stem = name.rsplit("/", 1)[-1].removesuffix(".yaml")
    if not re.fullmatch(r"[a-z][A-Za-z0-9]{2,99}", sheet.id) or _kebab(sheet.id) != stem:
        wanted = f"letters and digits in lowerCamelCase, the file's name in kebab-case ({_kebab(sheet.id)}.yaml)"
        files.problem(name, "id", sheet.id, wanted)
    unknown(files, name, "hooks", sheet.hooks, HOOKS, "a hook")
    unknown(files, name, "unless", sheet.unless, UNLESS, "a word of the closed list")
    unknown(files, name, "softer_when", sheet.softer_when, SOFTER, "a word of the closed list")
    unknown(files, name, "match.evidence", sheet.match.evidence, [*State], "an evidence state")
    for key in ("evidence", "override", "suggest"):
        unknown(files, name, key, getattr(sheet, key), lists[key], f"a word of {key}")
    for note, words in sheet.suggest_with.items():
        unknown(files, name, f"suggest_with.{note}", words, lists["suggest"], "a word of suggest")
    for note, words in sheet.override_with.items():
        unknown(files, name, f"override_with.{note}", words, lists["override"], "a word of override")
    if sheet.match.organism:
        unknown(files, name, "match.organism", sheet.match.organism, lists["organism"], "an organism group")
    for key, text in {"summary": sheet.summary, **{f"variants.{word}": text for word, text in sheet.variants.items()}}.items():
        if len(text) > LONGEST_SUMMARY:
            files.problem(name, key, f"{len(text)} characters", f"at most {LONGEST_SUMMARY}")
    for key, text in _sentences(sheet):
        _check_braces(files, name, key, text)
        if re.search(r"<[a-zA-Z!/]|!\[|\]\(", text):
            files.problem(name, key, "markup", "plain words: no HTML, no image, no link")


def _sentences(sheet: RuleSheet) -> Iterable[tuple[str, str]]:
    yield "summary", sheet.summary
    yield "detail", sheet.detail
    yield "limits", sheet.limits
    yield from ((f"variants.{word}", text) for word, text in sheet.variants.items())
    yield from ((f"notes.{word}", text) for word, text in sheet.notes.items())


def _check_braces(files: Files, name: str, key: str, text: str) -> None:
    try:
        strange = [word for word in braces(text) if not re.fullmatch(r"[a-z_]+", word)]
    except ValueError as error:
        strange = [str(error)]
    for word in strange:
        files.problem(name, key, f"{{{word}}}", "only {word} in braces: no operator, no format")


def _bind(files: Files, name: str, sheet: RuleSheet, reference: Reference) -> Trigger | None:
    """The trigger with the sheet's `with:` block as its fields."""
    kind = TRIGGERS.get(sheet.trigger)
    if kind is None:
        unknown(files, name, "trigger", [sheet.trigger], TRIGGERS, "a trigger")
        return None
    hints = get_type_hints(kind)
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown(files, name, "with", sheet.with_, fields, f"a field of {sheet.trigger}")
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key in sheet.with_:
            values[key] = _value(files, name, f"with.{key}", sheet.with_[key], hints[key], reference)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            files.problem(name, f"with.{key}", "nothing", f"a value: {sheet.trigger} needs it")
            return None
    return kind(**values)


def _value(files: Files, name: str, key: str, raw: Any, hint: Any, reference: Reference) -> Any:
    def decode(kind: Any, value: Any) -> Any:
        return named(files, name, key, value, reference) if kind is Drugs else value

    try:
        return msgspec.convert(raw, hint, strict=False, dec_hook=decode)
    except msgspec.ValidationError as error:
        files.problem(name, key, *told(str(error), raw, hint)[1:])
        return None


def named(files: Files, name: str, key: str, value: Any, reference: Reference) -> Drugs:
    """A set by its name, a drug by its key, or a list of both."""
    words = [value] if isinstance(value, str) else list(value)
    keys: set[str] = set()
    for word in words:
        if word in reference.sets:
            keys |= reference.sets[word]
        elif word.startswith("class:"):
            keys |= _members(files, name, key, [word], reference.drugs)
        else:
            unknown(files, name, key, [word], [*reference.sets, *reference.drugs], "a drug set or a drug")
            keys.add(word)
    return Drugs(" or ".join(words), keys)


def services(files: Files, folder: str, rules_: list[Rule], reference: Reference) -> list[Service]:
    """Every service file of a condition."""
    found = []
    for name in files.under(f"{folder}/*.yaml"):
        raw = files.yaml(name)
        if not isinstance(raw, dict) or "hook" not in raw:
            continue
        sheet = files.typed(name, ServiceSheet, raw)
        if sheet is None:
            continue
        unknown(files, name, "hook", [sheet.hook], HOOKS, "a hook")
        for group, plan in sheet.cards.items():
            unknown(files, name, f"cards.{group}", plan.rules(), [rule.id for rule in rules_], "the id of a rule")
        _check_templates(files, name, sheet)
        own = tuple(rule for rule in rules_ if sheet.hook in rule.sheet.hooks)
        unarmed = frozenset(rule.id for rule in own if rule.sheet.trigger == "drug-pair")
        found.append(Service(sheet, folder, own, reference, unarmed))
    return found


def _check_templates(files: Files, name: str, sheet: ServiceSheet) -> None:
    allowed = {"context.patientId", "context.userId", "context.encounterId"}
    for key, part in sheet.prefetch.items():
        tokens = set(re.findall(r"\{\{([^}]*)\}\}", part.query))
        if tokens - allowed or part.query.startswith("/") or "://" in part.query:
            wanted = "a relative FHIR URL with only context.patientId, userId or encounterId"
            files.problem(name, f"prefetch.{key}.query", part.query, wanted)
        if part.required and "context.encounterId" in tokens:
            files.problem(name, f"prefetch.{key}.required", "true", "false: clients may not know an encounter")


def check_policy(files: Files, folder: str, policy: Policy, reference: Reference) -> None:
    """The names that a policy uses must exist."""
    name = f"{folder}/policy.yaml"
    for number, row in enumerate(policy.regimen.active):
        unknown(files, name, f"regimen.active[{number}]", row.drugs, reference.drugs, "a drug of drugs.yaml")
    for key in ("inactive", "conditional", "never_by_mouth", "unevaluated"):
        word = getattr(policy.regimen, key)
        unknown(files, name, f"regimen.{key}", [word] if word else [], reference.sets, "a drug set")
    unknown(files, name, "formulary.not_stocked", policy.formulary.not_stocked, reference.drugs, "a drug of drugs.yaml")
    if policy.preference:
        unknown(files, name, "preference", [policy.preference], policy.preferences, "a list of `preferences`")
    if not policy.windows.current_days < policy.windows.history_days <= policy.windows.remote_days:
        files.problem(name, "windows", "windows out of order", "current_days < history_days <= remote_days")


def _kebab(identifier: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", identifier).lower()
