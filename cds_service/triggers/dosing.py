"""The dose for this kidney."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from math import ceil
from typing import ClassVar, Literal

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.doses import Band, Fit, Leeway, distance_pct, written
from cds_service.clinical.facts import Dose, Order
from cds_service.clinical.figures import figure
from cds_service.clinical.infection import Evidence
from cds_service.clinical.lists import Drug
from cds_service.clinical.regimen import Drugs, treats
from cds_service.clinical.renal import HAEMODIALYSIS
from cds_service.finding import Correction, Indicator, Remark
from cds_service.kept import kept
from cds_service.triggers.trigger import Says, names

NOT_GIVEN = {"entered-in-error", "cancelled", "stopped", "on-hold", "ended", "unknown"}


@dataclass(frozen=True)
class DoseOffTable:
    """The dose of a draft is not the one that the table gives for this kidney.

    `tolerance_pct` of grams and hours is rounding. Judged are drafts that belong to a regimen that works as a whole. With `load` a loading
    dose of the table that is missing in the first `load_within_h` is missed; one that is required is judged like any other dose. A dose
    counts as far off from `far_pct` on, or at a clearance up to `low_clearance`; any other has the indicator `mild`. Up to
    `review_below` mL/min and in dialysis a pharmacist is to look at the intervals.
    """

    SAYS: ClassVar = Says(
        "drug dose components ordered load kidney",
        variants="above below above-daily-maximum component other-schedule no-load wrong-load short-infusion",
        notes="above below second-band full-interval daily-maximum components load infusion low-clearance sessions "
        "pharmacist-review injury",
    )
    drug: Drug
    tolerance_pct: Decimal
    far_pct: Decimal
    low_clearance: Decimal
    load_within_h: int
    max_daily_g: Decimal | None = None
    load: Literal["none", "advised", "required"] = "none"
    infusion_h: Decimal | None = None
    sessions_h: Decimal | None = None
    review_below: Decimal | None = None
    mild: Indicator = Indicator.WARNING

    @kept
    def drugs(self) -> Drugs:
        """The drug as a set of one."""
        return Drugs(self.drug, {self.drug})

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = drafted(bedside, self.drugs)
        band = bedside.reference.doses.expected(self.drug, bedside.kidney) if orders and _trusted(bedside) else None
        if band is None or not band.suggest:
            return
        for order in sorted(orders, key=_single):
            remark = self._judge(bedside, order, band)
            if remark:
                yield remark

    def _judge(self, bedside: Bedside, order: Order, band: Band) -> Remark | None:
        leeway = self._leeway(bedside)
        fits = {dose: found for dose in order.doses if (found := leeway.fit(dose, band))}
        wrong = next((dose for dose, found in fits.items() if found is not Fit.RIGHT and not self._excused(bedside, found)), None)
        off = fits[wrong] if wrong else None
        missing = bool(fits) and order not in bedside.regimen.discharge and self._load_missing(bedside, order, band, fits)
        load = self._wrong_load(bedside, order, band)
        short = self.infusion_h is not None and shorter(order, self.infusion_h)
        if not (off or missing or load or short):
            return None
        variant = str(off) if off else "no-load" if missing else "wrong-load" if load else "short-infusion"
        return Remark(
            (order,),
            indicator=Indicator.WARNING if load else self._indicator(bedside, wrong, off, missing, band),
            variant=variant,
            words=self._words(bedside, order, wrong or load, band),
            notes=tuple(self._notes(bedside, wrong, off, missing, short, band)),
            corrections=tuple(self._corrections(bedside, order, band, missing, load)),
        )

    def _leeway(self, bedside: Bedside) -> Leeway:
        sessions = self.sessions_h if bedside.kidney.replacement == HAEMODIALYSIS else None
        return Leeway(self.tolerance_pct, self.max_daily_g, sessions)

    def _excused(self, bedside: Bedside, off: Fit) -> bool:
        """Acute kidney injury: the number is not steady enough to call a dose low, and buys a full dose for the first hours."""
        if not bedside.kidney.injury or bedside.kidney.replacement or off is Fit.ABOVE_MAXIMUM:
            return False
        return off is Fit.BELOW or under_way_h(bedside, self.drugs) <= bedside.policy.renal.aki_silence_h

    def _load_missing(self, bedside: Bedside, order: Order, band: Band, fits: dict[Dose, Fit]) -> bool:
        """An order that is kept or renewed is no fresh start."""
        if self.load == "none" or band.load is None or band.load.grams is None:
            return False
        if any(old in self.drugs for old in bedside.regimen.carried_by(order)) or self._on_board(bedside):
            return False
        if under_way_h(bedside, self.drugs) > self.load_within_h:
            return False
        spelled = Fit.COMPONENT in fits.values() and band.load.lead_grams
        least, leeway = spelled or band.load.grams, self._leeway(bedside)
        drafted = any(dose.once for order in self._given(bedside) if order.draft for dose in order.doses)
        given = (dose for order in self._given(bedside) for dose in self._stays(bedside, order, band) if dose.grams is not None)
        return not drafted and not any(leeway.enough(dose.grams or least, least) for dose in given)

    def _on_board(self, bedside: Bedside) -> bool:
        """Another product that holds all of this drug has run up to now, so that the patient is loaded."""
        mine, plan = bedside.reference.drugs[self.drug].ingredients, bedside.regimen
        others = (one for one in (*plan.running, *plan.replaced, *plan.endings) if one not in self.drugs and treats(one))
        return any(mine <= one.drug.ingredients for one in others)

    def _stays(self, bedside: Bedside, order: Order, band: Band) -> Iterator[Dose]:
        """The doses that are given as they are ordered; a draft that is to be corrected loads nobody."""
        leeway = self._leeway(bedside)
        for dose in order.doses:
            found = leeway.fit(dose, band) if order.draft else None
            if found in {None, Fit.RIGHT, Fit.COMPONENT} or self._excused(bedside, found):
                yield dose

    def _wrong_load(self, bedside: Bedside, order: Order, band: Band) -> Dose | None:
        """A required loading dose that is not the one of the band; in acute kidney injury the band is not steady enough."""
        kidney, load = bedside.kidney, band.load
        if self.load != "required" or load is None or load.grams is None or (kidney.injury and not kidney.replacement):
            return None
        if order in bedside.regimen.discharge or under_way_h(bedside, self.drugs) > self.load_within_h:
            return None
        wanted = [grams for grams in (load.grams, load.lead_grams if self._spelled(bedside, band) else None) if grams is not None]
        leeway = self._leeway(bedside)
        once = (dose for dose in order.doses if dose.once and dose.grams is not None)
        return next((dose for dose in once if not any(leeway.covers(dose, grams) for grams in wanted)), None)

    def _spelled(self, bedside: Bedside, band: Band) -> bool:
        """A draft of this drug counts its first component alone."""
        leeway = self._leeway(bedside)
        doses = (dose for order in drafted(bedside, self.drugs) for dose in order.doses)
        return any(leeway.fit(dose, band) is Fit.COMPONENT for dose in doses)

    def _given(self, bedside: Bedside) -> Iterator[Order]:
        """Orders of the drug that are signed now, run, or were given within the hours in which a loading dose counts."""
        for order in bedside.chart.orders:
            if order not in self.drugs or not treats(order) or order.ending or order.status in NOT_GIVEN:
                continue
            began = bedside.since(order.starts)
            if order.draft or began is None or began <= self.load_within_h:
                yield order

    def _indicator(self, bedside: Bedside, wrong: Dose | None, off: Fit | None, missing: bool, band: Band) -> Indicator:
        if missing:
            return Indicator.WARNING
        if off is None or wrong is None:
            return Indicator.INFO
        clearance, replaced = bedside.kidney.clearance, bedside.kidney.replacement
        grave = replaced is not None or (clearance is not None and clearance <= self.low_clearance)
        far = off is Fit.ABOVE_MAXIMUM or distance_pct(wrong, band) >= self.far_pct
        return Indicator.WARNING if grave or far else self.mild

    def _notes(self, bedside: Bedside, wrong: Dose | None, off: Fit | None, missing: bool, short: bool, band: Band) -> Iterator[str]:
        """`second-band` lies just below the full dose; `full-interval` is a wrong dose as often as a full one."""
        kidney = bedside.kidney
        full, *less = bedside.reference.doses.bands(self.drug)
        daily = wrong.grams * 24 / wrong.interval_h if wrong and wrong.grams and wrong.interval_h else None
        low = kidney.clearance is not None and kidney.clearance <= self.low_clearance
        yield from (
            note
            for note, said in {
                "above": off in {Fit.ABOVE, Fit.ABOVE_MAXIMUM},
                "below": off is Fit.BELOW,
                "second-band": off is not None and band.maintenance[0] in less[:1],
                "full-interval": wrong is not None and wrong.interval_h in full.intervals_h and band.maintenance[0] != full,
                "daily-maximum": daily is not None and self.max_daily_g is not None and daily >= self.max_daily_g,
                "components": off is not None,
                "load": missing,
                "infusion": short,
                "low-clearance": low and not kidney.replacement,
                "sessions": kidney.replacement == HAEMODIALYSIS,
                "pharmacist-review": kidney.reviewed(self.review_below),
                "injury": kidney.injury and off is not None,
            }.items()
            if said
        )

    def _words(self, bedside: Bedside, order: Order, wrong: Dose | None, band: Band) -> dict[str, str]:
        interval = band.interval_h(bedside.policy.intervals.get(self.drug))
        told = wrong or next(iter(order.doses), None)
        load = band.load.grams if band.load else None
        return {
            "drug": order.drug.name,
            "dose": f"{figure(band.grams)} g every {figure(interval)} h",
            "components": band.maintenance[0].components or "one component",
            "ordered": written(told) if told else "no dose",
            "load": f"{figure(load)} g" if load is not None else "no loading dose",
            "kidney": bedside.kidney.named(bedside.reference.doses.limits),
        }

    def _corrections(self, bedside: Bedside, order: Order, band: Band, missing: bool, load: Dose | None) -> Iterator[Correction]:
        """The maintenance of the band for a regular dose, its loading dose for a single one."""
        row = band.load
        if row and row.grams is not None and (load or _single(order)):
            yield Correction(order, row.grams, None, row.infusion_h or band.infusion_h)
        if not _single(order):
            interval = band.interval_h(bedside.policy.intervals.get(self.drug))
            yield Correction(order, band.grams, interval, band.infusion_h, row.grams if missing and row else None)


@dataclass(frozen=True)
class RenalDataMissing:
    """A drug with a renal dose is signed, and kidney function is unknown, old or unsteady, or a number for it could not be read."""

    SAYS: ClassVar = Says("drug missing hours n", variants="no-creatinine no-weight no-age no-sex old unstable unread checked-without")
    drugs: Drugs

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = tuple(drafted(bedside, self.drugs))
        kidney, rules, lost = bedside.kidney, bedside.policy.renal, _unread(bedside)
        if not orders or kidney.replacement:
            return
        needed = {*kidney.lacking, *(() if bedside.creatinine_fresh else ("creatinine",))}
        words = {"drug": names(orders), "missing": " and ".join(lost or kidney.lacking)}
        suggest = () if bedside.creatinine_fresh else None
        if needed.intersection(lost):
            yield Remark(orders, variant="unread", words=words, suggest=suggest)
        elif kidney.creatinine is None:
            yield Remark(orders, variant="no-creatinine", words=words)
        elif kidney.lacking:
            yield Remark(orders, variant=f"no-{kidney.lacking[0]}", words=words, suggest=suggest)
        elif not bedside.creatinine_fresh:
            age = f"{ceil(kidney.age_h)}" if kidney.age_h is not None else "an unknown number of"
            yield Remark(orders, variant="old", words={**words, "hours": age})
        elif kidney.change_pct is not None and kidney.change_pct >= rules.unstable_pct:
            yield Remark(orders, variant="unstable", words={**words, "n": f"{kidney.change_pct:.0f}"})
        elif lost:
            yield Remark(orders, variant="checked-without", words=words, suggest=())


def _unread(bedside: Bedside) -> list[str]:
    """The numbers for the clearance that could not be read: the newest creatinine, and weight and height of which no other is there."""
    asked = {"creatinine", *(test for test in ("weight", "height") if not bedside.chart.measures.get(test))}
    if bedside.policy.renal.weight == "actual":
        asked.discard("height")
    return sorted(asked & bedside.chart.unread_tests)


def drafted(bedside: Bedside, drugs: Drugs) -> tuple[Order, ...]:
    """The drafts of these drugs that belong to a regimen that works as a whole, in hospital or on the discharge list."""
    return bedside.regimen.of(drugs, bedside.regimen.dosed)


def under_way_h(bedside: Bedside, drugs: Drugs) -> float:
    """For how many hours the patient has been on the drug; an order that has just run out counts."""
    regimen = bedside.regimen
    lately = [one for one in regimen.ended if one.ends and 0 <= (bedside.since(one.ends) or 0) <= float(regimen.policy.single_dose_h)]
    known = [one for one in (*regimen.running, *regimen.replaced, *regimen.endings, *lately) if one in drugs]
    return max((bedside.since(one.starts or one.authored) or 0.0 for one in known), default=0.0)


def _trusted(bedside: Bedside) -> bool:
    """In replacement therapy the table asks for no clearance; else the creatinine must be recent enough."""
    return bedside.kidney.replacement is not None or bedside.creatinine_fresh


def shorter(order: Order, hours: Decimal) -> bool:
    """A stated infusion time is shorter; a continuous infusion has none."""
    return any(dose.infusion_h is not None and not dose.continuous and dose.infusion_h < hours for dose in order.doses)


def _single(order: Order) -> bool:
    """The order gives one dose and no more."""
    return bool(order.doses) and all(dose.once for dose in order.doses)
