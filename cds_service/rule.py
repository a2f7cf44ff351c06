"""A rule: its sheet, its trigger, and how the two speak together."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Annotated, Any, TypeVar

from msgspec import Meta, Struct, field
from msgspec.structs import replace

from cds_service.clinical import lists
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.infection import Evidence, State
from cds_service.clinical.policy import Sheet
from cds_service.conditions import SOFTER, UNLESS
from cds_service.finding import Finding, Indicator, Quiet, Remark, Silence
from cds_service.kept import kept
from cds_service.triggers import Trigger
from cds_service.wording import Words, evidence_words, fill, summarise

T = TypeVar("T")
REGIMEN = "regimen"
QUESTIONS = {
    REGIMEN: "Is anything in the regimen expected to work?",
    "add-on": "Is a further drug needed?",
    "dosing": "Do dose, interval and infusion fit?",
    "course": "How long, and what if it gets worse?",
    "safety": "Does something about the patient speak against it?",
    "state": "Carrier or history",
    "monitoring": "What is missing or unclear?",
}

NOT_CURRENT = "not-current"
STANDING_NOTES = {*State, *SOFTER, "preliminary", "companions", "type-unknown"}


class Match(Sheet, frozen=True):
    """Which evidence arms the rule; nothing means that it needs none."""

    evidence: tuple[lists.State, ...] = ()
    organism: tuple[lists.Group, ...] = ()


class Reviewed(Sheet, frozen=True):
    """Who stands for the sheet, as roles, and when it is looked at again."""

    by: lists.Text
    checked_by: lists.Text
    on: date
    next: date


class RuleSheet(Sheet, frozen=True):
    """The headings of one file in `rules/`.

    `group` is the question that the rule answers; which card carries the answer is for the service to say. `suggest_with` and
    `override_with` add to their lists where a note is asked for; `evidence_only_with` names rows of `evidence` that are cited only there.
    """

    id: str
    title: lists.Text
    trigger: str
    hooks: Annotated[tuple[lists.Hook, ...], Meta(min_length=1, description="at least one hook")]
    indicator: Indicator
    summary: lists.Text
    reviewed: Reviewed
    with_: dict[str, Any] = field(default_factory=dict, name="with")
    group: lists.CardGroup = REGIMEN
    stands_alone: bool = True
    match: Match = Match()
    unless: tuple[lists.Unless, ...] = ()
    softer_when: tuple[lists.Softer, ...] = ()
    variants: dict[str, lists.Text] = field(default_factory=dict)
    detail: str = ""
    notes: dict[str, lists.Text] = field(default_factory=dict)
    suggest: tuple[lists.Suggestion, ...] = ()
    suggest_with: dict[str, tuple[lists.Suggestion, ...]] = field(default_factory=dict)
    override: tuple[lists.Override, ...] = ()
    override_with: dict[str, tuple[lists.Override, ...]] = field(default_factory=dict)
    evidence: tuple[lists.Evidence, ...] = ()
    evidence_only_with: dict[str, tuple[lists.Evidence, ...]] = field(default_factory=dict)
    limits: str = ""


class Rule(Struct, frozen=True, dict=True):
    """One sheet of the knowledge, ready to be asked."""

    sheet: RuleSheet
    trigger: Trigger
    file: str

    @kept
    def id(self) -> str:
        return self.sheet.id

    @kept
    def condemns(self) -> bool:
        """The rule may find that the regimen cannot work; where it speaks, doses wait."""
        return self.sheet.group == REGIMEN and self.sheet.indicator is Indicator.CRITICAL

    def judge(self, bedside: Bedside) -> Finding | Silence:
        """What the rule says here, or why it keeps silent."""
        evidence = bedside.infection.strongest(*self._arms) if self._arms else bedside.infection.proven
        if self._arms and not evidence:
            return self._no_match
        remarks = list(self.trigger.speak(bedside, evidence))
        if not remarks:
            return self._nothing
        standing = [(remark, self._stood_down(bedside, evidence, remark)) for remark in remarks]
        spoken = [remark for remark, why in standing if why is None]
        if not spoken:
            return Silence(self.id, Quiet.STOOD_DOWN, f"{standing[0][1]}")
        return self._finding(bedside, evidence, _together(spoken, self.sheet.indicator))

    @kept
    def _no_match(self) -> Silence:
        return Silence(self.id, Quiet.NO_MATCH, f"no evidence that is {' or '.join(self.sheet.match.evidence)} in these organisms")

    @kept
    def _nothing(self) -> Silence:
        return Silence(self.id, Quiet.NOTHING_TO_SAY, self._unseen)

    @kept
    def _arms(self) -> tuple[tuple[State, ...], tuple[str, ...]] | None:
        """The states that arm the rule, strongest first, and the groups of organisms; None where the rule asks for no evidence."""
        match = self.sheet.match
        if not match.evidence and not match.organism:
            return None
        return tuple(state for state in State if not match.evidence or state in match.evidence), match.organism

    @kept
    def _unseen(self) -> str:
        """What the trigger looks for, in the words of its first sentence."""
        first = " ".join((type(self.trigger).__doc__ or "").split()).partition(". ")[0].rstrip(".")
        return f"nothing here of this kind: {first[:1].lower()}{first[1:]}"

    def _stood_down(self, bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> str | None:
        for word in self.sheet.unless:
            if UNLESS[word](bedside, evidence, remark):
                return word
        return None

    def _finding(self, bedside: Bedside, evidence: tuple[Evidence, ...], remark: Remark) -> Finding:
        soft = [word for word in self.sheet.softer_when if SOFTER[word](bedside, evidence, remark)]
        indicator = remark.indicator or self.sheet.indicator
        if soft and indicator is Indicator.CRITICAL:
            indicator = Indicator.WARNING
        about = tuple(one for one in bedside.infection.evidence if one.isolate in remark.isolates)
        words = Words({**evidence_words(about or evidence), **remark.words})
        asked = [*remark.notes, *soft, *self._standing_notes(evidence)]
        sentences = [self.sheet.detail, *(self.sheet.notes[note] for note in dict.fromkeys(asked) if note in self.sheet.notes)]
        summary = self._summary(evidence, remark)
        usual = remark.suggest if remark.suggest is not None else self.sheet.suggest
        cited = remark if remark.isolates else replace(remark, isolates=tuple(one.isolate for one in evidence))
        return Finding(
            rule=self.id,
            title=self.sheet.title,
            indicator=indicator,
            summary=summarise(summary, words),
            detail=tuple(fill(text, words) for text in (*sentences, self.sheet.limits) if text),
            remark=cited,
            suggest=(*usual, *(key for note in asked for key in self.sheet.suggest_with.get(note, ()) if key not in usual)),
            override=(*self.sheet.override, *(word for note in asked for word in self.sheet.override_with.get(note, ()))),
            evidence=self._evidence_for(asked),
            alone=self.sheet.stands_alone and not remark.attached,
        )

    def _evidence_for(self, notes: Sequence[str]) -> tuple[str, ...]:
        held = self.sheet.evidence_only_with
        if not held:
            return self.sheet.evidence
        cited = {row for note in notes for row in held.get(note, ())}
        return tuple(row for row in self.sheet.evidence if row in cited or not any(row in rows for rows in held.values()))

    def _summary(self, evidence: Sequence[Evidence], remark: Remark) -> str:
        """The variant of the remark; where no infection is current, the sheet's own words for that come first."""
        variants = self.sheet.variants
        past = evidence and all(one.state is not State.CURRENT for one in evidence)
        if past and NOT_CURRENT in variants:
            return variants[NOT_CURRENT]
        return variants.get(remark.variant or "", self.sheet.summary)

    def _standing_notes(self, evidence: Sequence[Evidence]) -> list[str]:
        """Notes that depend on the evidence alone, whatever the trigger saw; its state is one of them."""
        notes = [evidence[0].state.value] if evidence else []
        if any(one.preliminary for one in evidence):
            notes.append("preliminary")
        if any(one.companions for one in evidence):
            notes.append("companions")
        if evidence and not any(one.typed for one in evidence):
            notes.append("type-unknown")
        return notes


def _together(remarks: Sequence[Remark], usual: Indicator) -> Remark:
    """The strongest remark speaks for all, about the orders of all."""
    first = max(remarks, key=lambda one: ((one.indicator or usual).rank, not one.attached))
    if len(remarks) == 1:
        return first
    every = (first, *remarks)
    return replace(
        first,
        orders=_each(one.orders for one in every),
        isolates=_each(one.isolates for one in every),
        notes=_each(one.notes for one in every),
        removes=_each(one.removes for one in every),
        corrections=_each(one.corrections for one in every),
    )


def _each(parts: Iterable[Iterable[T]]) -> tuple[T, ...]:
    """Everything that the parts hold, once."""
    return tuple(dict.fromkeys(item for one in parts for item in one))
