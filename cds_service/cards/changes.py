"""Changing, keeping and removing draft orders, and asking for consults and tests."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal

from msgspec.structs import replace

from cds_service.cards.afterwards import leaves_unsound
from cds_service.cards.desk import Desk, reasons
from cds_service.cards.proposal import NOTHING, ByHand, LeftOut, Proposal, removal
from cds_service.clinical.doses import written
from cds_service.clinical.facts import Order
from cds_service.clinical.figures import figure
from cds_service.clinical.renal import HAEMODIALYSIS
from cds_service.fhir import edits
from cds_service.fhir.dosage import after
from cds_service.fhir.drafts import Prescribed, Resource, medication_request, service_request
from cds_service.finding import Correction, Finding
from cds_service.protocol.response import REFERENCE, Action, hollow
from cds_service.suggestion import Code, Product, SuggestionSheet
from cds_service.triggers.trigger import names
from cds_service.wording import fill


def ask(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """A consult or a test, unless it is under way."""
    request = sheet.request
    if request is None or desk.bedside.chart.pending_tests & set(request.pending):
        return NOTHING
    resource = service_request(request, desk.place(), reasons(tuple(findings)))
    return Proposal(sheet.label, (Action("create", sheet.label, resource),))


def stop(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """Takes the drafts that a finding speaks against out of the session, unless what stays could not work without them."""
    gone = [order for finding in findings for order in finding.remark.removes]
    if not gone:
        return NOTHING
    renewed = [old for order in gone for old in desk.bedside.regimen.carried_by(order) if old.drug == order.drug]
    if leaves_unsound(desk, [*gone, *renewed]):
        return Proposal(left_out=(LeftOut(f"leaving out {names(gone)}", "what stays is not expected to work"),))
    deletes, left = removal(gone)
    by_hand = f"if you leave out {names(renewed)}, stop what runs of it by hand as well: a card can change drafts only"
    left = (*left, *([ByHand(by_hand)] if renewed else []))
    return Proposal(fill(sheet.label, {"drug": names([order for order in gone if order.draft])}), deletes, by_hand=left)


def keep(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """Takes back the draft that stops, holds or replaces a running order."""
    concerned = dict.fromkeys(order for finding in findings for order in finding.remark.orders)
    lost = [order for order in concerned if any(_takers(desk, order))]
    actions: list[Action] = []
    left: list[ByHand] = []
    for order in lost:
        for draft in _takers(desk, order):
            found = _taken_back(desk, order, draft)
            if found:
                actions.append(found)
            else:
                left.append(ByHand(f"to keep {order.drug.name}, withdraw the draft that ends it by hand"))
    prolonged, renewals = ({}, []) if lost or not desk.bedside.regimen.paired(concerned) else _prolonged(desk, tuple(concerned))
    actions, left = [*actions, *prolonged.values()], [*left, *renewals]
    if not actions and not left:
        return NOTHING
    return Proposal(fill(sheet.label, {"drug": names([*lost, *prolonged])}), tuple(actions), by_hand=tuple(left))


def _prolonged(desk: Desk, orders: Sequence[Order]) -> tuple[dict[Order, Action], list[ByHand]]:
    """Of two drugs that need one another, the one that ends first: a draft ends with the other, a running order is the user's to renew."""
    regimen = desk.bedside.regimen
    ends = {order: regimen.end(order) for order in orders if not (order.doses and all(dose.once for dose in order.doses))}
    last = {drug: [one for one in ends if one.drug.key == drug] for drug in {one.drug.key for one in ends}}
    until = {drug: max((end for one in leg if (end := ends[one])), default=None) for drug, leg in last.items() if all(map(ends.get, leg))}
    actions: dict[Order, Action] = {}
    left: list[ByHand] = []
    first = min(until, key=lambda drug: until[drug] or desk.bedside.now, default=None)
    whole = max((end for drug, end in until.items() if drug != first and end), default=None)
    for order in last.get(first or "", ()):
        if ends[order] != until[order.drug.key] or (whole is None and len(until) == len(last)):
            continue
        beside = names([one for one in orders if one.drug.key != order.drug.key])
        said = f"Let {order.drug.name} run as long as {beside}"
        change = _update(desk, order, _until(regimen.start(order), whole), said) if order.draft and whole else None
        if change:
            actions[order] = change
        else:
            left.append(ByHand(f"let {order.drug.name} run as long as {beside}: renew it, or change its end, by hand"))
    return actions, left


def _takers(desk: Desk, order: Order) -> Iterator[Order]:
    """The drafts through which a running order would be lost."""
    gone = order in desk.bedside.regimen.endings or order in desk.bedside.regimen.replaced
    for draft in desk.bedside.chart.orders:
        same = order.reference and order.reference in {draft.reference, draft.replaces}
        if gone and draft.draft and same:
            yield draft


def _taken_back(desk: Desk, order: Order, draft: Order) -> Action | None:
    """A draft of its own is removed; one with the order's own id would take the order with it, so it goes on instead."""
    if draft.reference != order.reference:
        deletes, _ = removal([draft])
        return Action("delete", f"Withdraw the draft that ends {order.drug.name}", resource_id=deletes[0].resource_id) if deletes else None
    return _update(desk, draft, edits.going_on, f"Let {order.drug.name} go on")


def correct(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """The drafts with the doses of the table, all in one suggestion; a missing loading dose is an order of its own."""
    corrections: dict[Order, list[Correction]] = {}
    for one in dict.fromkeys(one for finding in findings for one in finding.remark.corrections):
        corrections.setdefault(one.order, []).append(one)
    products = _products(desk)
    actions: list[Action] = []
    labels: list[str] = []
    for order, mine in corrections.items():
        product = products.get(order.drug.key)
        if product is None or desk.bedside.child:
            continue
        found = list(_corrected(desk, mine, product, sheet.route, tuple(findings)))
        actions += found
        labels += [f"{product.name} {', then '.join(map(_corrected_to, mine))}"] if found else []
    return Proposal(fill(sheet.label, {"regimen": " + ".join(labels)}), tuple(actions), dosed=True) if actions else NOTHING


def _corrected(desk: Desk, mine: Sequence[Correction], product: Product, route: Code, findings: tuple[Finding, ...]) -> Iterator[Action]:
    """One update with the doses of one order, and the loading dose that it lacks."""
    order, doses = mine[0].order, [_prescribed(desk, one, product) for one in mine]
    missing = [one for one in mine if one.load_grams is not None]
    right = all(_is(order, dose) for dose in doses)
    if not right or missing:
        said = f"Correct {product.name} to {', then '.join(dose.text for dose in doses)}"
        update = _update(desk, order, lambda draft: _dosed(draft, doses, route), said)
        if update is None and not right:
            return
        yield from [update] if update else []
    for one in missing:
        load = Prescribed(one.load_grams or Decimal(0), one.infusion_h, None, _components(desk, one, loading=True))
        resource = medication_request(product, route, load, desk.place((order,)), reasons(findings), desk.rxnorm(product.code.system))
        yield Action("create", f"Order the loading dose: {product.name} {load.text}", resource)


def _dosed(draft: Resource, doses: Sequence[Prescribed], route: Code) -> Resource | None:
    changed: Resource | None = draft
    for dose in doses:
        changed = edits.with_dose(changed, dose, route) if changed is not None else None
    return changed


def _components(desk: Desk, one: Correction, *, loading: bool) -> str:
    band = desk.bedside.reference.doses.expected(one.order.drug.key, desk.bedside.kidney)
    row = (band.load if loading else band.maintenance[0]) if band else None
    return row.components if row else ""


def _prescribed(desk: Desk, one: Correction, product: Product) -> Prescribed:
    components = _components(desk, one, loading=one.interval_h is None)
    if one.interval_h is None:
        return Prescribed(one.grams, one.infusion_h, None, components)
    if one.load_grams is None:
        aside = product.dialysis if desk.bedside.kidney.replacement == HAEMODIALYSIS else ""
        return Prescribed(one.grams, one.infusion_h, one.interval_h, components, aside)
    begins = desk.bedside.now.replace(second=0, microsecond=0) + timedelta(hours=float(one.interval_h))
    return Prescribed(one.grams, one.infusion_h, one.interval_h, components, "first dose one interval after the loading dose", begins)


def _is(order: Order, dose: Prescribed) -> bool:
    """The draft already says this, so that nothing has to be changed."""
    once = dose.interval_h is None
    said = [(one.grams, None if once else one.interval_h, one.infusion_h) for one in order.doses if one.once is once]
    return said == [(dose.grams, dose.interval_h, dose.infusion_h)]


def _corrected_to(one: Correction) -> str:
    load = f"{Prescribed(one.load_grams, one.infusion_h).short}, then " if one.load_grams is not None else ""
    return load + Prescribed(one.grams, one.infusion_h, one.interval_h).short


def infuse(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """The infusion time of the table for drafts whose dose is not corrected anyway."""
    corrected = {one.order for finding in findings for one in finding.remark.corrections}
    orders = [order for order in _drafts(findings) if order not in corrected]
    actions: list[Action] = []
    labels: list[str] = []
    for order in orders:
        times = [row.infusion_h for row in desk.bedside.reference.doses.rows if row.agent == order.drug.key and row.infusion_h]
        if not times:
            continue
        hours, whole = max(times), _whole(order, max(times))
        text = f"{order.drug.name} over {figure(hours)} h"
        found = _update(desk, order, _infused(hours, whole), f"Infuse each dose of {text}")
        actions += [found] if found else []
        labels += [text] if found else []
    return Proposal(fill(sheet.label, {"regimen": " + ".join(labels)}), tuple(actions)) if actions else NOTHING


def _infused(hours: Decimal, whole: str) -> Callable[[Resource], Resource | None]:
    return lambda draft: edits.with_infusion(draft, hours, whole)


def _whole(order: Order, hours: Decimal) -> str:
    """The whole instruction in words, where dose and interval are known; nothing else may replace a client's words."""
    regular = [one for one in order.doses if not one.once]
    if len(regular) != 1 or regular[0].grams is None or regular[0].interval_h is None:
        return ""
    return written(replace(regular[0], infusion_h=hours))


def limit(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """An end for drafts that are meant for the first days only; what a draft carries on counts."""
    hours = Decimal(sheet.hours or 0)
    left = {order: hours - Decimal(str(desk.bedside.running_h(order) or 0)) for order in _drafts(findings)}
    ends = {order: after(desk.bedside.regimen.start(order), more) for order, more in left.items() if more > 0}
    return _ended(desk, ends, sheet, f"End after {hours} h")


def extend(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """A later end, counted from the first order of this course."""
    orders = _drafts(findings)
    began = desk.bedside.therapy_began or min((desk.bedside.regimen.start(order) for order in orders), default=desk.bedside.now)
    end = after(began, Decimal(24 * (sheet.days or 0)))
    return _ended(desk, dict.fromkeys(orders, end), sheet, f"Plan until {end.date().isoformat()}") if end else NOTHING


def _ended(desk: Desk, ends: Mapping[Order, datetime | None], sheet: SuggestionSheet, what: str) -> Proposal:
    regimen = desk.bedside.regimen
    found = {
        order: _update(desk, order, _until(regimen.start(order), end), f"{what}: {order.drug.name}") for order, end in ends.items() if end
    }
    changed = [order for order, action in found.items() if action]
    actions = tuple(action for action in found.values() if action)
    return Proposal(fill(sheet.label, {"drug": names(changed)}), actions) if actions else NOTHING


def _until(begins: datetime, end: datetime) -> Callable[[Resource], Resource | None]:
    return lambda draft: edits.with_end(draft, begins, end)


def _drafts(findings: Sequence[Finding]) -> list[Order]:
    concerned = (order for finding in findings for order in finding.remark.orders)
    return list(dict.fromkeys(order for order in concerned if order.draft and not order.ending))


def _products(desk: Desk) -> dict[str, Product]:
    return {product.drug: product for sheet in desk.sheets.values() for product in sheet.products}


def _update(desk: Desk, order: Order, change: Callable[[Resource], Resource | None], what: str) -> Action | None:
    """The received draft with one change; None where the client takes none, or the draft cannot be changed safely."""
    if not desk.changes_drafts or not REFERENCE.fullmatch(order.reference):
        return None
    found = desk.received.find(order.reference)
    draft = edits.sound(found) if found is not None and not hollow(found) else None
    changed = change(draft) if draft is not None else None
    whole = edits.sound(changed) if changed is not None else None
    return Action("update", what, whole) if whole is not None else None
