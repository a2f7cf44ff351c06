"""Clinical cases: a terse YAML story becomes a request, goes through the corridor (`run`), and its answer is held against the promise."""

from cds_service.cases.build import request
from cds_service.cases.lexicon import Lexicon
from cds_service.cases.read import Case, read_cases, read_usual
from cds_service.cases.sheet import Usual
from cds_service.cases.verdict import Verdict, judge

__all__ = ["Case", "Lexicon", "Usual", "Verdict", "judge", "read_cases", "read_usual", "request"]
