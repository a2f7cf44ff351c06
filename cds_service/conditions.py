"""The closed lists of words that a sheet may use in `unless` and `softer_when`, each a question to the bedside."""

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from types import MappingProxyType

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Answer, Isolate, Order
from cds_service.clinical.infection import Evidence, State
from cds_service.finding import Remark

Question = Callable[[Bedside, Sequence[Evidence], Remark], bool]


def not_current(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The evidence is a carrier state or a history, not a current infection."""
    return bool(evidence) and all(one.state is not State.CURRENT for one in evidence)


def preliminary(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Every result that matters is preliminary, and none is from blood."""
    blood = set(bedside.policy.evidence.bloodstream)
    return bool(evidence) and all(one.preliminary and not (one.isolate.specimen and one.isolate.specimen.key in blood) for one in evidence)


def tested_susceptible(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The drug concerned tested susceptible on this isolate."""
    agents = [order.drug.key for order in remark.orders]
    return bedside.tests_of(evidence).susceptible(agents) is not None


def mixed_growth(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Another Gram-negative species, without the mechanism, grew in the same sample, or in one of that kind within a day."""
    others = [
        isolate
        for isolate in bedside.infection.isolates
        if isolate.organism is not None
        and isolate.organism.group not in bedside.policy.evidence.not_carriers
        and not any(one.found for one in isolate.detections)
    ]
    return any(_grew_beside(one.isolate, other) for one in evidence for other in others)


def _grew_beside(one: Isolate, other: Isolate) -> bool:
    if one.organism == other.organism:
        return False
    same_kind = one.specimen is not None and one.specimen == other.specimen
    apart = abs(one.collected - other.collected) if one.collected and other.collected else None
    return one.sample == other.sample or (same_kind and apart is not None and apart <= timedelta(days=1))


def other_infection(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Every draft concerned states another infection, and the evidence comes neither from a sterile site nor from the site of that one."""
    drafts = _drafts(bedside, remark)
    return bool(drafts) and all(_elsewhere(bedside, evidence, order) for order in drafts)


def _elsewhere(bedside: Bedside, evidence: Sequence[Evidence], order: Order) -> bool:
    """The order names another infection than the one that the current evidence stands for."""
    policy = bedside.policy
    others = order.reasons & set(policy.other_reasons)
    sites = {site for word in others for site in policy.reason_sites.get(word, ())} | set(policy.evidence.sterile)
    here = {one.isolate.specimen.key for one in evidence if one.state is State.CURRENT and one.isolate.specimen}
    return bool(others) and not order.reasons & set(policy.empiric_reasons) and not here & sites


def other_reason(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The evidence is not current, and every draft concerned states another infection, or names what it is targeted at."""
    if not not_current(bedside, evidence, remark):
        return False
    drafts = _drafts(bedside, remark)
    return other_infection(bedside, evidence, remark) or (bool(drafts) and all(_names_target(bedside, order) for order in drafts))


def _names_target(bedside: Bedside, order: Order) -> bool:
    """The order says that it is targeted treatment, or names another bacterium beside nothing whose cause is unknown."""
    policy = bedside.policy
    named = order.reasons & set(policy.target_reasons) and not order.reasons & set(policy.unknown_cause)
    return _targeted(bedside, order) or bool(named)


def _targeted(bedside: Bedside, order: Order) -> bool:
    return bool(order.reasons & set(bedside.policy.targeted_reasons))


def _empiric(bedside: Bedside, drafts: Sequence[Order]) -> bool:
    """A serious infection is treated before its cause is known; that a vasopressor runs outweighs a mere name, not targeted treatment."""
    if drafts and all(_targeted(bedside, order) for order in drafts):
        return False
    named = bool(drafts) and all(_names_target(bedside, order) for order in drafts)
    return bedside.empiric(drafts) and (not named or bool(bedside.vasopressors()))


def another_isolate(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The evidence is not current, and a current clinical isolate without the mechanism explains the drafts.

    It carries a companion enzyme, or tested susceptible to a draft. Where the cause is unknown by the stated reason, or a vasopressor
    runs, only one of this episode does. What grew in a sterile specimen is not explained away.
    """
    policy = bedside.policy
    if any(one.state is State.CURRENT for one in evidence) or any(map(bedside.sterile, remark.isolates)):
        return False
    genes, companions = set(policy.evidence.genes), set(policy.evidence.companions)
    drafts = _drafts(bedside, remark)
    drafted = {order.drug.key for order in drafts}
    days = policy.windows.episode_days if _empiric(bedside, drafts) else policy.windows.current_days
    for isolate in bedside.infection.isolates:
        found = {one.marker for one in isolate.detections if one.found}
        if isolate in remark.isolates or found & genes or not bedside.recent(isolate, days):
            continue
        helped = {one.agent for one in isolate.susceptibilities if one.answer is Answer.SUSCEPTIBLE}
        if found & companions or helped & drafted:
            return True
    return False


def not_empiric(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Not current, and no stated reason to cover before the cause is known."""
    return not_current(bedside, evidence, remark) and not _empiric(bedside, _drafts(bedside, remark))


def _drafts(bedside: Bedside, remark: Remark) -> Sequence[Order]:
    """The drafts that the remark is about, else all that are signed."""
    return [order for order in remark.orders if order.draft] or bedside.regimen.signed


def child(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """Adult doses do not apply."""
    return bedside.child


def dual_resistant(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """The isolate resists every regimen that is otherwise expected to work."""
    return bedside.dual_resistant


def regimen_unsound(bedside: Bedside, evidence: Sequence[Evidence], remark: Remark) -> bool:
    """A rule about the regimen itself has spoken, so that doses can wait."""
    return bool(bedside.unsound)


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
        "another-isolate": another_isolate,
        "not-empiric": not_empiric,
        "child": child,
        "dual-resistant": dual_resistant,
        "regimen-unsound": regimen_unsound,
        "discharge-only": discharge_only,
    }
)
