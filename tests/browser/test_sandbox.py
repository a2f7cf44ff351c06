"""The sandbox as a visitor uses it, against the real service."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from .conftest import Open

pytestmark = pytest.mark.browser

BUNDLES = sorted((Path(__file__).resolve().parents[2] / "fixtures").glob("*/bundles/*.json"))
STORIES: dict[str, Any] = {path.stem: json.loads(path.read_text("utf-8")) for path in BUNDLES}
ALONE = "#patient=pt-unprotected-aztreonam"


def sign(page: Page, hook: str = "order-sign") -> None:
    """Presses the button of a hook and waits until the explanation is there too."""
    page.click("#sign" if hook == "order-sign" else "#open-chart")
    settled(page)


def settled(page: Page) -> None:
    """Waits for the answer."""
    expect(page.locator("#answer-line code")).to_be_visible()
    expect(page.locator("#bench")).to_have_attribute("data-busy", "")


def topics(page: Page) -> list[str]:
    """The rules of the cards that stand on the page."""
    return [str(one.get_attribute("data-rule")) for one in page.locator("article.card[data-rule]").all()]


@pytest.mark.parametrize("via", ["prefetch", "fhir"])
@pytest.mark.parametrize("name", STORIES)
def test_a_story_ends_as_it_promises(opened: Open, name: str, via: str) -> None:
    """Whether the page fills the prefetch or the service reads the FHIR server, the same cards stand there."""
    story = STORIES[name]
    page = opened(f"/sandbox#patient={story['patientId']}&via={via}")
    sign(page, story["hook"])
    assert topics(page) == story["expect"]
    if not story["expect"]:
        expect(page.locator("#cards")).to_contain_text("Signed in silence")


def test_the_first_thing_that_a_visitor_sees_leads_to_the_reason(opened: Open) -> None:
    """From opening the page to understanding why aztreonam alone is wrong: one button, and one link to the rule."""
    page = opened("/sandbox")
    page.locator("#cards").get_by_role("button", name="Sign orders").click()
    settled(page)
    card = page.locator("article.card")
    expect(card).to_contain_text("Critical")
    expect(card.locator("h3")).to_contain_text("Aztreonam is unprotected")
    card.get_by_role("link", name="About this alert").click()
    expect(page.locator("h1")).to_have_text("Aztreonam without avibactam")


def test_an_accepted_suggestion_changes_the_drafts_and_ends_in_silence(opened: Open) -> None:
    """The partner joins the drafts, the service is told, and signing again is silent."""
    page = opened(f"/sandbox{ALONE}")
    sign(page)
    with page.expect_response(lambda one: one.url.endswith("/feedback")) as sent:
        page.locator(".suggestions button").first.click()
    feedback = json.loads(sent.value.request.post_data or "")["feedback"][0]
    assert (sent.value.status, feedback["outcome"], len(feedback["acceptedSuggestions"])) == (200, "accepted", 1)
    expect(page.locator(".sent:visible")).to_contain_text("Accepted")
    assert page.locator("#orders .order").count() == 2
    sign(page)
    expect(page.locator("#cards")).to_contain_text("Signed in silence")


def test_a_switch_removes_the_old_draft(opened: Open) -> None:
    """A suggestion with several actions carries out all of them."""
    page = opened(f"/sandbox{ALONE}")
    sign(page)
    page.locator(".suggestions > li").filter(has_text="cefiderocol").get_by_role("button").click()
    expect(page.locator("#orders .order")).to_have_count(1)
    expect(page.locator("#orders .order b")).to_contain_text("efiderocol")


def test_an_override_with_a_reason_buys_silence(opened: Open) -> None:
    """The reason is sent by its code, and the same user is not asked again about the same regimen."""
    page = opened("/sandbox#patient=pt-ceftazidime-avibactam-alone")
    sign(page)
    page.locator(".override select").select_option(index=1)
    with page.expect_response(lambda one: one.url.endswith("/feedback")) as sent:
        page.get_by_role("button", name="Override").click()
    feedback = json.loads(sent.value.request.post_data or "")["feedback"][0]
    assert feedback["outcome"] == "overridden"
    assert feedback["overrideReason"]["reason"]["code"].isalnum()
    expect(page.locator(".sent:visible")).to_contain_text("Overridden")
    sign(page)
    assert topics(page) == []


def test_a_changed_dose_is_what_is_sent(opened: Open) -> None:
    """The form writes into the order and leaves the rest of it alone."""
    page = opened("/sandbox#patient=pt-protected-regimen")
    page.locator("#orders .order").filter(has_text="Ceftazidime").get_by_label("Dose of", exact=False).fill("1")
    page.keyboard.press("Tab")
    with page.expect_request(lambda one: one.url.endswith("/cds-services/ndm-order-sign")) as asked:
        sign(page)
    drafts = [entry["resource"] for entry in json.loads(asked.value.post_data or "")["context"]["draftOrders"]["entry"]]
    changed = next(one for one in drafts if "avibactam" in one["medicationCodeableConcept"]["text"].lower())
    dosage = changed["dosageInstruction"][0]
    assert dosage["doseAndRate"] == [{"doseQuantity": {"value": 1, "unit": "g", "system": "http://unitsofmeasure.org", "code": "g"}}]
    assert (dosage["timing"]["repeat"]["period"], dosage["route"]["text"]) == (8, "Intravenous")
    assert topics(page) == ["ndmCazAviDose"]


def test_a_drug_can_be_added_and_checked_while_it_is_chosen(opened: Open) -> None:
    """order-select asks about the one order."""
    page = opened("/sandbox#patient=pt-carrier")
    page.get_by_label("Add a drug").fill("Aztreonam")
    page.get_by_role("button", name="Add", exact=True).click()
    with page.expect_request(lambda one: one.url.endswith("/cds-services/ndm-order-select")) as asked:
        page.get_by_role("button", name="Check this order").click()
    context = json.loads(asked.value.post_data or "")["context"]
    assert context["selections"] == [f"MedicationRequest/{context['draftOrders']['entry'][0]['resource']['id']}"]
    settled(page)


def test_stopping_a_running_order_is_a_draft(opened: Open) -> None:
    """The stopped order goes along with its id, and protection that is lost is noticed."""
    page = opened("/sandbox#patient=pt-partner-stopped")
    page.get_by_role("button", name="Start the story over").click()
    page.locator("#orders").get_by_role("button", name="Remove Stop", exact=False).click()
    page.get_by_role("button", name="Stop Ceftazidime", exact=False).click()
    sign(page)
    assert topics(page) == ["ndmProtectionRemoved"]


def test_the_explanation_lists_every_rule(opened: Open) -> None:
    """Spoke or kept silent and why, with the facts that were seen, each with a link to its rule."""
    page = opened(f"/sandbox{ALONE}")
    sign(page)
    page.get_by_role("tab", name="Explanation").click()
    panel = page.locator("#explanation")
    expect(panel.locator(".facts-seen")).to_contain_text("NDM")
    expect(panel.locator("summary").first).to_contain_text("Spoke")
    assert panel.locator("li").count() >= 30
    expect(panel.locator(".spoke-critical").first).to_contain_text("Aztreonam")


def test_the_exchange_can_be_copied_for_a_terminal(opened: Open) -> None:
    """The very request, as a curl command that the clipboard holds."""
    page = opened(f"/sandbox{ALONE}")
    sign(page)
    page.get_by_role("tab", name="Exchange").click()
    expect(page.locator("#exchange")).to_contain_text('"hook": "order-sign"')
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -s -X POST 'http://127.0.0.1:")
    assert json.loads(copied.partition("<<'REQUEST'\n")[2].partition("\nREQUEST")[0])["hook"] == "order-sign"


def test_a_link_reproduces_the_state(opened: Open) -> None:
    """Patient, changed drafts, way of access and the question, all in the address."""
    page = opened(f"/sandbox{ALONE}")
    page.get_by_label("Infusion, hours").fill("2")
    page.keyboard.press("Tab")
    page.get_by_label("Read from the FHIR server").check()
    sign(page)
    first = topics(page)
    again = opened("/sandbox" + page.evaluate("location.hash"))
    settled(again)
    assert topics(again) == first
    expect(again.get_by_label("Infusion, hours")).to_have_value("2")
    expect(again.get_by_label("Read from the FHIR server")).to_be_checked()


@pytest.mark.parametrize(
    ("fault", "on", "said"),
    [
        ("unauthorized", "all", "The service did not decide"),
        ("broken", "Observation", "The service did not decide"),
        ("broken-page", "Observation", "The service did not decide"),
        ("small-pages", "all", "Aztreonam is unprotected"),
        ("token", "all", "Aztreonam is unprotected"),
        ("slow", "AllergyIntolerance", "Aztreonam is unprotected"),
    ],
)
def test_a_fault_of_the_server_never_looks_like_silence(opened: Open, fault: str, on: str, said: str) -> None:
    """What is required makes the service refuse, what is optional is named, and pages and tokens are handled."""
    page = opened(f"/sandbox{ALONE}&via=fhir&fault={fault}&on={on}")
    sign(page)
    expect(page.locator("#cards")).to_contain_text(said)


def test_it_can_be_used_from_the_keyboard(opened: Open) -> None:
    """Tabs answer to arrows, buttons to Enter, and focus is visible."""
    page = opened(f"/sandbox{ALONE}")
    page.locator("#sign").focus()
    page.keyboard.press("Enter")
    settled(page)
    page.locator("#tab-cards").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("tab", name="Explanation")).to_be_focused()
    expect(page.locator("#panel-explanation")).to_be_visible()
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def test_markup_in_a_record_stays_text(opened: Open, service: str) -> None:
    """A drug name with a tag in it is shown as it is written."""
    page = opened("/sandbox#patient=pt-carrier")
    page.get_by_label("Add a drug").fill("<img src=x onerror=alert(1)>")
    page.get_by_role("button", name="Add", exact=True).click()
    expect(page.locator("#orders b")).to_have_text("<img src=x onerror=alert(1)>")
    assert page.locator("#orders img").count() == 0


def test_an_edited_field_keeps_the_keyboard(opened: Open) -> None:
    """Whoever fills in a form with Tab and arrows goes on from field to field, and after a removal stands at the next order."""
    page = opened("/sandbox#patient=pt-protected-regimen")
    page.locator("#orders").get_by_label("Dose of", exact=False).first.fill("1")
    page.keyboard.press("Tab")
    expect(page.locator("#orders").get_by_label("Unit of", exact=False).first).to_be_focused()
    interval = page.locator("#orders").get_by_label("Interval").first
    interval.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(interval).to_be_focused()
    expect(interval).to_have_value("24")
    page.get_by_role("button", name="Remove Aztreonam").press("Enter")
    expect(page.get_by_role("button", name="Remove Ceftazidime-avibactam")).to_be_focused()


@pytest.mark.parametrize("dose", ["-2", "0"])
def test_a_dose_that_is_none_is_not_signed(opened: Open, dose: str) -> None:
    """The field is marked and the service is not asked about a number that stands nowhere in the order."""
    page = opened("/sandbox#patient=pt-protected-regimen")
    page.locator("#orders").get_by_label("Dose of", exact=False).first.fill(dose)
    page.click("#sign")
    expect(page.locator("#orders input:invalid")).to_have_count(1)
    expect(page.locator("#cards")).to_contain_text("Ready to sign")


def test_an_answer_about_older_drafts_says_so(opened: Open) -> None:
    """Cards stay in sight after a change, with a mark that they are about what stood there before."""
    page = opened(f"/sandbox{ALONE}")
    sign(page)
    expect(page.locator("#answer-line")).not_to_contain_text("Before your last change")
    page.get_by_label("Infusion, hours").fill("2")
    page.keyboard.press("Tab")
    expect(page.locator("#answer-line")).to_contain_text("Before your last change")
    sign(page)
    expect(page.locator("#answer-line")).not_to_contain_text("Before your last change")


def test_a_late_answer_falls_on_nobody_else(opened: Open) -> None:
    """Whoever goes on to the next patient while the service is thinking never sees the facts or cards of the one before."""
    page = opened(f"/sandbox{ALONE}&via=fhir&fault=slow&on=all", width=1600)
    page.click("#sign")
    page.locator("#people button").filter(has_text="haemodialysis").click()
    expect(page.locator("#chart-kidney")).to_contain_text("Haemodialysis")
    page.wait_for_timeout(6_000)
    expect(page.locator("#chart-person")).to_contain_text("haemodialysis")
    expect(page.locator("#cards")).to_contain_text("Ready to sign")
    expect(page.locator("#explanation")).to_contain_text("first")


def test_a_service_that_is_gone_is_not_silence(opened: Open) -> None:
    """Where no answer comes the page says that nothing was judged."""
    page = opened(f"/sandbox{ALONE}")
    page.evaluate("() => { window.fetch = () => Promise.reject(new TypeError('Failed to fetch')); }")
    sign(page)
    expect(page.locator("#cards")).to_contain_text("The service could not be reached")
    expect(page.locator("#answer-line")).to_contain_text("No answer")


@pytest.mark.parametrize(
    ("link", "said"),
    [
        ("patient=nobody", "patient “nobody”"),
        ("patient=pt-allergy&drafts=x", "drafts cannot be read"),
        ("patient=pt-allergy&fault=flood", "fault “flood”"),
    ],
)
def test_a_link_that_cannot_be_followed_says_so(opened: Open, link: str, said: str) -> None:
    """Another patient or other drafts than the link names are never shown without a word."""
    page = opened(f"/sandbox#{link}")
    expect(page.locator("#notice")).to_contain_text(said)


def test_no_rule_asked_is_not_looked_and_found_nothing(opened: Open) -> None:
    """An order that is no rule's business signs without a check, and the page does not claim one."""
    page = opened("/sandbox#patient=pt-carrier")
    page.get_by_label("Add a drug").fill("Paracetamol")
    page.keyboard.press("Enter")
    sign(page)
    expect(page.locator("#silence")).to_contain_text("sign without any check")


def test_an_override_without_a_reason_promises_no_silence(opened: Open) -> None:
    """Only a reason or a comment buys silence, and the page says which of the two it was."""
    page = opened("/sandbox#patient=pt-colistin-add-on")
    sign(page)
    page.get_by_role("button", name="Override").click()
    expect(page.locator(".sent:visible")).to_contain_text("will speak again")
    page.get_by_role("tab", name="Exchange").click()
    expect(page.locator("#exchange")).to_contain_text('"outcome": "overridden"')


def test_a_kept_order_is_not_called_stopped(opened: Open) -> None:
    """Accepting to keep the partner turns the stop into a continuation, and a time limit stands in the order."""
    page = opened("/sandbox#patient=pt-partner-stopped")
    sign(page)
    page.get_by_role("button", name="Accept: Keep", exact=False).click()
    expect(page.locator("#orders b")).to_have_text("Keep Ceftazidime-avibactam")
    expect(page.locator("#chart-running")).not_to_contain_text("being stopped")
    page = opened("/sandbox#patient=pt-colistin-add-on&via=fhir")
    sign(page)
    page.get_by_role("button", name="Accept: Limit", exact=False).click()
    expect(page.locator("#orders .bounds")).to_contain_text("until")
