"""What waits for the database: records as JSON lines in files that survive the process, bounded in size.

Each process appends to a segment of its own and holds a lock on it, which the system lets go when the process ends, however it
ends. A segment without a lock belongs to nobody, so any process may write it to the database and remove it; every record has
an id that the database knows, so one that was already written is not written again.
"""

import fcntl
import os
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson

MOST_BYTES = 256 * 1024 * 1024
REFUSED = "refused"  # the file of the records that the database will never take
_SUFFIX = ".jsonl"

Record = Mapping[str, Any]


class SpoolFull(Exception):
    """No more can wait for the database."""


class Spool:
    """The segments in one folder; `most` is the number of bytes that may wait there, as nearly as a process knows what others append."""

    def __init__(self, folder: Path, most: int = MOST_BYTES) -> None:
        self._folder, self._most = folder, most
        self._lock = threading.Lock()
        self._file: int | None = None
        self._path = folder
        self._whole = 0  # bytes of complete records in the own segment
        self._named = False  # whether the disk knows the name of the own segment
        self._waiting = 0

    def prepare(self) -> None:
        """Make the folder, for the owner alone, and see how much already waits in it."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        _sync_folder(self._folder.parent)
        self._waiting = self.size()

    def append(self, *records: Record, durable: bool = False) -> None:
        """Add records, all or none; `durable` waits until the disk has them. Raises SpoolFull or OSError."""
        lines = b"".join(orjson.dumps(record) + b"\n" for record in records)
        with self._lock:
            if self._waiting + len(lines) > self._most:
                raise SpoolFull
            file = self._segment()
            try:
                _write_all(file, lines)
                if durable:
                    self._sync(file)
            except OSError:
                self._give_up(file)
                raise
            self._whole += len(lines)
            self._waiting += len(lines)

    def drain(self, write: Callable[[Sequence[Record]], None]) -> int:
        """Hand every segment that nobody holds to `write`, remove it afterwards, and give the number of records."""
        self._let_go()
        count = 0
        for path in sorted(self._folder.glob(f"*{_SUFFIX}")):
            count += self._move(path, write)
        with self._lock:
            self._waiting = self.size()
        return count

    def set_apart(self, record: Any) -> None:
        """Keep a record that the database will never take in a file for a human; what stands there is not drained."""
        file = os.open(self._folder / REFUSED, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            _write_all(file, orjson.dumps(record) + b"\n")
        finally:
            os.close(file)

    def size(self) -> int:
        """The bytes that wait in the folder."""
        return sum(_size(path) for path in self._folder.glob(f"*{_SUFFIX}"))

    def _segment(self) -> int:
        while self._file is None:
            path = self._folder / f"{os.getpid()}-{uuid4().hex}{_SUFFIX}"
            file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(file, fcntl.LOCK_EX)
            if os.fstat(file).st_nlink:
                self._file, self._path, self._whole, self._named = file, path, 0, False
            else:
                os.close(file)  # another process drained it between its making and its locking
        return self._file

    def _sync(self, file: int) -> None:
        """Wait until the disk has the segment and its name; decisions do without, since the folder alone can take 10 ms."""
        os.fsync(file)
        if not self._named:
            _sync_folder(self._folder)
            self._named = True

    def _give_up(self, file: int) -> None:
        """Cut off what a fault left behind, and write nothing more to a segment that the disk did not take."""
        self._file = None
        with suppress(OSError):
            os.ftruncate(file, self._whole)
            if not self._whole:
                self._path.unlink(missing_ok=True)
        os.close(file)

    def _let_go(self) -> None:
        """End the own segment, so that it can be drained."""
        with self._lock:
            file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _move(self, path: Path, write: Callable[[Sequence[Record]], None]) -> int:
        try:
            file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return 0
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if not path.exists():
                return 0
            records = list(_records(file))
            if records:
                write(records)
            path.unlink(missing_ok=True)
            return len(records)
        except BlockingIOError:
            return 0
        finally:
            os.close(file)


def _records(file: int) -> Iterator[Record]:
    """The complete lines; a last line without its end was never acknowledged to anybody."""
    with os.fdopen(os.dup(file), "rb") as text:
        for line in text:
            if line.endswith(b"\n"):
                with suppress(orjson.JSONDecodeError):
                    yield orjson.loads(line)


def _write_all(file: int, line: bytes) -> None:
    written = os.write(file, line)
    if written != len(line):
        raise OSError("the disk took only a part of a record")


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
