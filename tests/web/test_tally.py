"""Counts in cells that the workers share: right at once, from whichever process they are asked."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from cds_service.web.tally import Tally

LABELS = (("rule", {"a", "b"}), ("said", {"spoke", "off"}))
OTHER_WORKER = """
import os, sys
from pathlib import Path
from cds_service.web.tally import Tally
tally = Tally("said_total", "Said.", (("rule", {"a", "b"}), ("said", {"spoke", "off"})), Path(sys.argv[1]))
tally.count([("a", "spoke"), ("b", "off")])
os.kill(os.getpid(), 9)
"""


def told(tally: Tally) -> list[str]:
    """The lines of the exposition that hold a count."""
    registry = CollectorRegistry()
    registry.register(tally)
    return [line for line in generate_latest(registry).decode().splitlines() if not line.startswith("#")]


@pytest.mark.parametrize("shared", [False, True])
def test_what_was_counted_is_told_at_once(tmp_path: Path, shared: bool) -> None:
    """Each combination that was counted has a line, and no other has one."""
    tally = Tally("said_total", "Said.", LABELS, tmp_path if shared else None)
    assert told(tally) == []
    tally.count({"a": "spoke", "b": "off"}.items())
    tally.count([("a", "spoke")])
    assert told(tally) == ['said_total{rule="a",said="spoke"} 2.0', 'said_total{rule="b",said="off"} 1.0']


def test_a_killed_worker_takes_no_count_with_it(tmp_path: Path) -> None:
    """What another process counted is told by this one, also when it was killed right after."""
    tally = Tally("said_total", "Said.", LABELS, tmp_path)
    tally.count([("a", "spoke")])
    subprocess.run([sys.executable, "-c", OTHER_WORKER, str(tmp_path)], check=False, cwd=Path(__file__).parents[2])
    assert told(tally) == ['said_total{rule="a",said="spoke"} 2.0', 'said_total{rule="b",said="off"} 1.0']


def test_a_process_with_the_number_of_an_earlier_one_counts_on(tmp_path: Path) -> None:
    """The file of a process that ended is continued by one that was given the same number."""
    Tally("said_total", "Said.", LABELS, tmp_path).count([("a", "spoke")])
    again = Tally("said_total", "Said.", LABELS, tmp_path)
    again.count([("a", "spoke")])
    assert told(again) == ['said_total{rule="a",said="spoke"} 2.0']


def test_a_file_that_is_just_being_made_disturbs_nobody(tmp_path: Path) -> None:
    """A worker that starts has made its file and given it no size yet: the others tell their counts."""
    tally = Tally("said_total", "Said.", LABELS, tmp_path)
    tally.count([("a", "spoke")])
    (tmp_path / "said_total_1.tally").touch()
    assert told(tally) == ['said_total{rule="a",said="spoke"} 1.0']


def test_threads_lose_no_count(tmp_path: Path) -> None:
    """Eight threads count a thousand times each, and all of it is told."""
    tally = Tally("said_total", "Said.", LABELS, tmp_path)
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda _: [tally.count([("a", "spoke")]) for _ in range(1_000)], range(8)):
            pass
    assert told(tally) == ['said_total{rule="a",said="spoke"} 8000.0']
