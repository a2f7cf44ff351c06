"""What must be documented is documented, and what is generated is what the sources say."""

import json
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service import __version__
from cds_service.cases.sheet import CaseLine, Expected
from cds_service.cli import exits
from cds_service.cli.index import BEGIN, END
from cds_service.cli.main import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "hooks").glob("*.md"), *(ROOT / "fixtures").glob("*.md"), *(ROOT / "docs").rglob("*.md")])
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize(
    "name",
    [
        "README.md",
        "LICENSE",
        "NOTICE",
        "SECURITY.md",
        "CONTRIBUTING.md",
        "CHANGELOG.md",
        "GLOSSARY.md",
        "docs/operations.md",
        "docs/reliability.md",
        "hooks/README.md",
        "hooks/LICENSE",
        "fixtures/README.md",
    ],
)
def test_the_usual_pages_are_there(name: str) -> None:
    """Every page that a visitor expects exists and says something."""
    assert len(_read(name)) > 200


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_no_link_is_dead(page: Path) -> None:
    """Every link to a file or a heading of this repository leads somewhere."""
    text = re.sub(r"```.*?```", "", page.read_text("utf-8"), flags=re.DOTALL)
    for target in LINK.findall(text):
        if "://" in target or target.startswith("mailto:"):
            continue
        path, _, heading = target.partition("#")
        linked = page if not path else page.parent / path
        assert linked.exists(), f"{page.name} links to {target}"
        if heading:
            assert heading in _anchors(linked.read_text("utf-8")), f"{page.name} links to {target}"


def _anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_readme(command: str) -> None:
    """The table of commands has a row for each."""
    assert f"`ndm-cds {command}" in _read("README.md")


def test_every_exit_status_is_in_the_readme() -> None:
    """Scripts can rely on what the page says about the process's end."""
    sentence = _read("README.md").partition("Exit status:")[2].partition("\n\n")[0]
    assert all(re.search(rf"\b{code}\b", sentence) for code in exits.MEANINGS)


def _prefetch() -> Iterator[tuple[str, dict[str, Any]]]:
    yield from yaml.safe_load(_read("hooks/ndm/order-sign.yaml"))["prefetch"].items()


def test_the_prefetch_table_is_the_one_of_the_service() -> None:
    """What a site types in is what the service asks for, with the required keys marked."""
    table = _read("README.md").partition("<!-- prefetch -->")[2].partition("<!-- /prefetch -->")[0]
    rows = [f"| `{key}` | `{part['query']}` | {'required ' if part.get('required') else ''}|" for key, part in _prefetch()]
    assert table.strip().splitlines()[2:] == rows


@pytest.mark.parametrize("hook", ["order-select", "patient-view"])
def test_all_services_ask_for_the_same_record(hook: str) -> None:
    """One table serves all three services."""
    assert yaml.safe_load(_read(f"hooks/ndm/{hook}.yaml"))["prefetch"] == dict(_prefetch())


@pytest.mark.parametrize("field", CaseLine.__struct_encode_fields__)
def test_every_key_of_a_case_is_explained(field: str) -> None:
    """A clinician finds each key of a case on the page about cases."""
    assert f"`{field}`" in _read("fixtures/README.md")


@pytest.mark.parametrize("field", Expected.__struct_encode_fields__)
def test_every_expectation_is_explained(field: str) -> None:
    """And each key of what a case expects."""
    assert f"`{field}`" in _read("fixtures/README.md")


def test_the_rule_index_is_what_the_sheets_say(run: Any) -> None:
    """hooks/README.md holds the index as `ndm-cds catalog` writes it."""
    page = _read("hooks/README.md")
    _, out, _ = run("catalog")
    assert page.partition(BEGIN)[2].partition(END)[0].strip() == out.strip()


def test_the_configuration_is_explained_as_the_program_does(run: Any) -> None:
    """docs/operations.md holds the table that `ndm-cds config reference --markdown` writes."""
    _, out, _ = run("config", "reference", "--markdown")
    assert _read("docs/operations.md").partition("<!-- configuration -->")[2].partition("<!-- /configuration -->")[0].strip() == out.strip()


def test_every_metric_is_explained() -> None:
    """docs/operations.md says what each counter and gauge means, and names no other."""
    counted = set(re.findall(r'"(ndm_cds_\w+)"', _read("cds_service/web/metrics.py")))
    assert set(re.findall(r"^\| `(ndm_cds_\w+)` \|", _read("docs/operations.md"), flags=re.MULTILINE)) == counted


def test_every_line_about_a_failure_is_held_by_a_test() -> None:
    """Each row of the table of failures names tests, and each of them exists where the row says."""
    rows = re.findall(r"^\| (?!what fails|---)(.+) \|$", _read("docs/reliability.md").partition("## Long runs")[0], flags=re.MULTILINE)
    assert len(rows) > 15
    for row in rows:
        named = re.findall(r"\[(test_\w+)\]\(\.\./(tests/[\w/]+\.py)\)", row)
        assert named, row
        assert all(f"def {name}(" in _read(file) for name, file in named), row


def test_one_version_everywhere() -> None:
    """Package, project file and changelog agree about the version."""
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    assert project["version"] == __version__
    assert re.search(rf"^## \[(Unreleased|{re.escape(__version__)})\]", _read("CHANGELOG.md"), flags=re.MULTILINE)


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock", "requirements-postgresql.lock"])
def test_locks_are_hashed_and_name_no_index(lock: str) -> None:
    """P7: every pinned package has hashes, and no address of an index stands in a lock."""
    text = _read(lock)
    assert "http" not in text
    assert "index-url" not in text
    packages = re.split(r"\n(?=\S)", text.strip())
    assert all("==" in one and "--hash=sha256:" in one for one in packages)


def _pins(lock: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9._-]+)(?:\[[^\]]*\])?==([^ ;\\]+)", _read(lock), flags=re.MULTILINE))


@pytest.mark.parametrize("lock", ["requirements-dev.lock", "requirements-postgresql.lock"])
def test_locks_agree(lock: str) -> None:
    """What the tests run with is what is served with."""
    service, other = _pins("requirements.lock"), _pins(lock)
    assert {name: other.get(name) for name in service} == service


def _codes(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        if isinstance(value.get("system"), str) and isinstance(value.get("code"), str):
            yield value["system"], value["code"]
        for one in value.values():
            yield from _codes(one)
    elif isinstance(value, list):
        for one in value:
            yield from _codes(one)


CODED = (
    "http://loinc.org",
    "http://snomed.info/sct",
    "http://www.nlm.nih.gov/research/umls/rxnorm",
    "http://www.whocc.no/atc",
    "http://hl7.org/fhir/sid/icd-10-cm",
)
GROUPING = {("http://loinc.org", "92252-6"), ("http://loinc.org", "18725-2")}  # a panel and a report: their members carry the meaning
FILES = sorted([*(ROOT / "fixtures").glob("*/requests/*.json"), *(ROOT / "fixtures").glob("*/bundles/*.json")])


@pytest.fixture(scope="session", name="known")
def _known() -> set[tuple[str, str]]:
    """Every code of the shipped value sets."""
    return {pair for file in (ROOT / "hooks/shared/valuesets").glob("*.json") for pair in _valueset(json.loads(file.read_text("utf-8")))}


def _valueset(body: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for include in body["compose"]["include"]:
        yield from ((include["system"], concept["code"]) for concept in include.get("concept", ()))


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_fixtures_use_codes_that_the_value_sets_know(file: Path, known: set[tuple[str, str]]) -> None:
    """No fixture invents a code of a public code system."""
    used = {pair for pair in _codes(json.loads(file.read_text("utf-8"))) if pair[0] in CODED}
    assert used - GROUPING <= known


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_fixtures_say_when_they_were_written(file: Path) -> None:
    """Every request and every patient names the moment for which it was written."""
    from cds_service.moments import written

    assert written(json.loads(file.read_text("utf-8")))
