"""What bytes meant the last time they were met."""

from collections.abc import Callable, Hashable
from functools import lru_cache, wraps
from typing import TypeVar

Q = TypeVar("Q", bound=Hashable)
V = TypeVar("V")
MOST = 20_000
LONGEST = 2_000
MOST_TEXTS = 4_096
SHORT = 100  # the longest name of a laboratory test has about that many characters; what is longer is told about a person
LATELY = 8


class Answers(dict[Q, V]):
    """Answers by question, each worked out once; bounded in number, and only questions that are `short` are remembered."""

    def __init__(self, answer: Callable[[Q], V], short: Callable[[Q], bool], most: int) -> None:
        super().__init__()
        self._answer, self._short, self._most = answer, short, most

    def __missing__(self, question: Q) -> V:
        found = self._answer(question)
        if self._short(question):
            if len(self) >= self._most:
                self.clear()
            self[question] = found
        return found


class Memory(Answers[bytes, V]):
    """Answers by the bytes of a code."""

    def __init__(self, answer: Callable[[bytes], V], most: int = MOST) -> None:
        super().__init__(answer, lambda question: len(question) <= LONGEST, most)


def of_codes(most: int) -> Callable[[Callable[..., V]], Callable[..., V]]:
    """The same answers, remembered over all requests for codes of a usual length; many long ones would be megabytes."""

    def remember(answer: Callable[..., V]) -> Callable[..., V]:
        always = lru_cache(most)(answer)

        @wraps(answer)
        def remembered(*asked: str) -> V:
            return always(*asked) if sum(map(len, asked)) <= LONGEST else answer(*asked)

        return remembered

    return remember


def of_names(answer: Callable[[str], V]) -> Callable[[str], V]:
    """The same answers, remembered over all requests for short texts; of notes only the last few, which one request asks about often."""
    always, lately = lru_cache(MOST_TEXTS)(answer), lru_cache(LATELY)(answer)

    def remembered(text: str) -> V:
        return always(text) if len(text) <= SHORT else lately(text)

    return remembered
