"""Chapter B of the rule sheet: is the dose right for this kidney, and is it given so that it works?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.doses import Band
from cds_service.clinical.facts import Dose, Order
from cds_service.clinical.infection import Evidence
from cds_service.clinical.regimen import Drugs
from cds_service.finding import Correction, Indicator, Remark
from cds_service.triggers.activity import NONE
from cds_service.triggers.trigger import names

DAY_H = Decimal(24)


@dataclass(frozen=True)
class DoseOffTable:
    """The dose of a draft is not the one that the table gives for this kidney."""

    drug: Drugs
    beside: Drugs = NONE
    max_daily_g: Decimal | None = None
    load: str = "none"
    load_below: Decimal | None = None
    load_within_h: int = 24
    infusion_h: Decimal | None = None
    tolerance_pct: Decimal = Decimal(5)
    band_pct: Decimal = Decimal(25)
    low_clearance: Decimal = Decimal(15)
    review_below: Decimal = Decimal(30)
    mild: Indicator = Indicator.WARNING

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        if self.beside and not bedside.regimen.of(self.beside):
            return
        (agent,) = self.drug.keys
        band = bedside.reference.doses.expected(agent, bedside.kidney)
        if band is None:
            return
        for order in bedside.regimen.of(self.drug, bedside.regimen.signed):
            remark = self._judge(bedside, order, band)
            if remark:
                yield remark

    def _judge(self, bedside: Bedside, order: Order, band: Band) -> Remark | None:
        doses = [dose for dose in order.doses if not dose.once and dose.grams is not None]
        off = next((found for dose in doses if (found := self._off(dose, band))), None)
        if off == "above" and self._kept_on_purpose(bedside, order):
            off = None
        if off == "below" and bedside.kidney.injury:
            off = None
        missing = bool(doses) and self._load_missing(bedside, band)
        short = any(dose.infusion_h is not None and self.infusion_h is not None and dose.infusion_h < self.infusion_h for dose in doses)
        if not off and not missing and not short:
            return None
        variant = off or ("no-load" if missing else "short-infusion")
        notes = tuple(self._notes(bedside, off, missing, short))
        return Remark(
            (order,),
            indicator=self._indicator(bedside, doses, band, off, missing),
            variant=variant,
            words=self._words(bedside, order, doses, band),
            notes=notes,
            corrections=(self._correction(bedside, order, band, load=missing or band.load is not None and self._starts(bedside)),),
            attached=variant == "no-load" and self.load == "advised",
        )

    def _off(self, dose: Dose, band: Band) -> str | None:
        """Below or above the band; rounding within the tolerance is neither, an unstated interval is not judged."""
        grams, interval = dose.grams, dose.interval_h
        if grams is None or interval is None or interval <= 0 or dose.continuous:
            return None
        slack = band.grams * self.tolerance_pct / 100
        right_grams, right_interval = abs(grams - band.grams) <= slack, interval in band.intervals_h
        if self.max_daily_g and grams * DAY_H / interval > self.max_daily_g * (100 + self.tolerance_pct) / 100:
            return "above-daily-maximum"
        if right_grams and right_interval:
            return None
        given = grams / interval
        usual = [band.grams / hours for hours in band.intervals_h]
        return "above" if given > max(usual) * (100 + self.tolerance_pct) / 100 else "below"

    def _kept_on_purpose(self, bedside: Bedside, order: Order) -> bool:
        """Acute kidney injury buys a full dose for the first hours of therapy."""
        hours = bedside.running_h(order) or 0
        return bedside.kidney.injury and hours <= bedside.policy.renal.aki_silence_h

    def _starts(self, bedside: Bedside) -> bool:
        """No order of the drug has run before, or only for a short time."""
        hours = [bedside.running_h(order) or 0 for order in bedside.chart.orders if order in self.drug and not order.draft]
        return max(hours, default=0) <= self.load_within_h

    def _load_missing(self, bedside: Bedside, band: Band) -> bool:
        if self.load == "none" or band.load is None or band.load.grams is None or not self._starts(bedside):
            return False
        clearance = bedside.kidney.clearance
        if self.load_below is not None and clearance is not None and clearance > self.load_below:
            return False
        least = band.load.grams * (100 - self.tolerance_pct) / 100
        every = [order for order in bedside.chart.orders if order in self.drug and order.status != "entered-in-error"]
        return not any(dose.once and dose.grams is not None and dose.grams >= least for order in every for dose in order.doses)

    def _indicator(self, bedside: Bedside, doses: Sequence[Dose], band: Band, off: str | None, missing: bool) -> Indicator:
        if missing and self.load == "required":
            return Indicator.WARNING
        if off is None:
            return Indicator.INFO
        clearance = bedside.kidney.clearance
        grave = clearance is not None and clearance <= self.low_clearance
        far = any(self._far(dose, band) for dose in doses)
        return Indicator.WARNING if grave or far or off == "above-daily-maximum" else self.mild

    def _far(self, dose: Dose, band: Band) -> bool:
        """At least a band off, by the amount given in a day."""
        if dose.grams is None or not dose.interval_h:
            return False
        given = dose.grams / dose.interval_h
        distances = [abs(given - band.grams / hours) * 100 / (band.grams / hours) for hours in band.intervals_h]
        return min(distances) >= self.band_pct

    def _notes(self, bedside: Bedside, off: str | None, missing: bool, short: bool) -> Iterator[str]:
        if off in {"above", "above-daily-maximum"}:
            yield "neurotoxicity"
        if off:
            yield "components-trap"
        if missing:
            yield "loading"
        if short:
            yield "short-infusion"
        if bedside.kidney.replacement:
            yield "dialysis"
        clearance = bedside.kidney.clearance
        if bedside.kidney.replacement or (clearance is not None and clearance <= self.review_below):
            yield "pharmacist-review"
        if bedside.kidney.injury:
            yield "aki"

    def _words(self, bedside: Bedside, order: Order, doses: Sequence[Dose], band: Band) -> dict[str, str]:
        interval = self._interval(bedside, band)
        load = f"{band.load.grams.normalize():f} g" if band.load and band.load.grams is not None else "no load"
        clearance = bedside.kidney.clearance
        return {
            "drug": order.drug.name,
            "dose": f"{band.grams.normalize():f} g every {interval.normalize():f} h",
            "ordered": written(doses[0]) if doses else "no dose",
            "clearance": f"{clearance:.0f}" if clearance is not None else bedside.kidney.replacement or "unknown",
            "load": load,
            "interval": f"{interval.normalize():f}",
        }

    def _interval(self, bedside: Bedside, band: Band) -> Decimal:
        wanted = bedside.policy.intervals.get(next(iter(self.drug.keys)))
        return wanted if wanted in band.intervals_h and wanted is not None else band.intervals_h[0]

    def _correction(self, bedside: Bedside, order: Order, band: Band, *, load: bool) -> Correction:
        grams = band.load.grams if load and band.load else None
        return Correction(order, band.grams, self._interval(bedside, band), band.infusion_h, grams)


@dataclass(frozen=True)
class InfusionTooShort:
    """A stated infusion time is shorter than the guidance, or than the label."""

    drugs: Drugs
    label_h: Decimal
    guidance_h: Decimal

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        for order in bedside.regimen.of(self.drugs, bedside.regimen.signed):
            doses = [dose for dose in order.doses if not dose.continuous]
            stated = [dose.infusion_h for dose in doses if dose.infusion_h is not None]
            words = {"drug": order.drug.name, "hours": f"{min(stated).normalize():f}" if stated else "not stated"}
            if not stated:
                yield Remark((order,), indicator=Indicator.INFO, variant="unstated", words=words, attached=True)
            elif min(stated) < self.label_h:
                yield Remark((order,), indicator=Indicator.WARNING, variant="below-label", words=words)
            elif min(stated) < self.guidance_h:
                yield Remark((order,), indicator=Indicator.INFO, words=words)


@dataclass(frozen=True)
class NotTogether:
    """Two drugs that protect one another are not given at the same time."""

    drugs: Drugs
    beside: Drugs
    apart_h: int
    infusion_h: Decimal

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        regimen = bedside.regimen
        first, second = regimen.of(self.drugs), regimen.of(self.beside)
        if not first or not second:
            return
        short = [one for one in first if any(dose.infusion_h is not None and dose.infusion_h < self.infusion_h for dose in one.doses)]
        apart = [one for one in first for two in second if self._apart(one, two)]
        orders = short or apart
        if orders and any(order.draft for order in (*first, *second)):
            yield Remark((*orders, *second), words={"drug": names(orders), "partner": names(second)})

    def _apart(self, one: Order, two: Order) -> bool:
        if not (one.starts and two.starts):
            return False
        different = {dose.interval_h for dose in one.doses} != {dose.interval_h for dose in two.doses}
        return different and abs(one.starts - two.starts) > timedelta(hours=self.apart_h)


@dataclass(frozen=True)
class RenalDataMissing:
    """A drug with a renal dose is signed, and kidney function is unknown, old or unsteady."""

    drugs: Drugs

    def speak(self, bedside: Bedside, evidence: Sequence[Evidence]) -> Iterator[Remark]:
        orders = bedside.regimen.of(self.drugs, bedside.regimen.signed)
        kidney, rules = bedside.kidney, bedside.policy.renal
        if not orders or kidney.replacement:
            return
        stale = rules.icu_stale_h if "intensive-care" in bedside.words else rules.stale_h
        words = {"drug": names(orders)}
        if kidney.creatinine is None:
            yield Remark(orders, variant="no-creatinine", words=words)
        elif kidney.lacking:
            yield Remark(orders, variant=f"no-{kidney.lacking[0]}", words={**words, "missing": " and ".join(kidney.lacking)})
        elif kidney.age_h is None or kidney.age_h > stale:
            age = f"{kidney.age_h:.0f}" if kidney.age_h is not None else "an unknown number of"
            yield Remark(orders, variant="old", words={**words, "hours": age})
        elif kidney.change_pct is not None and kidney.change_pct >= rules.unstable_pct:
            yield Remark(orders, variant="unstable", words={**words, "n": f"{kidney.change_pct:.0f}"})


def written(dose: Dose) -> str:
    """A dose as a prescriber writes it: "2 g every 8 h over 3 h"."""
    parts = [f"{dose.grams.normalize():f} g" if dose.grams is not None else "dose not stated"]
    if dose.once:
        parts.append("once")
    elif dose.interval_h:
        parts.append(f"every {dose.interval_h.normalize():f} h")
    if dose.infusion_h:
        parts.append(f"over {dose.infusion_h.normalize():f} h")
    return " ".join(parts)
