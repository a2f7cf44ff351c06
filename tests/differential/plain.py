"""The slow, obvious reader: every resource becomes plain objects, all of them are read, and nothing is remembered."""

import json
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec import Raw
from msgspec.json import decode

from cds_service.fhir import chart, shelf
from cds_service.fhir.memory import Answers
from cds_service.fhir.references import bare
from cds_service.sent import MALFORMED, Glance, Resource, look


class PlainShelf(shelf.Shelf):
    """Sorts by the parsed resource alone and leaves nothing out but what belongs to somebody else."""

    def put(self, sent: Iterable[Resource]) -> None:
        for raw in (one.raw for one in sent):
            try:
                found = json.loads(bytes(raw))
                decode(raw, type=Glance)
            except (ValueError, RecursionError, *MALFORMED):
                self._set_aside(raw)
                continue
            whose = [self._mine(found.get(name)) for name in ("subject", "patient")]
            if False in whose:
                self.strangers.append(Resource(raw, decode(raw, type=Glance)))
            elif None in whose:
                self._set_aside(raw)
            elif found.get("resourceType") == "Bundle":
                self.put(look(Raw(json.dumps(entry["resource"]).encode())) for entry in found.get("entry", ()) if "resource" in entry)
            elif found.get("resourceType") in {*shelf.READ, "Observation"}:
                self._keep(found["resourceType"], raw)

    def _mine(self, subject: Any) -> bool | None:
        """Missing, contained, only described, or this patient's; None where nobody can read whose it is."""
        if subject is not None and not isinstance(subject, dict):
            return None
        reference = (subject or {}).get("reference") or ""
        kind, _, name = bare(reference).rpartition("/")
        return not reference or reference.startswith("#") or (kind in {"", "Patient"} and name in self.subjects._known)


def _twice(raw: Raw | bytes) -> bool:
    """Every object is looked at, one by one."""

    def once(pairs: list[tuple[str, object]]) -> dict[str, object]:
        if len(dict(pairs)) != len(pairs):
            raise ValueError
        return dict(pairs)

    try:
        json.loads(bytes(raw), object_pairs_hook=once)
    except (ValueError, RecursionError):
        return True
    return False


def read_plainly(patch: pytest.MonkeyPatch) -> None:
    """From here on the corridor reads like this."""
    patch.setattr(chart, "Shelf", PlainShelf)
    patch.setattr(shelf, "twice", _twice)
    patch.setattr(chart.orders, "points", lambda _: True)
    patch.setattr(Answers, "__missing__", lambda self, question: self._answer(question))
    patch.setattr(Answers, "get", lambda _, __, default=None: default)
