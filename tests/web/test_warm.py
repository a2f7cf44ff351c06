"""A worker has met each service before it serves."""

from datetime import UTC, datetime

import pytest

from cds_service.knowledge import Knowledge, load
from cds_service.shipped import shipped
from cds_service.web import warm

NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def knowledge() -> Knowledge:
    """The shipped sheets."""
    return load()


def test_each_service_is_met_once(knowledge: Knowledge, monkeypatch: pytest.MonkeyPatch) -> None:
    """The warm-up decides a shipped request of every service that has one."""
    decided = list[str]()
    decide = warm.decide
    monkeypatch.setattr(
        warm, "decide", lambda known, service, body, **rest: decided.append(service) or decide(known, service, body, **rest)
    )
    warm.warm_up(knowledge, shipped("fixtures"), NOW)
    assert {"ndm-order-sign", "ndm-order-select"} <= set(decided)
    assert len(decided) == len(set(decided))
