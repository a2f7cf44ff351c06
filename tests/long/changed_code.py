"""Whether the tests notice changed code: small changes to rules, calculations and the check of tokens, one at a time.

    python -m tests.long.changed_code --count 400 [--jobs 2] [--seed 1] [--minutes 60] [PATH…]

A sample of so many changes is drawn (0 for all of them) and tried in the order of the draw, so that what was tried when the minutes
are over is a smaller sample. For each, a forked process changes the function in memory and runs the
tests that reach it, the quick ones first, until one fails. Prints the share of noticed changes by file, and those that survived.
"""

import argparse
import gc
import os
import pickle
import random
import signal
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import inf
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import pytest

from tests.long.hostile_bodies import say
from tests.long.mutants import Mutant, changed, functions, mutants

ROOT = Path(__file__).resolve().parents[2]
PATHS = ("cds_service/clinical", "cds_service/triggers", "cds_service/web/trust.py", "cds_service/web/tokens.py")
TESTS = (
    *("cases", "rules_dosing", "rules_regimen", "sheets", "cards", "corridor", "second_condition", "fhir_reading", "security"),
    "cli/test_jwt.py",
)
OPTIONS = ("--import-mode=importlib", "-p", "no:cacheprovider", "-p", "no:terminal", "-o", "addopts=")
LONGEST_TEST_S = 60
TELL_EVERY = 10  # of the noticed changes; the others are told at once, so that a run that is ended early has said something
NOTICED, SURVIVED, UNCHANGED = "noticed", "survived", "unchanged"
Place = tuple[Path, int]  # a file and the first line of a function


class Trial:
    """Takes the place of pytest's loop over the tests: one forked run for each change."""

    def __init__(self, chosen: Sequence[Mutant], jobs: int, minutes: float) -> None:
        self.chosen, self.jobs, self.minutes = chosen, jobs, minutes
        self.results: list[tuple[Mutant, str]] = []
        self._files = {str(one.file): one.file for one in chosen}
        self._reached: set[Place] = set()
        self._failed = False

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Measure which test reaches what, then try each change."""
        session.config._tmp_path_factory.getbasetemp()
        reach = _in_a_fork(lambda: self._measure(session.items))
        live = _live_functions(self._files)
        running: dict[int, Mutant] = {}
        until = time.monotonic() + self.minutes * 60
        for mutant in self.chosen:
            if time.monotonic() > until:
                break
            if len(running) >= self.jobs:
                self._await(running)
            tests = [session.items[number] for number in reach.get((mutant.file, mutant.start), ())]
            child = os.fork()
            if child == 0:
                os._exit(self._try(mutant, live, tests))
            running[child] = mutant
        while running:
            self._await(running)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """One failure is enough."""
        self._failed |= report.failed

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """What the reading of the knowledge reaches is reached by every test that uses it."""
        before, self._reached = self._reached, set() if fixturedef.argname == "knowledge" else self._reached
        try:
            return (yield)
        finally:
            if fixturedef.argname == "knowledge":
                self._reading, self._reached = self._reached, before

    def _await(self, running: dict[int, Mutant]) -> None:
        child, status = os.wait()
        became = {0: SURVIVED, 3: UNCHANGED}.get(os.waitstatus_to_exitcode(status), NOTICED)
        self.results.append((running.pop(child), became))
        if became != NOTICED or len(self.results) % TELL_EVERY == 0:
            say(f"{len(self.results)} of {len(self.chosen)}: {_told(*self.results[-1])}")

    def _measure(self, items: Sequence[pytest.Item]) -> dict[Place, list[int]]:
        """For each function the numbers of the tests that reach it, the quick ones first."""
        found: dict[Place, list[tuple[float, int]]] = defaultdict(list)
        self._reading: set[Place] = set()
        places = {file: _place_of_lines(path) for file, path in self._files.items()}

        def look(frame: Any, what: str, _: Any) -> None:
            lines = places.get(frame.f_code.co_filename) if what == "call" else None
            if lines and (start := lines.get(frame.f_code.co_firstlineno)):
                self._reached.add((self._files[frame.f_code.co_filename], start))

        for number, item in enumerate(items):
            self._reached = set()
            began = time.perf_counter()
            sys.setprofile(look)
            _run(item, items[number + 1] if number + 1 < len(items) else None)
            sys.setprofile(None)
            if self._failed:
                raise SystemExit(f"a test fails without any change: {item.nodeid}")
            reached = self._reached | (self._reading if "knowledge" in getattr(item, "fixturenames", ()) else set())
            for place in reached:
                found[place].append((time.perf_counter() - began, number))
        return {place: [number for _, number in sorted(tests)] for place, tests in found.items()}

    def _try(self, mutant: Mutant, live: dict[Place, list[FunctionType]], tests: Sequence[pytest.Item]) -> int:
        _silence()
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # a test without end ends this process, and that is noticed
        if not _apply(mutant, live):
            return 3
        for number, item in enumerate(tests):
            signal.alarm(LONGEST_TEST_S)
            _run(item, tests[number + 1] if number + 1 < len(tests) else None)
            if self._failed:
                return 1
        return 0


def _run(item: pytest.Item, following: pytest.Item | None) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def _apply(mutant: Mutant, live: dict[Place, list[FunctionType]]) -> bool:
    """Change the running program; False where nothing of it can be reached."""
    new = changed(mutant)
    if isinstance(new, CodeType):
        changed_ones = [one for one in live.get((mutant.file, mutant.start), ()) if one.__code__.co_name == new.co_name]
        for one in changed_ones:
            one.__code__ = new
        return bool(changed_ones)
    for module in [one for name, one in sys.modules.items() if name.startswith("cds_service")]:
        if mutant.name in vars(module):
            setattr(module, mutant.name, new)
    return True


def _live_functions(files: dict[str, Path]) -> dict[Place, list[FunctionType]]:
    found: dict[Place, list[FunctionType]] = defaultdict(list)
    for one in gc.get_objects():
        if type(one) is FunctionType and one.__code__.co_filename in files:
            found[files[one.__code__.co_filename], one.__code__.co_firstlineno].append(one)
    return found


def _place_of_lines(file: Path) -> dict[int, int]:
    """For each line the first line of the function around it."""
    return {line: start for start, end in functions(file) for line in range(start, end + 1)}


def _in_a_fork(work: Any) -> Any:
    """What the work gives in a process of its own, so that this one stays as it was."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            _silence(keep_errors=True)
            with os.fdopen(writer, "wb") as pipe:
                pickle.dump(work(), pipe)
        except BaseException as error:  # noqa: BLE001 - a fork must not go on as the program
            sys.stderr.write(f"{error!r}\n")
            os._exit(1)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    if not told:
        raise SystemExit("the tests could not be measured")
    return pickle.loads(told)


def _silence(keep_errors: bool = False) -> None:
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)
    if not keep_errors:
        os.dup2(nothing, 2)


def draw(paths: Sequence[str], count: int, seed: int) -> list[Mutant]:
    """A sample of the changes, in the order in which they were drawn."""
    every = [one for path in paths for file in _files(ROOT / path) for one in mutants(file)]
    return random.Random(seed).sample(every, min(count or len(every), len(every)))


def _files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.py")) if path.is_dir() else [path]


def run(chosen: Sequence[Mutant], tests: Sequence[str], jobs: int, minutes: float = inf) -> list[tuple[Mutant, str]]:
    """Each change with what became of it."""
    trial = Trial(chosen, jobs, minutes)
    pytest.main([*OPTIONS, *(str(ROOT / "tests" / one) for one in tests)], plugins=[trial])
    return trial.results


def main() -> int:
    """Draw, try, report."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("paths", nargs="*", default=PATHS, metavar="PATH")
    arguments.add_argument("--count", type=int, default=400, help="how many changes (400); 0 for all")
    arguments.add_argument("--jobs", type=int, default=1)
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--minutes", type=float, default=inf, help="start no further change after so long")
    given = arguments.parse_args()
    results = run(draw(given.paths, given.count, given.seed), TESTS, given.jobs, given.minutes)
    report(results)
    return 0 if results else 1


def report(results: Sequence[tuple[Mutant, str]]) -> None:
    """By file and in all, and every change that nobody noticed."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for mutant, became in results:
        counts[mutant.file.relative_to(ROOT).as_posix()][became] += 1
        counts["all"][became] += 1
    say(f"{'file':<45}{'changes':>9}{'noticed':>9}{'share':>8}")
    for file, count in sorted(counts.items(), key=lambda one: (one[0] == "all", one[0])):
        tried = count[NOTICED] + count[SURVIVED]
        say(f"{file:<45}{tried:>9}{count[NOTICED]:>9}{count[NOTICED] / max(1, tried):>8.0%}")
    for mutant, became in sorted(results, key=lambda one: (one[0].file, one[0].number)):
        if became != NOTICED:
            say(_told(mutant, became))


def _told(mutant: Mutant, became: str) -> str:
    return f"{became}  {mutant.file.relative_to(ROOT).as_posix()}:{mutant.line} in {mutant.name}: {mutant.what}"


if __name__ == "__main__":
    sys.exit(main())
