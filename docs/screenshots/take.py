# ruff: noqa: INP001  a script beside its pictures is no package
"""Takes the screenshots anew: `ndm-cds demo --seed-history --port 8080` in one terminal, `python docs/screenshots/take.py` in another."""

import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

CHROMIUM = "/usr/bin/chromium"
HERE = Path(__file__).resolve().parent
ALONE = "/sandbox#patient=pt-unprotected-aztreonam&ask=order-sign"
DESK, LOW, TALL, PHONE = (1440, 1000), (1440, 760), (1440, 1250), (390, 844)
# file name, address, window, colour scheme, the tab of the answer to open
SHOTS = (
    ("start", "/", LOW, "light", ""),
    ("sandbox-critical-card", ALONE, DESK, "light", "cards"),
    ("sandbox-explanation", ALONE, DESK, "light", "explanation"),
    ("sandbox-dark", "/sandbox#patient=pt-colistin-add-on&ask=order-sign", DESK, "dark", "cards"),
    ("sandbox-phone", ALONE, PHONE, "light", "cards"),
    ("rule", "/rules/ndmAztreonamUnprotected", DESK, "light", ""),
    ("evidence", "/evidence", DESK, "light", ""),
    ("source-article", "/trace", DESK, "light", ""),
    ("governance", "/governance", TALL, "light", ""),
)


def settle(page: Page, tab: str) -> None:
    """Waits until the fonts, and in the sandbox the answer and its explanation, are there."""
    if tab:
        page.wait_for_selector("#answer-line code")
        page.wait_for_selector("#bench[data-busy='']")
        page.click(f"#tab-{tab}")
    page.evaluate("document.fonts.ready")


def main(service: str = "http://127.0.0.1:8080") -> None:
    """Writes one PNG for each line of `SHOTS` beside this file."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        for name, path, (width, height), scheme, tab in SHOTS:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce")
            page.goto(service + path)
            settle(page, tab)
            if (width, height) == PHONE:
                page.evaluate("document.getElementById('answer').scrollIntoView()")
            page.wait_for_timeout(400)
            page.screenshot(path=HERE / f"{name}.png")
            page.close()
        browser.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
