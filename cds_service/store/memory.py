"""What the service remembers: decisions without making anybody wait, feedback before it is acknowledged, and overrides."""

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotInTime
from contextlib import suppress

from sqlalchemy.exc import DataError, IntegrityError

from cds_service.errors import StoreUnavailable
from cds_service.store.archive import Archive, Override, Record
from cds_service.store.spool import Spool, SpoolFull
from cds_service.turns import aside

DRAIN_EVERY_S = 0.25  # what waits is safe on the disk, and few large transactions cost less than many small ones
REST_AFTER_FAULT_S = 5.0
NEVER = (KeyError, TypeError, ValueError, DataError, IntegrityError)  # faults of a record; those of a database pass
READING_S = 0.05  # longer than this no card waits for the memory of overrides


class Memory:
    """Archive and spool together; `clock` is monotonic, and for `rest_s` seconds after a fault the database is left alone.

    Feedback goes through `safe`, an archive whose commits survive a power cut, where one is given. Overrides are read from `near`, an
    archive on this machine that waits for no lock longer than `READING_S`, where there is one, and by threads of our own otherwise.
    """

    def __init__(
        self,
        archive: Archive,
        spool: Spool,
        clock: Callable[[], float],
        rest_s: float = REST_AFTER_FAULT_S,
        *,
        safe: Archive | None = None,
        near: Archive | None = None,
    ) -> None:
        self._safe, self._near = safe or archive, near
        self._archive, self._spool, self._clock, self._rest_s = archive, spool, clock, rest_s
        self._resting_until = 0.0
        self._dropped, self._counting = 0, threading.Lock()
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._mover = threading.Thread(target=self._move, name="store", daemon=True)
        self._readers = ThreadPoolExecutor(4, thread_name_prefix="store-read")

    def start(self) -> None:
        """Begin to move what waits in the spool into the database."""
        self._spool.prepare()
        if self._near is not None:
            with suppress(Exception):  # whatever the database has now, it is asked again before a card
                self._near.prepare()
        self._mover.start()

    def stop(self) -> None:
        """Move what is still waiting if the database takes it, and end."""
        self._stop.set()
        self._wake.set()
        if self._mover.is_alive():
            self._mover.join(self._rest_s)
        self._readers.shutdown(wait=False, cancel_futures=True)
        for archive in {self._archive, self._safe, self._near or self._archive}:
            archive.close()

    def decided(self, record: Record) -> None:
        """Keep a decision; where nothing more can wait it is counted and given up, since the cards matter more."""
        try:
            self._spool.append(record)
        except (OSError, SpoolFull):
            self._drop()
        self._wake.set()

    @aside
    def feedback(self, records: list[Record]) -> None:
        """Keep feedback, in the database or at least on the disk; raises StoreUnavailable where it is in neither."""
        if self._clock() >= self._resting_until:
            try:
                self._safe.write(records)
            except Exception:  # noqa: BLE001 - whatever the database has, the spool is the other way
                self._rest()
            else:
                return
        try:
            self._spool.append(*records, durable=True)
        except (OSError, SpoolFull):
            raise StoreUnavailable("The feedback could not be kept; send it again later.") from None
        self._wake.set()

    def overridden(self, patient: str, clinician: str, since: float) -> frozenset[Override]:
        """What this clinician overrode for this patient since then; nothing where that cannot be known in time."""
        if self._clock() < self._resting_until:
            return frozenset()
        read = self._near.overridden if self._near is not None else self._in_time
        try:
            return read(patient, clinician, since)
        except Exception:  # noqa: BLE001 - without memory a rule speaks again, which is the safe side
            self._rest()
        return frozenset()

    @aside
    def _in_time(self, patient: str, clinician: str, since: float) -> frozenset[Override]:
        reading: Future[frozenset[Override]] = self._readers.submit(self._archive.overridden, patient, clinician, since)
        try:
            return reading.result(READING_S)
        except NotInTime:
            reading.cancel()
        return frozenset()

    def healthy(self) -> bool:
        """Whether the database took what was last given to it, or can be reached now."""
        if self._clock() < self._resting_until:
            return False
        try:
            self._archive.check()
        except Exception:  # noqa: BLE001 - any fault means the same here
            self._rest()
            return False
        return True

    def waiting(self) -> int:
        """The bytes that wait for the database."""
        with suppress(OSError):
            return self._spool.size()
        return 0

    def take_dropped(self) -> int:
        """How many decisions were given up since this was last asked."""
        with self._counting:
            dropped, self._dropped = self._dropped, 0
        return dropped

    def _drop(self) -> None:
        with self._counting:
            self._dropped += 1

    def _rest(self) -> None:
        self._resting_until = self._clock() + self._rest_s

    def _move(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(self._rest_s)
            self._wake.clear()
            self._drain()
            self._stop.wait(DRAIN_EVERY_S)
        self._drain()

    def _write(self, records: Sequence[Record]) -> None:
        """Feedback was acknowledged, so that its segment must not go before the disk has the commit.

        A record that the database will never take is set apart and counted: nothing behind it may wait for it.
        """
        try:
            archive = self._safe if any(record["kind"] == "feedback" for record in records) else self._archive
            archive.write(records)
        except NEVER:
            if len(records) > 1:
                for one in records:
                    self._write([one])
                return
            self._spool.set_apart(records[0])
            self._drop()

    def _drain(self) -> None:
        if self._clock() < self._resting_until and not self._stop.is_set():
            self._stop.wait(max(0.0, self._resting_until - self._clock()))
        try:
            self._spool.drain(self._write)
        except Exception:  # noqa: BLE001 - the records stay in the spool for the next time
            self._rest()
            self._wake.set()
