"""Offering a drug: only one that may work, that the patient may have, and that the table has a dose for."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain, repeat

from cds_service.cards.afterwards import drafts
from cds_service.cards.desk import Desk, reasons
from cds_service.cards.mending import mending
from cds_service.cards.proposal import NOTHING, LeftOut, Proposal, regimen, removal
from cds_service.cards.text import capital
from cds_service.clinical.allergies import ALERTED, BARRED, Reaction
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.doses import Band, Row
from cds_service.clinical.facts import Order
from cds_service.clinical.policy import ActiveRow
from cds_service.clinical.regimen import Regimen
from cds_service.clinical.renal import HAEMODIALYSIS
from cds_service.fhir.drafts import Prescribed, medication_request
from cds_service.finding import Finding
from cds_service.protocol.response import REFERENCE, Action
from cds_service.suggestion import Act, Product, SuggestionSheet
from cds_service.triggers.trigger import names
from cds_service.wording import fill

Doses = list[tuple[Product, list[Prescribed]]]


def drugs(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet) -> Proposal:
    """New orders for what the regimen lacks; a switch also takes away the drafts that it replaces."""
    therapy = _list(desk.bedside, findings).therapy
    here = {order.drug.key for order in therapy}
    wanted = [product for product in sheet.products if product.drug not in here]
    if _kept_instead(desk, findings, wanted):
        return NOTHING
    against = [*_tested(desk.bedside, sheet, here), *_passing(desk.bedside, sheet, therapy), *_barred(desk, findings, sheet, wanted)]
    if against or not wanted:
        return Proposal(left_out=tuple(against), allergic=any(one.allergic for one in against))
    doses, missing = _doses(desk.bedside, wanted)
    if missing:
        return Proposal(left_out=tuple(missing), dosed=True)
    return _offer(desk, tuple(findings), sheet, doses)


def _kept_instead(desk: Desk, findings: Sequence[Finding], wanted: Sequence[Product]) -> bool:
    """Each drug is one that this session takes away, and the card offers to keep it."""
    plan = desk.bedside.regimen
    lost = {order.drug.key for order in (*plan.endings, *plan.replaced)} - {order.drug.key for order in plan.drafts}
    keeps = any(key in desk.sheets and desk.sheets[key].does is Act.KEEP for one in findings for key in one.suggest)
    return keeps and bool(wanted) and all(product.drug in lost for product in wanted)


def _list(bedside: Bedside, findings: Sequence[Finding]) -> Regimen:
    """The regimen that the findings are about: the take-home list where they speak of nothing else."""
    regimen = bedside.regimen
    concerned = [order for finding in findings for order in finding.remark.orders]
    home = regimen.take_home
    return home if concerned and all(order in home.therapy for order in concerned) else regimen


def _offer(desk: Desk, findings: tuple[Finding, ...], sheet: SuggestionSheet, doses: Doses) -> Proposal:
    concerned = tuple(order for finding in findings for order in finding.remark.orders)
    place, why = desk.place(concerned), reasons(findings)
    therapy = _list(desk.bedside, findings).therapy
    gone = list(_replaced(desk.bedside, sheet, concerned, therapy)) if sheet.does is Act.SWITCH else []
    kept = [order for order in therapy if order.drug.key in sheet.drugs]
    deletes, left = removal(gone, sheet.choice)
    priors = _priors(gone)
    placed = [(product, [(dose, next(priors)) for dose in given]) for product, given in doses]
    creates = [
        Action(
            "create",
            f"Order {product.name} {dose.text}",
            medication_request(product, sheet.route, dose, place, why, desk.rxnorm(product.code.system), prior),
        )
        for product, given in placed
        for dose, prior in given
    ]
    new = [order for product, given in placed for order in drafts(desk, product, given, place.setting)]
    mended = mending(desk, gone, new)
    label = fill(_label(sheet, gone, kept), {"regimen": regimen([(product.name, given) for product, given in doses]), "kept": _kept(kept)})
    told, allergic = _reminders(desk, findings, sheet, doses)
    actions, left = (*deletes, *creates, *mended.actions), (*left, *mended.left)
    alerted = any(_alerted(desk, product) for product, _ in doses)
    return Proposal(label + mended.label, actions, tuple(told), left, dosed=True, allergic=allergic, alerted=alerted)


def _priors(gone: Sequence[Order]) -> Iterator[str]:
    """For each new order in turn the running order whose place it takes: every one once, then the last again; "" where none runs."""
    running = list(dict.fromkeys(order.reference for order in gone if not order.draft and REFERENCE.fullmatch(order.reference)))
    return chain(running, repeat(running[-1] if running else ""))


def _label(sheet: SuggestionSheet, gone: Sequence[Order], kept: Sequence[Order]) -> str:
    """A change in which a drug of the new regimen stays, or nothing goes, adds; it says to what."""
    if sheet.does is not Act.SWITCH or not (sheet.label_beside and sheet.label_adding):
        return sheet.label
    return sheet.label_beside if kept else sheet.label if gone else sheet.label_adding


def _kept(orders: Sequence[Order]) -> str:
    drafted = any(order.draft for order in orders)
    return f"the {names(orders)} that is being ordered" if drafted else f"the running {names(orders)}"


def _reminders(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet, doses: Doses) -> tuple[list[str], bool]:
    """What is said beside the offer: how to give it, who should look at it, which mild reaction is on file."""
    name = capital(sheet.choice)
    told = [_line(name, said) for said in (sheet.note, _at_site(desk.bedside, findings, sheet), _untested(desk.bedside, sheet)) if said]
    kidney = desk.bedside.kidney
    low = kidney.clearance is not None and sheet.review_below is not None and kidney.clearance <= sheet.review_below
    if sheet.review and (low or kidney.replacement):
        told.append(sheet.review)
    told += [
        product.first_dose for product, given in doses if product.first_dose and kidney.replacement == HAEMODIALYSIS and len(given) == 1
    ]
    allergies = [_line(capital(product.name), said) for product, _ in doses if (said := _allergy(desk, product))]
    return [*told, *allergies], bool(allergies)


def _line(name: str, said: str) -> str:
    """ "Some drug: what is said of it."; a word with capitals of its own keeps them."""
    begins = said[:1] if said[1:2].isupper() else said[:1].lower()
    return f"{name}: {begins}{said[1:].rstrip('.')}."


def _at_site(bedside: Bedside, findings: Sequence[Finding], sheet: SuggestionSheet) -> str:
    """What the sheet says about some sites of infection, where the record does not place it elsewhere."""
    where = sheet.at_site
    if where is None:
        return ""
    sites = [isolate.specimen for finding in findings for isolate in finding.remark.isolates]
    stated = bedside.stated(order for finding in findings for order in finding.remark.orders)
    here = not sites or any(site is None or site.key in where.specimens for site in sites)
    return where.text if here or stated & set(where.words) else ""


def _untested(bedside: Bedside, sheet: SuggestionSheet) -> str:
    """That the isolate was not tested against it, where another regimen was, or where the sheet asks for a test."""
    rows = bedside.policy.regimen.active
    mine = [
        test
        for row in rows
        if set(row.drugs) <= {*sheet.drugs} or (sheet.does is Act.START and {*sheet.drugs} < {*row.drugs})
        for test in row.tests
    ]
    if bedside.laboratory.decided(mine):
        return ""
    tested = bedside.laboratory.decided(test for row in rows for test in row.tests)
    return "; ".join(said for said in ("not tested on this isolate" if tested else "", sheet.untested) if said)


def _allergy(desk: Desk, product: Product) -> str:
    """What is said about an allergy beside a drug that may still be offered."""
    if desk.allergy is None:
        return ""
    drug = desk.bedside.reference.drugs[product.drug]
    worst = desk.allergy.worst(desk.bedside, drug)
    if worst is None:
        return desk.allergy.unnamed(desk.bedside, drug)
    if worst[0] is Reaction.SIMILAR:
        return f"similar side chain (severe {desk.allergy.named(desk.bedside, worst[1])} on record); site pharmacist to confirm"
    return "a reaction that is not recorded as severe is on file; look at it first"


def _alerted(desk: Desk, product: Product) -> bool:
    """A recorded allergy would be spoken about as soon as the drug is ordered."""
    worst = desk.allergy.worst(desk.bedside, desk.bedside.reference.drugs[product.drug]) if desk.allergy else None
    return worst is not None and worst[0] in ALERTED


def _replaced(bedside: Bedside, sheet: SuggestionSheet, concerned: Sequence[Order], therapy: Sequence[Order]) -> Iterator[Order]:
    """Gram-negative drugs that the card is about, those of other regimens, and what shares an ingredient with the new ones."""
    target = set(sheet.drugs)
    known = bedside.reference.drugs
    inside = frozenset().union(*(known[drug].ingredients for drug in target if drug in known))
    for order in therapy:
        replaces = (order in concerned and order.drug.gram_negative) or order.drug.key in bedside.regimen.directed
        if order.drug.key not in target and (replaces or order.drug.ingredients & inside):
            yield order
            yield from bedside.regimen.carried_by(order)


def _rows(bedside: Bedside, sheet: SuggestionSheet, here: set[str]) -> list[ActiveRow]:
    """The regimens that the sheet completes."""
    after = here | set(sheet.drugs) if sheet.does is Act.START else set(sheet.drugs)
    return [row for row in bedside.policy.regimen.active if set(row.drugs) <= after and set(row.drugs) & set(sheet.drugs)]


def _passing(bedside: Bedside, sheet: SuggestionSheet, therapy: Sequence[Order]) -> Iterator[LeftOut]:
    """A partner that is ordered for one dose only is gone before the regimen has begun."""
    partners = {key for row in _rows(bedside, sheet, {order.drug.key for order in therapy}) for key in row.drugs}
    for key in sorted(partners):
        orders = [order for order in therapy if order.drug.key == key]
        if orders and all(order.doses and all(dose.once for dose in order.doses) for order in orders):
            yield LeftOut(sheet.choice, f"{names(orders)} is ordered for one dose only")


def _tested(bedside: Bedside, sheet: SuggestionSheet, here: set[str]) -> Iterator[LeftOut]:
    """A regimen that a test of the isolate speaks against, or that would still be incomplete."""
    rows, name = _rows(bedside, sheet, here), sheet.choice
    if not rows:
        yield LeftOut(name, "would not complete a regimen that is expected to work")
    against = [found for row in rows if (found := bedside.laboratory.against(row.tests))]
    if rows and len(against) == len(rows):
        yield LeftOut(name, f"the isolate tested {against[0].answer.spoken}")


def _barred(desk: Desk, findings: Sequence[Finding], sheet: SuggestionSheet, wanted: Sequence[Product]) -> Iterator[LeftOut]:
    """What this patient or this hospital cannot have; where the card is about an allergy, that holds for what is ordered already."""
    stocked, known = desk.bedside.policy.formulary.not_stocked, desk.bedside.reference.drugs
    warned = any("allergy" in finding.remark.words for finding in findings)
    for product in sheet.products if warned else wanted:
        worst = desk.allergy.worst(desk.bedside, known[product.drug]) if desk.allergy else None
        if desk.allergy and worst and worst[0] in BARRED:
            yield LeftOut(product.name, desk.allergy.barred(desk.bedside, *worst, known[product.drug]), allergic=True)
        if product.drug in stocked:
            yield LeftOut(product.name, "not stocked here")


def _doses(bedside: Bedside, wanted: Sequence[Product]) -> tuple[Doses, list[LeftOut]]:
    """Loading and maintenance dose of every drug, or why there is none."""
    doses: Doses = []
    missing: list[LeftOut] = []
    for product in wanted:
        band = bedside.reference.doses.expected(product.drug, bedside.kidney)
        why = _no_dose(bedside, band)
        if why or band is None:
            missing.append(LeftOut(product.name, why or "the dose table says nothing for this kidney function"))
        else:
            doses.append((product, list(prescribed(bedside, product, band))))
    return doses, missing


def _no_dose(bedside: Bedside, band: Band | None) -> str:
    """Why no dose may be written, in words, or nothing."""
    kidney = bedside.kidney
    if bedside.child:
        return f"the patient is under {bedside.policy.renal.adult_years}, and the doses of this service are for adults"
    if bedside.years is None:
        return "the patient's age is not known"
    if kidney.replacement and (band is None or not band.suggest):
        return f"no dose is suggested on renal replacement ({kidney.named()}); pharmacist review"
    if band is None and kidney.clearance is None:
        return f"clearance is not known ({' and '.join(kidney.lacking) or 'inputs'} missing)"
    if not (kidney.replacement or bedside.creatinine_fresh):
        age = f"{kidney.age_h:.0f} h old" if kidney.age_h is not None else "of an unknown time"
        return f"the creatinine is {age}; a clearance for dosing needs one of the last {bedside.creatinine_holds_h} h"
    return "" if band is None or band.suggest else "no dose is suggested at this kidney function"


def prescribed(bedside: Bedside, product: Product, band: Band) -> Iterator[Prescribed]:
    """The loading dose where the table has one, then the maintenance, which begins one interval after it."""
    row = band.maintenance[0]
    interval = band.interval_h(bedside.policy.intervals.get(product.drug))
    load = band.load
    if load and load.grams is not None:
        yield Prescribed(load.grams, _infusion(load, row), None, load.components)
    now = bedside.now.replace(second=0, microsecond=0)
    begins = now + timedelta(hours=float(interval)) if load and load.grams is not None else None
    aside = product.dialysis if bedside.kidney.replacement == HAEMODIALYSIS else ""
    yield Prescribed(band.grams, band.infusion_h, interval, row.components, aside, begins)


def _infusion(load: Row, maintenance: Row) -> Decimal:
    return load.infusion_h or maintenance.infusion_h or Decimal(1)
