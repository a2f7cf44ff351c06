"""The text of a card: what a doctor reads in ten seconds, and what they may read after."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from cds_service.clinical.facts import Detection, Dose, Measure, Person, Route, Unreadable
from cds_service.evidence import EvidenceRow
from cds_service.finding import Finding, Indicator

from .form import checked
from .ward import NOW, Ward, allergy, finding, isolate, order

AZTREONAM, MEROPENEM = order("aztreonam"), order("meropenem")
ROWS = {
    "E1": EvidenceRow(
        id="E1", wording="Society A 2026: x is preferred.", strength=("preferred",), society="Society A", year=2026, url="https://a.org/x"
    ),
    "E2": EvidenceRow(id="E2", wording="Avibactam blocks them.", strength=(), society="Society B", year=2024),
    "E3": EvidenceRow(id="E3", wording="10/52 against 22/50.", strength=(), citation="Falcone et al. 2021"),
    "E4": EvidenceRow(id="E4", wording="A case that is not printed.", strength=(), printed=False),
    "E5": EvidenceRow(id="E5", wording="As the article says.", strength=(), society="Source article", year=2025, verified="article-only"),
}
WHOLE = """\
**Avibactam is missing.**

Expected to fail.

**Seen**

- Result: NDM in Klebsiella pneumoniae, with OXA-48, blood, collected 2026-11-20 (2 days ago), final
- To be signed: aztreonam, 2 g every 6 h over 3 h, intravenous
- To be signed: meropenem, 1 g every 8 h over 3 h, intravenous
- Kidney: clearance 72 mL/min by Cockcroft-Gault, from creatinine 1 mg/dL (5 h old) and actual weight 72 kg

**Not known**

- Not available: allergies

**Also**

- **A note.** It matters.

**With the suggestions**

- Cefiderocol: ask for a cefiderocol susceptibility before relying on it.

**Evidence**

- Society A 2026: x is preferred.
- Avibactam blocks them. (Society B 2024)
- 10/52 against 22/50. (Falcone et al. 2021)"""


def shown(ward: Ward, *findings: Finding) -> dict[str, Any]:
    """The one card, with the evidence rows of this file."""
    ward.library = replace(ward.library, evidence=ROWS)
    (card,) = checked(ward.cards(*findings))
    return card


def alone(**more: Any) -> Finding:
    """Aztreonam alone, with two sentences and three rows."""
    usual = {"orders": (AZTREONAM,), "detail": ("Avibactam is missing. Expected to fail.",), "evidence": ("E1", "E2", "E3", "E4")}
    return finding("ndmAztreonamUnprotected", **{**usual, **more})


def with_companion() -> Any:
    """NDM and OXA-48 in one isolate."""
    found = isolate()
    second = Detection("OXA-48", True, "Observation/oxa", "final", found.collected, found.collected)
    return replace(found, detections=(*found.detections, second))


def test_a_card_says_what_why_and_on_what_it_rests(ward: Callable[..., Ward]) -> None:
    """One sentence, the facts, what was not known, further notes, how to take the suggestion, the evidence."""
    grown = with_companion()
    bed = ward(orders=(AZTREONAM, MEROPENEM), isolates=(grown,), missing=frozenset({"allergies"}))
    note = finding("ndmIncompleteData", Indicator.INFO, summary="A note", detail=("It matters.",), isolates=(), evidence=())
    assert shown(bed, alone(isolates=(grown,), suggest=("switch-to-cefiderocol",)), note)["detail"] == WHOLE


@pytest.mark.parametrize(
    ("changes", "line", "gap"),
    [
        ({"specimen": None}, "specimen not stated", "Specimen not stated: taken as clinical"),
        ({"specimen": None, "specimen_text": "Blut\n*links*"}, "`Blut *links*`", None),
        ({"organism": None}, "NDM in an organism that is not stated", "Organism not stated"),
        ({"organism": None, "organism_text": "K. pneu <b>"}, "NDM in `K. pneu < b>`", None),
        ({"collected": None}, "date not stated", "Collection date not stated: taken as current"),
        ({"collected": None, "reported": NOW - timedelta(days=1)}, "reported 2026-11-21 (1 day ago)", None),
        ({"collected": NOW - timedelta(hours=3)}, "collected 2026-11-22 (today)", None),
    ],
)
def test_what_the_result_does_not_say(ward: Callable[..., Ward], changes: dict[str, Any], line: str, gap: str | None) -> None:
    """ST-02: each missing part of a result is named, and the record's own words stand in a code span."""
    grown = isolate(**changes)
    text = shown(ward(orders=(AZTREONAM,), isolates=(grown,)), alone(isolates=(grown,)))["detail"]
    assert line in text
    assert (f"- {gap}" in text) if gap else ("**Not known**" not in text)


def test_a_preliminary_result_is_called_so(ward: Callable[..., Ward]) -> None:
    """A preliminary result is named in the facts and among what is not known."""
    grown = isolate(status="preliminary", detections=(Detection("NDM", True, "Observation/1", "preliminary", NOW, NOW),))
    text = shown(ward(orders=(AZTREONAM,), isolates=(grown,)), alone(isolates=(grown,)))["detail"]
    assert "(2 days ago), preliminary" in text
    assert "- The result is preliminary" in text


def test_what_could_not_be_read_is_quoted(ward: Callable[..., Ward]) -> None:
    """An order or a result that could not be read is named in the record's words, inside a code span."""
    lost = Unreadable("order", "MedicationRequest/9", "Antibiotic `X` <i>", "unknown drug", draft=True)
    text = shown(ward(orders=(AZTREONAM,), unreadable=(lost,)), alone())["detail"]
    assert "- Could not be read: `Antibiotic 'X' < i>`" in text


@pytest.mark.parametrize(
    ("one", "line"),
    [
        (
            order("colistin", doses=(Dose(international_units=Decimal(4500000), interval_h=Decimal(12)),)),
            "colistin, 4.5 million units every 12 h",
        ),
        (order("colistin", doses=(Dose(grams=Decimal("0.09"), interval_h=Decimal(12)),)), "colistin, 90 mg every 12 h, intravenous"),
        (order("aztreonam", doses=(), route=Route.UNSTATED), "To be signed: aztreonam\n"),
        (order("aztreonam", draft=False), "Running: aztreonam, 2 g every 6 h"),
        (order("aztreonam", draft=False, status="on-hold"), "Not running (on-hold): aztreonam"),
        (order("aztreonam", draft=False, ends=NOW - timedelta(hours=1)), "Not running (ended): aztreonam"),
        (order("aztreonam", draft=False, status="<b>x</b>"), "Not running (ended): aztreonam"),
    ],
)
def test_how_an_order_is_written(ward: Callable[..., Ward], one: Any, line: str) -> None:
    """An order is named by our name of the drug, with what is known of its dose, and whether it is signed, runs or has ended."""
    text = shown(ward(orders=(MEROPENEM, one)), alone(orders=(one,)))["detail"]
    assert line in text


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({}, "clearance 72 mL/min by Cockcroft-Gault, from creatinine 1 mg/dL (5 h old) and actual weight 72 kg"),
        ({"creatinine": None}, "Kidney: clearance not known (creatinine missing)"),
        ({"person": Person(None, None)}, "Kidney: clearance not known (age and sex missing)"),
    ],
)
def test_the_kidney_with_its_inputs(ward: Callable[..., Ward], changes: dict[str, Any], line: str) -> None:
    """O7, ST-02: clearance is shown with the creatinine, its unit and age, and the weight that was used; or what was lacking."""
    assert line in shown(ward(orders=(AZTREONAM,), **changes), alone(suggest=("switch-to-cefiderocol",)))["detail"]


def test_adjusted_weight_is_called_so(ward: Callable[..., Ward], monkeypatch: pytest.MonkeyPatch) -> None:
    """Above 120 % of ideal weight the adjusted weight is used and named."""
    bed = ward(orders=(AZTREONAM,), weight="140")
    bedside = bed.bedside()
    measures = {**bedside.chart.measures, "height": (Measure(Decimal(170), "cm", NOW, "Observation/h"),)}
    heavy = replace(bedside, chart=replace(bedside.chart, measures=measures))
    monkeypatch.setattr(Ward, "bedside", lambda _: heavy)
    assert "and adjusted weight 96 kg" in shown(bed, alone(suggest=("switch-to-cefiderocol",)))["detail"]


def test_allergies_are_shown_where_they_were_weighed(ward: Callable[..., Ward]) -> None:
    """A recorded allergy is quoted with its severity when it kept a drug back."""
    bed = ward(orders=(AZTREONAM,), allergies=(allergy("cefiderocol", severe=True, label="CEFIDEROCOL"),))
    assert "- Recorded allergy: `CEFIDEROCOL` (severe)" in shown(bed, alone(suggest=("switch-to-cefiderocol",)))["detail"]


def test_the_source_is_who_stands_behind_it(ward: Callable[..., Ward]) -> None:
    """The source names societies with their year, never the article, and links the first document."""
    source = shown(ward(), alone(evidence=("E5", "E1", "E2")))["source"]
    assert source["label"] == "Society A 2026; Society B 2024"
    assert source["url"] == "https://a.org/x"


def test_without_a_society_the_project_is_the_source(ward: Callable[..., Ward]) -> None:
    """A card without cited society says who made it."""
    assert shown(ward(), alone(evidence=()))["source"]["label"] == "ndm-cds"


def test_links_only_where_the_service_is_known(ward: Callable[..., Ward]) -> None:
    """With a public address the card links its rule, without one it has no link."""
    assert "links" not in shown(ward(), alone())
    card = shown(ward(public_url="https://cds.example.org/"), alone())
    link = {"label": "About this alert", "url": "https://cds.example.org/rules/ndmAztreonamUnprotected", "type": "absolute"}
    assert card["links"] == [link]
    assert card["source"]["url"] == "https://cds.example.org/evidence"


@pytest.mark.parametrize(("url", "linked"), [("http://cds.example.org", False), ("http://127.0.0.1:8130", True), ("", False)])
def test_a_link_that_others_could_read_is_left_out(ward: Callable[..., Ward], url: str, linked: bool) -> None:
    """A public address without TLS loses the link and never the card."""
    assert ("links" in shown(ward(public_url=url), alone())) is linked


def test_override_reasons_are_complete(ward: Callable[..., Ward]) -> None:
    """Each reason has system, code and display, once, the card's own rules alone giving them."""
    note = finding("ndmIncompleteData", Indicator.INFO, override=("trial",), isolates=())
    reasons = shown(ward(), alone(override=("ast", "allergy", "ast")), note)["overrideReasons"]
    assert [one["code"] for one in reasons] == ["ast", "allergy"]
    assert all(one["system"] and one["display"] for one in reasons)


def test_what_the_card_is_about(ward: Callable[..., Ward]) -> None:
    """The extension names rules, knowledge and the orders concerned; a draft without id is not named."""
    nameless = order("meropenem", name="")
    extension = shown(ward(orders=(AZTREONAM, nameless)), alone(orders=(AZTREONAM, nameless)))["extension"]
    assert extension == {
        "ndm-cds.rules": ["ndmAztreonamUnprotected"],
        "ndm-cds.knowledge": "2026.11.0+abc123def456",
        "davinci-crd.associated-resource": ["MedicationRequest/draft-aztreonam"],
    }
