"""The tables of the knowledge: doses, breakpoints, evidence rows and override reasons."""

from collections.abc import Iterable
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from itertools import pairwise
from typing import Any

from cds_service.clinical.doses import DoseTable, Row
from cds_service.clinical.renal import CONTINUOUS, HAEMODIALYSIS
from cds_service.clinical.susceptibility import Breakpoint
from cds_service.evidence import EvidenceRow, Overrides
from cds_service.knowledge.files import Files

DOSES, BREAKPOINTS = "shared/doses.csv", "shared/breakpoints.csv"
REPLACEMENTS = {"none": "none", "IHD": HAEMODIALYSIS, "CRRT": CONTINUOUS}


def evidence(files: Files) -> dict[str, EvidenceRow]:
    """The evidence rows by id."""
    name = "shared/evidence.yaml"
    raw = files.yaml(name)
    rows = (raw or {}).get("evidence", raw) if isinstance(raw, dict) else raw
    found: dict[str, EvidenceRow] = {}
    for number, entry in enumerate(_listed(rows)):
        row = files.typed(name, EvidenceRow, entry, f"evidence.{entry.get('id', number)}")
        if row and row.id in found:
            files.problem(name, f"evidence[{number}].id", row.id, "an id that stands only once")
        elif row:
            found[row.id] = row
    return found


def _listed(rows: Any) -> list[Any]:
    if isinstance(rows, dict):
        return [{"id": key, **value} for key, value in rows.items()]
    return rows or []


def doses(files: Files) -> DoseTable:
    """The dose rows; bands of one drug that overlap or leave a gap are problems."""
    rows = [row for line, cells in files.rows(DOSES) if (row := _dose(files, line, cells))]
    for agent in dict.fromkeys(row.agent for row in rows):
        own = [row for row in rows if row.agent == agent and "none" in row.replacement]
        _check_bands(files, agent, [row for row in own if not row.loading])
        _check_bands(files, f"{agent} loading", [row for row in own if row.loading], gaps=False)
    return DoseTable(tuple(rows))


def _dose(files: Files, line: int, cells: dict[str, str]) -> Row | None:
    try:
        return Row(
            agent=cells["agent"],
            replacement=tuple(REPLACEMENTS[part] for part in cells["rrt"].replace(" or ", "|").split("|")),
            lo=_number(cells["lo"]),
            hi=_number(cells["hi"]),
            lo_inclusive=cells["lo_inclusive"] == "true",
            hi_inclusive=cells["hi_inclusive"] == "true",
            loading=cells["phase"] == "L",
            grams=_number(cells["dose_g"]),
            components=cells["components"],
            intervals_h=tuple(Decimal(part) for part in cells["interval_h"].split("|") if part and part != "once"),
            label_infusion_h=_number(cells["infusion_h"].split("-")[-1]),
            infusion_h=_number(cells["infusion_used_h"]),
            suggest=cells["suggest"] == "true",
            bound=cells.get("bound", ""),
            source_text=cells["source_text"],
            source=cells["source"],
        )
    except (KeyError, InvalidOperation) as error:
        files.problem(DOSES, f"line {line}", _unread(error), "numbers, true/false, and rrt of none, IHD, CRRT")
        return None


def _unread(error: Exception) -> str:
    """What a row lacks: a column, or a number in one of its cells."""
    return f"no column {error}" if isinstance(error, KeyError) else "a cell that is no number"


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None


def _check_bands(files: Files, agent: str, rows: list[Row], *, gaps: bool = True) -> None:
    bands = sorted({(row.lo, row.hi, row.lo_inclusive, row.hi_inclusive) for row in rows}, key=lambda band: band[0] or Decimal(-1))
    if gaps and bands and (bands[0][0] is not None or bands[-1][1] is not None):
        files.problem(DOSES, agent, "a band that does not begin or end openly", "bands from zero upwards without an end")
    for low, high in pairwise(bands):
        touches = low[1] is not None and low[1] == high[0]
        if (gaps and not touches) or (touches and low[3] == high[2]):
            files.problem(DOSES, agent, f"a gap or an overlap at {low[1]} and {high[0]}", "bands that meet, the limit in exactly one")


def breakpoints(files: Files) -> tuple[Breakpoint, ...]:
    """The breakpoints in mg/L; a row without a number says that the standard has none."""
    found = []
    for line, cells in files.rows(BREAKPOINTS):
        try:
            limit = _number(cells["susceptible_max"])
            found.append(Breakpoint(cells["agent"], cells["organism"], cells["standard"], limit, cells["source"]))
        except (KeyError, InvalidOperation) as error:
            files.problem(BREAKPOINTS, f"line {line}", _unread(error), "agent, organism, standard, number, source")
    return tuple(found)


def overrides(files: Files) -> Overrides:
    """The override reasons; an EHR may refuse a code that is not plain letters and digits."""
    name = "shared/overrides.yaml"
    found = files.typed(name, Overrides) or Overrides("urn:override-reasons", {})
    for word, reason in found.reasons.items():
        if not reason.code.isascii() or not reason.code.isalnum():
            files.problem(name, f"reasons.{word}.code", reason.code, "ASCII letters and digits only")
    return found


def unknown(files: Files, name: str, key: str, words: Iterable[str], known: Iterable[str], what: str) -> None:
    """Reports every word that is not among the known ones, with the nearest of them."""
    known = list(dict.fromkeys(known))
    for word in words:
        if word not in known:
            files.problem(name, key, word, f"{what} ({_nearest(word, known)})")


def _nearest(word: str, known: list[str]) -> str:
    close = get_close_matches(word, known, n=3)
    return f"did you mean {', '.join(close)}?" if close else f"one of {', '.join(sorted(known)[:12])}"
