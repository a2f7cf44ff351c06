"""Offering a drug: only what may work, what the patient may have, and what the table has a dose for."""

import json
import re
from collections.abc import Callable
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from cds_service.clinical.facts import Answer, Circumstance, Person, Setting
from cds_service.clinical.policy import Formulary
from cds_service.finding import Finding

from .form import checked
from .ward import CODES, NOW, Ward, allergy, finding, isolate, order, verdict

ALL = ("add-ceftazidime-avibactam", "switch-to-aztreonam-avibactam", "switch-to-cefiderocol", "consult-id")
AZTREONAM = order("aztreonam")


def unprotected(*suggest: str, **more: Any) -> Finding:
    """Aztreonam without a partner."""
    return finding("ndmAztreonamUnprotected", orders=(AZTREONAM,), suggest=suggest or ALL, **more)


def offered(card: dict[str, Any]) -> list[list[str]]:
    """For every suggestion its actions: the drug or the consult that is created, "-" and the draft that is removed."""
    found = []
    for suggestion in card.get("suggestions", []):
        actions = []
        for action in suggestion["actions"]:
            resource = action.get("resource") or {}
            concept = resource.get("medicationCodeableConcept") or resource.get("code") or {}
            actions.append(f"-{action['resourceId']}" if action["type"] == "delete" else concept["text"])
        found.append(actions)
    return found


def doses(card: dict[str, Any]) -> list[tuple[str, float, float | None]]:
    """Drug, grams and hours of every created order; no hours for a loading dose."""
    found = []
    for suggestion in card.get("suggestions", []):
        for action in suggestion["actions"]:
            resource = action.get("resource") or {}
            for dosage in resource.get("dosageInstruction", []):
                name, repeat = resource["medicationCodeableConcept"]["text"], dosage["timing"]["repeat"]
                found.append((name, dosage["doseAndRate"][0]["doseQuantity"]["value"], repeat.get("period")))
    return found


def test_three_ways_to_protect(ward: Callable[..., Ward]) -> None:
    """Aztreonam alone: add its partner, or change to either single drug, or ask; the draft goes where it is replaced."""
    (card,) = checked(ward(orders=(AZTREONAM,)).cards(unprotected()))
    away = "-MedicationRequest/draft-aztreonam"
    assert offered(card) == [
        ["ceftazidime-avibactam"],
        [away, "aztreonam-avibactam", "aztreonam-avibactam"],
        [away, "cefiderocol"],
        ["Infectious diseases or antimicrobial stewardship consult"],
    ]
    assert card["selectionBehavior"] == "at-most-one"
    assert not any("isRecommended" in one for one in card["suggestions"])


def test_whose_order_it_is(ward: Callable[..., Ward]) -> None:
    """A suggested order names patient, stay, signer and the result that it answers."""
    (card,) = checked(ward(orders=(AZTREONAM,)).cards(unprotected()))
    resource = card["suggestions"][0]["actions"][0]["resource"]
    assert resource["encounter"] == {"reference": "Encounter/enc1"}
    assert resource["requester"] == {"reference": "Practitioner/p1"}
    assert resource["reasonReference"] == [{"reference": "Observation/ndm-1"}]


@pytest.mark.parametrize("user", ["Patient/pat1", "Practitioner/ a", "https://ehr.example.org/Practitioner/1"])
def test_only_a_practitioner_signs(ward: Callable[..., Ward], user: str) -> None:
    """Only a practitioner whose reference can be quoted becomes the requester of an order."""
    (card,) = checked(ward(orders=(AZTREONAM,), user=user).cards(unprotected()))
    assert "requester" not in card["suggestions"][0]["actions"][0]["resource"]


@pytest.mark.parametrize(
    ("preference", "first"), [("source-article", "ceftazidime-avibactam"), ("idsa-2026", "-MedicationRequest/draft-aztreonam")]
)
def test_the_site_says_what_comes_first(ward: Callable[..., Ward], preference: str, first: str) -> None:
    """The order of the regimens is the site's; a consult comes last."""
    (card,) = checked(ward(policy={"preference": preference}, orders=(AZTREONAM,)).cards(unprotected()))
    assert offered(card)[0][0] == first
    assert "consult" in offered(card)[-1][0]


@pytest.mark.parametrize(
    ("creatinine", "expected"),
    [
        (
            "1.0",
            [("ceftazidime-avibactam", 2.5, 8), ("aztreonam-avibactam", 2.67, None), ("aztreonam-avibactam", 2, 6), ("cefiderocol", 2, 8)],
        ),
        (
            "1.8",
            [
                ("ceftazidime-avibactam", 1.25, 8),
                ("aztreonam-avibactam", 2.67, None),
                ("aztreonam-avibactam", 1, 6),
                ("cefiderocol", 1.5, 8),
            ],
        ),
        (
            "3.6",
            [
                ("ceftazidime-avibactam", 0.94, 12),
                ("aztreonam-avibactam", 1.8, None),
                ("aztreonam-avibactam", 0.9, 8),
                ("cefiderocol", 1, 8),
            ],
        ),
        (
            "7.2",
            [
                ("ceftazidime-avibactam", 0.94, 24),
                ("aztreonam-avibactam", 1.33, None),
                ("aztreonam-avibactam", 0.9, 12),
                ("cefiderocol", 0.75, 12),
            ],
        ),
        (
            "0.5",
            [("ceftazidime-avibactam", 2.5, 8), ("aztreonam-avibactam", 2.67, None), ("aztreonam-avibactam", 2, 6), ("cefiderocol", 2, 6)],
        ),
    ],
)
def test_doses_fit_the_kidney(ward: Callable[..., Ward], creatinine: str, expected: list[tuple[str, float, float | None]]) -> None:
    """Every dose is the table's for this clearance (72 mL/min at 1.0, divided by the creatinine)."""
    (card,) = checked(ward(orders=(AZTREONAM,), creatinine=creatinine).cards(unprotected()))
    assert doses(card) == expected


def test_maintenance_follows_the_load(ward: Callable[..., Ward]) -> None:
    """The load is an order of its own, given once; the maintenance begins one interval later."""
    (card,) = checked(ward(orders=(AZTREONAM,)).cards(unprotected("switch-to-aztreonam-avibactam")))
    load, maintenance = (action["resource"]["dosageInstruction"][0] for action in card["suggestions"][0]["actions"][1:])
    assert load["timing"]["repeat"]["count"] == 1
    assert maintenance["timing"]["repeat"]["boundsPeriod"] == {"start": "2026-11-22T20:30:00+00:00"}


@pytest.mark.parametrize(("interval", "hours"), [(6, 6), (8, 8), (4, 6)])
def test_the_site_chooses_between_accepted_intervals(ward: Callable[..., Ward], interval: int, hours: int) -> None:
    """Aztreonam is suggested every 6 or every 8 h as the site says; an interval that the table does not accept is not used."""
    partner = order("ceftazidime-avibactam")
    alone = finding("ndmCazAviWithoutAztreonam", orders=(partner,), suggest=("add-aztreonam",))
    (card,) = checked(ward(policy={"intervals": {"aztreonam": Decimal(interval)}}, orders=(partner,)).cards(alone))
    assert doses(card) == [("aztreonam", 2, hours)]


def test_low_clearance_asks_for_a_pharmacist(ward: Callable[..., Ward]) -> None:
    """At 30 mL/min and less the pair's intervals part, and the card says so; above it does not."""
    low, high = (ward(orders=(AZTREONAM,), creatinine=one) for one in ("2.4", "2.3"))
    assert "Pharmacist review" in checked(low.cards(unprotected()))[0]["detail"]
    assert "Pharmacist review" not in checked(high.cards(unprotected()))[0]["detail"]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"creatinine": None}, "clearance is not known (creatinine missing)"),
        ({"weight": None}, "clearance is not known (weight missing)"),
        ({"person": Person(date(2017, 1, 1), "male")}, "the patient is under 18"),
        ({"person": Person(None, "male")}, "the patient's age is not known"),
        ({"circumstances": (Circumstance("peritoneal-dialysis", "Condition", "Condition/1"),)}, "renal replacement (peritoneal dialysis)"),
        ({"circumstances": (Circumstance("crrt", "Condition", "Condition/1"),)}, "renal replacement (CRRT)"),
    ],
)
def test_no_dose_no_order(ward: Callable[..., Ward], changes: dict[str, Any], why: str) -> None:
    """Where no dose can be told, no drug is offered, the card says why, and the consult is still there."""
    (card,) = checked(ward(orders=(AZTREONAM,), **changes).cards(unprotected()))
    assert offered(card) == [["Infectious diseases or antimicrobial stewardship consult"]]
    assert re.search(rf"Not offered\*\*\n\n- Ceftazidime-avibactam, aztreonam-avibactam, cefiderocol: .*{re.escape(why)}", card["detail"])


def test_dialysis_has_doses(ward: Callable[..., Ward]) -> None:
    """On haemodialysis the table's doses are offered, with the session in the text."""
    session = (Circumstance("haemodialysis", "Condition", "Condition/1"),)
    (card,) = checked(ward(orders=(AZTREONAM,), circumstances=session).cards(unprotected()))
    assert doses(card)[0] == ("ceftazidime-avibactam", 0.94, 48)
    text = card["suggestions"][0]["actions"][0]["resource"]["dosageInstruction"][0]["text"]
    assert text.endswith("; on dialysis days after the session")


@pytest.mark.parametrize(("years", "adult"), [(17, False), (18, True)])
def test_adults_begin_at_eighteen(ward: Callable[..., Ward], years: int, adult: bool) -> None:
    """A patient of 17 is offered no dose, one of 18 is."""
    born = date(NOW.year - years, NOW.month, NOW.day)
    (card,) = checked(ward(orders=(AZTREONAM,), person=Person(born, "male")).cards(unprotected()))
    assert bool(doses(card)) is adult


def test_what_is_not_stocked_is_not_offered(ward: Callable[..., Ward]) -> None:
    """The formulary hides a product, and the card says that it does."""
    policy = {"formulary": Formulary(not_stocked=("aztreonam-avibactam",))}
    (card,) = checked(ward(policy=policy, orders=(AZTREONAM,)).cards(unprotected()))
    assert "aztreonam-avibactam" not in [drug for drug, _, _ in doses(card)]
    assert "Aztreonam-avibactam: not stocked here" in card["detail"]


@pytest.mark.parametrize(
    ("recorded", "offers"),
    [
        (allergy("aztreonam", severe=True), ["cefiderocol"]),
        (allergy("ceftazidime", severe=True), ["cefiderocol"]),
        (allergy("aztreonam"), ["ceftazidime-avibactam", "cefiderocol"]),
        (allergy("aztreonam", mild=True, years=9.9), ["ceftazidime-avibactam", "cefiderocol"]),
        (allergy("aztreonam", mild=True, years=10.1), ["ceftazidime-avibactam", "aztreonam-avibactam", "cefiderocol"]),
        (allergy("penicillin", severe=True), ["ceftazidime-avibactam", "aztreonam-avibactam", "cefiderocol"]),
        (allergy("cefiderocol", severe=True), ["ceftazidime-avibactam", "aztreonam-avibactam"]),
    ],
)
def test_allergies_filter_every_offer(ward: Callable[..., Ward], recorded: Any, offers: list[str]) -> None:
    """No drug is offered that the patient reacts to, nor a relative of one with a severe reaction; others are."""
    (card,) = checked(ward(orders=(AZTREONAM,), allergies=(recorded,)).cards(unprotected()))
    assert list(dict.fromkeys(drug for drug, _, _ in doses(card))) == offers
    if len(offers) < 3:
        assert f"the recorded {recorded.label} allergy" in card["detail"] or f": recorded {recorded.label} allergy" in card["detail"]
        assert "Recorded allergy: `" in card["detail"]


def test_a_mild_relative_is_offered_with_a_note(ward: Callable[..., Ward]) -> None:
    """A reaction that is not severe to a relative does not forbid, and is said."""
    (card,) = checked(ward(orders=(AZTREONAM,), allergies=(allergy("ceftolozane", mild=True),)).cards(unprotected()))
    assert "a reaction that is not recorded as severe is on file; look at it first" in card["detail"]


@pytest.mark.parametrize("answer", [Answer.RESISTANT, Answer.INTERMEDIATE, Answer.NON_SUSCEPTIBLE])
def test_what_tested_against_is_not_offered(ward: Callable[..., Ward], answer: Answer) -> None:
    """A drug against which the isolate tested is never offered; the test of the fixed product speaks for the pair too."""
    grown = isolate(susceptibilities=(verdict("aztreonam-avibactam", answer, "16"),))
    (card,) = checked(ward(orders=(AZTREONAM,), isolates=(grown,)).cards(unprotected(isolates=(grown,))))
    assert [drug for drug, _, _ in doses(card)] == ["cefiderocol"]
    assert f"Tested: aztreonam-avibactam {answer.spoken} (MIC 16 mg/L)" in card["detail"]


def test_what_runs_is_not_added(ward: Callable[..., Ward]) -> None:
    """A partner that is already ordered is not ordered a second time."""
    running = order("ceftazidime-avibactam", draft=False)
    (card,) = checked(ward(orders=(AZTREONAM, running)).cards(unprotected("add-ceftazidime-avibactam", "switch-to-pair", "consult-id")))
    assert doses(card) == []


def test_a_pair_keeps_the_leg_that_is_there(ward: Callable[..., Ward]) -> None:
    """Changing to the pair beside aztreonam orders the missing drug alone, and leaves aztreonam."""
    (card,) = checked(ward(orders=(AZTREONAM, order("meropenem"))).cards(unprotected("switch-to-pair")))
    assert offered(card) == [["ceftazidime-avibactam"]]


def test_a_switch_takes_the_inactive_draft_away(ward: Callable[..., Ward]) -> None:
    """Changing from meropenem removes its draft; vancomycin, which serves something else, stays."""
    meropenem, vancomycin = order("meropenem"), order("vancomycin")
    inactive = finding("ndmNoActiveAgent", orders=(meropenem, vancomycin), suggest=("switch-to-pair",))
    (card,) = checked(ward(orders=(meropenem, vancomycin)).cards(inactive))
    assert offered(card) == [["-MedicationRequest/draft-meropenem", "ceftazidime-avibactam", "aztreonam"]]


def test_running_orders_are_the_users_to_stop(ward: Callable[..., Ward]) -> None:
    """A card cannot stop a running order: it says that somebody has to."""
    (card,) = checked(
        ward(orders=(AZTREONAM, order("ceftazidime-avibactam", draft=False))).cards(unprotected("switch-to-aztreonam-avibactam"))
    )
    assert "If you change to aztreonam-avibactam: stop the running ceftazidime-avibactam by hand" in card["detail"]


def test_a_partner_is_added_to_what_runs(ward: Callable[..., Ward]) -> None:
    """Where aztreonam runs, the pair is an addition to it, and only the other regimens ask to stop it."""
    running, meropenem = order("aztreonam", draft=False), order("meropenem")
    inactive = finding("ndmInactiveBetaLactam", orders=(meropenem,), suggest=("switch-to-pair", *ALL[1:]))
    (card,) = checked(ward(orders=(running, meropenem)).cards(inactive))
    first, second, third, _ = (one["label"] for one in card["suggestions"])
    assert first == "Add ceftazidime-avibactam 2.5 g every 8 h over 3 h to the running aztreonam"
    assert second.startswith("Change to aztreonam-avibactam")
    assert third.startswith("Change to cefiderocol")
    assert "- If you change to aztreonam-avibactam or cefiderocol: stop the running aztreonam by hand" in card["detail"]


def test_a_drug_that_stays_is_not_changed(ward: Callable[..., Ward]) -> None:
    """Beside vancomycin, which serves something else, a regimen is added and nothing is taken away."""
    vancomycin = order("vancomycin")
    (card,) = checked(ward(orders=(vancomycin,)).cards(finding("ndmNoActiveAgent", orders=(vancomycin,), suggest=ALL[1:3])))
    assert [one["label"].partition(" ")[0] for one in card["suggestions"]] == ["Add", "Add"]


def test_a_draft_without_an_id_is_not_removed(ward: Callable[..., Ward]) -> None:
    """What has no id cannot be named in a delete; the text says so."""
    nameless = order("aztreonam", name="")
    alone = finding("ndmAztreonamUnprotected", orders=(nameless,), suggest=("switch-to-cefiderocol",))
    (card,) = checked(ward(orders=(nameless,)).cards(alone))
    assert offered(card) == [["cefiderocol"]]
    assert "If you change to cefiderocol: take aztreonam out of the drafts by hand" in card["detail"]


def test_a_discharge_list_gets_discharge_orders(ward: Callable[..., Ward]) -> None:
    """What is offered for the take-home list stands on it, whatever runs on the ward."""
    home = order("aztreonam", setting=Setting.DISCHARGE)
    ward_pair = (order("ceftazidime-avibactam", draft=False), order("aztreonam", draft=False, name="run-2"))
    list_alone = finding("ndmDischargeList", orders=(home,), suggest=("switch-to-aztreonam-avibactam", "add-ceftazidime-avibactam"))
    (card,) = checked(ward(orders=(home, *ward_pair)).cards(list_alone))
    created = [action["resource"] for one in card["suggestions"] for action in one["actions"] if action["type"] == "create"]
    assert {one["category"][0]["coding"][0]["code"] for one in created} == {"discharge"}
    assert "ceftazidime-avibactam" in [drug for drug, _, _ in doses(card)]


def test_one_action_for_a_client_that_takes_one(ward: Callable[..., Ward]) -> None:
    """With the profile epic every suggestion has one action, several may be chosen, and RxNorm has the name that Epic knows."""
    (card,) = checked(ward(orders=(AZTREONAM,), profile="epic").cards(unprotected()))
    assert all(len(one["actions"]) == 1 for one in card["suggestions"])
    assert card["selectionBehavior"] == "any"
    systems = {
        coding["system"]
        for one in card["suggestions"]
        for coding in (one["actions"][0].get("resource") or {}).get("medicationCodeableConcept", {}).get("coding", [])
    }
    assert systems == {"urn:oid:2.16.840.1.113883.6.88"}


@pytest.mark.parametrize("drug", sorted(CODES))
def test_every_product_has_its_code(ward: Callable[..., Ward], drug: str) -> None:
    """Every offered drug carries the RxNorm code of the suggestions sheet with its display."""
    vancomycin = order("vancomycin")
    keys = ("switch-to-pair", "switch-to-aztreonam-avibactam", "switch-to-cefiderocol")
    (card,) = checked(ward(orders=(vancomycin,)).cards(finding("ndmNoActiveAgent", orders=(vancomycin,), suggest=keys)))
    code, display = CODES[drug]
    coding = {"system": "http://www.nlm.nih.gov/research/umls/rxnorm", "code": code, "display": display}
    assert json.dumps(coding) in json.dumps(card)


def test_an_unknown_key_offers_nothing(ward: Callable[..., Ward]) -> None:
    """A suggestion that the condition does not have is left out; the loader reports it."""
    (card,) = checked(ward(orders=(AZTREONAM,)).cards(unprotected("no-such-key")))
    assert "suggestions" not in card


def test_two_drafts_of_one_id_are_removed_once(ward: Callable[..., Ward]) -> None:
    """The sandbox gives every draft one id; it is named once."""
    twins = (order("aztreonam", name="request-123"), order("meropenem", name="request-123"))
    alone = finding("ndmAztreonamUnprotected", orders=twins, suggest=("switch-to-cefiderocol",))
    (card,) = checked(ward(orders=twins).cards(alone))
    assert offered(card) == [["-MedicationRequest/request-123", "cefiderocol"]]


def test_a_card_without_doses_is_silent_about_the_kidney(ward: Callable[..., Ward]) -> None:
    """Kidney function is shown where a dose was computed, and nowhere else."""
    bed = ward(orders=(AZTREONAM,))
    assert "Kidney:" in checked(bed.cards(unprotected()))[0]["detail"]
    assert "Kidney:" not in checked(bed.cards(replace(unprotected(), suggest=("consult-id",))))[0]["detail"]


def test_a_renewal_leaves_the_order_that_it_renews(ward: Callable[..., Ward]) -> None:
    """Without the draft that renews it a running order goes on, and the card says that somebody has to stop it."""
    running = order("aztreonam", draft=False, name="run-1")
    renewing = order("aztreonam", replaces="MedicationRequest/run-1")
    alone = finding("ndmAztreonamUnprotected", orders=(renewing,), suggest=("switch-to-aztreonam-avibactam",))
    (card,) = checked(ward(orders=(renewing, running)).cards(alone))
    assert offered(card)[0][0] == "-MedicationRequest/draft-aztreonam"
    assert "If you change to aztreonam-avibactam: stop the running aztreonam by hand" in card["detail"]


def test_other_regimens_make_way(ward: Callable[..., Ward]) -> None:
    """Changing to cefiderocol also removes a partner that was drafted for later."""
    late = order("ceftazidime-avibactam", starts=NOW + timedelta(hours=20))
    (card,) = checked(ward(orders=(AZTREONAM, late)).cards(unprotected("switch-to-cefiderocol")))
    assert offered(card) == [["-MedicationRequest/draft-aztreonam", "-MedicationRequest/draft-ceftazidime-avibactam", "cefiderocol"]]


def test_a_partner_for_the_pair_is_no_regimen_of_its_own(ward: Callable[..., Ward]) -> None:
    """Ceftazidime-avibactam is not added where aztreonam is missing: alone it would not work."""
    meropenem = order("meropenem")
    alone = finding("ndmInactiveBetaLactam", orders=(meropenem,), suggest=("add-ceftazidime-avibactam",))
    (card,) = checked(ward(orders=(meropenem,)).cards(alone))
    assert "suggestions" not in card
    assert "Ceftazidime-avibactam: would not complete a regimen that is expected to work" in card["detail"]


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    creatinine=st.decimals("0.2", "12", places=2),
    weight=st.integers(35, 180),
    place=st.sampled_from(["none", "haemodialysis", "crrt", "peritoneal-dialysis"]),
    profile=st.sampled_from(["standard", "epic"]),
    allergic=st.sampled_from([None, "aztreonam", "ceftazidime", "cefiderocol"]),
)
def test_every_offer_is_valid(
    ward: Callable[..., Ward], creatinine: Decimal, weight: int, place: str, profile: str, allergic: str | None
) -> None:
    """For any kidney, weight, replacement therapy, client and allergy every emitted order is valid R4 and the answer has its form."""
    told = () if place == "none" else (Circumstance(place, "Condition", "Condition/1"),)
    recorded = (allergy(allergic, severe=True),) if allergic else ()
    bed = ward(orders=(AZTREONAM,), creatinine=str(creatinine), weight=str(weight), circumstances=told, profile=profile, allergies=recorded)
    (card,) = checked(bed.cards(unprotected("add-ceftazidime-avibactam", "switch-to-pair", *ALL[1:])))
    assert place in {"none", "haemodialysis"} or not doses(card)


def test_a_new_order_takes_the_place_of_a_running_one(ward: Callable[..., Ward]) -> None:
    """What a change would create points at the running orders that it replaces, so that signing it is no duplicate; so does the text."""
    running = order("aztreonam", draft=False, name="run-1")
    (card,) = checked(ward(orders=(order("meropenem"), running)).cards(unprotected()))
    change = next(one for one in card["suggestions"] if "aztreonam-avibactam" in one["label"] and "Change" in one["label"])
    created = [one["resource"] for one in change["actions"] if one["type"] == "create"]
    assert [one["priorPrescription"]["reference"] for one in created] == ["MedicationRequest/run-1"] * 2
    assert "stop the running aztreonam by hand" in card["detail"]
