"""The clinical cases as the page of a rule shows them: what is signed, and whether the rule speaks."""

from dataclasses import dataclass
from pathlib import Path, PurePath

from cds_service.cases.read import Case, read_cases
from cds_service.cases.sheet import Expected, OrderLine
from cds_service.knowledge import Knowledge


@dataclass(frozen=True)
class Example:
    """One case of one rule; `verdict` is the promise that `ndm-cds check` holds the service to."""

    rule: str
    case: str
    drafts: str
    hook: str
    speaks: bool
    verdict: str


def examples(folder: Path, knowledge: Knowledge) -> list[Example]:
    """Every case below a folder of fixtures that is about a rule of this knowledge."""
    rules = {PurePath(rule.file).name: rule.id for service in knowledge.services.values() for rule in service.rules}
    return [_of(case, rules[case.file]) for case in read_cases(folder) if case.file in rules]


def _of(case: Case, rule: str) -> Example:
    """The case for the rule that its file is about; sheet and case file bear the same name."""
    mine = next((one for one in case.line.expected if rule in (*one.rules, *one.also)), None)
    drafts = ", ".join(_sentence(one) for one in case.line.drafts)
    return Example(rule, case.name, drafts, case.line.hook, mine is not None, _verdict(case, mine))


def _verdict(case: Case, mine: Expected | None) -> str:
    if mine is None:
        others = ", ".join(name for one in case.line.expected for name in one.rules[:1])
        return f"another rule speaks: {others}" if others else str(case.line.expect or "silence")
    urgency = mine.indicator if isinstance(mine.indicator, str) else " or ".join(mine.indicator or ())
    return f"{urgency}, as a line of another card".strip(", ") if mine.attached else urgency


def _sentence(line: str | OrderLine) -> str:
    """An order as a pharmacist says it."""
    if isinstance(line, str):
        return line
    if line.stops:
        return f"stop {line.stops}"
    return line.order or line.text or line.renews or "an order"
