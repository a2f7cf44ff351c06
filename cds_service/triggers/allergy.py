"""What the patient is recorded to react to, and what resembles it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from cds_service.clinical import lists
from cds_service.clinical.allergies import ALERTED, Reaction, chained, reaction, worst
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Allergy, Drug, Order
from cds_service.clinical.infection import Evidence
from cds_service.clinical.lists import Ingredient
from cds_service.finding import Indicator, Remark
from cds_service.triggers.trigger import Says


@dataclass(frozen=True)
class DrugAllergy:
    """A drug is ordered that the patient is recorded to react to, or one that shares its side chain.

    The side chains of a row of `similar` only resemble one another: the order is spoken about, and the drug may still be offered.
    Reactions of `severe_skin` have words of their own.
    """

    SAYS: ClassVar = Says(
        "drug allergy",
        variants="similar-side-chain shared-side-chain class severe-skin",
        notes="severe cross same similar",
    )
    cross: tuple[tuple[Ingredient, ...], ...]
    years_forgotten: int
    similar: tuple[tuple[Ingredient, ...], ...] = ()
    severe_skin: tuple[lists.Reaction, ...] = ()

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        found = [
            (verdict, allergy, order)
            for order in self._ordered(bedside)
            for allergy in bedside.chart.allergies
            if (verdict := self._verdict(bedside, allergy, order))
        ]
        if not found:
            return
        found.sort(key=lambda one: list(Reaction).index(one[0]))
        verdict, allergy, order = found[0]
        severe, cross = verdict is Reaction.SEVERE, verdict in {Reaction.CROSS, Reaction.SIMILAR}
        yield Remark(
            tuple(dict.fromkeys(one for _, _, one in found)),
            indicator=Indicator.CRITICAL if severe else Indicator.WARNING,
            variant=self._variant(verdict, allergy, order.drug),
            words={"drug": order.drug.name, "allergy": self.named(bedside, allergy)},
            notes=tuple(dict.fromkeys(str(kind) for kind, _, _ in found)),
            removes=tuple(dict.fromkeys(one for kind, _, one in found if kind is Reaction.SEVERE)),
            attached=cross and bool(bedside.unsound),
        )

    def _ordered(self, bedside: Bedside) -> Iterator[Order]:
        """The drafts of drugs that stand in a row of the policy; while choosing, only those that were just selected."""
        for order in (*bedside.regimen.signed, *bedside.regimen.take_home.therapy):
            if order.drug.key in bedside.regimen.directed and bedside.chosen(order):
                yield order

    def _variant(self, verdict: Reaction, allergy: Allergy, drug: Drug) -> str | None:
        if verdict is Reaction.SIMILAR:
            return "similar-side-chain"
        if verdict is Reaction.CROSS:
            return "shared-side-chain" if chained(allergy, drug, self.cross) else "class"
        return "severe-skin" if allergy.reactions & set(self.severe_skin) else None

    def _verdict(self, bedside: Bedside, allergy: Allergy, order: Order) -> Reaction | None:
        found = reaction(allergy, order.drug, self.cross, self.years_forgotten, bedside.now, self.similar)
        return found if found in ALERTED else None

    def worst(self, bedside: Bedside, drug: Drug) -> tuple[Reaction, Allergy] | None:
        """What speaks most against a drug that is not ordered yet."""
        return worst(bedside.chart.allergies, drug, self.cross, self.years_forgotten, bedside.now, self.similar)

    def barred(self, bedside: Bedside, kind: Reaction, allergy: Allergy, drug: Drug) -> str:
        """Why a drug is not offered, with the name of the allergy."""
        name = self.named(bedside, allergy)
        if kind is not Reaction.CROSS:
            return f"recorded {name}"
        return f"{'cross-reacts with' if chained(allergy, drug, self.cross) else 'belongs to the class of'} the recorded {name}"

    def unnamed(self, bedside: Bedside, drug: Drug) -> str:
        """A severe allergy to a class of which no drug is named, where one of that class shares a side chain with this drug; else ""."""
        known = bedside.reference.drugs
        for allergy in bedside.chart.allergies:
            for row in self.cross:
                mine = [one for one in row if one in drug.ingredients]
                others = [one for one in row if one not in mine and one in known and known[one].classes & allergy.groups]
                if allergy.severe and mine and others:
                    shared = f"{known[mine[0]].name} shares a side chain with {known[others[0]].name}"
                    return f"which drug the recorded {self.named(bedside, allergy)} is to is not known; {shared}"
        return ""

    @staticmethod
    def named(bedside: Bedside, allergy: Allergy) -> str:
        """Our own name of what the allergy is to; the record's words stay out of a sentence."""
        known = bedside.reference.drugs
        named = sorted(known[key].name if key in known else key for key in allergy.substances)
        return ", ".join(named or sorted(allergy.groups)) + " allergy"
