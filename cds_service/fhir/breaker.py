"""Leaves a FHIR server alone for a while after it has failed again and again."""

import threading
from collections import deque
from collections.abc import Callable

FAILURES = 5
WITHIN_S = 10.0
OPEN_S = 5.0


class Breaker:
    """Opens after five failed requests within ten seconds; five seconds later a single request may try."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: deque[float] = deque(maxlen=FAILURES)
        self._opened: float | None = None

    def allows(self) -> bool:
        """Whether a request may go out now; after the pause exactly one is let through to try."""
        with self._lock:
            now = self._clock()
            if self._opened is None:
                return True
            if now - self._opened < OPEN_S:
                return False
            self._opened = now  # the others wait for what this one finds
            return True

    def succeeded(self) -> None:
        """The server answered, if only with a refusal."""
        with self._lock:
            self._failures.clear()
            self._opened = None

    def failed(self) -> None:
        """The server gave nothing at all."""
        with self._lock:
            now = self._clock()
            self._failures.append(now)
            full = len(self._failures) == FAILURES and now - self._failures[0] <= WITHIN_S
            if full or self._opened is not None:
                self._opened = now
