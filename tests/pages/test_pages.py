"""The pages of rules, evidence, the source article and source attributes."""

import hashlib
import re
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from cds_service.knowledge import Knowledge
from cds_service.web.rule_pages import rules_of

PAGES = ("/", "/rules", "/rules/ndmAztreonamUnprotected", "/evidence", "/trace", "/source-attributes", "/governance", "/sandbox")


class Marks(HTMLParser):
    """Collects what a content policy forbids, the links, and whether each tag was closed."""

    VOID = frozenset({"meta", "link", "input", "br", "hr", "img", "path", "line", "rect", "circle"})

    def __init__(self) -> None:
        super().__init__()
        self.inline: list[str] = []
        self.links: set[str] = set()
        self.ids: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Remembers what matters of one tag."""
        known = dict(attrs)
        self.inline += [name for name in known if name.startswith("on") or name == "style"]
        if tag == "style" or (tag == "script" and "src" not in known):
            self.inline.append(tag)
        self.links |= {value for name, value in attrs if name in {"href", "src"} and value}
        self.ids += [value for name, value in attrs if name == "id" and value]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """A tag that closes itself, as in SVG."""
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        """Every end belongs to the last beginning."""
        if tag not in self.VOID:
            assert self.open.pop() == tag


def marks(client: FlaskClient, url: str) -> Marks:
    """One page, parsed."""
    found = Marks()
    answer = client.get(url)
    assert answer.status_code == 200, url
    found.feed(answer.get_data(as_text=True))
    return found


@pytest.mark.parametrize("url", PAGES)
def test_a_page_is_whole_and_needs_nothing_inline(site: FlaskClient, url: str) -> None:
    """Every tag is closed, no id stands twice, and no script or style stands in the page."""
    found = marks(site, url)
    assert (found.open, found.inline) == ([], [])
    assert len(found.ids) == len(set(found.ids))


@pytest.mark.parametrize("url", PAGES)
def test_a_page_takes_nothing_from_elsewhere(site: FlaskClient, url: str) -> None:
    """Its policy allows this service alone, and what it loads lies here."""
    answer = site.get(url)
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert not re.findall(r'<(?:script|link|img)[^>]+(?:src|href)="(?!/)', answer.get_data(as_text=True))


@pytest.mark.parametrize("url", PAGES)
def test_no_link_of_ours_is_broken(site: FlaskClient, url: str) -> None:
    """Each address on a page that is ours answers."""
    for link in sorted(marks(site, url).links):
        if link.startswith("/"):
            assert site.get(link.partition("#")[0], buffered=True).status_code == 200, link


@pytest.mark.parametrize("rule", ["ndmAztAviDose", "ndmAztreonamDose", "ndmCazAviDose", "ndmCefiderocolDose"])
def test_a_rule_of_doses_shows_its_table_with_what_the_sources_say(site: FlaskClient, knowledge: Knowledge, rule: str) -> None:
    """Each line of the drug's table stands on the page: kidney, dose, interval, the words of the source, and the rows of evidence."""
    found, service = rules_of(knowledge)[rule]
    page = unescape(site.get(f"/rules/{rule}").get_data(as_text=True))
    rows = service.reference.doses.of(found.sheet.with_["drug"])
    assert page.count('<th scope="row">') >= len(rows) > 0
    for row in rows:
        assert all(f">{text}<" in page for text in (row.kidney, row.amount, row.rhythm or "—", row.source_says)), row
        assert all(f'/evidence#{key}">{key}</a>' in page for key in row.evidence), row


def test_a_rule_without_doses_has_no_table_of_them(site: FlaskClient) -> None:
    """A rule that asks no dose table shows none."""
    assert 'id="doses"' not in site.get("/rules/ndmAztreonamUnprotected").get_data(as_text=True)


def test_every_rule_has_a_page(site: FlaskClient, knowledge: Knowledge) -> None:
    """The link of a card never leads nowhere."""
    index = site.get("/rules").get_data(as_text=True)
    for rule, (found, _) in rules_of(knowledge).items():
        page = site.get(f"/rules/{rule}").get_data(as_text=True)
        assert f'"/rules/{rule}"' in index
        assert found.sheet.title in page
        assert rule in page


def test_a_rule_page_says_what_the_sheet_says(site: FlaskClient, knowledge: Knowledge) -> None:
    """Wording with its places, what silences it, its drugs, its evidence with the mark of how it was read, who checked it."""
    page = site.get("/rules/ndmAztreonamUnprotected").get_data(as_text=True)
    sheet = rules_of(knowledge)["ndmAztreonamUnprotected"][0].sheet
    assert '<span class="slot">enzyme</span>' in page
    assert "{" not in re.sub(r"<code>.*?</code>", "", page)
    for row in sheet.evidence:
        assert f'id="{row}"' in page
    assert "read in a transcription" in page
    assert "not yet checked" in page
    assert "A drug that works only beside a protector is ordered without one." in page


def test_a_rule_page_shows_its_worked_cases(site: FlaskClient) -> None:
    """Whoever doubts a rule can look at a case of it."""
    page = site.get("/rules/ndmAztreonamUnprotected").get_data(as_text=True)
    assert re.search(r"<td>alone</td><td[^>]*>aztreonam</td>", page)
    assert "speaks" in page


def test_an_unknown_rule_is_a_page_with_404(site: FlaskClient) -> None:
    """A card of another version leads to an explanation and not to a wall."""
    answer = site.get("/rules/someOtherRule")
    assert answer.status_code == 404
    assert "another version" in answer.get_data(as_text=True)


def test_every_row_of_evidence_is_listed_with_its_rules(site: FlaskClient, knowledge: Knowledge) -> None:
    """Also the rows that no card prints, which say so."""
    page = site.get("/evidence").get_data(as_text=True)
    for key in knowledge.evidence:
        assert f'id="{key}"' in page
    assert "documentation only, never printed" in page


def test_every_statement_of_the_source_article_has_a_home(knowledge: Knowledge) -> None:
    """S1 to S38: each one is a rule that exists, or says why nothing prints it."""
    for trace in knowledge.traces.values():
        assert list(trace.statements) == [f"S{number}" for number in range(1, 39)]
        for key, statement in trace.statements.items():
            assert statement.rules or statement.kept_out, key
            assert statement.evidence, key


def test_the_source_article_page_shows_all_statements(site: FlaskClient) -> None:
    """With the judgement whether each of them holds."""
    page = site.get("/trace").get_data(as_text=True)
    assert all(f'id="S{number}"' in page for number in range(1, 39))
    assert {"outdated", "misattributed", "holds in part"} <= set(re.findall(r'class="tag tag-\w+">([^<]+)<', page))


def test_the_thirteen_source_attributes_are_a_page_and_json(site: FlaskClient) -> None:
    """In plain language, and for a client that shows them itself."""
    found = site.get("/source-attributes", headers={"Accept": "application/json"}).get_json()
    assert [one["number"] for one in found["attributes"]] == list(range(1, 14))
    assert found == site.get("/source-attributes?format=json").get_json()
    named = {one["key"]: one["value"] for one in found["attributes"]}
    assert named["race"] == "Not used."
    assert "Cockcroft-Gault" in named["sex"]
    assert len(named["citation"]) > 5
    assert "<dt>13. Use of health status assessments</dt>" in site.get("/source-attributes").get_data(as_text=True)


def test_the_navigation_says_where_one_is(site: FlaskClient) -> None:
    """Also on the page of a single rule."""
    page = site.get("/rules/ndmAztreonamUnprotected").get_data(as_text=True)
    assert re.search(r'href="/rules" aria-current="page"', page)
    assert page.count('aria-current="page"') == 1


def test_outside_development_there_is_no_sandbox(live: FlaskClient) -> None:
    """A hospital's service plays no record, and its pages do not offer one."""
    for url in ("/sandbox", "/sandbox/patients", "/sandbox/fhir/metadata", "/sandbox/fhir/Patient/pt-child"):
        assert live.get(url).status_code == 404
    assert live.post("/sandbox/explain/ndm-order-sign", json={}).status_code == 404
    page = live.get("/").get_data(as_text=True)
    assert "sandbox" not in page
    assert "Development mode" not in page


def test_what_comes_from_others_is_what_they_published(root: Path) -> None:
    """The checksums beside the vendored files hold."""
    folder = root / "cds_service/web/static/vendor"
    rows = re.findall(r"\| (\S+) \| npm [^|]+\| [^|]+\| ([0-9a-f]{64}) \|", (folder / "README.md").read_text("utf-8"))
    assert len(rows) == 3
    for name, digest in rows:
        assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest


def test_a_threshold_has_its_unit_and_its_meaning(site: FlaskClient) -> None:
    """Hours, percent and days stand with the number, and the sentences of the trigger say what each setting does."""
    page = site.get("/rules/ndmCazAviDose").text
    assert "<td>5 %</td>" in page
    assert "<td>24 h</td>" in page
    assert "<code>far_pct</code>" in page
    assert "A dose counts as far off from" in page


def test_how_long_an_override_lasts_is_taken_from_the_knowledge(site: FlaskClient, knowledge: Knowledge) -> None:
    """The rule page and the sandbox say the hours that the service keeps to."""
    hours = f"{knowledge.overrides.lasts_h} hours"
    assert f"patient and regimen for {hours}." in site.get("/rules/ndmAztreonamUnprotected").get_data(as_text=True)
    assert f'data-override-lasts="{hours}"' in site.get("/sandbox").get_data(as_text=True)
