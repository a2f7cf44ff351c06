"""The stewardship dashboard: who may see it, what it shows, what it never shows."""

import base64
import csv
import io
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.cli.history import seed
from cds_service.knowledge import Knowledge
from cds_service.store.archive import Archive
from cds_service.store.engine import open_engine
from cds_service.store.statistics import Statistics
from cds_service.web.stories import Story

from .conftest import NOW, Build

CREDENTIAL = "a credential of sixteen"


def basic(password: str) -> str:
    """An HTTP Basic header with any name."""
    return "Basic " + base64.b64encode(f"stewardship:{password}".encode()).decode()


@pytest.mark.parametrize("header", ["", "Bearer wrong", "Bearer ", basic("wrong"), "Basic %%%", "Digest x"])
@pytest.mark.parametrize("url", ["/governance", "/governance.json", "/governance.csv", "/governance-over-time.csv"])
def test_without_the_credential_nobody_sees_it(live: FlaskClient, url: str, header: str) -> None:
    """The page asks for a password, and every export does too."""
    answer = live.get(url, headers={"Authorization": header} if header else {})
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Basic")


@pytest.mark.parametrize("header", [f"Bearer {CREDENTIAL}", basic(CREDENTIAL)])
def test_with_the_credential_it_opens(live: FlaskClient, header: str) -> None:
    """As password with any name, or as a bearer token."""
    assert live.get("/governance", headers={"Authorization": header}).status_code == 200


def test_without_a_configured_credential_it_stays_closed(build: Build) -> None:
    """An empty password is not a password."""
    assert build().get("/governance", headers={"Authorization": basic("")}).status_code == 401


def test_an_empty_store_is_a_page(site: FlaskClient) -> None:
    """Before the first signing there are no numbers, and no failure."""
    assert "No rule has spoken in this period." in site.get("/governance").get_data(as_text=True)


def test_the_csv_has_a_line_for_each_rule(site: FlaskClient, knowledge: Knowledge) -> None:
    """A spreadsheet opens it without a question."""
    answer = site.get("/governance.csv?days=90")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert {row["rule"] for row in rows} == {rule.id for service in knowledge.services.values() for rule in service.rules}
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ndm-cds-90-days.csv"'


@pytest.mark.parametrize(("asked", "days"), [("", 365), ("?days=30", 30), ("?days=31", 365), ("?days=x", 365)])
def test_only_known_periods_can_be_asked_for(site: FlaskClient, asked: str, days: int) -> None:
    """Anything else is the usual year."""
    assert site.get(f"/governance.json{asked}").get_json()["days"] == days


def test_a_synthetic_year_is_made_by_the_engine(build: Build, knowledge: Knowledge, stories: list[Story], tmp_path: Path) -> None:
    """Signings, cards, accepted and overridden ones, refusals, and a rule that fell silent; the same in every run."""
    site = build(development=True)
    engine = open_engine(f"sqlite:///{tmp_path / 'store.db'}")
    calls = seed([(0, knowledge)], stories, Archive(engine), NOW)
    found = site.get("/governance.json").get_json()
    assert 500 < found["signings"] <= calls
    for name in ("accepted", "overridden", "unanswered"):
        assert 0 < found[name]["low"] < found[name]["percent"] < found[name]["high"] < 100
    assert found["density"]["low"] < found["density"]["per_hundred"] < found["density"]["high"]
    assert any(line["silent"] for line in found["rules"])
    assert found["versions"][0][1] == knowledge.version
    assert len(found["columns"]) == 13
    page = site.get("/governance").get_data(as_text=True)
    assert "fell silent" in page
    assert page.count("chart-small") == sum(bool(line["cards"]) for line in found["rules"])
    for story in stories:
        assert story.patient_id not in page


def test_what_was_missing_is_told_in_words(build: Build, tmp_path: Path) -> None:
    """The page names a part of the record as its service does; the export keeps the key."""
    site = build(development=True)
    row = {"kind": "decision", "id": "d", "at": NOW.timestamp() - 60, "client": "hospital", "service": "ndm-order-sign"}
    rest = {
        "status": 200,
        "request": "r",
        "verdicts": {"x": "spoke"},
        "missing": ["vitals"],
        "cards": [],
        "version": "1+a",
        "elapsed_ms": 4.0,
    }
    Archive(open_engine(f"sqlite:///{tmp_path / 'store.db'}")).write([row | rest])
    page = site.get("/governance").get_data(as_text=True)
    assert "Weight, height and vital signs" in page
    assert "<code>vitals</code>" not in page
    assert site.get("/governance.json").get_json()["missing"] == [["vitals", 1]]


def test_a_rule_without_an_offer_has_nothing_to_accept(build: Build, knowledge: Knowledge, stories: list[Story], tmp_path: Path) -> None:
    """The card about a carrier offers nothing, so that it stands in no share as never accepted."""
    site = build(development=True)
    told = [one for one in stories if one.hook == "patient-view" or one.first]
    seed([(0, knowledge)], told, Archive(open_engine(f"sqlite:///{tmp_path / 'store.db'}")), NOW)
    lines = {line["rule"]: line for line in site.get("/governance.json").get_json()["rules"]}
    assert lines["ndmCarrier"]["cards"] == lines["ndmCarrier"]["overridden"]["of"] > 0
    assert lines["ndmCarrier"]["accepted"]["of"] == 0
    assert "nothing to accept" in site.get("/governance").get_data(as_text=True)


def test_all_exports_tell_the_same_numbers(build: Build, knowledge: Knowledge, stories: list[Story], tmp_path: Path) -> None:
    """The cards of a rule, over all stretches and indicators, are those of its line, in JSON and in both spreadsheets."""
    site = build(development=True)
    seed([(0, knowledge)], stories[:4], Archive(open_engine(f"sqlite:///{tmp_path / 'store.db'}")), NOW)
    lines = {line["rule"]: line["cards"] for line in site.get("/governance.json").get_json()["rules"]}
    assert any(lines.values())
    listed = csv.DictReader(io.StringIO(site.get("/governance.csv").get_data(as_text=True)))
    assert {row["rule"]: int(row["cards"]) for row in listed} == lines
    answer = site.get("/governance-over-time.csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="ndm-cds-365-days-over-time.csv"'
    counted = dict.fromkeys(lines, 0)
    for row in csv.DictReader(io.StringIO(answer.get_data(as_text=True))):
        counted[row["rule"]] += int(row["critical"]) + int(row["warning"]) + int(row["info"])
    assert counted == lines


def test_nothing_of_the_synthetic_year_lies_in_the_future(knowledge: Knowledge, stories: list[Story], tmp_path: Path) -> None:
    """The last signing is before now."""
    engine = open_engine(f"sqlite:///{tmp_path / 'past.db'}")
    seed([(0, knowledge)], stories[:3], Archive(engine), NOW)
    found = Statistics(engine).between(0, datetime(2100, 1, 1, tzinfo=UTC).timestamp())
    assert max(one.at for one in found.answers) <= NOW.timestamp() + 3600
