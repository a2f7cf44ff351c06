"""Nothing is given away for speed: the lean reader finds what a slow and obvious one finds."""

import os
from collections.abc import Callable
from datetime import datetime
from typing import Any

import orjson
import pytest

from cds_service.cards import Style
from cds_service.cases import Case, Lexicon, Usual, read_cases
from cds_service.cases.build import request
from cds_service.cases.run import numbered, service_for
from cds_service.decide import decide
from cds_service.errors import ServiceError
from cds_service.knowledge import Knowledge
from cds_service.knowledge.site import with_site
from cds_service.protocol.response import to_json
from cds_service.service import Verdicts
from tests.cases.test_all_cases import ROOT
from tests.differential.charts import crowded
from tests.differential.plain import read_plainly

CASES = read_cases(ROOT / "fixtures")
CHARTS = int(os.environ.get("NDM_CDS_CHARTS", "60"))
SLICE = 12 if len(CASES) > CHARTS else 1

Build = Callable[[Case], tuple[Knowledge, str, dict[str, Any]]]
Said = tuple[bytes, Verdicts | None, frozenset[str]] | tuple[str, str]


@pytest.fixture
def build(knowledge: Knowledge, usual: Usual, lexicon: Lexicon, now: datetime) -> Build:
    """The request of a case, its service, and the knowledge with the case's site policy."""

    def built(case: Case) -> tuple[Knowledge, str, dict[str, Any]]:
        service = service_for(case, knowledge)
        queries = {key: part.query for key, part in service.sheet.prefetch.items()}
        return with_site(knowledge, service, case.line.site), service.id, request(case, queries, usual, lexicon, now)

    return built


def said(knowledge: Knowledge, service: str, body: bytes, now: datetime) -> Said:
    """Cards, verdicts and gaps of one answer, or the refusal."""
    try:
        found = decide(knowledge, service, body, fetch=None, now=now, style=Style(new_id=numbered()))
    except ServiceError as error:
        return error.code, error.message
    return to_json(found.cards), found.verdicts, found.missing


def compare(knowledge: Knowledge, service: str, body: bytes, now: datetime) -> None:
    """Both readers, one after the other."""
    lean = said(knowledge, service, body, now)
    with pytest.MonkeyPatch.context() as patch:
        read_plainly(patch)
        plain = said(knowledge, service, body, now)
    assert lean == plain


@pytest.mark.parametrize("case", CASES[::SLICE], ids=lambda case: f"{case.file}:{case.name}"[:60])
def test_a_case_is_judged_alike(case: Case, build: Build, now: datetime) -> None:
    """The cards, the verdict of every rule and the gaps of a case are the same, whichever way its chart is read."""
    knowledge, service, body = build(case)
    compare(knowledge, service, orjson.dumps(body), now.replace(microsecond=0))


@pytest.mark.parametrize("seed", range(CHARTS))
def test_a_crowded_chart_is_judged_alike(seed: int, build: Build, now: datetime) -> None:
    """So they are in a generated chart, where odd, foreign and irrelevant resources stand among those of a case."""
    knowledge, service, body = build(CASES[seed * 7 % len(CASES)])
    compare(knowledge, service, crowded(body, seed), now.replace(microsecond=0))
