"""The rule index of `hooks/README.md`: one section for each rule, read off the sheets."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from cds_service.cases import Case
from cds_service.clinical.bedside import Reference
from cds_service.clinical.figures import figure
from cds_service.knowledge import Knowledge
from cds_service.rule import Rule
from cds_service.service import Service

BEGIN = "<!-- Written by `ndm-cds catalog --write`; what stands between the marks is checked, not edited. -->"
EXAMPLES = 6
END = "<!-- End of the rule index. -->"


def index(knowledge: Knowledge, cases: Sequence[Case]) -> str:
    """The whole index, all conditions, without the text around it."""
    lines: list[str] = []
    for condition, services in _conditions(knowledge).items():
        lines += _condition(condition, services, knowledge, [one for one in cases if one.condition == condition])
    lines += _shared(next(iter(knowledge.services.values())).reference)
    return "\n".join(lines).rstrip() + "\n"


def within(page: str, text: str) -> str:
    """The page with the index between its marks; ValueError where the marks are missing."""
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page lacks the marks {BEGIN!r} and {END!r}")
    return f"{head}{BEGIN}\n\n{text}\n{END}{tail}"


def _conditions(knowledge: Knowledge) -> Mapping[str, list[Service]]:
    found: dict[str, list[Service]] = {}
    for service in knowledge.services.values():
        found.setdefault(service.condition, []).append(service)
    return {name: sorted(services, key=lambda one: one.id) for name, services in sorted(found.items())}


def _condition(name: str, services: Sequence[Service], knowledge: Knowledge, cases: Sequence[Case]) -> Iterator[str]:
    policy = services[0].reference.policy
    rules = {rule.id: rule for service in services for rule in service.rules}
    yield f"## {policy.condition.title} (`{name}/`)"
    yield ""
    count = f"{len(rules)} rule{'' if len(rules) == 1 else 's'}"
    yield f"{count}, policy version {policy.version}. Services: {', '.join(f'`{one.id}`' for one in services)}."
    yield ""
    yield "| rule | says at most | hooks | alone | group |"
    yield "|---|---|---|---|---|"
    for rule in _sorted(rules.values()):
        sheet = rule.sheet
        off = " (off)" if rule.id in policy.rules.off else ""
        alone = "yes" if sheet.stands_alone else "no"
        yield f"| [{rule.id}](#{rule.id.lower()}){off} | {sheet.indicator} | {', '.join(sheet.hooks)} | {alone} | {sheet.group} |"
    yield ""
    for rule in _sorted(rules.values()):
        yield from _rule(rule, knowledge, cases)


def _sorted(rules: Iterable[Rule]) -> list[Rule]:
    return sorted(rules, key=lambda one: one.id)


def _rule(rule: Rule, knowledge: Knowledge, cases: Sequence[Case]) -> Iterator[str]:
    sheet = rule.sheet
    yield f"### {rule.id}"
    yield ""
    yield f"{sheet.title}. Sheet: [`{rule.file}`]({rule.file})."
    yield ""
    yield f"> {sheet.summary}"
    yield ""
    rows = [*_asks(rule), *_speaks(rule, knowledge), *_examples(rule, cases), *_governance(rule)]
    yield "| | |"
    yield "|---|---|"
    yield from (f"| {name} | {_cell(text)} |" for name, text in rows if text)
    yield ""


def _shared(reference: Reference) -> Iterator[str]:
    """The tables that all conditions share, each number with what its source says."""
    names = {key: drug.name for key, drug in reference.drugs.items()}
    yield from ("## Doses (`shared/doses.csv`)", "", "| drug | kidney | dose | interval | infusion | what the source says | evidence |")
    yield "|---|---|---|---|---|---|---|"
    for row in reference.doses.rows:
        yield _line(names[row.agent], row.kidney, row.amount, row.rhythm, row.infusion, row.source_says, ", ".join(row.evidence))
    yield from ("", "## Breakpoints (`shared/breakpoints.csv`)", "")
    yield from ("| drug | organism | standard | susceptible up to | what the source says | evidence |", "|---|---|---|---|---|---|")
    for limit in reference.breakpoints:
        drug = " + ".join(names.get(part, part) for part in limit.agent.split("+"))
        highest = f"{figure(limit.susceptible_max)} mg/L" if limit.susceptible_max is not None else "no number"
        yield _line(drug, limit.organism, limit.standard, highest, limit.source_says, ", ".join(limit.evidence))


def _line(*cells: str) -> str:
    return f"| {' | '.join(map(_cell, cells))} |"


def _asks(rule: Rule) -> Iterator[tuple[str, str]]:
    """What makes the rule speak."""
    sheet = rule.sheet
    yield "trigger", f"`{sheet.trigger}`: {_first_sentence(rule.trigger)}"
    yield "with", ", ".join(f"`{part}`" for part in knobs(rule).split("; ") if part)
    yield "evidence state", ", ".join(sheet.match.evidence)
    yield "organisms", ", ".join(sheet.match.organism)
    yield "unless", ", ".join(sheet.unless)


def knobs(rule: Rule) -> str:
    """The `with:` block of a sheet in one line."""
    return "; ".join(f"{key}: {_value(value)}" for key, value in rule.sheet.with_.items())


def _speaks(rule: Rule, knowledge: Knowledge) -> Iterator[tuple[str, str]]:
    """What it says then."""
    sheet = rule.sheet
    yield "softer when", ", ".join(sheet.softer_when)
    yield "variants", "<br>".join(f"{name}: {text}" for name, text in sheet.variants.items())
    yield "reasons", sheet.detail
    yield "further sentences", "<br>".join(f"{name}: {text}" for name, text in sheet.notes.items())
    yield "limits", sheet.limits
    yield "offers", ", ".join(sheet.suggest)
    yield "to override", ", ".join(sheet.override)
    rows = [knowledge.evidence[key] for key in sheet.evidence if key in knowledge.evidence]
    yield "evidence", "<br>".join(f"{row.id}: {row.wording} ({row.verified})" for row in rows)


def _examples(rule: Rule, cases: Sequence[Case]) -> Iterator[tuple[str, str]]:
    """Its cases, those in which it speaks and those in which it keeps silent."""
    own = [
        one for one in cases if one.about == rule.id or one.file.removesuffix(".yaml") == rule.file.rsplit("/", 1)[-1].removesuffix(".yaml")
    ]
    speaking = [one for one in own if _expects(one, rule.id)]
    yield "speaks", _some(speaking)
    yield "keeps silent", _some([one for one in own if one not in speaking])


def _some(cases: Sequence[Case]) -> str:
    """The first examples, those with a number before others since they show a boundary, and how many more there are."""
    shown = sorted(cases, key=lambda one: not any(letter.isdigit() for letter in one.name))[:EXAMPLES]
    rest = len(cases) - len(shown)
    return "; ".join(one.name for one in shown) + (f"; and {rest} more" if rest else "")


def _expects(case: Case, rule: str) -> bool:
    return any(rule in (*one.rules, *one.also) for one in case.line.expected)


def _governance(rule: Rule) -> Iterator[tuple[str, str]]:
    reviewed = rule.sheet.reviewed
    yield "reviewed", f"by {reviewed.by}, checked by {reviewed.checked_by}, on {reviewed.on}, next {reviewed.next}"


def _first_sentence(thing: Any) -> str:
    return (type(thing).__doc__ or "").strip().split("\n")[0]


def _value(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _cell(text: str) -> str:
    """Text that stays within one cell of a table."""
    return " ".join(str(text).split()).replace("|", "\\|")
