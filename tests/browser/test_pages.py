"""Every page in a browser: nothing from elsewhere, nothing in the console, readable on a phone and on a wall, for everybody."""

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from .conftest import Open

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parent / "vendor/axe.min.js").read_text("utf-8")
PAGES = ("/", "/sandbox", "/rules", "/rules/ndmAztreonamUnprotected", "/evidence", "/trace", "/source-attributes", "/governance")
FITS = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
SERIOUS = {"serious", "critical"}


def violations(page: Page) -> list[str]:
    """What axe-core calls serious or critical."""
    page.evaluate(AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {node['target']} {node['failureSummary']}"
        for one in found["violations"]
        if one["impact"] in SERIOUS
        for node in one["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_keeps_nobody_out(opened: Open, path: str, scheme: str) -> None:
    """axe-core finds nothing serious, in light and in dark."""
    assert violations(opened(path, scheme=scheme)) == []


@pytest.mark.parametrize("tab", ["Cards", "Explanation", "Exchange"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_an_answer_keeps_nobody_out(opened: Open, tab: str, scheme: str) -> None:
    """Also the parts of the sandbox that appear after signing."""
    page = opened("/sandbox#patient=pt-unprotected-aztreonam&ask=order-sign", scheme=scheme)
    expect(page.locator("article.card")).to_be_visible()
    page.get_by_role("tab", name=tab).click()
    assert violations(page) == []


@pytest.mark.parametrize("width", [375, 1024, 1600])
@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_its_window(opened: Open, path: str, width: int) -> None:
    """Nothing has to be scrolled sideways, and the main heading is in sight."""
    page = opened(path, width=width)
    page.evaluate("document.fonts.ready")
    assert page.evaluate(FITS)
    expect(page.locator("h1")).to_be_in_viewport()


@pytest.mark.parametrize("path", PAGES)
def test_a_page_fits_in_another_typeface_too(opened: Open, path: str) -> None:
    """Where the fonts are refused, the wider ones of the machine still fit on a phone."""
    page = opened("/source-attributes?format=json", width=375)
    page.route("**/*.woff2", lambda route: route.fulfill(status=404))
    page.goto(page.url.partition("/source-attributes")[0] + path)
    assert page.evaluate(FITS)


def test_the_dashboard_tells_the_year(opened: Open) -> None:
    """Counts with intervals, bars, a rule that fell silent, and exports."""
    page = opened("/governance")
    expect(page.locator("h1")).to_have_text("Stewardship dashboard")
    assert page.locator(".chart-wide rect").count() > 10
    assert page.locator(".chart-share").count() > 10
    assert page.locator(".chart-small").count() > 5
    expect(page.locator("table").first).to_contain_text("fell silent")
    expect(page.locator(".figures")).to_contain_text(" to ")
    page.get_by_role("link", name="90 days").click()
    expect(page.get_by_role("link", name="90 days")).to_have_attribute("aria-current", "page")
    with page.expect_download() as download:
        page.get_by_role("link", name="CSV", exact=True).click()
    assert download.value.suggested_filename == "ndm-cds-90-days.csv"


def test_the_way_to_the_content_is_the_first_step(opened: Open) -> None:
    """Who uses the keyboard can leave the navigation out."""
    page = opened("/rules")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="To the content")).to_be_focused()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"
