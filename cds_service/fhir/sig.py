"""What a prescriber wrote in words: dose, interval, infusion time, duration; short texts only, one plain pattern each."""

import re
from collections.abc import Collection
from decimal import Decimal

from cds_service.fhir.quantity import Amount, exact, hours, mass, spelled

LONGEST = 256
GRAM = "g"
N = r"(?P<n>\d[\d.,]*)"
TIME = r"(?P<unit>h|hrs?|hours?|min|mins|minutes?|d|days?|wks?|weeks?)\b"
MASS = (
    r"(?P<unit>mg/kg|mcg|micrograms?|milligrams?|mgs?|grams?|gms?|g"
    r"|million (?:international )?units|mega units|MIU|MU|[ui]u|international units|units?)\b"
)
WORDS = {
    "one": 1, "two": 2, "three": 3, "four": 4, "six": 6, "eight": 8, "twelve": 12, "thirty": 30, "sixty": 60, "half an": Decimal("0.5"),
}  # fmt: skip
WORD = re.compile(r"\b(" + "|".join(WORDS) + r")\b(?=[ -](?:h|hr|min|time|day|week))", re.IGNORECASE)
DOSE = re.compile(rf"(?<![\d.,/-]){N}\s?-?{MASS}(?!\s?/\s?(?:m?l|h|hr|hour|min|d|day)\b)", re.IGNORECASE)
SMALL = r"(?:mg|milligrams?|g|grams?|gms?)"
FIRST = rf"(?<![\d.,/-])(?P<first>\d[\d.,]*)\s?(?P<one>{SMALL}(?![a-z]))?"
SECOND = rf"{N}\s?(?P<unit>{SMALL}\b)"
PARTS = re.compile(rf"{FIRST}(?:\s(?P<a>[a-z]+))?\s?(?P<sign>/|\+|-|–|\band\b|\bplus\b)\s?(?:(?P<b>[a-z]+)\s)?{SECOND}", re.IGNORECASE)
SPREAD = re.compile(rf"{FIRST}\s?(?:-|–|\bto\b)\s?{SECOND}", re.IGNORECASE)
EVERY = re.compile(rf"\b(?:q\.?|every|each)\s?{N}\s?-?(?:°|{TIME})?", re.IGNORECASE)
EITHER = re.compile(rf"\b(?:q\.?|every|each)\s?{N}\s?(?:-|–|to|or)\s?(?P<most>\d[\d.,]*)\s?-?{TIME}", re.IGNORECASE)
HOURLY = re.compile(rf"\b{N}[ -]?hourly\b", re.IGNORECASE)
TIMES = re.compile(rf"(?:\b{N}\s?(?:x|times)|\bx\s?(?P<m>\d))\s?(?:/|a|per)?\s?(?:d|day|daily)\b", re.IGNORECASE)
OVER = re.compile(rf"\b(?:over|infused? (?:in|for)|infusion(?: time)?:?(?: of| for)?)\s(?:about )?{N}[ -]?{TIME}", re.IGNORECASE)
LONG = re.compile(rf"\b{N}[ -]?{TIME}[ -](?:extended |prolonged |iv |intravenous )*infusion\b", re.IGNORECASE)
FOR = re.compile(rf"\b(?:for|x)\s?{N}[ -]?(?P<unit>d|days?|wks?|weeks?|hours?|hrs?|h)\b", re.IGNORECASE)
ONCE = re.compile(
    r"\b(?:once|one[- ]time|1 time|single dose|one dose|1 dose|stat|x ?1)\b"
    r"(?! (?:a|per|every|each|in)\b)(?! ?/? ?(?:daily|day|weekly|d|24)\b)",
    re.IGNORECASE,
)
STEP = re.compile(r"[,;.]?\s*\b(?:and )?(?:then|thereafter|followed by)\b:?,?\s*", re.IGNORECASE)
CONTINUOUS = re.compile(r"\bcontinuous(?:ly)?\b(?! renal)", re.IGNORECASE)
PER_DAY = (
    (re.compile(r"\b(?:bid|b\.i\.d\.?|bd|twice (?:a day|daily|per day))(?!\w)", re.IGNORECASE), 2),
    (re.compile(r"\b(?:tid|t\.i\.d\.?|tds|thrice daily)(?!\w)", re.IGNORECASE), 3),
    (re.compile(r"\b(?:qid|q\.i\.d\.?|qds)(?!\w)", re.IGNORECASE), 4),
    (re.compile(r"\b(?:qod|every other day|alternate days)\b", re.IGNORECASE), Decimal("0.5")),
    (
        re.compile(
            r"\b(?:qd|q\.d\.?|daily|once a day|every day|each day|once per day|every morning|every evening|nightly|at bedtime)(?!\w)",
            re.IGNORECASE,
        ),
        1,
    ),
)  # fmt: skip
DAY_H = Decimal(24)


def plain(text: str | None) -> str:
    """The text as far as it is read, number words as digits."""
    return WORD.sub(lambda match: str(WORDS[match[1].lower()]), text[:LONGEST]) if text else ""


def number(text: str) -> Decimal | None:
    """A number as people write it: a comma before three digits separates thousands, any other is a decimal point."""
    if re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d+)?", text):
        text = text.replace(",", "")
    return exact(text.replace(",", ".").rstrip("."))


def dose(text: str, ingredients: Collection[str] = ()) -> Amount | None:
    """The first dose in the text; "2 g/0.5 g" is the sum of its parts."""
    whole, parts = DOSE.search(text), _parts(text, ingredients)
    if parts and (whole is None or parts.start() <= whole.start()):
        found = _two(parts)
        return Amount(found[0] + found[1], found[2]) if found else None
    value = number(whole["n"]) if whole else None
    return Amount(value, spelled(whole["unit"])) if whole and value is not None else None


def components(text: str, ingredients: Collection[str] = ()) -> tuple[Decimal, Decimal, str] | None:
    """The two parts of a combination's dose and their unit, where the text spells them out."""
    parts = _parts(text, ingredients)
    return _two(parts) if parts else None


def spread(text: str) -> tuple[Amount, Amount] | None:
    """The least and the most of "1-2 g", where no other dose stands before it."""
    whole, match = DOSE.search(text), SPREAD.search(text)
    found = _two(match) if match and (whole is None or match.start() <= whole.start()) else None
    return (Amount(found[0], found[2]), Amount(found[1], found[2])) if found and found[0] < found[1] else None


def _parts(text: str, ingredients: Collection[str]) -> re.Match[str] | None:
    """With a slash alone any two numbers are parts; in any other form only of an order of several ingredients, which names them or gives
    at most half as much of the second: more of it is the dose of another drug."""
    for match in PARTS.finditer(text):
        named = {word.lower() for word in (match["a"], match["b"]) if word}
        if match["sign"] == "/" and not named:
            return match
        found = _two(match) if len(ingredients) > 1 and named <= set(ingredients) else None
        if found and found[0] > found[1] and (named or found[0] >= found[1] + found[1]):
            return match
    return None


def _two(match: re.Match[str]) -> tuple[Decimal, Decimal, str] | None:
    """Both numbers of a match in one unit; a first one without a unit has that of the second."""
    first, second, unit = number(match["first"]), number(match["n"]), spelled(match["unit"])
    other = spelled(match["one"] or match["unit"])
    if first is None or second is None or other == unit:
        return None if first is None or second is None else (first, second, unit)
    grams = mass(Amount(first, other), GRAM), mass(Amount(second, unit), GRAM)
    return (grams[0], grams[1], GRAM) if grams[0] is not None and grams[1] is not None else None


def interval(text: str) -> Decimal | None:
    """Hours from dose to dose, the fewest where the text leaves a range."""
    either = EITHER.search(text)
    if either:
        return hours(number(either["n"]), either["unit"])
    match = EVERY.search(text)
    if match:
        return hours(number(match["n"]), match["unit"] or "h")
    match = HOURLY.search(text)
    if match:
        return number(match["n"])
    match = TIMES.search(text)
    if match:
        often = number(match["n"] or match["m"])
        return DAY_H / often if often else None
    return next((DAY_H / times for pattern, times in PER_DAY if pattern.search(text)), None)


def longest(text: str) -> Decimal | None:
    """The most hours from dose to dose where the text leaves a range, as "every 6 to 8 h" does."""
    either = EITHER.search(text)
    return hours(number(either["most"]), either["unit"]) if either else None


def steps(text: str) -> list[str]:
    """What is given one after the other: "2.67 g once, then 2 g q6h" has two steps."""
    return [part for part in STEP.split(text[:LONGEST]) if part.strip()]


def once(text: str) -> bool:
    """The text orders one dose and no more."""
    return bool(ONCE.search(text)) and interval(text) is None


def infusion(text: str) -> Decimal | None:
    """Hours that one dose runs."""
    match = OVER.search(text) or LONG.search(text)
    return hours(number(match["n"]), match["unit"]) if match else None


def duration(text: str) -> Decimal | None:
    """Hours that the whole course lasts."""
    match = FOR.search(text)
    return hours(number(match["n"]), match["unit"]) if match else None


def continuous(text: str) -> bool:
    """The text orders a continuous infusion."""
    return bool(CONTINUOUS.search(text))
