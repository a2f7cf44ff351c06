"""Whether an infection is confined to the bladder, so that this service has nothing to say about it."""

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Order, Route


def cystitis_only(bedside: Bedside) -> bool:
    """Bladder infection without a sign of more, treated with a drug for it."""
    rules, drafts = bedside.policy.cystitis, bedside.regimen.signed
    words = bedside.stated(drafts) | bedside.words
    return (
        bool(drafts)
        and all(_for_bladder(bedside, order) for order in drafts)
        and bool(words & set(rules.reasons))
        and not words & set(rules.never_with)
        and not any(bedside.sterile(one.isolate) for one in bedside.infection.current)
        and not _feverish(bedside)
    )


def _for_bladder(bedside: Bedside, order: Order) -> bool:
    """A drug for cystitis, given as it is meant for it."""
    rules, sets = bedside.policy.cystitis, bedside.reference.sets
    within = {key for key in (rules.drugs, rules.once_only, rules.by_mouth_only) if key and order.drug.key in sets.get(key, frozenset())}
    if rules.once_only in within and not (order.doses and all(dose.once for dose in order.doses)):
        return False
    if rules.by_mouth_only in within and order.route not in {Route.ORAL, Route.UNSTATED}:
        return False
    return rules.drugs in within


def _feverish(bedside: Bedside) -> bool:
    """A temperature that the policy takes for more than cystitis was measured lately."""
    rules, measured = bedside.policy.cystitis, bedside.chart.measures.get("temperature", ())
    if rules.fever_c is None or rules.fever_h is None:
        return False
    return any(one.value >= rules.fever_c and (bedside.since(one.taken) or 0) <= rules.fever_h for one in measured)
