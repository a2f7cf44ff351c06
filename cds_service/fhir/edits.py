"""Changes to a draft order as it was received: what is not changed keeps its elements, its order and its digits."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from msgspec import DecodeError, Raw, Struct, ValidationError
from msgspec.json import Decoder

from cds_service.clinical.figures import figure
from cds_service.fhir import drafts, sig
from cds_service.fhir.drafts import Prescribed, Resource, moment
from cds_service.suggestion import Code

BOUNDS = ("boundsPeriod", "boundsDuration", "boundsRange")
LISTS = ("category", "identifier", "note", "reasonCode", "reasonReference", "supportingInformation", "basedOn")
RATES = ("rateRatio", "rateQuantity", "rateRange")
ABSENT = Raw()


class _Entry(Struct, frozen=True):
    resource: Raw = ABSENT


class _Bundle(Struct, frozen=True):
    entry: list[_Entry] | None = None


_bundle = Decoder(_Bundle).decode
_resource = Decoder(dict[str, Any], float_hook=Decimal).decode


class Received:
    """The draft orders of a request by reference, decoded only when one is to be changed."""

    def __init__(self, bundle: Raw | bytes | None) -> None:
        self._bundle = bundle
        self._found: dict[str, Raw | None] | None = None

    def find(self, reference: str) -> Resource | None:
        """A copy of the draft; None where it is not there, or where two drafts share the id."""
        if self._found is None:
            self._found = self._index()
        raw = self._found.get(reference)
        return _resource(raw) if raw is not None else None

    def _index(self) -> dict[str, Raw | None]:
        if self._bundle is None:
            return {}
        try:
            entries = _bundle(self._bundle).entry or []
        except (DecodeError, ValidationError):
            return {}
        found: dict[str, Raw | None] = {}
        for one in entries:
            head = _head(one.resource)
            if head:
                found[head] = None if head in found else one.resource
        return found


class _Named(Struct, frozen=True, rename="camel"):
    resource_type: str = ""
    id: str = ""


_named = Decoder(_Named).decode


def _head(raw: Raw) -> str:
    try:
        named = _named(raw)
    except (DecodeError, ValidationError):
        return ""
    return f"{named.resource_type}/{named.id}" if named.id else ""


def with_dose(draft: Resource, dose: Prescribed, route: Code) -> Resource | None:
    """The draft with this dose as its one regular instruction, or its one single dose where the dose has no interval.

    None where there are several, or where the words of the instruction tell one dose after another: the second would be lost.
    """
    once = dose.interval_h is None

    def change(old: Resource) -> Resource | None:
        if _stepped(old):
            return None
        bounds = _bounds(old, dose)
        timing = _timing(old, {**bounds, **{key: value for key, value in drafts.repeat(dose).items() if not bounds or key not in BOUNDS}})
        timing |= {key: value for key, value in (old.get("timing") or {}).items() if once and key in {"event", "_event"}}
        given = [{"doseQuantity": drafts.grams(dose.grams)}]
        placed = old if "route" in old else {**old, "route": {"coding": [drafts.coding(route)]}}
        return {**placed, "text": dose.text, "timing": timing, "doseAndRate": given}

    return _changed(draft, change, once=once)


def with_infusion(draft: Resource, hours: Decimal, whole: str) -> Resource | None:
    """The draft with this infusion time; `whole` replaces words that state another, and nothing is changed where it is empty."""

    def change(old: Resource) -> Resource | None:
        said = str(old.get("text") or "")
        if said and sig.infusion(sig.plain(said)) is not None and not whole:
            return None
        stated = said and sig.infusion(sig.plain(said)) is not None
        if stated and _stepped(old):
            return None
        text = whole if stated or not said else f"{said}; each dose over {figure(hours)} h"
        repeat = {key: value for key, value in _repeat(old).items() if key != "durationMax"}
        repeat |= {"duration": drafts.exact(hours), "durationUnit": "h"}
        rates = [{key: value for key, value in rate.items() if key not in RATES} for rate in old.get("doseAndRate") or []]
        new = {**old, "timing": {**(old.get("timing") or {}), "repeat": repeat}}
        if rates:
            new["doseAndRate"] = rates
        return {**new, "text": text} if text else new

    return _changed(draft, change)


def with_end(draft: Resource, begins: datetime, end: datetime) -> Resource | None:
    """The draft as an order that ends then; None where its words state another length."""

    def change(old: Resource) -> Resource | None:
        if sig.duration(sig.plain(str(old.get("text") or ""))) is not None:
            return None
        period = {"start": moment(begins), **(_repeat(old).get("boundsPeriod") or {}), "end": moment(end)}
        repeat = {key: value for key, value in _repeat(old).items() if key not in {*BOUNDS, "count", "countMax"}}
        return {**old, "timing": {**(old.get("timing") or {}), "repeat": {"boundsPeriod": period, **repeat}}}

    changed = _changed(draft, change)
    supply = (changed or {}).get("dispenseRequest")
    if changed and isinstance(supply, Mapping) and "expectedSupplyDuration" in supply:
        days = -(-(end - begins) // timedelta(days=1))
        changed["dispenseRequest"] = {**supply, "expectedSupplyDuration": drafts.span(days, "d")}
    return changed


def going_on(draft: Resource) -> Resource:
    """A draft that stops an order, as one that lets it go on."""
    kept = {key: value for key, value in draft.items() if key not in {"doNotPerform", "statusReason"}}
    return {**kept, "status": "active"}


def _stepped(instruction: Resource) -> bool:
    """The words tell more than one dose, one after the other."""
    return len(sig.steps(sig.plain(str(instruction.get("text") or "")))) > 1


def _changed(draft: Resource, change: Callable[[Resource], Resource | None], *, once: bool = False) -> Resource | None:
    """The one regular instruction changed, or the one single dose; None where there are several, or nothing to change."""
    every = draft.get("dosageInstruction")
    if every is not None and not (isinstance(every, list) and all(isinstance(one, dict) for one in every)):
        return None
    listed: list[Resource] = every or [{}]
    chosen = [one for one in listed if _single(one) is once]
    if len(chosen) != 1:
        return None
    new = change(chosen[0])
    return {**draft, "dosageInstruction": [new if one is chosen[0] else one for one in listed]} if new else None


def sound(draft: Resource) -> Resource | None:
    """The draft as it may be sent back: valid R4, or nothing.

    Some clients write a single element where R4 has a list of them; it becomes a list of one, and says the same.
    """
    listed = {name: [draft[name]] for name in LISTS if isinstance(draft.get(name), dict)}
    whole = {**draft, **listed} if listed else draft
    return None if drafts.problem(whole) else whole


def _single(instruction: Resource) -> bool:
    repeat, timing = _repeat(instruction), instruction.get("timing") or {}
    return repeat.get("count") == 1 or (len(timing.get("event") or []) == 1 and "period" not in repeat)


def _repeat(instruction: Resource) -> Resource:
    timing = instruction.get("timing")
    found = timing.get("repeat") if isinstance(timing, dict) else None
    return found if isinstance(found, dict) else {}


def _bounds(instruction: Resource, dose: Prescribed) -> Resource:
    """The limits of the course as they were, but for a start that has to wait for another dose."""
    kept = {key: value for key, value in _repeat(instruction).items() if key in BOUNDS}
    if dose.begins and isinstance(kept.get("boundsPeriod"), dict):
        kept["boundsPeriod"] = {**kept["boundsPeriod"], "start": moment(dose.begins)}
    return kept


def _timing(instruction: Resource, repeat: Resource) -> Resource:
    """The timing with another repeat; a code or fixed events would contradict it."""
    timing = instruction.get("timing") or {}
    return {**{key: value for key, value in timing.items() if key not in {"code", "event", "_event", "repeat"}}, "repeat": repeat}
