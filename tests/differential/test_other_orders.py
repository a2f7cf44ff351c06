"""What holds on when a patient's orders change is what a fresh look would find."""

import pytest
from msgspec.structs import replace

from cds_service.clinical.bedside import OF_THE_RECORD, Bedside
from cds_service.kept import kept
from tests.rules_regimen.bench import Answer, bedside, isolate, order, running

WORKED_OUT = [name for name, value in vars(Bedside).items() if isinstance(value, kept)]


def test_the_record_is_named_rightly() -> None:
    """Every name in the list is something that a bedside works out."""
    assert set(WORKED_OUT) >= OF_THE_RECORD


@pytest.mark.parametrize("name", WORKED_OUT)
def test_other_orders_are_judged_as_if_they_had_always_been_there(name: str) -> None:
    """After a change of orders everything is as at a bedside that never had others."""
    resisted = isolate("GENE", tested={"lance": Answer.RESISTANT, "shield+sword": Answer.RESISTANT, "net": Answer.SUSCEPTIBLE})
    before = bedside([order("sword"), order("shield"), order("riddle"), order("net")], [resisted], words=["intensive-care", "tooth"])
    for one in WORKED_OUT:
        getattr(before, one)
    orders = (order("rope"), running("lance"))
    fresh = replace(before, chart=replace(before.chart, orders=orders))
    assert getattr(before.with_orders(orders), name) == getattr(fresh, name)
