"""Numbers as a prescriber writes them."""

from decimal import Decimal
from functools import lru_cache


@lru_cache(maxsize=1_024)
def figure(value: Decimal, digits: int | None = None) -> str:
    """A number without trailing zeros and without an exponent, rounded to so many digits where they are named."""
    return f"{(value if digits is None else round(value, digits)).normalize():f}"
