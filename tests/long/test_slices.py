"""A small slice of each long run, so that the programs stay able to run and the promises are looked at every time."""

from pathlib import Path

import pytest

from cds_service.knowledge import Knowledge
from tests.long.changed_code import _place_of_lines, draw
from tests.long.faults_under_load import DEADLINE_MS, MOST_BOMB_MB, growth, soak
from tests.long.hostile_bodies import bodies, over_http, through_the_corridor
from tests.long.mutants import changed, functions, mutants

ROOT = Path(__file__).resolve().parents[2]
RENAL = ROOT / "cds_service/clinical/renal.py"
GENEROUS_MS = 1_500  # the long run holds 50 ms on a quiet machine; here other tests run beside it


def test_hostile_bodies_are_answered_or_refused(knowledge: Knowledge) -> None:
    """A2, in small: of 1,500 generated bodies each gets cards, silence or a refusal, and nothing else comes up."""
    outcomes, broken, _ = through_the_corridor(knowledge, 1_500, seed=11)
    assert broken == []
    assert outcomes["cards"] > 100
    assert outcomes["refused with 400"] > 100


@pytest.mark.live
def test_hostile_bodies_over_http_are_no_fault_of_the_server() -> None:
    """A2, in small: of 150 generated bodies sent to a started server none is answered with a 5xx."""
    statuses, broken = over_http(150, seed=12)
    assert broken == []
    assert {"200", "400"} <= statuses.keys()


def test_the_same_seed_gives_the_same_bodies() -> None:
    """What a long run found can be looked at again."""
    first, second = bodies(5), bodies(5)
    assert [next(first) for _ in range(50)] == [next(second) for _ in range(50)]


@pytest.mark.live
def test_faults_under_load_are_neither_late_nor_silent(tmp_path: Path) -> None:
    """A3, A17, T8, in small: sixty faulted calls, no empty list, none far beyond the deadline, and a bomb costs little memory."""
    tally, took, bomb_mb = soak(tmp_path, seconds=5, count=60, seed=3)
    assert tally.broken == []
    assert tally.statuses["200"] > 0
    assert tally.statuses["412"] > 0
    assert max(one for one, _ in took) < DEADLINE_MS + GENEROUS_MS
    assert bomb_mb < MOST_BOMB_MB


def test_growth_is_measured_after_the_warming_up() -> None:
    """What a worker takes in its first minutes is not called a leak; what it goes on taking is."""
    assert growth([50.0] * 10 + [100.0] * 30) == 0.0
    assert growth([float(number) for number in range(40)]) == 20.0
    assert growth([70.0]) == 0.0


def test_every_change_of_a_module_can_be_made() -> None:
    """Each mutant of a module compiles, and belongs to the function around its line."""
    found = list(mutants(RENAL))
    assert len(found) > 50
    for one in found:
        assert changed(one) is not None
        assert (one.start, one.end) in functions(RENAL)
        assert _place_of_lines(RENAL)[one.line] == one.start


def test_a_change_is_the_one_that_is_told(tmp_path: Path) -> None:
    """The changed code does what the line says, and nothing else of the function changes."""
    module = tmp_path / "module.py"
    module.write_text("LIMIT = 3\n\n\ndef over(x):\n    return x > LIMIT and not x == 7\n", "utf-8")
    told = {one.what: one for one in mutants(module)}
    assert set(told) == {"3 became 4", "7 became 8", "returned nothing", "and/or swapped", "> became >=", "not dropped", "== became !="}
    assert changed(told["3 became 4"]) == 4

    def original(x: int) -> bool:
        return x > 3 and not x == 7  # noqa: SIM201 - as in the module

    found = {}
    for what in ("> became >=", "not dropped"):
        exec(compile(module.read_text("utf-8"), str(module), "exec"), scope := {})
        scope["over"].__code__ = changed(told[what])
        found[what] = [x for x in range(9) if bool(scope["over"](x)) != original(x)]
    assert found == {"> became >=": [3], "not dropped": [4, 5, 6, 7, 8]}


def test_a_sample_is_drawn_from_all_files() -> None:
    """The same seed draws the same sample; zero stands for every change."""
    paths = ["cds_service/clinical/renal.py", "cds_service/web/tokens.py"]
    assert draw(paths, 20, 1) == draw(paths, 20, 1)
    assert len(draw(paths, 0, 1)) > len(draw(paths, 20, 1)) == 20
