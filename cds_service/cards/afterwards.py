"""What the session comes to once a suggestion is taken: judged before it is offered."""

from collections.abc import Iterable, Sequence

from cds_service.cards.desk import Desk
from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Dose, Order, Route, Setting
from cds_service.fhir.drafts import Prescribed
from cds_service.finding import Finding, Indicator
from cds_service.suggestion import Product


def afterwards(bedside: Bedside, gone: Iterable[Order], new: Iterable[Order] = ()) -> Bedside:
    """The bedside without some of its orders, and with new drafts."""
    away = list(gone)
    orders = (*(order for order in bedside.chart.orders if order not in away), *new)
    return bedside.with_orders(orders)


def drafts(desk: Desk, product: Product, doses: Sequence[tuple[Prescribed, str]], setting: str) -> list[Order]:
    """The orders that a suggestion would create, as facts, each with the running order that it replaces; `setting` is their list."""
    known = desk.bedside.reference.drugs[product.drug]
    return [
        Order(
            reference="",
            drug=known,
            label=product.name,
            draft=True,
            status="draft",
            route=Route.INTRAVENOUS,
            setting=Setting(setting) if setting else Setting.INPATIENT,
            doses=(Dose(dose.grams, interval_h=dose.interval_h, infusion_h=dose.infusion_h, once=dose.interval_h is None),),
            starts=dose.begins,
            replaces=prior,
        )
        for dose, prior in doses
    ]


def spoken(desk: Desk, bedside: Bedside) -> tuple[Finding, ...]:
    """What the rules of this service would say there, notes aside."""
    return tuple(one for one in desk.service.judge(bedside).findings if one.indicator is not Indicator.INFO)


def leaves_unsound(desk: Desk, gone: Sequence[Order]) -> bool:
    """Without these orders drugs stay that are not expected to work; that none against Gram-negatives stays is the prescriber's choice."""
    bedside = desk.bedside
    if not any(order in bedside.regimen.therapy for order in gone):
        return False
    left = afterwards(bedside, gone)
    relied = any(order.drug.gram_negative for order in left.regimen.therapy) if bedside.infection.current else bedside.works
    if relied and left.regimen.therapy and not left.works:
        return True
    condemning = {rule.id for rule in desk.service.rules if rule.condemns}
    return any(one.rule in condemning for one in spoken(desk, left))
