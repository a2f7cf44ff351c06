"""What several rooms of tests share; the knowledge is read once."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from cds_service.cases import Lexicon, Usual
    from cds_service.knowledge import Knowledge
    from tests.terse import Corridor

# The same examples in every run, and no clock: a busy machine must not fail a test.
settings.register_profile("steady", deadline=None, derandomize=True, database=None)
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout."""
    return ROOT


@pytest.fixture(scope="session")
def hooks() -> Path:
    """The shipped knowledge."""
    return ROOT / "hooks"


@pytest.fixture(scope="session")
def fixtures() -> Path:
    """The shipped fixtures."""
    return ROOT / "fixtures"


@pytest.fixture(scope="session")
def knowledge(hooks: Path) -> "Knowledge":
    """The shipped knowledge, loaded once for all tests; it is frozen."""
    from cds_service.knowledge import load

    return load(hooks)


@pytest.fixture(scope="session")
def usual(fixtures: Path) -> "Usual":
    """The usual patient and the usual orders."""
    from cds_service.cases import read_usual

    return read_usual(fixtures / "defaults.yaml")


@pytest.fixture(scope="session")
def lexicon(hooks: Path) -> "Lexicon":
    """The codes and names behind the keys of cases."""
    from cds_service.cases import Lexicon

    return Lexicon(hooks / "shared")


@pytest.fixture(scope="session")
def corridor(knowledge: "Knowledge", usual: "Usual", lexicon: "Lexicon") -> "Corridor":
    """The shipped knowledge with the usual patient."""
    from tests.terse import Corridor

    return Corridor(knowledge, usual, lexicon, NOW)


@pytest.fixture
def now() -> datetime:
    """The moment at which tests happen."""
    return NOW


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], knowledge: "Knowledge", monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """Runs a command line in this process: exit status, standard output, standard error. The shipped knowledge is not read again."""
    from cds_service.cli import knowing
    from cds_service.cli.main import run as program

    read = knowing.load
    monkeypatch.setattr(
        knowing, "load", lambda folder, overlay: read(folder, overlay) if overlay or folder != ROOT / "hooks" else knowledge
    )

    def call(*arguments: str | Path) -> tuple[int, str, str]:
        capfd.readouterr()
        try:
            status = program([str(one) for one in arguments])
        except SystemExit as ending:
            status = ending.code if isinstance(ending.code, int) else 1
        said = capfd.readouterr()
        return status, said.out, said.err

    return call
