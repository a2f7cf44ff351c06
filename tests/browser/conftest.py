"""A really started service with a year of synthetic history, and Debian's Chromium looking at it."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
import requests
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from cds_service.cli.history import seed
from cds_service.knowledge import Knowledge
from cds_service.settings import environment
from cds_service.store.archive import Archive
from cds_service.store.engine import open_engine
from cds_service.web.stories import read_stories

from .. import programs

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)
START_S = 40.0


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory, knowledge: Knowledge, root: Path, fixtures: Path) -> Iterator[str]:
    """The address of a service in development mode, started as a user starts it."""
    folder = tmp_path_factory.mktemp("service")
    store = f"sqlite:///{folder / 'store.db'}"
    engine = open_engine(store)
    seed([(0, knowledge)], read_stories(fixtures), Archive(engine), datetime.now(UTC))
    engine.dispose()
    port = free_port()
    values = {**environment(), "NDM_CDS_STORE_URL": store}
    command = [sys.executable, "-m", "cds_service", "serve", "--dev", "--port", str(port)]
    with (folder / "log").open("wb") as log, subprocess.Popen(command, cwd=root, env=values, stdout=log, stderr=log) as process:
        try:
            yield awaited(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


def awaited(address: str, process: "subprocess.Popen[bytes]") -> str:
    """The address, once somebody answers there."""
    ends = time.monotonic() + START_S
    while time.monotonic() < ends and process.poll() is None:
        try:
            requests.get(f"{address}/cds-services", timeout=1)
        except requests.ConnectionError:
            time.sleep(0.2)
        else:
            return address
    raise RuntimeError("the service did not start")


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One browser with an empty profile."""
    found = programs.chromium()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=list(FLAGS))
        yield browser
        browser.close()


Open = Callable[..., Page]


@pytest.fixture
def opened(chromium: Browser, service: str) -> Iterator[Open]:
    """Opens a page; at the end of the test nothing may stand in the console, and nothing may have been asked from elsewhere."""
    said: list[str] = []
    foreign: list[str] = []

    def console(message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"} and "status of 4" not in message.text:
            said.append(message.text)

    def asked(request: Request) -> None:
        if not request.url.startswith((service, "data:", "blob:")):
            foreign.append(request.url)

    with ExitStack() as stack:

        def new(path: str, width: int = 1280, height: int = 900, scheme: str = "light") -> Page:
            context = chromium.new_context(
                viewport={"width": width, "height": height},
                color_scheme=scheme,  # type: ignore[arg-type]
                reduced_motion="reduce",
                permissions=["clipboard-read", "clipboard-write"],
            )
            stack.callback(context.close)
            page = context.new_page()
            page.on("console", console)
            page.on("pageerror", lambda error: said.append(str(error)))
            page.on("request", asked)
            page.goto(f"{service}{path}")
            if path.startswith("/sandbox"):
                page.wait_for_selector("#bench[data-ready=yes]")
            return page

        yield new
    assert (said, foreign) == ([], [])
