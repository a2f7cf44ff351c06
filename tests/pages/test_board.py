"""The numbers of the dashboard, from rows of the store."""

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from cds_service.store.statistics import Answered, Happened, Shown, Told
from cds_service.web.board import DAY, Board, board, fell_silent
from cds_service.web.intervals import Share
from cds_service.web.plots import Picture, nice, over_time, small_multiples, whisker

START = datetime(2026, 1, 10, tzinfo=UTC).timestamp()
TITLES = {"loud": "A loud rule", "quiet": "A quiet rule"}
HOOKS = {"sign": "order-sign", "view": "patient-view"}


def answered(day: float, said: str = "nothing to say", service: str = "sign", status: int = 200, missing: tuple[str, ...] = ()) -> Answered:
    """One answer on a day of the period."""
    return Answered(START + day * DAY, "hospital", service, status, {"loud": said} if status == 200 else {}, missing, "1+a", 10 + day)


def shown(name: str, day: float, service: str = "sign") -> Shown:
    """One card of the loud rule."""
    return Shown(name, START + day * DAY, "hospital", service, "critical", ("loud",), "1+a")


def told(card: str, day: float, outcome: str, reason: str | None = None) -> Told:
    """What somebody did with it."""
    return Told(card, outcome, START + day * DAY, reason)


def counted(days: float, answers: tuple[Answered, ...], cards: tuple[Shown, ...] = (), said: tuple[Told, ...] = ()) -> Board:
    """The board of so many days."""
    return board(Happened(START, START + days * DAY, answers, cards, said, 7), TITLES, HOOKS)


@pytest.fixture
def busy() -> Board:
    """Four signings with three cards, one chart opened with another."""
    answers = (answered(1, "spoke"), answered(2, "spoke"), answered(3), answered(4, "spoke"), answered(5, "spoke", "view"))
    cards = (shown("a", 1), shown("b", 2), shown("c", 4), shown("d", 5, "view"))
    said = (told("a", 1.01, "accepted"), told("b", 2.01, "accepted"), told("b", 2.02, "overridden", "allergy"))
    return counted(30, answers, cards, said)


def test_only_signings_count_for_the_density(busy: Board) -> None:
    """A card at the opening of a chart interrupts nobody who signs."""
    assert (busy.density.count, busy.density.of, busy.signings, busy.passed) == (3, 4, 4, 7)
    assert (busy.interrupted.count, busy.interrupted.of) == (3, 4)


def test_the_last_word_on_a_card_counts(busy: Board) -> None:
    """Accepted first and overridden later is overridden, with its reason."""
    assert (busy.accepted.count, busy.overridden.count, busy.unanswered.count) == (1, 1, 2)
    assert busy.reasons == (("allergy", 1),)


def test_no_feedback_is_neither_acceptance_nor_refusal(busy: Board) -> None:
    """FB-14: cards that nobody answered are a share of their own."""
    assert busy.unanswered.of == 4


@pytest.mark.parametrize(
    ("offers", "outcome", "whole"), [(2, None, 1), (0, None, 0), (0, "overridden", 0), (None, None, 1), (0, "accepted", 1)]
)
def test_what_offers_nothing_is_not_refused(offers: int | None, outcome: str | None, whole: int) -> None:
    """A card without a suggestion is left out of the share accepted and stays in the others; old rows count as they did."""
    card = Shown("a", START + DAY, "hospital", "sign", "info", ("loud",), "1+a", offers)
    found = counted(30, (answered(1, "spoke"),), (card,), (told("a", 1.01, outcome),) if outcome else ())
    assert (found.accepted.of, found.rules[0].accepted.of) == (whole, whole)
    assert (found.overridden.of, found.unanswered.of) == (1, 1)


def test_times_are_a_median_with_a_range(busy: Board) -> None:
    """Time to feedback in minutes, time to answer in milliseconds."""
    assert busy.feedback_minutes == pytest.approx((18.0, 21.6, 25.2))
    assert busy.answered == 2
    assert busy.latency_ms is not None
    assert busy.latency_ms[0] == pytest.approx(13)


def test_a_rule_has_its_own_line(busy: Board) -> None:
    """The strongest rule of a card owns it, and a rule that never spoke is listed too."""
    loud, quiet = busy.rules
    assert (loud.cards, loud.spoke, quiet.cards, quiet.last) == (4, 4, 0, None)


def test_what_lacked_a_part_of_the_record_and_what_was_refused_are_told_apart() -> None:
    """Answers that were judged without a part of the record, and those that were refused with 412, are both visible."""
    refused = answered(4, status=412, missing=("results",))
    found = counted(30, (answered(1), answered(2), answered(3, missing=("vitals",)), refused))
    assert (found.incomplete.count, found.incomplete.of) == (1, 3)
    assert (found.refused.count, found.refused.of) == (1, 4)
    assert dict(found.missing) == {"vitals": 1, "results": 1}


@pytest.mark.parametrize(("after", "silent"), [(5, False), (15, False), (16, True), (40, True)])
def test_a_rule_falls_silent_when_chance_no_longer_explains_it(after: int, silent: bool) -> None:
    """On three days of ten answers, and then not for sixteen: chance alone would do that in fewer than one of a hundred cases."""
    answers = [answered(day) for day in range(10 + after)]
    spoken = [START + day * DAY for day in (0, 5, 9)]
    assert fell_silent(spoken, answers, START + 60 * DAY) is silent


def test_one_patient_who_made_it_speak_three_times_is_one_day() -> None:
    """Words of one day are one occasion, so that a busy day raises no expectation."""
    assert not fell_silent([START, START + 60, START + 120], [answered(day) for day in range(300)], START + 300 * DAY)


def test_a_rule_that_spoke_twice_is_not_watched() -> None:
    """Two words are too few to expect a third."""
    assert not fell_silent([START, START + DAY], [answered(day) for day in range(300)], START + 300 * DAY)


@pytest.mark.parametrize(("days", "columns"), [(30, 31), (90, 13), (365, 13)])
def test_a_long_period_is_told_in_months(days: int, columns: int) -> None:
    """Days for a month, weeks for a quarter, months for a year; the first one is the one that the period begins in."""
    found = counted(days, (answered(1, "spoke"),), (shown("a", 1),))
    assert len(found.columns) in {columns, columns - 1}
    assert sum(column.signings for column in found.columns) == 1
    assert sum(sum(column.cards.values()) for column in found.columns) == 1


def test_a_version_is_marked_where_it_first_answered() -> None:
    """A change in the numbers can be held against a change in the knowledge."""
    newer = Answered(START + 20 * DAY, "hospital", "sign", 200, {"loud": "spoke"}, (), "2+b", 3)
    found = counted(30, (answered(1), newer, answered(2)))
    assert [version for _, version in found.versions] == ["1+a", "2+b"]
    assert [mark.label.text for mark in over_time(found).marks if mark.label] == ["1+a", "2+b"]


def test_versions_too_close_to_be_read_apart_are_named_once() -> None:
    """Ten versions of one afternoon are ten lines and one name, that of the last."""
    hourly = [
        Answered(START + 20 * DAY + hour * 3600, "hospital", "sign", 200, {"loud": "spoke"}, (), f"2+{hour}", 3) for hour in range(10)
    ]
    picture = over_time(counted(30, (answered(1), *hourly)))
    assert len(picture.marks) == 11
    assert [mark.label.text for mark in picture.marks if mark.label] == ["1+a", "2+9"]


def test_an_empty_period_can_be_drawn() -> None:
    """Before the first signing the page says so instead of failing."""
    found = counted(365, ())
    assert found.density.per_hundred is None
    assert over_time(found).boxes == ()


@pytest.mark.parametrize("draw", [over_time, lambda found: small_multiples(found)["loud"]])
def test_a_chart_keeps_its_marks_inside(busy: Board, draw: Callable[[Board], Picture]) -> None:
    """No bar leaves the picture."""
    picture = draw(busy)
    assert picture.boxes
    for box in picture.boxes:
        assert box.x >= 0
        assert box.x + box.width <= picture.width
        assert 0 <= box.y <= box.y + box.height <= picture.height


def test_the_cards_of_a_rule_are_told_by_indicator_over_time(busy: Board) -> None:
    """Each stretch of a rule's line counts its own cards, of all hooks, and the stretches together are all its cards."""
    loud, quiet = busy.rules
    assert [one.begins for one in loud.over_time] == [one.begins for one in busy.columns]
    assert [one.cards["critical"] for one in loud.over_time[:6]] == [0, 1, 1, 0, 1, 1]
    assert sum(one.total for one in loud.over_time) == loud.cards
    assert quiet.over_time == ()


def test_a_rule_that_opened_no_card_has_no_chart(busy: Board) -> None:
    """Small charts are drawn for rules with cards, and say in words what they show."""
    drawn = small_multiples(busy)
    assert set(drawn) == {"loud"}
    assert drawn["loud"].words.startswith("from 11 Jan 2026 1 critical; from 12 Jan 2026 1 critical")
    assert small_multiples(counted(30, ())) == {}


def test_small_charts_share_one_scale() -> None:
    """Twice as many cards are twice as high, whichever rule they belong to."""
    many = [shown(f"m{number}", 1) for number in range(4)]
    few = [Shown("few", START + DAY, "hospital", "sign", "warning", ("quiet",), "1+a")]
    drawn = small_multiples(counted(30, (answered(1, "spoke"),), (*many, *few)))
    assert drawn["loud"].boxes[0].height == pytest.approx(4 * drawn["quiet"].boxes[0].height)


@pytest.mark.parametrize(("count", "top"), [(0, 2), (2, 2), (3, 4), (11, 20), (4999, 5000), (6001, 6001)])
def test_an_axis_ends_at_a_round_number(count: int, top: int) -> None:
    """The axis always reaches the largest count."""
    assert nice(count) == top


def test_a_share_of_nothing_has_no_whisker() -> None:
    """Where nothing was counted nothing is drawn."""
    draw: Callable[[Share], object] = whisker
    assert draw(Share(0, 0)) is None
