"""What the patient will receive once the session is signed."""

from datetime import datetime

import pytest
from msgspec.structs import replace

from cds_service.clinical.facts import Dose, Order, Route, Setting
from cds_service.clinical.regimen import Drugs
from cds_service.triggers.course import CourseTooLong, CourseTooShort
from tests.rules_regimen.bench import POLICY, bedside, every, hours, once, order, running


def drugs(orders: tuple[Order, ...]) -> list[str]:
    """The drugs of some orders, in their order."""
    return [one.drug.key for one in orders]


@pytest.mark.parametrize(
    ("later", "together"),
    [(5.9, True), (6.0, True), (6.01, False), (20.0, False)],
)
def test_a_partner_counts_within_the_window(later: float, together: bool) -> None:
    """A partner counts when it starts at most six hours after the drug that needs it."""
    regimen = bedside([order("sword"), order("shield", starts=hours(later))]).regimen
    assert bool(regimen.active_rows) is together


@pytest.mark.parametrize(
    ("ends", "counts"),
    [(hours(-0.1), False), (hours(0), False), (hours(0.1), True), (None, True)],
)
def test_an_end_that_has_passed(ends: object, counts: bool) -> None:
    """A running order whose end has come gives nothing any more."""
    regimen = bedside([order("sword"), running("shield", ends=ends)]).regimen
    assert bool(regimen.active_rows) is counts


@pytest.mark.parametrize(("ends", "counts"), [(hours(-0.1), False), (hours(0), False), (hours(0.1), True)])
def test_a_draft_whose_end_has_passed(ends: datetime, counts: bool) -> None:
    """A draft that ends before it is signed, or just then, gives nothing."""
    assert bool(bedside([order("lance", ends=ends)]).regimen.therapy) is counts


@pytest.mark.parametrize("status", ["on-hold", "stopped", "completed", "cancelled", "entered-in-error", "unknown", ""])
def test_only_active_orders_run(status: str) -> None:
    """An order that is not active does not protect."""
    assert not bedside([order("sword"), running("shield", status=status)]).regimen.active_rows


@pytest.mark.parametrize("intent", ["proposal", "plan", "option"])
@pytest.mark.parametrize("draft", [True, False])
def test_what_is_only_intended_is_not_ordered(intent: str, draft: bool) -> None:
    """Proposals, plans and options are no orders, among drafts and among running orders."""
    assert not bedside([order("sword"), order("shield", draft=draft, intent=intent)]).regimen.active_rows


@pytest.mark.parametrize(("given", "acts"), [(-7.9, True), (-8.0, False), (-8.1, False)])
def test_a_single_dose_acts_for_its_hours(given: float, acts: bool) -> None:
    """A dose that was given once counts for eight hours."""
    regimen = bedside([order("sword"), running("shield", starts=hours(given), doses=(once(),))]).regimen
    assert bool(regimen.active_rows) is acts


def test_a_draft_with_the_id_of_a_running_order_counts_once() -> None:
    """The draft's version of an order replaces the running one."""
    regimen = bedside([order("sword", name="a"), running("sword", name="a")]).regimen
    assert drugs(regimen.therapy) == ["sword"]
    assert regimen.therapy[0].draft


def test_a_prior_prescription_is_replaced() -> None:
    """What a draft replaces no longer runs."""
    regimen = bedside([order("club", replaces="MedicationRequest/l"), running("lance", name="l")]).regimen
    assert drugs(regimen.therapy) == ["club"]
    assert drugs(regimen.replaced) == ["lance"]


@pytest.mark.parametrize("ending", ["reference", "prior prescription"])
def test_a_stop_removes_the_running_order(ending: str) -> None:
    """A draft that stops names its order by the same id or as its predecessor."""
    names = {"name": "l"} if ending == "reference" else {"name": "new", "replaces": "MedicationRequest/l"}
    stop = order("lance", ending=True, status="stopped", **names)
    regimen = bedside([stop, running("lance", name="l")]).regimen
    assert regimen.therapy == ()
    assert drugs(regimen.endings) == ["lance"]
    assert regimen.armed


def test_a_stop_of_nothing_arms_nothing() -> None:
    """A draft that stops an order which does not run is no event."""
    assert not bedside([order("lance", ending=True, status="stopped")]).regimen.armed


@pytest.mark.parametrize("setting", [Setting.OUTPATIENT, Setting.COMMUNITY, Setting.DISCHARGE])
def test_what_goes_home_is_a_list_of_its_own(setting: Setting) -> None:
    """Prescriptions for home of a patient in hospital are judged alone, with what was prescribed before."""
    regimen = bedside([order("sword", setting=setting), running("lance"), running("shield", setting=Setting.DISCHARGE)]).regimen
    assert drugs(regimen.therapy) == ["lance"]
    assert drugs(regimen.take_home.therapy) == ["sword", "shield"]


def test_an_outpatient_order_of_an_outpatient_is_the_therapy() -> None:
    """Without treatment in hospital an outpatient order is what the patient receives."""
    assert drugs(bedside([order("sword", setting=Setting.OUTPATIENT)]).regimen.therapy) == ["sword"]


@pytest.mark.parametrize(
    ("route", "systemic"),
    [
        (Route.INTRAVENOUS, True),
        (Route.INTRAMUSCULAR, True),
        (Route.UNSTATED, True),
        (Route.ORAL, True),
        (Route.INHALED, False),
        (Route.INTRATHECAL, False),
        (Route.IRRIGATION, False),
        (Route.TOPICAL, False),
    ],
)
def test_only_systemic_routes_treat(route: Route, systemic: bool) -> None:
    """Inhaled, intrathecal and local drugs are no systemic treatment."""
    assert bool(bedside([order("sword", route=route)]).regimen.therapy) is systemic


@pytest.mark.parametrize(("starts", "together"), [(4, True), (30, True)])
def test_a_renewal_carries_on_what_runs(starts: float, together: bool) -> None:
    """A renewal that starts later does not open a gap while the old order has no end."""
    orders = [
        running("sword"),
        running("shield", name="old"),
        order("shield", name="new", replaces="MedicationRequest/old", starts=hours(starts)),
    ]
    assert bool(bedside(orders).regimen.active_rows) is together


@pytest.mark.parametrize(("starts", "together"), [(8, True), (8.1, False), (20, False)])
def test_a_renewal_after_a_gap_is_a_new_start(starts: float, together: bool) -> None:
    """Where the old order ends more than six hours before its renewal starts, the partner is missing in between."""
    old = running("shield", name="old", ends=hours(2))
    new = order("shield", name="new", replaces="MedicationRequest/old", starts=hours(starts))
    assert bool(bedside([running("sword"), old, new]).regimen.active_rows) is together


def test_a_running_order_without_an_id_protects() -> None:
    """Records send orders without an id; what runs counts all the same."""
    nameless = replace(running("shield"), reference="")
    assert bedside([order("sword"), nameless]).regimen.active_rows


def test_an_order_for_home_stays_with_what_is_taken_at_home() -> None:
    """A prescription is a list of its own only beside treatment in hospital."""
    home = order("lance", setting=Setting.COMMUNITY)
    assert drugs(bedside([home, running("club", setting=Setting.COMMUNITY)]).regimen.drafts) == ["lance"]
    assert not bedside([home, running("club", setting=Setting.INPATIENT)]).regimen.drafts


@pytest.mark.parametrize(("starts", "together"), [(8, True), (12, True), (13, False)])
def test_stop_and_start_again_carries_on_for_one_interval(starts: float, together: bool) -> None:
    """The last dose of an order that stops acts until the next would have been due."""
    old = running("shield", name="old", doses=(every(12),))
    stop = order("shield", name="old", ending=True, status="stopped")
    new = order("shield", name="new", starts=hours(starts))
    assert bool(bedside([running("sword"), old, stop, new]).regimen.active_rows) is together


def test_a_loading_dose_and_its_maintenance_are_one_course() -> None:
    """A single first dose does not end the protection where the maintenance follows."""
    orders = [order("sword"), order("shield", name="load", doses=(once(),)), order("shield", name="rest", starts=hours(6))]
    assert bedside(orders).regimen.active_rows


def test_a_loading_dose_that_has_worn_off_is_carried_on_by_its_maintenance() -> None:
    """The partner that starts after the loading dose is protected by the maintenance, which has no stated end."""
    load, rest = order("shield", name="load", doses=(once(),)), order("shield", name="rest", starts=hours(8))
    late = order("sword", starts=hours(9))
    regimen = bedside([late, load, rest]).regimen
    assert regimen.covers(load, late)
    assert not bedside([late, load]).regimen.covers(load, late)


@pytest.mark.parametrize(("doses", "short"), [((once(), every(8)), True), ((every(8),), True), ((once(),), False)])
def test_only_an_order_of_single_doses_is_no_course(doses: tuple[Dose, ...], short: bool) -> None:
    """An order of a loading dose and maintenance has a length that can be too short; a single dose is not meant as a course."""
    trigger = CourseTooShort(days=7, excused_days=1, circumstances=("deep",))
    found = bedside([order("lance", doses=doses, ends=hours(48))], words=["deep"])
    assert bool(list(trigger.speak(found, []))) is short


@pytest.mark.parametrize(("first", "long"), [(-14 * 24, False), (-14 * 24 - 1, True)])
def test_the_oldest_order_of_a_drug_tells_how_long_it_has_run(first: float, long: bool) -> None:
    """A second order of the drug does not make its course young again; just so many days are not yet too long."""
    trigger = CourseTooLong(Drugs("heavy", ["club"]), days=14)
    found = bedside([running("club", name="old", starts=hours(first)), running("club", name="new"), order("lance")])
    assert bool(list(trigger.speak(found, []))) is long


def test_a_course_began_with_the_first_drug_against_this_organism() -> None:
    """What a draft takes over counts as the same course; another drug that is renewed beside it began something else."""
    lance, club = running("lance", name="old", starts=hours(-50)), running("club", name="other", starts=hours(-90))
    renewed = [order("lance", name="new", replaces="MedicationRequest/old"), order("club", name="next", replaces="MedicationRequest/other")]
    assert bedside([lance, club, *renewed]).therapy_began == hours(-50)


def test_a_stated_infection_is_treated_whatever_prophylaxis_stands_beside_it() -> None:
    """An order for an infection that the policy names treats it, also where its words speak of prophylaxis."""
    both = frozenset({"prophylaxis", "sepsis"})
    regimen = bedside([order("sword", reasons=both)], policy=replace(POLICY, treated=("sepsis",))).regimen
    assert [one.drug.key for one in regimen.therapy] == ["sword"]


@pytest.mark.parametrize("reason", ["prophylaxis", "test-dose"])
def test_prophylaxis_does_not_treat(reason: str) -> None:
    """Orders for prophylaxis or a test neither arm the rules nor count as treatment."""
    regimen = bedside([order("sword", reasons=frozenset({reason}))]).regimen
    assert regimen.therapy == ()
    assert not regimen.armed
