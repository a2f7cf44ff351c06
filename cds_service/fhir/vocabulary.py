"""Names in free text: whole words, the longest first, and whether the words around a name deny it."""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from cds_service.fhir.memory import of_names

LONGEST = 8_000
FEW = 1
WORD = re.compile(r"[a-z]+|\d+")

Words = tuple[str, ...]


class Text(Struct, frozen=True):
    """A text as lower-case words and numbers; `gaps` are what stands before each of them, and after the last."""

    words: Words
    gaps: tuple[str, ...]


class Entry(Struct, frozen=True):
    """The names of one key.

    `alone` names count where nearly nothing else is written; `without` words forbid all names, and of `needs` one must be there.
    Of several names in one text the one of more `weight` is meant, whatever their length.
    """

    key: str
    texts: tuple[str, ...]
    alone: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    weight: int = 0


class Hit(Struct, frozen=True):
    """Where a name stands in the words of a text."""

    start: int
    end: int
    key: str


@of_names
def parsed(text: str) -> Text:
    """The words of a text, without accents; what lies beyond 8000 characters is not read."""
    plain = _without_accents(text[:LONGEST].lower())
    words, gaps, last = [], [], 0
    for match in WORD.finditer(plain):
        words.append(match[0])
        gaps.append(plain[last : match.start()])
        last = match.end()
    return Text(tuple(words), (*gaps, plain[last:]))


def _without_accents(text: str) -> str:
    if text.isascii():  # nearly every text of a chart, and there is nothing to take away
        return text
    folded = unicodedata.normalize("NFKD", text)
    return "".join(letter for letter in folded if not unicodedata.combining(letter)).replace("β", "beta")


def words_of(name: str) -> Words:
    """A name as it is compared: letters and digits apart, in lower case."""
    return parsed(name).words


class Phrases:
    """A set of word sequences, asked whether one of them begins or ends at a place."""

    def __init__(self, phrases: Iterable[str]) -> None:
        known = sorted({words_of(one) for one in phrases} - {()}, key=len, reverse=True)
        self._first: dict[str, list[Words]] = defaultdict(list)
        self._last: dict[str, list[Words]] = defaultdict(list)
        for one in known:
            self._first[one[0]].append(one)
            self._last[one[-1]].append(one)

    def at(self, words: Words, start: int) -> int:
        """How many words of a phrase begin here; 0 for none."""
        options = self._first.get(words[start], ()) if start < len(words) else ()
        return next((len(one) for one in options if words[start : start + len(one)] == one), 0)

    def before(self, words: Words, end: int) -> int:
        """How many words of a phrase end just before here; 0 for none."""
        options = self._last.get(words[end - 1], ()) if end else ()
        return next((len(one) for one in options if words[max(end - len(one), 0) : end] == one), 0)

    def inside(self, words: Words) -> bool:
        return any(self.at(words, start) for start in range(len(words)))


class Vocabulary:
    """All names of one kind of thing."""

    def __init__(self, entries: Iterable[Entry] = (), never: Iterable[str] = (), few: int = FEW) -> None:
        self._names: dict[str, list[tuple[Words, str, bool]]] = defaultdict(list)
        self._without: dict[str, Phrases] = {}
        self._needs: dict[str, Phrases] = {}
        self._weights: dict[str, int] = {}
        self._few = few
        for entry in entries:
            self._add(entry)
        for name in never:
            self._put(name, "", False)
        for options in self._names.values():
            options.sort(key=lambda one: len(one[0]), reverse=True)
        self.hits = of_names(self._hits)

    def _add(self, entry: Entry) -> None:
        for names, alone in ((entry.texts, False), (entry.alone, True)):
            for name in names:
                self._put(name, entry.key, alone)
        if entry.without:
            self._without[entry.key] = Phrases(entry.without)
        if entry.needs:
            self._needs[entry.key] = Phrases(entry.needs)
        self._weights[entry.key] = entry.weight

    def _put(self, name: str, key: str, alone: bool) -> None:
        words = words_of(name)
        if words:
            self._names[words[0]].append((words, key, alone))

    def keys(self) -> frozenset[str]:
        """Every key that has a name."""
        return frozenset(key for options in self._names.values() for _, key, _ in options if key)

    def clashes(self) -> Mapping[Words, set[str]]:
        """Names that stand for more than one key."""
        found: dict[Words, set[str]] = defaultdict(set)
        for options in self._names.values():
            for words, key, _ in options:
                found[words].add(key)
        return {words: keys for words, keys in found.items() if len(keys) > 1}

    def _hits(self, text: str) -> tuple[Hit, ...]:
        """Every name in the text from left to right, none inside another."""
        words = parsed(text).words
        firm: list[Hit] = []
        faint: list[Hit] = []
        place = 0
        while place < len(words):
            name, key, alone = self._longest_at(words, place)
            if name and key and not self._forbidden(key, words):
                (faint if alone else firm).append(Hit(place, place + len(name), key))
            place += len(name) or 1
        if faint and (firm or self._nearly_alone(words, faint)):
            firm = sorted([*firm, *faint], key=lambda one: one.start)
        return tuple(firm)

    def _longest_at(self, words: Words, place: int) -> tuple[Words, str, bool]:
        options = self._names.get(words[place], ())
        return next((one for one in options if words[place : place + len(one[0])] == one[0]), ((), "", False))

    def _forbidden(self, key: str, words: Words) -> bool:
        without, needs = self._without.get(key), self._needs.get(key)
        return (without is not None and without.inside(words)) or (needs is not None and not needs.inside(words))

    def _nearly_alone(self, words: Words, hits: Sequence[Hit]) -> bool:
        named = {place for hit in hits for place in range(hit.start, hit.end)}
        return sum(1 for place, word in enumerate(words) if place not in named and word.isalpha()) <= self._few

    def longest(self, text: str) -> str | None:
        """The key of the longest of the weightiest names in the text, the first of equals."""
        hits, words = self.hits(text), parsed(text).words
        best = max(hits, key=lambda hit: (self._weights[hit.key], sum(map(len, words[hit.start : hit.end]))), default=None)
        return best.key if best else None

    def named(self, text: str) -> frozenset[str]:
        """Every key that the text names, whatever it says of it."""
        return frozenset(hit.key for hit in self.hits(text))


NOTHING = Vocabulary()
