"""What was seen at a bedside, told in phrases of our own; the client's own text stands in none of them."""

from decimal import Decimal

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.doses import written
from cds_service.clinical.facts import Allergy, Isolate, Measure, Order, Route
from cds_service.clinical.figures import figure
from cds_service.clinical.infection import Evidence
from cds_service.clinical.renal import plain


def ordered(order: Order) -> str:
    """A drug as it is ordered: "a, 2 g every 6 h over 3 h, intravenous"."""
    doses = " then ".join(written(dose) for dose in order.doses)
    route = "" if order.route is Route.UNSTATED else order.route.value
    return ", ".join(part for part in (order.drug.name, doses, route) if part)


def works(bedside: Bedside) -> list[str]:
    """What in the regimen is expected to be active."""
    rows = [" + ".join(dict.fromkeys(one.drug.name for one in orders)) for _, orders in bedside.regimen.active_rows]
    return [*rows, *(f"{order.drug.name} (tested susceptible)" for order in bedside.supported)]


def isolate(one: Isolate) -> str:
    """Species, site and date of a culture."""
    return f"{_species(one)}, {_site(one)}, {_dated(one)}"


def evidence(bedside: Bedside, one: Evidence) -> str:
    """A result of the mechanism: how it stands to today, enzymes, companions, species, site, date, status and what was tested."""
    beside = f" beside {' and '.join(one.companions)}" if one.companions else ""
    status = "preliminary" if one.preliminary else one.isolate.status
    found = [f"{one.state}: {' and '.join(one.enzymes)}{beside} in {isolate(one.isolate)}", status]
    for test in one.susceptibilities:
        mic = f" ({figure(test.mic)} mg/L)" if test.mic is not None else ""
        found.append(f"{bedside.reference.named(test.agent)} {test.answer.spoken}{mic}")
    return ", ".join(found)


def clearance(bedside: Bedside) -> str:
    """Clearance with the inputs that it was computed from, or renal replacement, or why there is none."""
    kidney = bedside.kidney
    if kidney.replacement:
        return f"renal replacement ({kidney.named()})"
    if bedside.child:
        return f"clearance is not computed under {bedside.policy.renal.adult_years} years"
    if kidney.clearance is None or kidney.creatinine is None:
        return f"clearance not known ({' and '.join(kidney.lacking) or 'inputs'} missing)"
    value = plain(kidney.clearance, bedside.reference.doses.limits)
    inputs = f"{_creatinine(kidney.creatinine, kidney.age_h)}{_weight(kidney.weight, kidney.weight_used)}"
    return f"clearance {value} mL/min by Cockcroft-Gault, from {inputs}"


def kidney(bedside: Bedside) -> list[str]:
    """Everything that is known of the kidney: the clearance first, then what makes it uncertain."""
    found = bedside.kidney
    said = [clearance(bedside)]
    if found.change_pct is not None:
        said.append(f"creatinine changed by {found.change_pct:.0f} %")
    if found.injury:
        told = found.clearance is not None and not found.replacement
        said.append("acute kidney injury: the clearance is not reliable" if told else "acute kidney injury")
    return said


def circumstances(bedside: Bedside) -> list[str]:
    """What the record says about the patient that rules ask for."""
    return [word.replace("-", " ") for word in sorted(bedside.words)]


def severity(allergy: Allergy) -> str:
    """How bad a recorded reaction was."""
    return "severe" if allergy.severe else "mild" if allergy.mild else "severity not recorded"


def _species(one: Isolate) -> str:
    return one.organism.name if one.organism else "an organism that is not stated"


def _site(one: Isolate) -> str:
    return one.specimen.name.lower() if one.specimen else "specimen not stated"


def _dated(one: Isolate) -> str:
    if one.collected:
        return f"collected {one.collected:%Y-%m-%d}"
    return f"reported {one.reported:%Y-%m-%d}" if one.reported else "date not stated"


def _creatinine(measured: Measure, age_h: Decimal | None) -> str:
    age = f"{age_h:.0f} h old" if age_h is not None and age_h >= 0 else "time not stated"
    return f"creatinine {figure(measured.value, 2)} {measured.unit} ({age})"


def _weight(measured: Measure | None, used: Decimal | None) -> str:
    if measured is None or used is None:
        return ""
    return f" and {'actual' if used == measured.value else 'adjusted'} weight {used:.0f} kg"
