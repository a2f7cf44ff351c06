"""`ndm-cds jwt check`: the operator is told what the caller never is."""

import io
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from cds_service.cli import exits
from cds_service.cli.tokens import MEANINGS
from cds_service.web.tokens import Reason

Run = Callable[..., tuple[int, str, str]]
ISSUER, AUDIENCE = "https://ehr.hospital.example", "https://cds.hospital.example/cds-services/some-service"
KEY, OTHER = ec.generate_private_key(ec.SECP384R1()), ec.generate_private_key(ec.SECP384R1())


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    public = {**json.loads(ECAlgorithm.to_jwk(KEY.public_key())), "kid": "k1", "use": "sig", "alg": "ES384"}
    curve = {**json.loads(ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP256R1()).public_key())), "kid": "k2", "use": "sig"}
    (tmp_path / "keys.json").write_text(json.dumps({"keys": [public, curve]}), "utf-8")
    file = tmp_path / "ndm-cds.toml"
    file.write_text(
        f"""
[server]
public_url = "https://cds.hospital.example"
[clients.hospital]
issuer = "{ISSUER}"
jwks_file = "keys.json"
tenants = ["one"]
[clients.afar]
issuer = "https://afar.example"
jwks_url = "https://afar.example/keys"
""",
        "utf-8",
    )
    return file


def _token(claims: Mapping[str, Any] | None = None, key: Any = KEY, **header: Any) -> str:
    now = int(time.time())
    content = {"iss": ISSUER, "aud": AUDIENCE, "iat": now, "exp": now + 300, "jti": "1", "tenant": "one", **(claims or {})}
    return jwt.encode(content, key, "ES384", {"kid": "k1", **header})


def _check(run: Run, token: str, file: Path) -> tuple[int, str, str]:
    return run("jwt", "check", token, "--service", "some-service", "--config", file)


def test_a_good_token_would_be_let_in(run: Run, file: Path) -> None:
    """Issuer, audience, times, key and signature all fit, and the claims are shown."""
    status, out, _ = _check(run, _token(), file)
    assert status == exits.OK
    assert "would be let in" in out
    assert ISSUER in out


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("nonsense", Reason.MALFORMED),
        (_token({"iss": "https://elsewhere.example"}), Reason.ISSUER),
        (_token({"tenant": "two"}), Reason.TENANT),
        (_token({"aud": "https://cds.hospital.example/cds-services"}), Reason.AUDIENCE),
        (_token({"exp": 1_700_000_300, "iat": 1_700_000_000}), Reason.EXPIRED),
        (_token({"exp": time.time() + 86_400}), Reason.LIFETIME),
        (_token({"jti": ""}), Reason.TOKEN_ID),
        (_token(kid="k9"), Reason.UNKNOWN_KEY),
        (_token(kid="k2"), Reason.UNFIT_KEY),
        (_token(jku="https://evil.example/keys"), Reason.KEY_URL),
        (_token(key=OTHER), Reason.SIGNATURE),
        (_token(typ="at+jwt"), Reason.TYPE),
    ],
    ids=lambda value: value if isinstance(value, Reason) else "",
)
def test_the_failing_claim_is_named(run: Run, file: Path, token: str, reason: Reason) -> None:
    """Every refusal has its reason and its meaning, and the status is 1."""
    status, out, _ = _check(run, token, file)
    assert status == exits.DIFFERS
    assert f"refused {reason}: {MEANINGS[reason]}" in out


def test_keys_at_a_url_are_not_fetched(run: Run, file: Path) -> None:
    """The signature of such a client is not checked, and that is said."""
    token = _token({"iss": "https://afar.example"})
    status, _, err = _check(run, token, file)
    assert status == exits.OK
    assert "signature was not checked" in err


def test_a_token_can_come_from_standard_input(run: Run, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hyphen reads the token, so that it need not stand in the shell's history; "Bearer" may stand before it."""
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(f"Bearer {_token()}\n".encode())))
    assert _check(run, "-", file)[0] == exits.OK


def test_every_reason_has_a_meaning() -> None:
    """No refusal is left unexplained."""
    assert set(MEANINGS) == set(Reason)
