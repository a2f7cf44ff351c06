"""Which findings share a card, which join one that is shown anyway, and which say nothing."""

from collections.abc import Iterable, Sequence
from itertools import chain

from msgspec import Struct
from msgspec.structs import replace

from cds_service.clinical.bedside import Bedside
from cds_service.finding import Finding, Indicator, Overridden
from cds_service.service import Group, Service, Verdicts


class Sketch(Struct, frozen=True):
    """A card to be: the finding that leads it, its fellows of the same group, and lines of other groups that join it."""

    lead: Finding
    fellows: tuple[Finding, ...] = ()
    attached: tuple[Finding, ...] = ()
    merged: bool = False

    @property
    def own(self) -> tuple[Finding, ...]:
        return (self.lead, *self.fellows)

    @property
    def findings(self) -> tuple[Finding, ...]:
        """All that the card speaks for: its leader, then the strongest first."""
        return (self.lead, *sorted((*self.fellows, *self.attached), key=_urgency))


def ingredients(bedside: Bedside) -> frozenset[str]:
    """What the effective regimen consists of: an override holds as long as this stays the same."""
    return frozenset(chain.from_iterable(order.drug.ingredients for order in bedside.regimen.therapy))


def plan(verdicts: Verdicts, bedside: Bedside, service: Service, overridden: Iterable[Overridden] = ()) -> tuple[Sketch, ...]:
    """The cards of one answer, most urgent first; a rule appears once, or not at all."""
    shadow = bedside.policy.rules.shadow
    pool = {finding.rule: finding for finding in verdicts.findings if finding.rule not in shadow}
    regimen = ingredients(bedside)
    quiet = frozenset(one.rule for one in overridden if one.ingredients == regimen)
    sketches: list[Sketch] = []
    loose: list[Finding] = []
    for group, rules in (*service.groups, (Group(each=tuple(pool)), tuple(pool))):
        mine = [pool.pop(rule) for rule in rules if rule in pool]
        opened, left = _group(group, mine, quiet, service) if mine else ([], [])
        sketches += opened
        loose += left
    return _economy(sketches, loose, service.joining, service)


def _group(group: Group, mine: Sequence[Finding], quiet: frozenset[str], service: Service) -> tuple[list[Sketch], list[Finding]]:
    """The cards that one group opens, and its lines that may not stand alone."""
    heard = [one for one in mine if one.rule not in quiet]
    standing = [one for one in heard if one.alone or not service.orders]
    lines = [one for one in heard if one not in standing]
    each = [Sketch(one) for one in standing if one.rule in group.each]
    merged = [one for one in standing if one.rule in group.merge]
    lead = _first([one for one in mine if one.rule in group.one], standing, quiet)
    if lead:
        joining = tuple(one for one in heard if one is not lead and one.rule in group.attach)
        return [Sketch(lead, joining), *each], []
    if merged:
        first = min(merged, key=_urgency)
        fellows = tuple(one for one in heard if one is not first and one.rule in group.merge)
        return [Sketch(first, fellows, merged=True), *each], []
    return each, lines


def _first(ranked: Sequence[Finding], standing: Sequence[Finding], quiet: frozenset[str]) -> Finding | None:
    """The first in precedence; where the user has overridden it, only something more urgent speaks in its place."""
    here = [one for one in ranked if one in standing or one.rule in quiet]
    if not here or here[0].rule not in quiet:
        return here[0] if here else None
    return next((one for one in here if one.rule not in quiet and one.indicator.rank > here[0].indicator.rank), None)


def _economy(sketches: list[Sketch], loose: list[Finding], joining: frozenset[str], service: Service) -> tuple[Sketch, ...]:
    """Beside a critical card there is no card of lesser notes: those named as joining become lines of it."""
    sketches.sort(key=lambda sketch: _urgency(sketch.lead))
    if not sketches:
        return ()
    if sketches[0].lead.indicator is Indicator.CRITICAL:
        notes = [sketch for sketch in sketches if sketch.lead.indicator is Indicator.INFO]
        spoken = [*chain.from_iterable(sketch.own for sketch in notes), *loose]
        loose = [one for one in spoken if one.rule in joining or one.indicator is not Indicator.INFO]
        sketches = [sketch for sketch in sketches if sketch not in notes]
    elif service.orders:
        sketches = _one_note(sketches)
    first = sketches[0]
    return (replace(first, attached=(*first.attached, *loose)), *sketches[1:])


def _one_note(sketches: list[Sketch]) -> list[Sketch]:
    """Notes of several merging groups become one card."""
    notes = [sketch for sketch in sketches if sketch.merged and sketch.lead.indicator is Indicator.INFO]
    if len(notes) < 2:
        return sketches
    first, *others = notes
    together = replace(first, fellows=(*first.fellows, *chain.from_iterable(sketch.own for sketch in others)))
    return [together if sketch is first else sketch for sketch in sketches if sketch not in others]


def _urgency(finding: Finding) -> int:
    return -finding.indicator.rank
