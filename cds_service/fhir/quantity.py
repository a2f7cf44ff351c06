"""The one gateway for numbers: finite, bounded, exact, in a known unit, or not at all."""

import re
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from importlib import import_module
from threading import Lock
from typing import Any

from msgspec import Raw, Struct

from cds_service.fhir.memory import of_codes
from cds_service.fhir.resources import Quantity

MOST_DIGITS = 18
LARGEST_EXPONENT = 12
LONGEST = 40
PLACES = 9
UCUM = {"http://unitsofmeasure.org", "urn:oid:2.16.840.1.113883.6.8"}
PREFIXES = {"k": 3, "d": -1, "c": -2, "m": -3, "u": -6, "n": -9}
METRIC = ("mol", "g", "L", "m", "[iU]")
WRITTEN = re.compile(r"\s*(?P<n>\d+(?:[.,]\d+)?)\s*(?P<unit>[^\d\s](?:.*\S)?)?\s*", re.DOTALL)
TENS = re.compile(r"10[*^](?P<power>\d{1,2})\.?(?P<unit>.*)")
HOURS = {"s": Decimal(1) / 3600, "min": Decimal(1) / 60, "h": Decimal(1), "d": Decimal(24), "wk": Decimal(168)}
LINES = {  # factor and offset of the usual units that are not metric, as the UCUM library has them; a test compares the two
    ("[lb_av]", "kg"): (0.45359237, 0.0), ("[oz_av]", "kg"): (0.028349523125, 0.0), ("[stone_av]", "kg"): (6.35029318, 0.0),
    ("[in_i]", "cm"): (2.54, 0.0), ("[ft_i]", "cm"): (30.48, 0.0),
    ("[degF]", "Cel"): (5 / 9, -160 / 9),
}  # fmt: skip
SPELLINGS = {
    "gram": "g", "grams": "g", "gm": "g", "gms": "g", "g": "g", "mg": "mg", "kg": "kg", "ug": "ug", "cm": "cm", "h": "h", "min": "min",
    "d": "d", "milligram": "mg", "milligrams": "mg", "mgs": "mg", "microgram": "ug", "micrograms": "ug", "mcg": "ug", "µg": "ug",
    "μg": "ug", "kgs": "kg", "kilogram": "kg", "kilograms": "kg", "kilo": "kg", "lb": "[lb_av]", "lbs": "[lb_av]", "pound": "[lb_av]",
    "pounds": "[lb_av]", "lb_av": "[lb_av]", "oz": "[oz_av]", "ounce": "[oz_av]", "ounces": "[oz_av]", "st": "[stone_av]",
    "stone": "[stone_av]", "stones": "[stone_av]", "in": "[in_i]", "ins": "[in_i]", "inch": "[in_i]", "inches": "[in_i]", '"': "[in_i]",
    "″": "[in_i]", "ft": "[ft_i]", "foot": "[ft_i]", "feet": "[ft_i]", "'": "[ft_i]", "′": "[ft_i]", "c": "Cel", "degc": "Cel",
    "°c": "Cel", "celsius": "Cel", "f": "[degF]", "degf": "[degF]", "°f": "[degF]", "fahrenheit": "[degF]", "centimeter": "cm",
    "centimeters": "cm", "centimetre": "cm", "centimetres": "cm", "cms": "cm", "millimeter": "mm", "millimeters": "mm",
    "millimetre": "mm", "millimetres": "mm", "meter": "m", "meters": "m", "metre": "m", "metres": "m", "mtr": "m", "iu": "[iU]",
    "ui": "[iU]", "unit": "[iU]", "units": "[iU]", "unt": "[iU]", "international unit": "[iU]", "international units": "[iU]",
    "[usp'u]": "[iU]", "[arb'u]": "[iU]", "usp units": "[iU]", "mu": "10*6.[iU]", "miu": "10*6.[iU]", "million units": "10*6.[iU]",
    "mega units": "10*6.[iU]", "million iu": "10*6.[iU]", "million international units": "10*6.[iU]", "ku": "k[iU]", "u/l": "U/L",
    "iu/l": "U/L", "[iu]/l": "U/L", "units/l": "U/L", "mg/dl": "mg/dL", "mg%": "mg/dL", "mg %": "mg/dL", "mg/100ml": "mg/dL",
    "mg/100 ml": "mg/dL", "mgs/dl": "mg/dL", "mg/l": "mg/L", "g/l": "g/L", "mcg/ml": "ug/mL", "µg/ml": "ug/mL", "μg/ml": "ug/mL",
    "ug/ml": "ug/mL", "mmol/l": "mmol/L", "umol/l": "umol/L", "µmol/l": "umol/L", "μmol/l": "umol/L", "micromol/l": "umol/L",
    "mcmol/l": "umol/L", "l/h": "L/h", "l/hr": "L/h", "ml/h": "mL/h", "ml/hr": "mL/h", "hour": "h", "hours": "h", "hr": "h", "hrs": "h",
    "minute": "min", "minutes": "min", "mins": "min", "day": "d", "days": "d", "week": "wk", "weeks": "wk", "second": "s", "seconds": "s",
    "g/hr": "g/h", "mg/hr": "mg/h", "gram/hour": "g/h", "mg/kg/dose": "mg/kg", "milligram/kilogram": "mg/kg", "{score}": "", "score": "",
    "points": "", "1": "",
}  # fmt: skip

USUAL = frozenset(SPELLINGS.values())


class Amount(Struct, frozen=True):
    """A number with its unit in UCUM, or "" without one; `comparator` is FHIR's."""

    value: Decimal
    unit: str
    comparator: str = ""


def number(raw: Raw) -> Decimal | None:
    """A JSON number of reasonable size; strings, booleans and monsters are None."""
    view = memoryview(raw)
    if not 0 < len(view) <= LONGEST or not (48 <= view[0] <= 57 or view[0] == 45):
        return None
    return exact(bytes(view).decode())


def exact(text: str) -> Decimal | None:
    """A decimal that is finite, has at most 18 digits and no outlandish exponent."""
    if len(text) > LONGEST:
        return None
    try:
        found = Decimal(text)
    except InvalidOperation:
        return None
    if not found.is_finite() or (len(text) > MOST_DIGITS and len(found.as_tuple().digits) > MOST_DIGITS):
        return None
    return found if found.is_zero() or abs(found.adjusted()) <= LARGEST_EXPONENT else None


def written(text: str | None) -> Amount | None:
    """A text that is one number and its unit, such as "175 cm"."""
    match = WRITTEN.fullmatch(text) if text and len(text) <= LONGEST else None
    value = exact(match["n"].replace(",", ".")) if match else None
    return Amount(value, spelled(match["unit"] or "")) if match and value is not None else None


def amount(quantity: Quantity | None) -> Amount | None:
    """The number and unit of a Quantity; the UCUM code counts more than the printed unit."""
    value = number(quantity.value) if quantity else None
    if quantity is None or value is None:
        return None
    coded = quantity.code if quantity.code and (quantity.system in UCUM or not quantity.unit) else None
    return Amount(value, spelled(coded or quantity.unit or quantity.code or ""), quantity.comparator or "")


def spelled(unit: str) -> str:
    """The UCUM code of a unit as people write it."""
    plain = unit.strip()
    return SPELLINGS.get(plain.lower()) or SPELLINGS.get(plain.lower().rstrip("."), plain)


def is_unit(unit: str) -> bool:
    """Whether this is a unit of UCUM; the library is asked only about one that is not usual."""
    return unit in USUAL or (len(unit) <= LONGEST and _line(unit, unit) is not None)


def convert(found: Amount | None, unit: str, molar_mass: Decimal | None = None) -> Decimal | None:
    """The number in another unit; grams per mole turn an amount of substance into a mass. None where units do not fit."""
    if found is None or found.unit == unit:
        return found.value if found else None
    shift = _shift(found.unit, unit)
    if shift is not None:
        return found.value.scaleb(shift)
    if found.unit in HOURS and unit in HOURS:
        return round(found.value * HOURS[found.unit] / HOURS[unit], PLACES)
    if molar_mass is not None:
        shift = _shift(found.unit.replace("mol", "g"), unit)
        return found.value.scaleb(shift) * molar_mass if shift is not None and "mol" in found.unit else None
    return _by_library(found.value, found.unit, unit)


def mass(found: Amount | None, unit: str) -> Decimal | None:
    """The number of a dose in another power of the same unit: doses are never written in pounds."""
    shift = _shift(found.unit, unit) if found and found.unit else None
    return found.value.scaleb(shift) if found and shift is not None else None


def hours(value: Decimal | None, unit: str | None) -> Decimal | None:
    """A length of time in hours; 480 minutes are exactly eight."""
    factor = HOURS.get(spelled(unit or ""))
    return round(value * factor, PLACES) if value is not None and factor is not None else None


def length(quantity: Quantity | None) -> Decimal | None:
    """A FHIR Duration in hours."""
    found = amount(quantity)
    return hours(found.value, found.unit) if found else None


@of_codes(512)
def _shift(unit: str, target: str) -> int | None:
    """The power of ten between two expressions of the same metric units, or None."""
    mine, theirs = _powers(unit), _powers(target)
    if mine is None or theirs is None or mine[1] != theirs[1]:
        return None
    return mine[0] - theirs[0]


def _powers(unit: str) -> tuple[int, tuple[str, ...]] | None:
    total, atoms = 0, []
    tens = TENS.fullmatch(unit)
    if tens:
        total, unit = int(tens["power"]), tens["unit"]
    for place, part in enumerate(unit.split("/")):
        atom = next((one for one in METRIC if part.endswith(one)), None)
        prefix = part[: -len(atom)] if atom else ""
        if prefix and prefix not in PREFIXES:
            return None
        total += (PREFIXES[prefix] if prefix else 0) * (-1 if place else 1)
        atoms.append(atom or part)
    return total, tuple(atoms)


_LOADING = Lock()


@lru_cache(maxsize=1)
def _registry() -> Any:
    """The UCUM library costs most of a second to load, so it is loaded by the first unit that needs it."""
    return import_module("ucumvert").PintUcumRegistry()


def load_units() -> None:
    """Loads the UCUM library ahead of the first unit that needs it."""
    with _LOADING:
        _registry()


def _by_library(value: Decimal, unit: str, target: str) -> Decimal | None:
    line = LINES.get((unit, target)) or (_line(unit, target) if 0 < len(unit) <= LONGEST else None)
    return exact(repr(round(float(value) * line[0] + line[1], PLACES))) if line else None


@lru_cache(maxsize=512)
def _line(unit: str, target: str) -> tuple[float, float] | None:
    """Factor and offset between two units, remembered; None where they measure different things."""
    with _LOADING:
        try:
            ucum = _registry()
            source, wanted = ucum.from_ucum(unit).units, ucum.from_ucum(target).units
            zero, one = (float(ucum.Quantity(start, source).to(wanted).magnitude) for start in (0.0, 1.0))
        except Exception:  # noqa: BLE001, the parser, the grammar and pint each raise their own kinds for a unit that is none
            return None
    return one - zero, zero
