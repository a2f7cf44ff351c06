"""What waits on the disk for the database: bounded, complete, and handed over exactly once."""

import os
import resource
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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


@contextmanager
def files_of_at_most(size: int) -> Iterator[None]:
    """The system takes no more than this many bytes of a file, and tears the write that goes beyond."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("before", [0, 3])
def test_a_record_that_was_torn_swallows_no_other(spool: Spool, before: int) -> None:
    """A19: the disk takes half of two records: neither counts, all before and after them do, and no torn file stays."""
    for number in range(before):
        spool.append({"n": number})
    with files_of_at_most(60), pytest.raises(OSError, match=r"part of a record|too large"):
        spool.append({"text": "x" * 20}, {"text": "y" * 40}, durable=True)
    spool.append({"n": "after"})
    assert sorted(str(record["n"]) for record in drained(spool)) == sorted(map(str, [*range(before), "after"]))  # segments have no order
    assert spool.size() == 0


def test_a_disk_that_does_not_keep_its_word_is_not_trusted_again(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    """A19: after a failed fsync what was to be kept is not handed over, and the next record goes into another segment."""
    spool.append({"n": 1})
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", failing)
        with pytest.raises(OSError, match="gone"):
            spool.append({"n": 2}, durable=True)
    spool.append({"n": 3}, durable=True)
    assert sorted(record["n"] for record in drained(spool)) == [1, 3]


def failing(_file: int) -> None:
    """A disk that is gone."""
    raise OSError("gone")


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
