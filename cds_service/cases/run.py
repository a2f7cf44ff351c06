"""Takes clinical cases through the corridor, as the service itself would decide them."""

import itertools
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime

import msgspec
import orjson

from cds_service.cards import Style
from cds_service.cases.build import request
from cds_service.cases.lexicon import Lexicon
from cds_service.cases.read import Case
from cds_service.cases.sheet import Usual
from cds_service.cases.verdict import Verdict, judge
from cds_service.decide import decide
from cds_service.errors import CannotDecide, KnowledgeError, ServiceError
from cds_service.knowledge import Knowledge
from cds_service.knowledge.site import with_site
from cds_service.protocol.response import to_json
from cds_service.service import Service


def run_cases(cases: Iterable[Case], knowledge: Knowledge, usual: Usual, lexicon: Lexicon, now: datetime) -> Iterator[Verdict]:
    """A verdict for each case, in turn; a case that cannot be built is a broken promise, not a crash."""
    for case in cases:
        yield run_case(case, knowledge, usual, lexicon, now)


def run_case(case: Case, knowledge: Knowledge, usual: Usual, lexicon: Lexicon, now: datetime) -> Verdict:
    """One case: built, decided, held against its promise."""
    now = now.replace(microsecond=0)  # records keep milliseconds, and a limit in days is meant to be met exactly
    try:
        service = service_for(case, knowledge)
        here = with_site(knowledge, service, case.line.site)
        queries = {key: part.query for key, part in service.sheet.prefetch.items()}
        body = request(case, queries, usual, lexicon, now)
    except KnowledgeError as error:
        return Verdict(case, "nothing", tuple(f"the case cannot be built: {problem}" for problem in error.problems))
    except (ValueError, LookupError, msgspec.ValidationError) as error:
        return Verdict(case, "nothing", (f"the case cannot be built: {error}",))
    try:
        decision = decide(here, service.id, orjson.dumps(body), fetch=None, now=now, style=Style(new_id=numbered()))
    except CannotDecide:
        return judge(case, None, lexicon)
    except ServiceError as error:
        return Verdict(case, f"refused with {error.status}", (f"refused: {error.message}",))
    return judge(case, orjson.loads(to_json(decision.cards))["cards"], lexicon)


def service_for(case: Case, knowledge: Knowledge) -> Service:
    """The service of the case's condition for its hook; LookupError where there is none."""
    found = [one for one in knowledge.services.values() if one.condition == case.condition and one.hook == case.line.hook]
    if not found:
        raise LookupError(f"no service of {case.condition!r} answers the hook {case.line.hook}")
    return found[0]


def numbered() -> Callable[[], str]:
    """Identifiers for cards and suggestions in order of appearance, the same in every run."""
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"
