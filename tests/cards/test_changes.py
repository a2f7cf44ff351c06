"""Changing, keeping and removing draft orders, and asking for consults and tests."""

import dataclasses
import json
from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from cds_service.clinical.facts import Dose, Order
from cds_service.fhir.drafts import Prescribed
from cds_service.fhir.edits import Received
from cds_service.finding import Correction, Finding, Indicator
from cds_service.protocol.response import to_json

from .form import checked
from .ward import NOW, Ward, finding, order, raw

WARNING = Indicator.WARNING
PAIR = order("ceftazidime-avibactam")
FULL = {
    "resourceType": "MedicationRequest",
    "id": "draft-ceftazidime-avibactam",
    "meta": {"profile": ["http://example.org/order"]},
    "extension": [{"url": "http://example.org/own", "valueDecimal": 0.5}],
    "status": "draft",
    "intent": "order",
    "subject": {"reference": "Patient/pat1"},
    "medicationCodeableConcept": {"text": "AVYCAZ 2.5 G"},
    "dosageInstruction": [
        {
            "sequence": 1,
            "text": "2.5 g every 8 h",
            "timing": {
                "repeat": {"boundsPeriod": {"start": "2026-11-22", "end": "2026-12-02"}, "frequency": 3, "period": 1, "periodUnit": "d"},
                "code": {"text": "TID"},
            },
            "route": {"text": "IV"},
            "doseAndRate": [{"doseQuantity": {"value": 2.5, "unit": "g"}}],
        }
    ],
}


def dose_off(load: str | None = None, one: Order = PAIR) -> Finding:
    """The dosing rule with the table's dose for a clearance of 40 mL/min."""
    correction = Correction(one, Decimal("1.25"), Decimal(8), Decimal(3), Decimal(load) if load else None)
    return finding("ndmCazAviDose", WARNING, orders=(one,), corrections=(correction,), suggest=("correct-dose",))


def update(card: dict[str, Any]) -> dict[str, Any]:
    """The resource of the card's one update."""
    (found,) = [a["resource"] for s in card.get("suggestions", []) for a in s["actions"] if a["type"] == "update"]
    return dict(found)


def test_only_the_dose_changes(ward: Callable[..., Ward]) -> None:
    """A corrected draft keeps id, extensions, drug, course and every digit; dose, interval, infusion and words are new (AC-04)."""
    bed = ward(orders=(PAIR,), creatinine="1.8", received=[FULL])
    found = update(checked(bed.cards(dose_off()))[0])
    instruction = found.pop("dosageInstruction")[0]
    assert found == {key: value for key, value in FULL.items() if key != "dosageInstruction"}
    assert instruction["timing"] == {
        "repeat": {
            "boundsPeriod": {"start": "2026-11-22", "end": "2026-12-02"},
            "duration": 3,
            "durationUnit": "h",
            "frequency": 1,
            "period": 8,
            "periodUnit": "h",
        }
    }
    assert instruction["doseAndRate"][0]["doseQuantity"]["value"] == 1.25
    assert instruction["text"] == "1.25 g (1 g/0.25 g) intravenously every 8 h, each dose over 3 h"
    assert (instruction["sequence"], instruction["route"]) == (1, {"text": "IV"})


def test_digits_survive(ward: Callable[..., Ward], monkeypatch: pytest.MonkeyPatch) -> None:
    """A decimal of the client comes back with the digits that it was sent with (G-07)."""
    text = json.dumps({"resourceType": "Bundle", "entry": [{"resource": FULL}]}).replace('"valueDecimal": 0.5', '"valueDecimal": 0.50')
    bed = ward(orders=(PAIR,), creatinine="1.8")
    request = dataclasses.replace(bed.request(), draft_orders=text.encode())
    monkeypatch.setattr(Ward, "request", lambda _: request)
    assert b'"valueDecimal":0.50' in to_json(bed.cards(dose_off()))


def test_one_suggestion_for_all_doses(ward: Callable[..., Ward]) -> None:
    """Two wrong doses are corrected by one suggestion, since only one may be chosen."""
    aztreonam = order("aztreonam")
    second = Correction(aztreonam, Decimal(1), Decimal(6), Decimal(3))
    other = finding("ndmAztreonamDose", WARNING, orders=(aztreonam,), corrections=(second,), suggest=("correct-dose",))
    (card,) = checked(ward(orders=(PAIR, aztreonam), creatinine="1.8").cards(dose_off(), other))
    assert [len(one["actions"]) for one in card["suggestions"]] == [2]
    assert "1.25 g every 8 h over 3 h + aztreonam 1 g every 6 h over 3 h" in card["suggestions"][0]["label"]


def test_a_missing_load_is_an_order_of_its_own(ward: Callable[..., Ward]) -> None:
    """The loading dose is created, and the draft begins one interval after it."""
    (card,) = checked(ward(orders=(PAIR,), creatinine="1.8").cards(dose_off(load="2.5")))
    types = [action["type"] for action in card["suggestions"][0]["actions"]]
    repeat = update(card)["dosageInstruction"][0]["timing"]["repeat"]
    assert types == ["update", "create"]
    assert repeat["boundsPeriod"]["start"] == "2026-11-22T22:30:00+00:00"


def test_a_load_beside_a_length_in_days(ward: Callable[..., Ward]) -> None:
    """A course stated in days keeps its days; the words say when the first dose is due."""
    draft = json.loads(json.dumps(FULL))
    days = {"value": 10, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}
    draft["dosageInstruction"][0]["timing"]["repeat"] = {"boundsDuration": days, "frequency": 1, "period": 8, "periodUnit": "h"}
    (card,) = checked(ward(orders=(PAIR,), creatinine="1.8", received=[draft]).cards(dose_off(load="2.5")))
    instruction = update(card)["dosageInstruction"][0]
    assert instruction["timing"]["repeat"]["boundsDuration"] == days
    assert instruction["text"].endswith("first dose one interval after the loading dose")


@pytest.mark.parametrize(
    "draft",
    [
        None,
        {**FULL, "id": "another"},
        {**FULL, "dosageInstruction": FULL["dosageInstruction"] * 2},
        {**FULL, "dosageInstruction": "by mouth"},
        {**FULL, "note": []},
        {**FULL, "own": "element"},
        {**FULL, "status": 7},
    ],
)
def test_what_cannot_be_changed_safely_is_left_alone(ward: Callable[..., Ward], draft: dict[str, Any] | None) -> None:
    """A draft that is not there, has two regular doses, or would not be valid R4 is not sent back; the words say the dose."""
    bed = ward(orders=(PAIR,), creatinine="1.8", received=[draft] if draft else [])
    (card,) = checked(bed.cards(dose_off()))
    assert "suggestions" not in card


def test_a_draft_in_the_shape_of_the_sandbox_is_sent_back_valid(ward: Callable[..., Ward]) -> None:
    """A category that is no list becomes a list of one: nothing is lost, and the order is R4."""
    (card,) = checked(ward(orders=(PAIR,), creatinine="1.8", received=[{**FULL, "category": {"text": "inpatient"}}]).cards(dose_off()))
    assert update(card)["category"] == [{"text": "inpatient"}]


def test_two_drafts_of_one_id_are_not_changed(ward: Callable[..., Ward]) -> None:
    """Which of two drafts with one id is meant cannot be told."""
    (card,) = checked(ward(orders=(PAIR,), creatinine="1.8", received=[FULL, FULL]).cards(dose_off()))
    assert "suggestions" not in card


def test_no_update_for_a_client_that_takes_none(ward: Callable[..., Ward]) -> None:
    """With the profile epic no draft is changed; the expected dose is in the words."""
    (card,) = checked(ward(orders=(PAIR,), creatinine="1.8", profile="epic").cards(dose_off()))
    assert "suggestions" not in card


def test_an_end_after_three_days(ward: Callable[..., Ward]) -> None:
    """An add-on is limited to 72 h from its start, whatever end it had."""
    colistin = order("colistin")
    draft = raw(colistin)
    draft["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] = "2026-12-10"
    add_on = finding("ndmPolymyxinAddOn", WARNING, orders=(colistin,), removes=(colistin,), suggest=("limit-to-72-h", "stop-drug"))
    (card,) = checked(ward(orders=(colistin,), received=[draft]).cards(add_on))
    assert [one["label"] for one in card["suggestions"]] == ["Limit colistin to 72 h", "Leave out colistin"]
    period = update(card)["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]
    assert period == {"start": "2026-11-22T14:00:00+00:00", "end": "2026-11-25T14:30:00+00:00"}


def test_words_that_state_a_length_are_not_contradicted(ward: Callable[..., Ward]) -> None:
    """A draft whose words say "for 14 days" gets no other end behind their back."""
    colistin = order("colistin")
    draft = raw(colistin)
    draft["dosageInstruction"][0]["text"] = "9 million units load, then 4.5 for 14 days"
    add_on = finding("ndmPolymyxinAddOn", WARNING, orders=(colistin,), suggest=("limit-to-72-h",))
    assert "suggestions" not in checked(ward(orders=(colistin,), received=[draft]).cards(add_on))[0]


def test_a_bone_infection_is_planned_from_the_first_dose(ward: Callable[..., Ward]) -> None:
    """A bone infection is planned for 42 days from the first dose of the running course, in every place that states a length."""
    running = order("ceftazidime-avibactam", draft=False, starts=NOW - timedelta(days=2))
    both = (order("aztreonam", draft=False, starts=NOW - timedelta(days=2)), running)
    renewed = replace(PAIR, ends=NOW + timedelta(days=12))
    supply = {"expectedSupplyDuration": {"value": 14, "unit": "d", "system": "http://unitsofmeasure.org", "code": "d"}}
    bed = ward(
        orders=(renewed, *both),
        received=[{**FULL, "dosageInstruction": [{**FULL["dosageInstruction"][0], "text": "iv"}], "dispenseRequest": supply}],
    )
    (card,) = checked(bed.cards(finding("ndmBoneDuration", WARNING, orders=(renewed,), suggest=("extend-course",))))
    found = update(card)
    assert found["dosageInstruction"][0]["timing"]["repeat"]["boundsPeriod"]["end"] == "2027-01-01T14:30:00+00:00"
    assert found["dispenseRequest"]["expectedSupplyDuration"]["value"] == 40


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2.5 g every 8 h", "2.5 g every 8 h; each dose over 3 h"),
        ("2.5 g q8h over 30 min", "2.5 g every 8 h over 3 h"),
        (None, "2.5 g every 8 h over 3 h"),
    ],
)
def test_the_infusion_time_alone(ward: Callable[..., Ward], text: str | None, expected: str) -> None:
    """Setting the infusion time leaves dose and interval; words that state another time are replaced."""
    draft = json.loads(json.dumps(FULL))
    instruction = draft["dosageInstruction"][0]
    instruction["text"] = text
    if text is None:
        del instruction["text"]
    short = replace(PAIR, doses=(Dose(Decimal("2.5"), interval_h=Decimal(8), infusion_h=Decimal("0.5")),))
    (card,) = checked(
        ward(orders=(short,), received=[draft]).cards(finding("ndmCazAviInfusion", WARNING, orders=(short,), suggest=("set-infusion",)))
    )
    found = update(card)["dosageInstruction"][0]
    assert found["text"] == expected
    assert (found["timing"]["repeat"]["duration"], found["timing"]["repeat"]["frequency"]) == (3, 3)


def test_unknown_doses_keep_their_words(ward: Callable[..., Ward]) -> None:
    """Words that state a time and a dose that was not understood are not replaced."""
    draft = json.loads(json.dumps(FULL))
    draft["dosageInstruction"][0]["text"] = "as per protocol over 30 min"
    vague = replace(PAIR, doses=(Dose(infusion_h=Decimal("0.5")),))
    (card,) = checked(
        ward(orders=(vague,), received=[draft]).cards(finding("ndmCazAviInfusion", WARNING, orders=(vague,), suggest=("set-infusion",)))
    )
    assert "suggestions" not in card


def test_a_corrected_dose_needs_no_second_infusion(ward: Callable[..., Ward]) -> None:
    """Where the dose is corrected, its infusion time is corrected with it."""
    short = finding("ndmCazAviInfusion", Indicator.INFO, orders=(PAIR,), suggest=("set-infusion",))
    (card,) = checked(ward(orders=(PAIR,), creatinine="1.8").cards(dose_off(), short))
    assert [one["label"][:10] for one in card["suggestions"]] == ["Correct to"]


def test_a_draft_that_stops_is_taken_back(ward: Callable[..., Ward]) -> None:
    """A stopping draft with the order's own id becomes active again, so that the order itself is not deleted."""
    running = order("ceftazidime-avibactam", draft=False, name="run-1")
    stopping = order("ceftazidime-avibactam", name="run-1", status="stopped", ending=True)
    removed = finding("ndmProtectionRemoved", orders=(running, order("aztreonam", draft=False)), suggest=("keep-protection",))
    bed = ward(orders=(stopping, running, order("aztreonam", draft=False)), received=[{**FULL, "id": "run-1", "status": "stopped"}])
    (card,) = checked(bed.cards(removed))
    assert [one["label"] for one in card["suggestions"]] == ["Keep ceftazidime-avibactam"]
    assert update(card)["status"] == "active"


def test_a_draft_that_replaces_is_withdrawn(ward: Callable[..., Ward]) -> None:
    """A draft of its own that takes a running order's place is removed, and the running order goes on."""
    running = order("ceftazidime-avibactam", draft=False, name="run-1")
    replacing = order("meropenem", replaces="MedicationRequest/run-1")
    removed = finding("ndmProtectionRemoved", orders=(running,), suggest=("keep-protection",))
    (card,) = checked(ward(orders=(replacing, running, order("aztreonam", draft=False))).cards(removed))
    assert card["suggestions"][0]["actions"][0]["resourceId"] == "MedicationRequest/draft-meropenem"


def test_what_cannot_be_taken_back_is_said(ward: Callable[..., Ward]) -> None:
    """Without an update the user withdraws the stopping draft."""
    running = order("ceftazidime-avibactam", draft=False, name="run-1")
    stopping = order("ceftazidime-avibactam", name="run-1", status="stopped", ending=True)
    removed = finding("ndmProtectionRemoved", orders=(running,), suggest=("keep-protection",))
    (card,) = checked(ward(orders=(stopping, running), profile="epic").cards(removed))
    assert "To keep ceftazidime-avibactam, withdraw the draft that ends it by hand." in card["detail"]


@pytest.mark.parametrize(
    ("key", "pending", "code"),
    [
        ("test-combination", "susceptibility", "18769-0"),
        ("order-creatinine", "creatinine", "2160-0"),
        ("repeat-cultures", "culture", "600-7"),
        ("order-liver-tests", "alt", None),
        ("test-genes", "", "63368-5"),
        ("consult-id", "", None),
        ("consult-allergy", "", None),
        ("consult-obstetrics", "", None),
    ],
)
def test_a_test_or_consult_is_asked_for_once(ward: Callable[..., Ward], key: str, pending: str, code: str | None) -> None:
    """A test or a consult is a draft ServiceRequest, coded where a code is known, and not asked for twice."""
    asking = finding("ndmAztreonamUnprotected", suggest=(key,))
    (card,) = checked(ward().cards(asking))
    resource = card["suggestions"][0]["actions"][0]["resource"]
    assert resource["resourceType"] == "ServiceRequest"
    assert [one["code"] for one in resource["code"].get("coding", [])] == ([code] if code else [])
    if pending:
        assert "suggestions" not in checked(ward(pending=frozenset({pending})).cards(asking))[0]


@pytest.mark.parametrize("starts", [NOW.replace(year=9999, month=12, day=31), NOW + timedelta(days=1)])
def test_no_date_beyond_the_calendar(ward: Callable[..., Ward], starts: datetime) -> None:
    """An order that begins at the end of time is not limited, and the card is still there."""
    colistin = order("colistin", starts=starts)
    (card,) = checked(ward(orders=(colistin,)).cards(finding("ndmPolymyxinAddOn", WARNING, orders=(colistin,), suggest=("limit-to-72-h",))))
    assert ("suggestions" in card) is (starts.year < 9999)


@pytest.mark.parametrize("key", ["stop-drug", "keep-protection", "correct-dose", "limit-to-72-h", "set-infusion", "extend-course"])
def test_nothing_to_change_is_no_suggestion(ward: Callable[..., Ward], key: str) -> None:
    """A finding that concerns no draft offers no change of one."""
    (card,) = checked(ward(orders=(PAIR,)).cards(finding("ndmAztreonamUnprotected", suggest=(key,))))
    assert "suggestions" not in card


def test_a_drug_without_a_table_keeps_its_infusion(ward: Callable[..., Ward]) -> None:
    """An infusion time is set only for drugs of the dose table."""
    meropenem = order("meropenem")
    (card,) = checked(
        ward(orders=(meropenem,)).cards(finding("ndmCazAviInfusion", WARNING, orders=(meropenem,), suggest=("set-infusion",)))
    )
    assert "suggestions" not in card


def test_a_right_dose_without_load_gets_the_load_alone(ward: Callable[..., Ward]) -> None:
    """Where the draft cannot be changed but is right, only the loading dose is offered."""
    right = Correction(PAIR, Decimal("2.5"), Decimal(8), Decimal(3), Decimal("2.5"))
    missing = finding("ndmCazAviDose", WARNING, orders=(PAIR,), corrections=(right,), suggest=("correct-dose",))
    (card,) = checked(ward(orders=(PAIR,), received=[]).cards(missing))
    assert [action["type"] for action in card["suggestions"][0]["actions"]] == ["create"]


@pytest.mark.parametrize(
    "bundle", [None, b"{", b'{"entry": 7}', b'{"entry": [{"resource": 7}, {"resource": {"resourceType": "MedicationRequest"}}]}']
)
def test_drafts_that_cannot_be_found(bundle: bytes | None) -> None:
    """A bundle that holds no draft of that name gives none."""
    assert Received(bundle).find("MedicationRequest/1") is None


@pytest.mark.parametrize("grams", ["0", "-1", "20.1"])
def test_no_dose_out_of_bounds(grams: str) -> None:
    """A dose that nobody gives cannot be written, whatever a table says."""
    with pytest.raises(ValueError, match="out of bounds"):
        Prescribed(Decimal(grams), Decimal(3), Decimal(8))


def test_nobody_limits_what_is_stopped(ward: Callable[..., Ward]) -> None:
    """A draft that stops its order is not given an end."""
    stopping = order("colistin", ending=True, status="stopped")
    (card,) = checked(ward(orders=(stopping,)).cards(finding("ndmPolymyxinAddOn", WARNING, orders=(stopping,), suggest=("limit-to-72-h",))))
    assert "suggestions" not in card


def two_doses(one: Order) -> Finding:
    """The dosing rule about a loading dose and the maintenance of one order."""
    both = (Correction(one, Decimal("1.33"), None, Decimal(3)), Correction(one, Decimal("0.9"), Decimal(12), Decimal(3)))
    return finding("ndmAztAviDose", WARNING, orders=(one,), corrections=both, suggest=("correct-dose",))


def test_a_wrong_load_is_corrected_where_it_stands(ward: Callable[..., Ward]) -> None:
    """Loading dose and maintenance of one order change in one update; the moment of the load stays, and nothing is created."""
    load = {"timing": {"event": ["2026-11-22T14:00:00+00:00"], "repeat": {"count": 1}}, "doseAndRate": [{"doseQuantity": {"value": 2.67}}]}
    draft = {**FULL, "id": "draft-aztreonam-avibactam", "dosageInstruction": [load, FULL["dosageInstruction"][0]]}
    one = order("aztreonam-avibactam")
    (card,) = checked(ward(orders=(one,), creatinine="9", received=[draft]).cards(two_doses(one)))
    first, second = update(card)["dosageInstruction"]
    assert (first["doseAndRate"][0]["doseQuantity"]["value"], first["timing"]["event"]) == (1.33, load["timing"]["event"])
    assert (second["doseAndRate"][0]["doseQuantity"]["value"], second["timing"]["repeat"]["period"]) == (0.9, 12)
    assert [action["type"] for action in card["suggestions"][0]["actions"]] == ["update"]


@pytest.mark.parametrize("text", ["2.67 g once, then 2 g every 6 h", "2.5 g q8h, thereafter 1.25 g q8h"])
def test_words_that_tell_two_doses_are_left_alone(ward: Callable[..., Ward], text: str) -> None:
    """An instruction whose words tell one dose after another is not replaced by one dose."""
    draft = {**FULL, "dosageInstruction": [{"text": text}]}
    (card,) = checked(ward(orders=(PAIR,), creatinine="1.8", received=[draft]).cards(dose_off()))
    assert "suggestions" not in card
