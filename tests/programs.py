"""The programs besides Python that some tests need: where they are, and what happens without them.

A person without them sees those tests skipped, with the reason. Where `CI` is set they fail: skipping is not passing.
"""

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
DEBIAN = Path("/usr/lib/postgresql")  # Debian keeps the programs of a PostgreSQL server out of the PATH


def chromium() -> str:
    """The browser; without it the test is skipped, or fails."""
    return next(filter(None, map(shutil.which, CHROMIUM)), None) or without("Chromium", "apt-get install chromium")


def postgresql() -> Path:
    """The folder of a PostgreSQL server's programs; without it the test is skipped, or fails."""
    return postgresql_folder() or without("a PostgreSQL server", "apt-get install postgresql")


def postgresql_folder() -> Path | None:
    """Where `initdb` and `postgres` are: by the PATH, else the newest of Debian's."""
    named = shutil.which("initdb")
    found = [Path(named).resolve()] if named else sorted(DEBIAN.glob("*/bin/initdb"), key=lambda file: float(file.parts[-3]))
    return found[-1].parent if found else None


def without(program: str, how: str) -> NoReturn:
    """Skip where a person runs the tests, fail where a machine does."""
    reason = f"{program} is not installed here, and this test needs it: {how}"
    if os.environ.get("CI"):
        pytest.fail(reason + " (CI is set, so it does not count as passed)", pytrace=False)
    pytest.skip(reason)
