"""Whether the words around a name affirm it, deny it, or leave it open."""

import re
from collections.abc import Container, Iterable, Sequence
from enum import Enum

from msgspec import Struct

from cds_service.fhir.vocabulary import Hit, Phrases, Text, Vocabulary, parsed

BREAK = re.compile(r"[;\n\r!]")
STOP = re.compile(r"\.(\s|$)")
SIGN = re.compile(r"\s*(?:[:=]\s*)?(?:\((?P<in>[+-]{1,4})\)|(?P<out>[+-]{1,4})\s*(?P<end>[,;.\n]?))")
LABEL = re.compile(r"[:=(]")
ASIDE = re.compile(r"\(|\s-\s")
JOINERS = {"and", "or", "nor", "plus", "with"}
OR = {"or", "nor"}
MOST_STEPS = 24


class Said(Enum):
    """What a text says of one name; DOUBTED is suspected, PAST was once, OPEN is nothing that can be used, ASKED waits for an answer."""

    YES = "yes"
    NO = "no"
    DOUBTED = "doubted"
    PAST = "past"
    OPEN = "open"
    ASKED = "asked"


LETTERS = {"no": Said.NO, "n": Said.NO, "yes": Said.YES, "y": Said.YES}


class Glimpse(Struct, frozen=True):
    """What stands on one side of a name; `listed` when it was reached over a comma, `either` when over "or"."""

    said: Said | None = None
    listed: bool = False
    either: bool = False


class Negation:
    """The words that deny, affirm and doubt, as `words.yaml` lists them; `substances` in allergy lists are denied by more words."""

    def __init__(self, lists: dict[str, list[str]], *, substances: bool = False) -> None:
        more = ("tolerated_before", "tolerated_after") if substances else ("", "")
        self._substances = substances

        def phrases(*names: str) -> Phrases:
            return Phrases(one for name in names for one in lists.get(name, ()))

        before = {
            "open_before": Said.OPEN,
            "asked_before": Said.ASKED,
            "past_before": Said.PAST,
            "doubt_before": Said.DOUBTED,
            "before": Said.NO,
            more[0]: Said.NO,
        }
        after = {"open_after": Said.OPEN, "doubt_after": Said.DOUBTED, "after": Said.NO, "yes": Said.YES, more[1]: Said.NO}
        self._before = tuple((phrases(name), said) for name, said in before.items())
        self._after = tuple((phrases(name), said) for name, said in after.items())
        self._listed, self._yes = phrases("listed"), phrases("yes")
        self._fillers, self._ends, self._whole = (frozenset(lists.get(name, ())) for name in ("fillers", "ends", "whole"))

    def says(self, vocabulary: Vocabulary, text: str) -> dict[str, Said]:
        """What the text says of each key that it names; one affirmation outweighs denials, since the miss is worse."""
        found: dict[str, Said] = {}
        hits, read = vocabulary.hits(text), parsed(text)
        for hit in hits:
            said = self._judge(read, hit, hits)
            if hit.key not in found or said is Said.YES or (said is Said.NO and found[hit.key] is Said.OPEN):
                found[hit.key] = said
        return found

    def _judge(self, text: Text, hit: Hit, hits: Sequence[Hit]) -> Said:
        left, right = self._left(text, hit, hits), self._right(text, hit, hits)
        if left.said is Said.NO and left.listed and right.said is Said.YES and not (left.either or right.either):
            return Said.OPEN
        if left.said in {Said.NO, Said.OPEN, Said.PAST}:
            return left.said
        if left.said is Said.ASKED:
            return right.said or Said.OPEN
        return right.said or left.said or (Said.NO if self._headed(text, hit) else Said.YES)

    def _left(self, text: Text, hit: Hit, hits: Iterable[Hit]) -> Glimpse:
        """Walks back over other names, joining and filling words to what denies or doubts all of them."""
        ends = {one.end: one for one in hits}
        place, listed, either = hit.start, False, False
        if "?" in text.gaps[place]:
            return Glimpse(Said.DOUBTED)
        for _ in range(MOST_STEPS):
            if place == 0 or _breaks(text, place) or (place in ends and self._aside(text, place)):
                break
            other, comma = ends.get(place), "," in text.gaps[place]
            if other and place != hit.end:
                said = None if comma else self._before_at(text, place)
                if said:
                    return Glimpse(said, listed, either)
                place, listed = other.start, listed or comma
                continue
            if comma:
                break
            said = self._before_at(text, place)
            if said:
                return Glimpse(said, listed, either)
            word = text.words[place - 1]
            if word not in JOINERS and word not in self._fillers:
                break
            place, either = place - 1, either or word in OR
        return Glimpse(None, listed, either)

    def _aside(self, text: Text, place: int) -> bool:
        """In an allergy list, what stands in brackets or behind a dash is about another drug."""
        return self._substances and bool(ASIDE.search(text.gaps[place]))

    def _before_at(self, text: Text, place: int) -> Said | None:
        """The longest phrase speaks: "no history of" denies what "history of" states."""
        size, told = max(((phrases.before(text.words, place), said) for phrases, said in self._before), key=lambda one: one[0])
        said = told if size else None
        if said or not LABEL.search(text.gaps[place]):
            return said
        if self._listed.before(text.words, place):
            return Said.NO
        return Said.YES if self._yes.before(text.words, place) else None

    def _headed(self, text: Text, hit: Hit) -> bool:
        """ "Negative PCR": the denial opens the sentence and belongs to no name before it."""
        size = self._listed.before(text.words, hit.start)
        start = hit.start - size
        return bool(size) and (start == 0 or _breaks(text, start) or "," in text.gaps[start])

    def _right(self, text: Text, hit: Hit, hits: Iterable[Hit]) -> Glimpse:
        """Walks on over other names, joining and filling words to what is said of all of them."""
        starts = {one.start: one for one in hits}
        place, listed, either = hit.end, False, False
        sign = SIGN.match(text.gaps[place])
        if sign and (sign["in"] or sign["end"] or place == len(text.words)):
            return Glimpse(Said.YES if "+" in (sign["in"] or sign["out"]) else Said.NO)
        for _ in range(MOST_STEPS):
            if place >= len(text.words) or _breaks(text, place) or (place in starts and self._apart(text, place)):
                break
            other, comma = starts.get(place), "," in text.gaps[place]
            if other:
                said = None if comma else self._after_at(text, place)
                if said:
                    return Glimpse(said, listed, either)
                place, listed = other.end, listed or comma
                continue
            if comma:
                break
            said = self._after_at(text, place) or self._letter(text, place, starts)
            if said:
                return Glimpse(said, listed, either)
            word = text.words[place]
            if word in self._ends or not (word in self._fillers or word.isdigit() or (word in JOINERS and place + 1 in starts)):
                break
            place, either = place + 1, either or word in OR
        return Glimpse(None, listed, either)

    def _apart(self, text: Text, place: int) -> bool:
        """What is said behind this name is not about the one before: "an infection with a, b not detected"."""
        return self._aside(text, place) or ("," in text.gaps[place] and text.words[place - 1] in self._whole)

    def _after_at(self, text: Text, place: int) -> Said | None:
        """The longest phrase speaks: "test" leaves open what "test positive" answers."""
        sizes = [(phrases.at(text.words, place), said) for phrases, said in self._after]
        size, said = max(sizes, key=lambda one: one[0])
        return said if size else None

    def _letter(self, text: Text, place: int, starts: Container[int]) -> Said | None:
        """A bare "no" behind a colon answers; the first word in brackets belongs to a name that follows it there."""
        gap = text.gaps[place]
        anothers = "(" in gap and place + 1 in starts and ")" not in text.gaps[place + 1]
        return LETTERS.get(text.words[place]) if LABEL.search(gap) and not anothers else None


def _breaks(text: Text, place: int) -> bool:
    """A sentence ends before this word; the full stop of an abbreviated genus ends none."""
    gap = text.gaps[place]
    if BREAK.search(gap):
        return True
    return bool(STOP.search(gap)) and place > 0 and len(text.words[place - 1]) > 1
