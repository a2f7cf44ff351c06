"""What bytes meant the last time they were met."""

from collections.abc import Callable
from typing import TypeVar

V = TypeVar("V")
MOST = 20_000
LONGEST = 2_000


class Memory(dict[bytes, V]):
    """Answers by question, each worked out once; bounded in number, and by the length of what is remembered."""

    def __init__(self, answer: Callable[[bytes], V], most: int = MOST) -> None:
        super().__init__()
        self._answer, self._most = answer, most

    def __missing__(self, question: bytes) -> V:
        found = self._answer(question)
        if len(question) <= LONGEST:
            if len(self) >= self._most:
                self.clear()
            self[question] = found
        return found
