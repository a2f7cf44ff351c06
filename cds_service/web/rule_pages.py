"""What the page of one rule shows, read off its sheet, its trigger and the policy; nothing is written a second time."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cds_service.clinical.doses import Row
from cds_service.clinical.infection import State
from cds_service.clinical.policy import Policy, Windows
from cds_service.clinical.regimen import Drugs
from cds_service.conditions import SOFTER, UNLESS
from cds_service.evidence import EvidenceRow, Override
from cds_service.knowledge import Knowledge
from cds_service.knowledge.trace import Statement
from cds_service.rule import QUESTIONS, Rule
from cds_service.service import Service
from cds_service.suggestion import SuggestionSheet
from cds_service.triggers.dosing import DoseOffTable

UNITS: Mapping[str, str] = {"h": "h", "pct": "%", "days": "days", "g": "g", "c": "°C"}


class Example(Protocol):
    """A clinical case as a rule page shows it: who is being treated with what, and whether the rule speaks."""

    @property
    def rule(self) -> str: ...
    @property
    def case(self) -> str: ...
    @property
    def drafts(self) -> str: ...
    @property
    def hook(self) -> str: ...
    @property
    def speaks(self) -> bool: ...
    @property
    def verdict(self) -> str: ...


@dataclass(frozen=True)
class Words:
    """A word of the sheet with what it means."""

    word: str
    means: str


@dataclass(frozen=True)
class Setting:
    """One value of the sheet's `with:` block under its `key`; a drug set with its members."""

    key: str
    name: str
    value: str
    members: tuple[str, ...] = ()


@dataclass(frozen=True)
class RulePage:
    """One rule as its page shows it."""

    rule: Rule
    state: str
    trigger: str
    meaning: str
    armed_by: tuple[Words, ...]
    settings: tuple[Setting, ...]
    doses: tuple[Row, ...]
    silent: tuple[Words, ...]
    softer: tuple[Words, ...]
    suggestions: tuple[str, ...]
    overrides: tuple[Override, ...]
    evidence: tuple[EvidenceRow, ...]
    statements: tuple[tuple[str, Statement], ...]
    examples: tuple[Example, ...]
    services: tuple[str, ...]


def rules_of(knowledge: Knowledge) -> dict[str, tuple[Rule, Service]]:
    """Every rule once, by id, with a service that asks it."""
    found: dict[str, tuple[Rule, Service]] = {}
    for service in knowledge.services.values():
        for rule in service.rules:
            found.setdefault(rule.id, (rule, service))
    return found


def groups_of(knowledge: Knowledge) -> list[tuple[str, list[tuple[Rule, str]]]]:
    """The rules by the question that their group asks, strongest first, each with its state."""
    found = rules_of(knowledge).values()
    listed = []
    for group, question in QUESTIONS.items():
        inside = [(rule, state_of(rule, service.reference.policy)) for rule, service in found if rule.sheet.group == group]
        inside.sort(key=lambda one: (-one[0].sheet.indicator.rank, one[0].sheet.title))
        if inside:
            listed.append((question, inside))
    return listed


def lead_rule(knowledge: Knowledge) -> Rule | None:
    """The rule that stands for the service on its first page: the first of the strongest."""
    return next((rule for _, rules in groups_of(knowledge) for rule, _ in rules), None)


def state_of(rule: Rule, policy: Policy) -> str:
    """Whether the site has the rule switched on, off, or judged without a card."""
    return "off" if rule.id in policy.rules.off else "shadow" if rule.id in policy.rules.shadow else "on"


def page_of(rule: Rule, service: Service, knowledge: Knowledge, examples: Iterable[Example]) -> RulePage:
    """Everything about one rule."""
    sheet, policy = rule.sheet, service.reference.policy
    sheets = knowledge.suggestions.get(service.condition, {})
    trace = knowledge.traces.get(service.condition)
    return RulePage(
        rule=rule,
        state=state_of(rule, policy),
        trigger=sentence(type(rule.trigger).__doc__),
        meaning=meaning(type(rule.trigger).__doc__),
        armed_by=tuple(Words(state, state_words(state, policy.windows)) for state in sheet.match.evidence),
        settings=tuple(settings(rule, service)),
        doses=service.reference.doses.of(rule.trigger.drug) if isinstance(rule.trigger, DoseOffTable) else (),
        silent=tuple(Words(word.replace("-", " "), sentence(UNLESS[word].__doc__)) for word in sheet.unless),
        softer=tuple(Words(word.replace("-", " "), sentence(SOFTER[word].__doc__)) for word in sheet.softer_when),
        suggestions=tuple(offer(sheets[key]) for key in sheet.suggest if key in sheets),
        overrides=tuple(knowledge.overrides.reasons[word] for word in sheet.override if word in knowledge.overrides.reasons),
        evidence=tuple(knowledge.evidence[key] for key in sheet.evidence if key in knowledge.evidence),
        statements=tuple((key, one) for key, one in trace.statements.items() if sheet.id in one.rules) if trace else (),
        examples=tuple(sorted((one for one in examples if one.rule == sheet.id), key=lambda one: not one.speaks)),
        services=tuple(one.sheet.title for one in knowledge.services.values() if rule.id in {other.id for other in one.rules}),
    )


def offer(sheet: SuggestionSheet) -> str:
    """What a suggestion does, with the products that it writes."""
    products = " + ".join(product.name for product in sheet.products)
    return sheet.label.replace("{regimen}", products) if products else sheet.label


def settings(rule: Rule, service: Service) -> Iterable[Setting]:
    """The fields of the trigger as this sheet sets them: thresholds as they stand, drug sets with their drugs."""
    for name in rule.sheet.with_:
        value = getattr(rule.trigger, name, rule.sheet.with_[name])
        label, unit = measured(name)
        if isinstance(value, Drugs):
            members = tuple(sorted(service.reference.drugs[key].name for key in value.keys if key in service.reference.drugs))
            yield Setting(name, label, value.name.replace("-", " "), members)
        elif isinstance(value, Mapping):
            yield Setting(name, label, ", ".join(f"{key}: {plain(one)}" for key, one in value.items()))
        else:
            yield Setting(name, label, f"{plain(value)} {unit}".strip())


def measured(name: str) -> tuple[str, str]:
    """The name of a setting without its unit, and the unit that stands at its end."""
    stem, _, last = name.rpartition("_")
    known = bool(stem) and last in UNITS
    return (stem if known else name).replace("_", " ").capitalize(), UNITS[last] if known else ""


def plain(value: Any) -> str:
    """A setting as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (list, tuple, set, frozenset)):
        return ", ".join(plain(one) for one in value)
    return str(value)


def sentence(docstring: str | None) -> str:
    """The first sentence of a docstring."""
    return " ".join((docstring or "").split("\n\n")[0].split())


def meaning(docstring: str | None) -> str:
    """What the settings of a trigger mean: its docstring after the first sentence, "" where there is no more."""
    return " ".join(" ".join((docstring or "").split("\n\n")[1:]).split())


def state_words(state: str, windows: Windows) -> str:
    """An evidence state with the windows of this site."""
    between = f"{windows.current_days} to {windows.history_days} days old"
    said: Mapping[str, str] = {
        State.CURRENT: f"a result from a clinical sample, at most {windows.current_days} days old",
        State.HISTORY: f"a result from a clinical sample, {between}, or a carrier whose screens cleared",
        State.COLONISED: f"results from surveillance samples alone, at most {windows.history_days} days old",
        State.SUSPECTED: "a pattern of resistance or a phenotype, without a gene",
        State.REMOTE: f"a result older than {windows.history_days} days",
    }
    return said.get(state, state)


def cited_by(knowledge: Knowledge) -> Mapping[str, Sequence[Rule]]:
    """For each row of evidence, the rules that rest on it."""
    found: dict[str, list[Rule]] = {key: [] for key in knowledge.evidence}
    for rule, _ in rules_of(knowledge).values():
        for key in rule.sheet.evidence:
            found.setdefault(key, []).append(rule)
    return found
