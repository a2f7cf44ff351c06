"""A chart out of plain resources, as the corridor reads it."""

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
from msgspec import Raw

from cds_service.clinical.facts import Chart, Order
from cds_service.fhir.chart import read_chart, read_drafts
from cds_service.knowledge import Knowledge
from cds_service.sent import look

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
Resource = Mapping[str, Any]


def raw(resource: Any) -> Raw:
    """JSON bytes of a resource."""
    return Raw(json.dumps(resource).encode())


def bundle(resources: Sequence[Resource], kind: str = "searchset") -> dict[str, Any]:
    """A Bundle of resources."""
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]}


@pytest.fixture
def read(knowledge: Knowledge) -> Callable[..., Chart]:
    """Reads resources of the record and drafts of the hook; `as_is` are parts in whatever shape a client sends."""

    def chart(*resources: Resource, drafts: Sequence[Resource] = (), as_is: Sequence[Any] = (), **more: Any) -> Chart:
        told = read_drafts(raw(bundle(drafts, "collection")), "p", knowledge.terminology)
        parts = {"record": [look(raw(bundle(resources))), *(look(one if isinstance(one, Raw) else raw(one)) for one in as_is)]}
        return read_chart("p", told, parts, frozenset(), knowledge.terminology, NOW, **{"future_h": 24, "procedure_days": 30, **more})

    return chart


@pytest.fixture
def order(read: Callable[..., Chart]) -> Callable[..., Order]:
    """The one order of a draft with these elements."""

    def one(**elements: Any) -> Order:
        concept = {} if "medicationReference" in elements else {"medicationCodeableConcept": {"text": "aztreonam"}}
        found = read(drafts=[{"resourceType": "MedicationRequest", "id": "d", "status": "draft", **concept, **elements}])
        assert found.unreadable == ()
        (only,) = found.orders
        return only

    return one
