"""Dates that move."""

from datetime import UTC, datetime, timedelta

import pytest

from cds_service.moments import moment, moved, to_now, written

DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("before", "by", "after"),
    [
        ("2026-11-20", 10 * DAY, "2026-11-30"),
        ("2026-11-20T12:00:00Z", DAY, "2026-11-21T12:00:00Z"),
        ("2026-11-20T12:00:00.123Z", DAY, "2026-11-21T12:00:00.123Z"),
        ("2026-11-20T12:00:00-06:00", DAY, "2026-11-21T12:00:00-06:00"),
        ("2026-11-20T23:30:00Z", timedelta(hours=1), "2026-11-21T00:30:00Z"),
        ("1958-05-14", timedelta(hours=13), "1958-05-15"),
        ("1958-05-14", timedelta(hours=11), "1958-05-14"),
        ("2026-11", DAY, "2026-11"),
        ("2026-13-45", DAY, "2026-13-45"),
        ("2026-13-45T12:00:00Z", DAY, "2026-13-45T12:00:00Z"),
        ("9999-12-31", DAY, "9999-12-31"),
        ("collected 2026-11-20", DAY, "collected 2026-11-20"),
        (["2026-11-20", 7, None, True], DAY, ["2026-11-21", 7, None, True]),
        ({"a": {"b": "2026-11-20"}}, DAY, {"a": {"b": "2026-11-21"}}),
    ],
)
def test_dates_move_and_nothing_else_does(before: object, by: timedelta, after: object) -> None:
    """Dates and moments move and keep their zone and precision; texts, numbers and what is no date stay."""
    assert moved(before, by) == after


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"extension": {"ndm-cds.written": "2026-11-20T12:00:00Z"}}, datetime(2026, 11, 20, 12, tzinfo=UTC)),
        ({"written": "2026-11-20"}, datetime(2026, 11, 20, tzinfo=UTC)),
        ({"extension": {}}, None),
        ({"extension": []}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_document_says_when_it_was_written(document: object, expected: datetime | None) -> None:
    """A request says it in its extension, a patient at the top."""
    assert written(document) == expected


def test_to_now_moves_by_the_time_since_then() -> None:
    """What was two days old is two days old again; a document without a moment stays as it is."""
    now = datetime(2027, 1, 1, tzinfo=UTC)
    assert to_now({"written": "2026-11-20T00:00:00Z", "seen": "2026-11-18T00:00:00Z"}, now)["seen"] == "2026-12-30T00:00:00Z"
    assert to_now({"seen": "2026-11-18"}, now) == {"seen": "2026-11-18"}


def test_a_moment_without_a_zone_is_in_utc() -> None:
    """A moment that names no zone is read as UTC."""
    assert moment("2026-11-20T12:00:00") == datetime(2026, 11, 20, 12, tzinfo=UTC)
