"""FHIR dates and times of every precision, as moments in UTC."""

from datetime import UTC, date, datetime, timedelta

from cds_service.fhir.resources import Period

DAY = timedelta(days=1)
FIRST_YEAR, LAST_YEAR = 1850, 2199  # 0001 and 9999 are how records write "unknown" and "without end", and leave no room to count in


def moment(text: str | None, end: bool = False) -> datetime | None:
    """The first moment that the text covers, with `end` the moment after the last; None where it is no date."""
    if not text:
        return None
    try:
        found = _whole_day(text, end) if "T" not in text else _instant(text)
    except (ValueError, OverflowError):
        return None
    return found if FIRST_YEAR <= found.year <= LAST_YEAR else None


def day(text: str | None) -> date | None:
    """A date of any precision, as its first day."""
    found = moment(text.partition("T")[0]) if text else None
    return found.date() if found else None


def begins(period: Period | None) -> datetime | None:
    """The start of a period, else its end."""
    return moment(period.start) or moment(period.end) if period else None


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)


def _whole_day(text: str, end: bool) -> datetime:
    parts = [int(part) for part in text.split("-")]
    year, month, day_of_month = (*parts, 1, 1)[:3]
    first = datetime(year, month, day_of_month, tzinfo=UTC)
    if not end:
        return first
    if len(parts) == 1:
        return first.replace(year=first.year + 1)
    if len(parts) == 2:
        return (first + 31 * DAY).replace(day=1)
    return first + DAY
