"""When a regimen stops working although one of its drugs goes on."""

import pytest

from cds_service.clinical.coverage import lapses
from tests.rules_regimen.bench import bedside, hours, once, order, running

OPEN_H = 24


@pytest.mark.parametrize(
    ("orders", "found"),
    [
        ([("shield", 0, 96), ("sword", 0, 96)], []),
        ([("shield", 0, 96), ("sword", 0, 120)], [("shield", "sword", 96, 24)]),
        ([("shield", 0, 4), ("sword", 0, None)], [("shield", "sword", 4, 20)]),
        ([("shield", 0, 4), ("shield", 52, None), ("sword", 0, None)], [("shield", "sword", 4, 48)]),
        ([("lance", 0, 4), ("sword", 0, 96)], [("lance", "sword", 4, 92)]),
        ([("shield", 0, 96), ("sword", 0, 120), ("lance", 90, None)], []),
        ([("lance", 0, 4)], []),
        ([("shield", 0, None), ("sword", 0, None)], []),
    ],
)
def test_a_drug_that_goes_on_alone_is_found(orders: list[tuple[str, int, int | None]], found: list[tuple[str, str, int, int]]) -> None:
    """A drug that needs a partner and goes on after the last that helped it is found, with the moment and how long it lasts."""
    drafts = [
        order(key, name=f"{key}{at}", starts=hours(begins), ends=None if ends is None else hours(ends))
        for at, (key, begins, ends) in enumerate(orders)
    ]
    plan = bedside(drafts).regimen
    seen = [(one.ended[0].drug.key, one.left[0].drug.key, one.begins, one.hours) for one in lapses(plan, OPEN_H)]
    assert seen == [(ended, left, hours(begins), lasts) for ended, left, begins, lasts in found]


def test_a_single_dose_that_was_given_is_no_end() -> None:
    """A running single dose is somebody's next step: nothing is said to end with it."""
    plan = bedside([running("shield", starts=hours(-1), doses=(once(),)), order("sword", ends=hours(96))]).regimen
    assert not lapses(plan, OPEN_H)
