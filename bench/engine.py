"""What the corridor costs without HTTP, beside the cost of merely decoding the same bytes."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from uuid import uuid4

import orjson

from bench.charts import moment, request, resources_of
from bench.picture import cost_over_size
from bench.timing import medians
from cds_service.cards import Style
from cds_service.decide import decide
from cds_service.knowledge import Knowledge, load
from cds_service.protocol.response import to_json

SIZES = (5, 100, 1_000, 10_000, 20_000)
SERVICE = "ndm-order-sign"
ROUNDS = {5: 400, 100: 100, 1_000: 30, 10_000: 9, 20_000: 5}
Row = tuple[str, int, float, float]


def corridor(knowledge: Knowledge, body: bytes) -> bytes:
    """Bytes in, bytes out: what a worker does between reading the request and writing the answer."""
    decision = decide(knowledge, SERVICE, body, fetch=None, now=moment(), style=Style(new_id=_new_id))
    return to_json(decision.cards)


def _new_id() -> str:
    return str(uuid4())


def rows(knowledge: Knowledge) -> list[Row]:
    """(story, resources, seconds of the corridor, seconds of orjson.loads) for every size."""
    found: list[Row] = []
    for story in ("card", "silent", "out-of-scope"):
        for size in SIZES:
            body = request(story, size, moment())
            taken = medians({"corridor": partial(corridor, knowledge, body), "decode": partial(orjson.loads, body)}, ROUNDS[size])
            found.append((story, size, taken["corridor"], taken["decode"]))
    return found


def against_validation(knowledge: Knowledge, size: int = 1_000) -> float:
    """How many times faster than validating every resource of the chart with fhir.resources."""
    body = request("card", size, moment())
    parsed = list(resources_of(body))
    models = {kind: _model(kind) for kind in {one["resourceType"] for one in parsed}}

    def validate() -> None:
        for one in parsed:
            models[one["resourceType"]](one)

    taken = medians({"corridor": partial(corridor, knowledge, body), "validation": validate}, 5)
    return taken["validation"] / taken["corridor"]


def _model(kind: str) -> Callable[[object], object]:
    module = import_module(f"fhir.resources.R4B.{kind.lower()}")
    validate: Callable[[object], object] = getattr(module, kind).model_validate
    return validate


def main() -> None:
    """Prints the table and draws it."""
    knowledge = load()
    print(f"{'story':<14}{'resources':>10}{'corridor ms':>14}{'orjson.loads ms':>18}{'ratio':>8}")
    measured = rows(knowledge)
    for story, size, taken, decode in measured:
        print(f"{story:<14}{size:>10,}{taken * 1000:>14.3f}{decode * 1000:>18.3f}{taken / decode:>8.2f}")
    print(f"\n1,000 resources: {against_validation(knowledge):.0f} times faster than validating the whole chart with fhir.resources")
    print(f"drawn: {cost_over_size(measured)}")


if __name__ == "__main__":
    main()
