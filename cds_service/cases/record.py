"""A patient's resources in memory, searched as the prefetch templates of a service ask for them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl

Resource = Mapping[str, Any]
PLACE = re.compile(r"\{\{context\.(\w+)\}\}")


class Record:
    """What one electronic record holds about one patient."""

    def __init__(self, resources: Iterable[Resource]) -> None:
        self.resources = list(resources)

    def prefetch(self, queries: Mapping[str, str], context: Mapping[str, Any]) -> dict[str, Any]:
        """Every template filled from this record; a template whose context value is unknown stays out."""
        filled = {}
        for key, template in queries.items():
            names = PLACE.findall(template)
            if all(context.get(name) for name in names):
                filled[key] = self.answer(PLACE.sub(lambda match: str(context[match[1]]), template))
        return filled

    def answer(self, query: str) -> dict[str, Any] | None:
        """One resource for a read, a searchset for a search; None where a read finds nothing."""
        path, _, text = query.partition("?")
        kind, _, name = path.partition("/")
        if name:
            return next((dict(one) for one in self._of(kind) if one.get("id") == name), None)
        filters = parse_qsl(text)
        found = [one for one in self._of(kind) if all(_fits(one, key, value) for key, value in filters)]
        entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
        bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        return {**bundle, "entry": entries} if entries else bundle

    def _of(self, kind: str) -> Iterable[Resource]:
        return (one for one in self.resources if one.get("resourceType") == kind)


def _fits(resource: Resource, key: str, value: str) -> bool:
    """The search parameters that narrow a search by a code; all others (patient, order, page size) leave it as it is."""
    wanted = value.split(",")
    if key == "status":
        return resource.get("status") in wanted
    if key in {"category", "clinical-status"}:
        codes = _codes(resource.get("clinicalStatus" if key == "clinical-status" else "category"))
        return bool(codes & set(wanted))
    return True


def _codes(concepts: Any) -> set[str]:
    """The codes of one CodeableConcept or of several."""
    several: Sequence[Any] = concepts if isinstance(concepts, list) else [concepts]
    return {str(coding.get("code")) for one in several if isinstance(one, Mapping) for coding in one.get("coding", ())}
