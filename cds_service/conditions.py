"""The closed lists of words that a sheet may use in `unless` and `softer_when`, each a question to the bedside."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.infection import Evidence, State
from cds_service.finding import Remark

Question = Callable[[Bedside, Sequence[Evidence], Remark], bool]


def not_current(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The evidence is a carrier state or a history, not a current infection."""
    return bool(evidence) and all(one.state is not State.CURRENT for one in evidence)


def preliminary(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Every result that matters is preliminary, and none is from blood."""
    blood = set(bedside.policy.evidence.bloodstream)
    return bool(evidence) and all(
        one.preliminary and not (one.isolate.specimen and one.isolate.specimen.key in blood) for one in evidence
    )


def tested_susceptible(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The drug concerned tested susceptible on this isolate."""
    agents = [order.drug.key for order in remark.orders]
    return bedside.tests_of(evidence).susceptible(agents) is not None


def mixed_growth(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Another Gram-negative species grew in the same sample."""
    samples = {one.isolate.sample: one.isolate.organism for one in evidence}
    return any(
        isolate.organism is not None
        and isolate.sample in samples
        and isolate.organism != samples[isolate.sample]
        and isolate.organism.group not in {"gram-positive", "yeast"}
        and all(not one.found for one in isolate.detections)
        for isolate in bedside.infection.isolates
    )


def other_infection(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Every draft concerned states another infection, and the evidence is not from a sterile site."""
    drafts = [order for order in remark.orders if order.draft]
    others = set(bedside.policy.other_reasons)
    sterile = set(bedside.policy.evidence.sterile)
    invaded = any(one.isolate.specimen and one.isolate.specimen.key in sterile for one in evidence if one.state is State.CURRENT)
    return bool(drafts) and not invaded and all(bool(order.reasons & others) for order in drafts)


def other_reason(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Not current, and the order is for something else: a stated reason, or an isolate without the mechanism."""
    if not not_current(bedside, evidence, remark):
        return False
    stated = {word for order in remark.orders if order.draft for word in order.reasons}
    if stated & set(bedside.policy.other_reasons) and not stated & set(bedside.policy.empiric_reasons):
        return True
    return _targeted(bedside, remark)


def _targeted(bedside: Bedside, remark: Remark) -> bool:
    """A current clinical isolate without the mechanism, with a companion enzyme or susceptible to the draft, explains it."""
    genes, companions = set(bedside.policy.evidence.genes), set(bedside.policy.evidence.companions)
    drafted = {order.drug.key for order in remark.orders if order.draft}
    days = bedside.policy.windows.current_days
    for isolate in bedside.infection.isolates:
        found = {one.marker for one in isolate.detections if one.found}
        age = bedside.since(isolate.collected or isolate.reported)
        surveillance = isolate.screening or (isolate.specimen is not None and isolate.specimen.surveillance)
        if found & genes or surveillance or age is None or age > days * 24:
            continue
        helped = {one.agent for one in isolate.susceptibilities if one.answer == "susceptible"}
        if found & companions or helped & drafted:
            return True
    return False


def not_empiric(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Not current, and no reason to cover before the cause is known."""
    drafts = [order for order in remark.orders if order.draft]
    return not_current(bedside, evidence, remark) and not bedside.empiric(drafts)


def child(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Adult doses do not apply."""
    return bedside.child


def crrt(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Continuous renal replacement therapy is under way."""
    return bedside.kidney.replacement == "CRRT"


def dialysis(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Any renal replacement therapy is under way."""
    return bedside.kidney.replacement is not None


def dual_resistant(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The isolate resists every regimen that is otherwise expected to work."""
    return bedside.dual_resistant


def regimen_unsound(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """A rule about the regimen itself has spoken, so that doses can wait."""
    return bool(bedside.unsound)


def comfort_care(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The goal of care is comfort."""
    return bool((bedside.words | bedside.stated(remark.orders)) & set(bedside.policy.silent_with))


def discharge_only(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Only the take-home list is being signed."""
    return not bedside.regimen.signed and bool(bedside.regimen.discharge)


SOFTER: Mapping[str, Question] = MappingProxyType(
    {
        "not-current": not_current,
        "preliminary": preliminary,
        "tested-susceptible": tested_susceptible,
        "mixed-growth": mixed_growth,
    }
)

UNLESS: Mapping[str, Question] = MappingProxyType(
    {
        "other-infection": other_infection,
        "other-reason": other_reason,
        "not-empiric": not_empiric,
        "not-current": not_current,
        "child": child,
        "crrt": crrt,
        "dialysis": dialysis,
        "dual-resistant": dual_resistant,
        "regimen-unsound": regimen_unsound,
        "comfort-care": comfort_care,
        "discharge-only": discharge_only,
    }
)
