"""`ndm-cds config`: checked, shown, explained."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cds_service.cli import exits
from cds_service.configuration_keys import CLIENT_KEYS, KEYS

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(name="keys")
def _keys(tmp_path: Path) -> Path:
    """A public key as a client would publish it."""
    public = json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key()))
    file = tmp_path / "keys.json"
    file.write_text(json.dumps({"keys": [{**public, "kid": "k1", "use": "sig", "alg": "ES384"}]}), "utf-8")
    return file


@pytest.fixture(name="file")
def _file(tmp_path: Path, keys: Path) -> Path:
    """A configuration with one client and a database with a password."""
    file = tmp_path / "ndm-cds.toml"
    file.write_text(
        f"""
secret = "a secret of thirty-two characters or more"
[server]
public_url = "https://cds.hospital.example"
[store]
url = "postgresql://user:secret-word@db.example/cds"
[clients.hospital]
issuer = "https://ehr.hospital.example"
jwks_file = "{keys.name}"
""",
        "utf-8",
    )
    return file


def test_a_good_configuration_names_its_clients(run: Run, file: Path) -> None:
    """check says that it can be used and for whom."""
    status, out, _ = run("config", "check", "--config", file)
    assert status == exits.OK
    assert "can be used: hospital" in out


def test_without_a_client_serve_will_refuse(run: Run) -> None:
    """check says already what serve would say."""
    assert "refuses to start" in run("config", "check")[1]


def test_all_mistakes_come_at_once(run: Run, tmp_path: Path) -> None:
    """Each mistake has file, key, what was found and what to do; the status is 78."""
    file = tmp_path / "wrong.toml"
    file.write_text('[server]\ndeadline_ms = "fast"\npublic_uri = "https://x.example"\n', "utf-8")
    status, _, err = run("config", "check", "--config", file)
    assert status == exits.CONFIGURATION
    assert "configuration cannot be used: 2 problems" in err
    assert "server.deadline_ms: found 'fast'" in err
    assert "perhaps public_url is meant" in err


def test_a_missing_file_is_told(run: Run, tmp_path: Path) -> None:
    """A file that is not there is a problem, not a traceback."""
    assert run("config", "check", "--config", tmp_path / "none.toml")[0] == exits.CONFIGURATION


def test_values_are_shown_without_secrets(run: Run, file: Path) -> None:
    """show prints what is in use, and neither password nor secret."""
    _, out, _ = run("config", "show", "--config", file)
    assert "https://cds.hospital.example" in out
    assert "user:***@db.example" in out
    assert "secret-word" not in out
    assert "thirty-two" not in out


def test_a_file_database_is_shown_as_it_is(run: Run) -> None:
    """A URL without a password has nothing to hide."""
    assert "sqlite:///ndm-cds.db" in run("config", "show")[1]


@pytest.mark.parametrize("form", [(), ("--markdown",)])
def test_every_key_is_explained(run: Run, form: tuple[str, ...]) -> None:
    """reference has every key with its meaning, and its variable where it has one."""
    out = " ".join(run("config", "reference", *form)[1].split())
    assert all(key.name in out and key.says in out for key in (*KEYS, *CLIENT_KEYS))
    assert all(key.variable in out for key in KEYS)
