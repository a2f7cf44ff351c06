"""The tables of the knowledge: doses, breakpoints, evidence rows and override reasons."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import pairwise
from typing import Any, get_args

from cds_service.clinical import lists
from cds_service.clinical.doses import DoseTable, Row
from cds_service.clinical.policy import Sheet, Standard
from cds_service.clinical.renal import CONTINUOUS, HAEMODIALYSIS
from cds_service.clinical.susceptibility import Breakpoint
from cds_service.evidence import EvidenceRow, Overrides
from cds_service.knowledge.files import Files
from cds_service.knowledge.known import MOST, Known

DOSES, BREAKPOINTS = "shared/doses.csv", "shared/breakpoints.csv"
EVIDENCE, OVERRIDES = "shared/evidence.yaml", "shared/overrides.yaml"
REPLACEMENTS = {"none": "none", "IHD": HAEMODIALYSIS, "CRRT": CONTINUOUS}
DRUG, AGENT = lists.words(lists.Drug), lists.words(lists.Agent)
ORGANISM, CITED = lists.words(lists.Organism), lists.words(lists.Evidence)
FIGURE = re.compile(r"[0-9]+(\.[0-9]+)?")
PART = re.compile(r"([0-9]+(?:\.[0-9]+)?) g")
NUMBER = "a number above zero, or nothing"
Reader = tuple[Callable[[str], Any], str]


def _number(text: str) -> Decimal | None:
    if text and not (FIGURE.fullmatch(text) and 0 < Decimal(text) <= MOST):
        raise ValueError(text)
    return Decimal(text) if text else None


def _hours(text: str) -> tuple[Decimal, ...]:
    return tuple(_hour(part) for part in text.split("|") if text not in {"", "once"})


def _hour(text: str) -> Decimal:
    found = _number(text)
    if found is None:
        raise ValueError(text)
    return found


def _components(text: str) -> str:
    if text and not all(PART.fullmatch(part) for part in text.split("/")):
        raise ValueError(text)
    return text


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _said(text: str) -> str:
    if not text:
        raise ValueError(text)
    return text


DOSE_CELLS: Mapping[str, Reader] = {
    "agent": (_said, "a drug of drugs.yaml"),
    "rrt": (lambda text: tuple(REPLACEMENTS[part] for part in text.split(" or ")), "none, IHD or CRRT, or two of them with `or` between"),
    "lo": (_number, NUMBER),
    "hi": (_number, NUMBER),
    "lo_inclusive": ({"true": True, "false": False}.__getitem__, "true or false"),
    "hi_inclusive": ({"true": True, "false": False}.__getitem__, "true or false"),
    "phase": ({"L": True, "M": False}.__getitem__, "L for a loading dose, M for maintenance"),
    "dose_g": (_number, NUMBER),
    "components": (_components, "the grams of each component, such as 2 g/0.5 g, or nothing"),
    "interval_h": (_hours, "hours such as 8 or 24|48, or once"),
    "infusion_h": (lambda text: _number(text.rpartition("-")[2]), "hours such as 2 or 0.33-1"),
    "infusion_used_h": (_number, NUMBER),
    "suggest": ({"true": True, "false": False}.__getitem__, "true or false"),
    "evidence": (_words, "ids of evidence.yaml, with spaces between"),
    "source_says": (_said, "what the source says, in own words with its numbers"),
}
BREAKPOINT_CELLS: Mapping[str, Reader] = {
    "agent": (_said, "a drug or a tested pair of drugs.yaml"),
    "organism": (_said, "an organism, or a group of organisms"),
    "standard": ({word: word for word in get_args(Standard)}.__getitem__, f"one of {', '.join(get_args(Standard))}"),
    "susceptible_max": (_number, NUMBER),
    "evidence": (_words, "ids of evidence.yaml, with spaces between"),
    "source_says": (_said, "what the source says, in own words with its numbers"),
}


class EvidenceSheet(Sheet, frozen=True):
    """The heading of `evidence.yaml`; each row is read by itself, so that all their mistakes are met."""

    evidence: dict[str, Any]


def evidence(files: Files) -> tuple[dict[str, EvidenceRow], frozenset[str]]:
    """The evidence rows by id, and every id that the file has, those of unreadable rows too."""
    sheet = files.table(EVIDENCE, EvidenceSheet)
    entries = sheet.evidence if sheet else {}
    found = {key: files.typed(EVIDENCE, EvidenceRow, _named(key, entry), f"evidence.{key}") for key, entry in entries.items()}
    return {key: row for key, row in found.items() if row}, frozenset(entries)


def _named(key: str, entry: Any) -> Any:
    return {"id": key, **entry} if isinstance(entry, dict) else entry


def doses(files: Files, known: Known) -> DoseTable:
    """The dose rows; bands of one drug that overlap or leave a gap are problems, once every cell can be read."""
    cells = list(_read(files, DOSES, DOSE_CELLS, {"agent": DRUG, "evidence": CITED}, known))
    rows = tuple(map(_dose, cells))
    if DOSES not in files.failed:
        _check_components(files, rows)
        for agent in dict.fromkeys(row.agent for row in rows):
            own = [row for row in rows if row.agent == agent and "none" in row.replacement]
            _check_bands(files, agent, [row for row in own if not row.loading])
            _check_bands(files, f"{agent} loading", [row for row in own if row.loading], gaps=False)
    return DoseTable(rows)


def _check_components(files: Files, rows: Sequence[Row]) -> None:
    for row in rows:
        parts = [Decimal(part) for part in PART.findall(row.components)]
        if parts and sum(parts) != row.grams:
            files.problem(DOSES, f"{row.agent}: components", row.components, f"parts of the dose, which add up to {row.grams} g")


def _dose(cells: Mapping[str, Any]) -> Row:
    return Row(
        agent=cells["agent"],
        replacement=cells["rrt"],
        lo=cells["lo"],
        hi=cells["hi"],
        lo_inclusive=cells["lo_inclusive"],
        hi_inclusive=cells["hi_inclusive"],
        loading=cells["phase"],
        grams=cells["dose_g"],
        components=cells["components"],
        intervals_h=cells["interval_h"],
        label_infusion_h=cells["infusion_h"],
        infusion_h=cells["infusion_used_h"],
        suggest=cells["suggest"],
        evidence=cells["evidence"],
        source_says=cells["source_says"],
    )


def _read(
    files: Files, name: str, readers: Mapping[str, Reader], listed: Mapping[str, lists.Words], known: Known
) -> Iterator[Mapping[str, Any]]:
    """The rows of a table, each cell by its column's reader; a row with an unreadable cell is left out, and the table has failed."""
    for line, cells in files.rows(name, readers):
        found: dict[str, Any] = {}
        for column, (reader, expected) in readers.items():
            try:
                found[column] = reader(cells[column])
            except (KeyError, ValueError):
                files.problem(name, f"line {line}: {column}", repr(cells[column]), expected)
                files.failed.add(name)
        for column, words in listed.items():
            for word in cells[column].split():
                if not known.check(name, f"line {line}: {column}", word, words):
                    files.failed.add(name)
        if len(found) == len(readers):
            yield found


def _check_bands(files: Files, agent: str, rows: list[Row], *, gaps: bool = True) -> None:
    bands = sorted({(row.lo, row.hi, row.lo_inclusive, row.hi_inclusive) for row in rows}, key=lambda band: band[0] or Decimal(-1))
    if gaps and bands and (bands[0][0] is not None or bands[-1][1] is not None):
        files.problem(DOSES, agent, "a band that does not begin or end openly", "bands from zero upwards without an end")
    for low, high in pairwise(bands):
        touches = low[1] is not None and low[1] == high[0]
        if (gaps and not touches) or (touches and low[3] == high[2]):
            files.problem(DOSES, agent, f"a gap or an overlap at {low[1]} and {high[0]}", "bands that meet, the limit in exactly one")


def breakpoints(files: Files, known: Known) -> tuple[Breakpoint, ...]:
    """The breakpoints in mg/L; a row without a number says that the standard has none."""
    listed = {"agent": AGENT, "organism": ORGANISM, "evidence": CITED}
    found: dict[tuple[str, str, str], Breakpoint] = {}
    for cells in _read(files, BREAKPOINTS, BREAKPOINT_CELLS, listed, known):
        row = Breakpoint(**cells)
        if found.setdefault((row.agent, row.organism, row.standard), row) is not row:
            files.problem(BREAKPOINTS, f"{row.agent} in {row.organism}", f"a second row for {row.standard}", "one row for each standard")
    return tuple(found.values())


def overrides(files: Files) -> Overrides:
    """The override reasons; an EHR may refuse a code that is not plain letters and digits."""
    found = files.table(OVERRIDES, Overrides) or Overrides(system="", lasts_h=0, reasons={})
    Known(files, {}).look(OVERRIDES, found)
    seen: dict[str, str] = {}
    for word, reason in found.reasons.items():
        if not reason.code.isascii() or not reason.code.isalnum():
            files.problem(OVERRIDES, f"reasons.{word}.code", reason.code, "ASCII letters and digits only")
        if seen.setdefault(reason.code, word) != word:
            files.problem(OVERRIDES, f"reasons.{word}.code", reason.code, f"a code of its own; {seen[reason.code]} has it")
    return found
