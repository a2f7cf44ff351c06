"""The statements of a condition's source article, each with the rules and evidence rows that it became."""

from datetime import date
from typing import Literal

from msgspec import field

from cds_service.clinical import lists
from cds_service.clinical.policy import Sheet
from cds_service.knowledge.known import Known

Holds = Literal["correct", "in-part", "outdated", "superseded", "misattributed", "conflict", "unverified"]


class Statement(Sheet, frozen=True):
    """One statement in our words, whether it still holds, and its homes; `kept_out` says why no rule prints it."""

    says: str
    holds: Holds
    reading: str
    rules: tuple[lists.Rule, ...] = ()
    evidence: tuple[lists.Evidence, ...] = ()
    kept_out: str = ""


class Source(Sheet, frozen=True):
    """The article that the statements come from, and when it was read."""

    title: str
    read: date


class Trace(Sheet, frozen=True):
    """The headings of `trace.yaml`."""

    source: Source
    statements: dict[str, Statement] = field(default_factory=dict)


def trace(known: Known, folder: str) -> Trace | None:
    """The trace of one condition; a statement without a home, or with an unknown one, is a problem."""
    name = f"{folder}/trace.yaml"
    found = known.files.typed(name, Trace)
    if found is None:
        return None
    known.look(name, found)
    for key, statement in found.statements.items():
        if not statement.rules and not statement.kept_out:
            known.files.problem(name, f"statements.{key}", "no rule", "at least one rule, or `kept_out` with the reason")
    return found
