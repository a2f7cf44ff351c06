"""What waits on the disk for the database: bounded, complete, and handed over exactly once."""

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from cds_service.store.spool import Spool, SpoolFull


def drained(spool: Spool) -> list[Any]:
    """What the spool hands over now."""
    taken: list[Any] = []
    spool.drain(taken.extend)
    return taken


def test_what_was_appended_is_handed_over_and_gone(spool: Spool) -> None:
    """Records come out in order, once, and leave no file."""
    for number in range(5):
        spool.append({"n": number})
    assert drained(spool) == [{"n": number} for number in range(5)]
    assert (drained(spool), spool.size()) == ([], 0)


def test_a_database_that_refuses_loses_nothing(spool: Spool) -> None:
    """When the write fails the records stay and come again next time, together with later ones."""

    def refuse(_: Sequence[Any]) -> None:
        raise OSError("down")

    spool.append({"n": 1})
    with pytest.raises(OSError, match="down"):
        spool.drain(refuse)
    spool.append({"n": 2})
    assert sorted(record["n"] for record in drained(spool)) == [1, 2]


def test_the_spool_is_bounded(tmp_path: Path) -> None:
    """A full spool says so, and takes records again when it was emptied."""
    spool = Spool(tmp_path, most=100)
    spool.prepare()
    spool.append({"text": "x" * 80})
    with pytest.raises(SpoolFull):
        spool.append({"text": "x" * 80})
    drained(spool)
    spool.append({"text": "x" * 80})


def test_only_the_owner_may_read_the_spool(tmp_path: Path) -> None:
    """Folder and files are closed to other users of the machine."""
    spool = Spool(tmp_path / "spool")
    spool.prepare()
    spool.append({"n": 1})
    assert (tmp_path / "spool").stat().st_mode & 0o077 == 0
    assert all(path.stat().st_mode & 0o077 == 0 for path in (tmp_path / "spool").iterdir())


def test_a_torn_last_line_is_left_out(spool: Spool, tmp_path: Path) -> None:
    """A process killed within a write leaves half a line, which nobody was told of; the lines before it count."""
    (tmp_path / "spool" / "1-a.jsonl").write_bytes(b'{"n":1}\nnot json\n{"n":2}\n{"n":')
    assert drained(spool) == [{"n": 1}, {"n": 2}]


def test_the_segment_of_a_living_process_is_left_to_it(tmp_path: Path) -> None:
    """What another process still writes is not taken away under its hands."""
    first, second = Spool(tmp_path), Spool(tmp_path)
    first.prepare()
    second.prepare()
    first.append({"n": 1})
    assert drained(second) == []
    assert drained(first) == [{"n": 1}]


def test_what_a_killed_process_left_is_taken_over(tmp_path: Path) -> None:
    """A worker that dies by kill -9 loses no record: the next one hands over all that it had appended."""
    program = textwrap.dedent(
        f"""
        import sys
        from pathlib import Path
        from cds_service.store.spool import Spool
        spool = Spool(Path({str(tmp_path)!r}))
        spool.prepare()
        for number in range(1000000):
            spool.append({{"n": number}})
            sys.stdout.write(f"{{number}}\\n")
            sys.stdout.flush()
        """
    )
    root = Path(__file__).parents[2]
    worker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, cwd=root, text=True)
    assert worker.stdout is not None
    told = [int(worker.stdout.readline()) for _ in range(200)]
    os.kill(worker.pid, signal.SIGKILL)
    told += [int(line) for line in worker.stdout.read().splitlines() if line.strip()]
    worker.wait()
    worker.stdout.close()
    spool = Spool(tmp_path)
    spool.prepare()
    kept = [record["n"] for record in drained(spool)]
    assert len(kept) == len(set(kept))
    assert set(kept) >= set(told[:-1])
