"""What is shipped runs as it says: image, compose file, make and wheel."""

import os
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from cds_service.configuration import read_settings

ROOT = Path(__file__).resolve().parent.parent


def _read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def test_the_image_runs_as_a_numeric_user_that_is_not_root() -> None:
    """P8: a cluster that forbids root can see from the number that this is none."""
    users = re.findall(r"^USER (\S+)$", _read("Dockerfile"), flags=re.MULTILINE)
    assert users
    assert all(re.fullmatch(r"[1-9]\d*:[1-9]\d*", user) for user in users)


@pytest.mark.parametrize("line", ["--require-hashes", "compileall", "HEALTHCHECK", "ndm-cds check --no-cases", "STOPSIGNAL SIGTERM"])
def test_the_image_is_built_from_hashes_and_checks_itself(line: str) -> None:
    """Dependencies are hash-locked, byte code is written at build time, knowledge is checked, health is asked."""
    assert line in _read("Dockerfile")


def test_everything_that_the_image_copies_gets_there() -> None:
    """What the Dockerfile copies is not held back by .dockerignore, and nothing else gets in."""
    allowed = {line[1:] for line in _read(".dockerignore").splitlines() if line.startswith("!")}
    copied = set(re.findall(r"^COPY (?!--from)(\S+)", _read("Dockerfile"), flags=re.MULTILINE))
    assert {name.split("/")[0] for name in copied} <= {name.split("/")[0] for name in allowed}
    assert all((ROOT / name).exists() for name in allowed)


def test_the_composed_service_is_read_only_and_without_rights() -> None:
    """P8: service and proxy cannot write their file system, and the service has no capability."""
    services = yaml.safe_load(_read("compose.yaml"))["services"]
    assert services["service"]["read_only"]
    assert services["service"]["cap_drop"] == ["ALL"]
    assert services["proxy"]["read_only"]
    assert all(port.startswith("127.0.0.1:") for port in services["proxy"]["ports"])


def test_the_composed_service_is_configured_by_known_variables(tmp_path: Path) -> None:
    """Every variable that compose sets for the service is one that the service knows."""
    values = yaml.safe_load(_read("compose.yaml"))["services"]["service"]["environment"]
    file = tmp_path / "ndm-cds.toml"
    file.write_text("", "utf-8")
    known = {**{key: re.sub(r"\$\{[^}]*\}", "word", value) for key, value in values.items()}, "NDM_CDS_CONFIG": str(file)}
    assert read_settings(env=known).store.url.startswith("postgresql+psycopg://")


def test_the_example_configuration_can_be_used() -> None:
    """The file that a site copies has no mistake."""
    (client,) = read_settings(ROOT / "deploy" / "ndm-cds.example.toml", env={}).clients
    assert client.fhir_bases


def test_the_proxy_takes_requests_whole() -> None:
    """Without buffering a slow sender would hold a thread of the service."""
    assert "proxy_request_buffering on;" in _read("deploy/nginx.conf")


def test_make_explains_each_target() -> None:
    """Every target that is no file says what it does in `make help`."""
    text = _read("Makefile")
    phony = set(re.findall(r"^\.PHONY: (.+)$", text, flags=re.MULTILINE)[0].split())
    explained = set(re.findall(r"^([a-z0-9]+):.*## ", text, flags=re.MULTILINE))
    assert phony == explained
    done = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True, timeout=30)
    assert all(f"make {name}" in done.stdout for name in phony)


def test_continuous_integration_calls_make_test() -> None:
    """`.ci/run` is a shell script that can be run, and does what a person would do."""
    assert os.access(ROOT / ".ci/run", os.X_OK)
    assert _read(".ci/run").rstrip().endswith("make test")
    subprocess.run(["sh", "-n", str(ROOT / ".ci/run")], check=True, timeout=30)


def test_the_licence_names_all_that_is_shipped() -> None:
    """The SPDX expression of package and image covers program, knowledge, fonts and script, and each licence text goes along."""
    project = tomllib.loads(_read("pyproject.toml"))["project"]
    assert set(project["license"].split(" AND ")) == {"Apache-2.0", "CC-BY-4.0", "OFL-1.1", "MIT"}
    assert f'licenses="{project["license"]}"' in _read("Dockerfile")
    shipped = {path.relative_to(ROOT) for folder in ("cds_service", "hooks") for path in (ROOT / folder).rglob("*LICENSE")}
    carried = {path.relative_to(ROOT) for pattern in project["license-files"] for path in ROOT.glob(pattern)}
    assert shipped | {Path("LICENSE"), Path("NOTICE")} == carried


def test_the_wheel_carries_knowledge_and_fixtures_as_data() -> None:
    """hooks and fixtures go into the package, where no other distribution can collide with them."""
    wheel = tomllib.loads(_read("pyproject.toml"))["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel["force-include"].items() >= {"hooks": "cds_service/hooks", "fixtures": "cds_service/fixtures"}.items()
    assert all(target.startswith("cds_service/") and (ROOT / source).exists() for source, target in wheel["force-include"].items())
    assert not list((ROOT / "hooks").rglob("*.py"))
    assert (ROOT / "cds_service/py.typed").exists()
