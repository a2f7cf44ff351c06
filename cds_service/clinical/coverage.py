"""Until when a regimen works: the stretches in which a drug goes on without what makes it work."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from itertools import pairwise

from msgspec import Struct

from cds_service.clinical.facts import Order
from cds_service.clinical.regimen import Regimen

Span = tuple[Order, datetime, datetime | None]


class Lapse(Struct, frozen=True):
    """From `begins` on, `left` go on alone, since `ended` are at their end.

    `open` where `left` have no end, `resumes` where help comes again.
    """

    ended: tuple[Order, ...]
    left: tuple[Order, ...]
    begins: datetime
    until: datetime
    open: bool
    resumes: bool

    @property
    def hours(self) -> float:
        """How long it lasts, as far as is known."""
        return (self.until - self.begins).total_seconds() / 3600


def lapses(regimen: Regimen, open_h: int) -> list[Lapse]:
    """Every lapse of the hospital's list, the first one first; a drug without a stated end goes on for `open_h` from now."""
    spans = [(one, regimen.start(one), _end(regimen, one)) for one in regimen.therapy if one.drug.key in regimen.directed]
    moments = sorted({regimen.now + timedelta(hours=open_h), *(moment for _, *bounds in spans for moment in bounds if moment)})
    alone = {row.drugs[0] for row in regimen.policy.active if len(row.drugs) == 1}
    keys = {one.drug.key for one, *_ in spans} - alone
    found = [lapse for key in sorted(keys) for lapse in _lapses(regimen, key, spans, moments)]
    return sorted(found, key=lambda lapse: lapse.begins)


def _lapses(regimen: Regimen, key: str, spans: Sequence[Span], moments: Sequence[datetime]) -> Iterator[Lapse]:
    left = tuple(one for one, *_ in spans if one.drug.key == key)
    for begins, until in _bare(regimen, key, spans, moments):
        over = [(end, one) for one, _, end in spans if end and end <= begins and one.drug.key != key]
        if not over:
            continue
        last = max(end for end, _ in over)
        after = _running(spans, until)
        goes_on = key in after
        helped = _works(regimen, after)
        yield Lapse(tuple(one for end, one in over if end == last), left, begins, until, goes_on and not helped, goes_on and helped)


def _bare(regimen: Regimen, key: str, spans: Sequence[Span], moments: Sequence[datetime]) -> list[tuple[datetime, datetime]]:
    """The stretches in which the drug runs and no row is complete; neighbours are joined."""
    found: list[tuple[datetime, datetime]] = []
    for begins, until in pairwise(moments):
        running = _running(spans, begins)
        if key not in running or _works(regimen, running):
            continue
        joins = bool(found) and found[-1][1] == begins
        found.append((found.pop()[0] if joins else begins, until))
    return found


def _running(spans: Sequence[Span], moment: datetime) -> set[str]:
    return {one.drug.key for one, begins, ends in spans if begins <= moment and (ends is None or ends > moment)}


def _works(regimen: Regimen, running: set[str]) -> bool:
    return any(running >= set(row.drugs) for row in regimen.policy.active)


def _end(regimen: Regimen, order: Order) -> datetime | None:
    """The stated end; a single dose that was given already is somebody's next step, not an end."""
    return regimen.end(order) if order.ends or order.draft else None
