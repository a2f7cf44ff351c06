"""The configuration: strict, all mistakes at once, each with file, key, what was found, what was expected, and a hint."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from cds_service.configuration import read_settings
from cds_service.configuration_keys import CLIENT_KEYS, KEYS
from cds_service.errors import ConfigurationError
from cds_service.settings import RECOMMENDED_ALGORITHMS, Settings

from ..web.hospital import elliptic, public, rsa_key

GOOD = """
[server]
public_url = "https://cds.example.org"
cors_origins = ["https://viewer.example.org"]
deadline_ms = 1500
max_body_mb = 5
discovery = "protected"
[store]
url = "sqlite:///store.db"
[clients.general-hospital]
issuer = "https://ehr.example.org"
jwks_file = "keys.json"
fhir_base = ["https://ehr.example.org/fhir"]
profile = "epic"
audiences = ["ndm-cds"]
tenants = ["north"]
unavailable = "card"
algorithms = ["ES384", "PS384"]
"""
MINIMAL = '[server]\npublic_url = "https://cds.example.org"\n[clients.a]\nissuer = "https://ehr.example.org"\njwks_file = "keys.json"\n'
RIG = MINIMAL.replace("[clients.a]", "allow_loopback_http = true\n[clients.a]")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A configuration file beside a key file."""
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [public(elliptic("P-384"), "k")]}))
    (tmp_path / "weak.json").write_text(json.dumps({"keys": [public(rsa_key(1_024), "k")]}))
    (tmp_path / "empty.json").write_text('{"keys": []}')
    (tmp_path / "text.json").write_text("hello")
    return tmp_path / "ndm-cds.toml"


def read(file: Path, text: str, development: bool = False, **env: str) -> Settings:
    """Read this text as the file."""
    file.write_text(text)
    return read_settings(file, development=development, env=env)


def test_every_key_is_read(file: Path) -> None:
    """What the file says is what the service does."""
    found = read(file, GOOD)
    client = found.clients[0]
    assert (found.server.public_url, found.server.cors_origins) == ("https://cds.example.org", ("https://viewer.example.org",))
    assert (found.server.deadline_ms, found.server.max_body_mb, found.server.discovery) == (1_500, 5, "protected")
    assert (client.name, client.issuer, client.jwks_file) == ("general-hospital", "https://ehr.example.org", file.with_name("keys.json"))
    assert (client.fhir_bases, client.profile, client.unavailable) == (("https://ehr.example.org/fhir",), "epic", "card")
    assert (client.audiences, client.tenants, client.algorithms) == (("ndm-cds",), ("north",), ("ES384", "PS384"))


def test_without_a_file_the_defaults_hold() -> None:
    """No file and an empty environment give the documented defaults."""
    found = read_settings(None, env={})
    assert (found.server.deadline_ms, found.server.max_body_mb, found.server.cors_origins, found.clients) == (2_000, 20, (), ())
    assert found.store.url == "sqlite:///ndm-cds.db"


def test_algorithms_are_those_of_the_specification_by_default(file: Path) -> None:
    """SE-08: ES384 and RS384."""
    assert read(file, MINIMAL).clients[0].algorithms == RECOMMENDED_ALGORITHMS


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[server]\ncolour = 1", "server.colour"),
        ("[sever]\ndeadline_ms = 1", "sever"),
        ("colour = 1", "colour"),
        ("server = 1", "server"),
        ("[server", "(the file)"),
        ("[server]\ndeadline_ms = 1\ndeadline_ms = 2", "(the file)"),
        ('[server]\ndeadline_ms = "fast"', "server.deadline_ms"),
        ("[server]\ndeadline_ms = 0", "server.deadline_ms"),
        ("[server]\ndeadline_ms = 60001", "server.deadline_ms"),
        ("[server]\ndeadline_ms = true", "server.deadline_ms"),
        ("[server]\nmax_body_mb = 0", "server.max_body_mb"),
        ("[server]\nmax_body_mb = 1.5", "server.max_body_mb"),
        ('[server]\npublic_url = "cds.example.org"', "server.public_url"),
        ('[server]\npublic_url = "ftp://cds.example.org"', "server.public_url"),
        ('[server]\npublic_url = "https://user:pass@cds.example.org"', "server.public_url"),
        ('[server]\npublic_url = "https://cds.example.org/?a=1"', "server.public_url"),
        ('[server]\npublic_url = "http://cds.example.org"', "server.public_url"),
        ("[server]\npublic_url = 5", "server.public_url"),
        ('[server]\ncors_origins = "*"', "server.cors_origins"),
        ('[server]\ncors_origins = ["*"]', "server.cors_origins"),
        ('[server]\ncors_origins = ["https://a.example.org/path"]', "server.cors_origins"),
        ('[server]\ncors_origins = ["https://A.example.org"]', "server.cors_origins"),
        ('[server]\nallow_loopback_http = "yes"', "server.allow_loopback_http"),
        ('[server]\ndiscovery = "closed"', "server.discovery"),
        ('[store]\nurl = "mysql://host/db"', "store.url"),
        ('[store]\nurl = "nonsense"', "store.url"),
        ('[store]\nurl = "sqlite://"', "store.url"),
        ('[store]\nurl = "sqlite:///:memory:"', "store.url"),
        ('[store]\nspool = "keys.json"', "store.spool"),
        ('ca_bundle = "nowhere.pem"', "ca_bundle"),
        ('secret = "short"', "secret"),
        ("clients = 1", "clients"),
        ("[clients]\na = 1", "clients.a"),
        (MINIMAL.replace("https://ehr", "http://ehr"), "clients.a.issuer"),
        (MINIMAL.replace("https://ehr.example.org", "https://sandbox.cds-hooks.org"), "clients.a.issuer"),
        (MINIMAL.replace("https://ehr.example.org", "https://sandbox.cds-hooks.org/"), "clients.a.issuer"),
        (MINIMAL.replace("https://ehr.example.org", "https://SANDBOX.cds-hooks.org"), "clients.a.issuer"),
        (MINIMAL.replace('issuer = "https://ehr.example.org"\n', ""), "clients.a.issuer"),
        (MINIMAL.replace('jwks_file = "keys.json"\n', ""), "clients.a"),
        (MINIMAL.replace("keys.json", "nowhere.json"), "clients.a.jwks_file"),
        (MINIMAL.replace("keys.json", "text.json"), "clients.a.jwks_file"),
        (MINIMAL.replace("keys.json", "empty.json"), "clients.a.jwks_file"),
        (MINIMAL.replace("keys.json", "weak.json"), "clients.a.jwks_file"),
        (MINIMAL + 'jwks_url = "http://127.0.0.1:9/keys"', "clients.a.jwks_url"),
        (MINIMAL + 'fhir_base = ["http://ehr.example.org/fhir"]', "clients.a.fhir_base"),
        (MINIMAL + 'fhir_base = ["http://127.0.0.1:9/fhir"]', "clients.a.fhir_base"),
        (MINIMAL + 'fhir_base = "https://ehr.example.org/fhir"', "clients.a.fhir_base"),
        (MINIMAL + 'fhir_base = ["https://ehr.example.org/../fhir"]', "clients.a.fhir_base"),
        (RIG + 'fhir_base = ["http://10.0.0.1/fhir"]', "clients.a.fhir_base"),
        (RIG.replace("https://ehr", "http://ehr"), "clients.a.issuer"),
        (MINIMAL + 'profile = "cerner"', "clients.a.profile"),
        (MINIMAL + "unavailable = 412", "clients.a.unavailable"),
        (MINIMAL + 'algorithms = ["HS256"]', "clients.a.algorithms"),
        (MINIMAL + 'algorithms = ["none"]', "clients.a.algorithms"),
        (MINIMAL + "algorithms = []", "clients.a.algorithms"),
        (MINIMAL + 'jwks_url = "https://sandbox.cds-hooks.org/.well-known/jwks.json"', "clients.a.jwks_url"),
        (MINIMAL + 'jwks_url = "https://Sandbox.cds-hooks.org.:443/keys"', "clients.a.jwks_url"),
        (MINIMAL + 'tenants = [""]', "clients.a.tenants"),
        (MINIMAL + "tenants = []", "clients.a.tenants"),
        (MINIMAL + "audiences = [1]", "clients.a.audiences"),
        (MINIMAL + 'isuer = "x"', "clients.a.isuer"),
        (MINIMAL + MINIMAL.partition("[clients.a]")[2].join(["[clients.b]", ""]), "clients.b"),
        (MINIMAL.replace('public_url = "https://cds.example.org"', ""), "server.public_url"),
    ],
)
def test_a_mistake_is_told_with_its_key(file: Path, text: str, key: str) -> None:
    """A11, A35: each bad value is refused with file, key, what was found and what was expected."""
    with pytest.raises(ConfigurationError) as refusal:
        read(file, text)
    problem = next(one for one in refusal.value.problems if one.key == key)
    assert problem.file == str(file)
    assert problem.found
    assert problem.expected


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    """A35: an operator corrects the file once."""
    with pytest.raises(ConfigurationError) as refusal:
        read(
            file,
            "[server]\ndeadline_ms = 0\ncolour = 1\n[clients.a]\nissuer = 'http://x.example.org'\nprofile = 'x'\n",
            NDM_CDS_MAX_BODY_MB="much",
        )
    keys = {problem.key for problem in refusal.value.problems}
    assert {"server.deadline_ms", "server.colour", "clients.a.issuer", "clients.a.profile", "clients.a", "NDM_CDS_MAX_BODY_MB"} <= keys


def test_a_slip_of_the_pen_is_recognised(file: Path) -> None:
    """A35: an unknown key that is nearly a known one is told so."""
    with pytest.raises(ConfigurationError, match="perhaps deadline_ms is meant"):
        read(file, "[server]\ndeadline = 5")


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """A35: a file that is not there is no empty configuration."""
    with pytest.raises(ConfigurationError, match="No such file"):
        read_settings(tmp_path / "nowhere.toml", env={})


@pytest.mark.parametrize(
    ("name", "value", "read_as"),
    [
        ("NDM_CDS_PUBLIC_URL", "https://other.example.org/", "https://other.example.org"),
        ("NDM_CDS_CORS_ORIGINS", "https://a.example.org, https://b.example.org", ("https://a.example.org", "https://b.example.org")),
        ("NDM_CDS_DEADLINE_MS", "700", 700),
        ("NDM_CDS_MAX_BODY_MB", "7", 7),
        ("NDM_CDS_ALLOW_LOOPBACK_HTTP", "true", True),
        ("NDM_CDS_ALLOW_LOOPBACK_HTTP", "off", False),
        ("NDM_CDS_DISCOVERY", "open", "open"),
    ],
)
def test_the_environment_wins_over_the_file(file: Path, name: str, value: str, read_as: object) -> None:
    """A variable replaces the key of the file."""
    found = read(file, GOOD, **{name: value})
    assert getattr(found.server, name.removeprefix("NDM_CDS_").lower()) == read_as


@pytest.mark.parametrize(
    ("name", "value"), [("NDM_CDS_DEADLINE", "5"), ("NDM_CDS_DEADLINE_MS", "fast"), ("NDM_CDS_ALLOW_LOOPBACK_HTTP", "perhaps")]
)
def test_a_bad_variable_is_told(name: str, value: str) -> None:
    """A35: unknown and unreadable variables are mistakes as well."""
    with pytest.raises(ConfigurationError) as refusal:
        read_settings(None, env={name: value})
    assert [(problem.file, problem.key) for problem in refusal.value.problems] == [("environment", name)]


def test_variables_that_kubernetes_sets_are_no_mistake() -> None:
    """A service that is called ndm-cds in a cluster finds its own addresses in the environment."""
    assert read_settings(None, env={"NDM_CDS_PORT": "tcp://10.0.0.1:80", "NDM_CDS_SERVICE_HOST": "10.0.0.1", "NDM_CDS_PORT_80_TCP": "x"})


def test_secrets_come_from_files(file: Path, tmp_path: Path) -> None:
    """P9: secret and database URL can be read from files, so that they stand in no environment."""
    (tmp_path / "secret").write_text("0123456789abcdef0123456789abcdef\n")
    (tmp_path / "url").write_text("postgresql://me:word@db.example.org/ndm\n")
    found = read(file, MINIMAL, NDM_CDS_SECRET_FILE=str(tmp_path / "secret"), NDM_CDS_STORE_URL_FILE=str(tmp_path / "url"))
    assert found.secret == b"0123456789abcdef0123456789abcdef"
    assert found.store.url == "postgresql+psycopg://me:word@db.example.org/ndm"


@pytest.mark.parametrize("env", [{"NDM_CDS_SECRET_FILE": "/nowhere"}, {"NDM_CDS_SECRET": "x" * 32, "NDM_CDS_SECRET_FILE": "/nowhere"}])
def test_a_secret_file_must_be_readable_and_alone(env: dict[str, str]) -> None:
    """A35: an unreadable secret file, or secret and file together, are refused."""
    with pytest.raises(ConfigurationError, match="NDM_CDS_SECRET_FILE"):
        read_settings(None, env=env)


def test_secrets_are_never_repeated(file: Path) -> None:
    """P9: neither a message nor the printed settings show a secret or a password."""
    found = read(file, MINIMAL, NDM_CDS_SECRET="s" * 40, NDM_CDS_STORE_URL="postgresql://me:hunter2@db.example.org/ndm")
    assert "hunter2" not in repr(found)
    assert "ssss" not in repr(found)
    with pytest.raises(ConfigurationError) as refusal:
        read(file, MINIMAL, NDM_CDS_SECRET="short-secret", NDM_CDS_STORE_URL="oracle://me:hunter2@db.example.org/ndm")
    assert "hunter2" not in str(refusal.value)
    assert "short-secret" not in str(refusal.value)


def test_a_test_rig_may_use_http_on_loopback(file: Path) -> None:
    """With allow_loopback_http FHIR servers, keys and the public address may be http on 127.0.0.1; all else is as in production."""
    text = (
        RIG.replace("https://cds.example.org", "http://127.0.0.1:8080")
        + 'fhir_base = ["http://127.0.0.1:9/fhir"]\njwks_url = "http://127.0.0.1:9/keys"\n'
    )
    client = read(file, text).clients[0]
    assert (client.fhir_bases, client.jwks_url) == (("http://127.0.0.1:9/fhir",), "http://127.0.0.1:9/keys")


def test_development_mode_takes_the_public_sandbox(file: Path) -> None:
    """T1: the issuer whose key everybody knows, and the place of that key, are accepted in development mode only."""
    text = MINIMAL.replace("https://ehr.example.org", "https://sandbox.cds-hooks.org") + 'jwks_url = "https://sandbox.cds-hooks.org/keys"'
    assert read(file, text, development=True).clients[0].issuer == "https://sandbox.cds-hooks.org"


def test_every_key_is_explained() -> None:
    """B20: each key has a type and a sentence, and each but those of clients a variable of its own."""
    assert all(key.kind and key.says.endswith(".") for key in (*KEYS, *CLIENT_KEYS))
    assert len({key.variable for key in KEYS}) == len(KEYS)


@pytest.mark.live
@pytest.mark.parametrize(
    ("arguments", "text", "said"),
    [
        ([], "", "at least one [clients.<name>] table"),
        ([], MINIMAL.replace("https://ehr", "http://ehr"), "clients.a.issuer"),
        (["--dev", "--host", "0.0.0.0"], "", "127.0.0.1"),
    ],
)
def test_a_service_that_may_not_start_says_why(file: Path, arguments: list[str], text: str, said: str) -> None:
    """A35, A11: without a client, badly configured, or open to the network without tokens, the start ends with 78 and the reason."""
    file.write_text(text)
    command = [sys.executable, "-m", "cds_service", "serve", "--config", str(file), "--port", "8169", *arguments]
    began = time.monotonic()
    environ = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ended = subprocess.run(command, capture_output=True, text=True, cwd=file.parent, env=environ, timeout=60, check=False)
    assert (ended.returncode, said in ended.stderr) == (78, True), ended.stderr
    assert time.monotonic() - began < 20  # two seconds on a machine that is not shared
