"""Tokens: who is let in, and who is not, whatever they try."""

import base64
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from flask.testing import FlaskClient

from cds_service.keysets import read_keyset
from cds_service.settings import Client, Server, Settings
from cds_service.store.engine import open_engine
from cds_service.store.used_tokens import UsedTokens
from cds_service.web.jwks import KeyRing
from cds_service.web.tokens import Reason, Refused, header_faults, read_token
from cds_service.web.trust import REFUSAL_BODY, ReplayStoreDown, Trust

from ..web.conftest import Build
from ..web.hospital import ISSUER, LIFE_S, NOW, ORDER_SIGN, PUBLIC_URL, Hospital, elliptic, encoded, public, request, rsa_key

Made = Callable[[Hospital], str]


def hmac_signed(hospital: Hospital, algorithm: str, secret: bytes) -> str:
    """A token signed with a shared secret, which is the public key of the hospital."""
    signed = f"{encoded(hospital.header(alg=algorithm))}.{encoded(hospital.claims())}"
    made = jwt.algorithms.HMACAlgorithm(getattr(jwt.algorithms.HMACAlgorithm, f"SHA{algorithm[2:]}"))
    return f"{signed}.{encoded(made.sign(signed.encode(), secret))}"


def pem(hospital: Hospital) -> bytes:
    """The public key as text."""
    return hospital.key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def with_parts(token: str, header: str | None = None, claims: str | None = None, signature: str | None = None) -> str:
    """The token with some parts replaced as they are."""
    old = token.split(".")
    return ".".join(new if new is not None else kept for new, kept in zip((header, claims, signature), old, strict=True))


def stranger(hospital: Hospital) -> Hospital:
    """Someone who calls himself like the hospital but has another key."""
    return replace(hospital, key=elliptic("P-384", 99))


def duplicated(hospital: Hospital) -> str:
    """Two values under one name, of which two readers may take different ones."""
    text = json.dumps(hospital.claims())[:-1] + ', "iss": "https://evil.example.org"}'
    return hospital.sign(hospital.header(), text.encode())


ATTACKS: dict[str, tuple[Reason, Made]] = {
    "J1 SE-06 alg none": (Reason.MALFORMED, lambda h: with_parts(h.token(), encoded(h.header(alg="none")), signature="")),
    "J1 SE-06 alg None": (Reason.ALGORITHM, lambda h: with_parts(h.token(), encoded(h.header(alg="None")))),
    "J1 SE-06 alg nOnE": (Reason.ALGORITHM, lambda h: with_parts(h.token(), encoded(h.header(alg="nOnE")))),
    "J1 SE-06 empty signature": (Reason.MALFORMED, lambda h: with_parts(h.token(), signature="")),
    "J2 SE-07 HS256 with the public key": (Reason.ALGORITHM, lambda h: hmac_signed(h, "HS256", pem(h))),
    "J2 SE-07 HS384 with the public key": (Reason.ALGORITHM, lambda h: hmac_signed(h, "HS384", pem(h))),
    "J2 SE-07 HS512 with the key id": (Reason.ALGORITHM, lambda h: hmac_signed(h, "HS512", h.kid.encode())),
    "SE-08 algorithm not allowed": (Reason.ALGORITHM, lambda h: replace(h, algorithm="ES256", key=elliptic("P-256")).token()),
    "SE-08 alg missing": (Reason.ALGORITHM, lambda h: h.token(header={"alg": None})),
    "SE-08 alg as list": (Reason.ALGORITHM, lambda h: h.token(header={"alg": ["ES384"]})),
    "J13 alg of another key type": (Reason.UNFIT_KEY, lambda h: h.token(header={"alg": "RS384"})),
    "J3 SE-05 aud of another service": (Reason.AUDIENCE, lambda h: h.token("/cds-services/ndm-patient-view")),
    "J3 SE-05 aud of discovery": (Reason.AUDIENCE, lambda h: h.token("/cds-services")),
    "J3 SE-05 aud of feedback": (Reason.AUDIENCE, lambda h: h.token(f"{ORDER_SIGN}/feedback")),
    "J3 SE-05 aud prefix": (Reason.AUDIENCE, lambda h: h.token(aud=PUBLIC_URL)),
    "J3 SE-05 aud with a final slash": (Reason.AUDIENCE, lambda h: h.token(f"{ORDER_SIGN}/")),
    "J3 SE-05 aud of another host": (Reason.AUDIENCE, lambda h: h.token(aud=f"https://evil.example.org{ORDER_SIGN}")),
    "J3 SE-05 aud in upper case": (Reason.AUDIENCE, lambda h: h.token(aud=(PUBLIC_URL + ORDER_SIGN).upper())),
    "J3 SE-05 aud missing": (Reason.AUDIENCE, lambda h: h.token(aud=None)),
    "J3 SE-05 aud as empty list": (Reason.AUDIENCE, lambda h: h.token(aud=[])),
    "J3 SE-05 aud as object": (Reason.AUDIENCE, lambda h: h.token(aud={"a": PUBLIC_URL + ORDER_SIGN})),
    "J3 SE-05 aud list with a number": (Reason.AUDIENCE, lambda h: h.token(aud=[PUBLIC_URL + ORDER_SIGN, 1])),
    "J4 SE-11 unknown issuer": (Reason.ISSUER, lambda h: h.token(iss="https://evil.example.org")),
    "J4 SE-11 issuer with a final slash": (Reason.ISSUER, lambda h: h.token(iss=f"{ISSUER}/")),
    "J4 SE-11 issuer in upper case": (Reason.ISSUER, lambda h: h.token(iss=ISSUER.upper())),
    "J4 SE-04 issuer missing": (Reason.ISSUER, lambda h: h.token(iss=None)),
    "J4 SE-04 issuer as list": (Reason.ISSUER, lambda h: h.token(iss=[ISSUER])),
    "T1 issuer of the public sandbox": (Reason.ISSUER, lambda h: h.token(iss="https://sandbox.cds-hooks.org")),
    "J5 SE-09 expired": (Reason.EXPIRED, lambda h: h.token(iat=int(NOW) - 400, exp=int(NOW) - 61)),
    "J5 SE-09 issued in the future": (Reason.ISSUED_IN_FUTURE, lambda h: h.token(iat=int(NOW) + 61, exp=int(NOW) + 300)),
    "J5 SE-09 not yet valid": (Reason.NOT_YET_VALID, lambda h: h.token(nbf=int(NOW) + 61)),
    "J5 SE-09 nbf as text": (Reason.TIMES, lambda h: h.token(nbf="now")),
    "J5 SE-10 valid for ten years": (Reason.LIFETIME, lambda h: h.token(exp=int(NOW) + 315_360_000)),
    "J5 SE-10 valid for a second too long": (Reason.LIFETIME, lambda h: h.token(exp=int(NOW) + 3_601)),
    "J5 issued a year ago": (Reason.LIFETIME, lambda h: h.token(iat=int(NOW) - 31_536_000)),
    "J5 exp before iat": (Reason.LIFETIME, lambda h: h.token(iat=int(NOW) + 30, exp=int(NOW) + 20)),
    "J5 exp as text": (Reason.TIMES, lambda h: h.token(exp=str(int(NOW) + 60))),
    "J5 exp as true": (Reason.TIMES, lambda h: h.token(exp=True)),
    "J5 exp in milliseconds": (Reason.TIMES, lambda h: h.token(exp=int(NOW) * 1_000)),
    "J5 exp negative": (Reason.TIMES, lambda h: h.token(exp=-1)),
    "J5 SE-04 exp missing": (Reason.TIMES, lambda h: h.token(exp=None)),
    "J5 SE-04 iat missing": (Reason.TIMES, lambda h: h.token(iat=None)),
    "J5 exp infinite": (Reason.MALFORMED, lambda h: h.sign(h.header(), json.dumps({**h.claims(), "exp": float("inf")}).encode())),
    "J6 SE-11 jku although none is registered": (Reason.KEY_URL, lambda h: h.token(header={"jku": "https://evil.example.org/keys"})),
    "J6 SE-11 jku of the issuer itself": (Reason.KEY_URL, lambda h: h.token(header={"jku": f"{ISSUER}/keys"})),
    "J6 jku as null": (Reason.KEY_URL, lambda h: h.sign({**h.header(), "jku": None}, h.claims())),
    "J7 SE-15 embedded jwk": (Reason.OWN_KEY, lambda h: h.token(header={"jwk": public(h.key, h.kid)})),
    "J7 SE-15 x5u": (Reason.OWN_KEY, lambda h: h.token(header={"x5u": "https://evil.example.org/cert"})),
    "J7 SE-15 x5c": (Reason.OWN_KEY, lambda h: h.token(header={"x5c": ["AAAA"]})),
    "J7 SE-15 crit": (Reason.CRITICAL, lambda h: h.token(header={"crit": ["exp"]})),
    "J7 b64": (Reason.CRITICAL, lambda h: h.token(header={"b64": False})),
    "J10 SE-04 jti missing": (Reason.TOKEN_ID, lambda h: h.token(jti=None)),
    "J10 jti empty": (Reason.TOKEN_ID, lambda h: h.token(jti="")),
    "J10 jti blank": (Reason.TOKEN_ID, lambda h: h.token(jti="   ")),
    "J10 jti as number": (Reason.TOKEN_ID, lambda h: h.token(jti=7)),
    "J10 jti too long": (Reason.TOKEN_ID, lambda h: h.token(jti="x" * 256)),
    "J10 jti with a line break": (Reason.TOKEN_ID, lambda h: h.token(jti="a\nb")),
    "J10 duplicate claim": (Reason.MALFORMED, duplicated),
    "J10 duplicate header": (Reason.MALFORMED, lambda h: h.sign(b'{"alg":"none","alg":"ES384","typ":"JWT","kid":"key+/1="}', h.claims())),
    "J13 SE-03 kid missing": (Reason.KEY_ID, lambda h: h.token(header={"kid": None})),
    "J13 SE-03 kid empty": (Reason.KEY_ID, lambda h: h.token(header={"kid": ""})),
    "J13 SE-14 kid unknown": (Reason.UNKNOWN_KEY, lambda h: h.token(header={"kid": "other"})),
    "J13 SE-14 kid with another case": (Reason.UNKNOWN_KEY, lambda h: h.token(header={"kid": h.kid.upper()})),
    "J13 kid as a path": (Reason.UNKNOWN_KEY, lambda h: h.token(header={"kid": "../../../dev/null"})),
    "J13 kid as SQL": (Reason.UNKNOWN_KEY, lambda h: h.token(header={"kid": "' OR 1=1 --"})),
    "J13 kid as number": (Reason.KEY_ID, lambda h: h.token(header={"kid": 1})),
    "SE-03 typ at+jwt": (Reason.TYPE, lambda h: h.token(header={"typ": "at+jwt"})),
    "SE-03 typ missing": (Reason.TYPE, lambda h: h.token(header={"typ": None})),
    "SE-03 typ in lower case": (Reason.TYPE, lambda h: h.token(header={"typ": "jwt"})),
    "signature of another key": (Reason.SIGNATURE, lambda h: stranger(h).token()),
    "signature of other claims": (Reason.SIGNATURE, lambda h: with_parts(h.token(), claims=encoded(h.claims(sub="admin")))),
    "signature of another header": (Reason.SIGNATURE, lambda h: with_parts(h.token(), encoded(h.header(extra=1)))),
    "signature all zero": (Reason.SIGNATURE, lambda h: with_parts(h.token(), signature=encoded(bytes(96)))),
    "signature too short": (Reason.SIGNATURE, lambda h: with_parts(h.token(), signature=encoded(bytes(8)))),
    "signature in DER": (Reason.SIGNATURE, lambda h: with_parts(h.token(), signature=encoded(der(h)))),
    "signature with leftover bits": (Reason.MALFORMED, lambda h: with_parts(h.token(), signature="AB")),
    "padding": (Reason.MALFORMED, lambda h: h.token() + "="),
    "four parts": (Reason.MALFORMED, lambda h: h.token() + ".AAAA"),
    "two parts": (Reason.MALFORMED, lambda h: h.token().rpartition(".")[0]),
    "encrypted token": (Reason.MALFORMED, lambda _: "a.b.c.d.e"),
    "header is no object": (Reason.MALFORMED, lambda h: h.sign([], h.claims())),
    "claims are no object": (Reason.MALFORMED, lambda h: h.sign(h.header(), "x")),
    "claims are deeply nested": (Reason.MALFORMED, lambda h: h.sign(h.header(), b"[" * 3_000)),
    "header in UTF-16": (Reason.MALFORMED, lambda h: with_parts(h.token(), encoded('{"alg":"ES384"}'.encode("utf-16")))),
    "longer than any token": (Reason.MALFORMED, lambda h: h.token(extra="x" * 9_000)),
    "SE-20 an access token": (Reason.MALFORMED, lambda _: "opaque-access-token"),
    "nothing after Bearer": (Reason.MALFORMED, lambda _: ""),
    "letters beyond ASCII": (Reason.MALFORMED, lambda h: h.token().replace("e", "е", 1)),
}


def der(hospital: Hospital) -> bytes:
    """An ECDSA signature as other libraries write it."""
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    return bytes(hospital.key.sign(b"x", ec.ECDSA(hashes.SHA384())))


class Fresh:
    """Takes every token for new."""

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        return True

    def forget(self, before: float) -> int:
        return 0


@pytest.fixture
def trust(settings: Settings) -> Trust:
    """The judgement alone."""
    return Trust(settings, KeyRing(settings, lambda: 0.0, start=lambda work: work()), Fresh(), lambda: NOW)


def test_a_caller_does_not_pay_for_the_housekeeping(settings: Settings, hospital: Hospital) -> None:
    """Where tokens that expired cannot be dropped, the one that was just used for the first time is good all the same."""

    class Full(Fresh):
        def forget(self, before: float) -> int:
            raise OSError("disk full")

    times = iter([NOW, *[NOW + 100.0] * 9])
    trust = Trust(settings, KeyRing(settings, lambda: 0.0, start=lambda work: work()), Full(), lambda: next(times))
    assert trust.client(f"Bearer {hospital.token()}", [ORDER_SIGN]).name


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_refused_for_its_reason(trust: Trust, hospital: Hospital, name: str) -> None:
    """A7, J1 to J7, J10, J13, SE-03 to SE-07, SE-09, SE-11, SE-14, SE-15, SE-20: each token is refused for its own reason."""
    reason, made = ATTACKS[name]
    with pytest.raises(Refused) as refusal:
        trust.client(f"Bearer {made(hospital)}", [ORDER_SIGN])
    assert refusal.value.reason == reason


def test_there_are_enough_attacks() -> None:
    """A7: the table has at least forty-five tokens."""
    assert len(ATTACKS) >= 45


def test_all_refusals_look_the_same(caller: FlaskClient, hospital: Hospital) -> None:
    """J14, SE-17: no token, a bad header or any attack is answered with the same 401, byte for byte."""
    authorizations = [
        None,
        "",
        "Basic dXNlcjpwYXNz",
        "Bearer",
        *(f"Bearer {made(hospital)}" for _, made in ATTACKS.values() if made(hospital).isascii()),
    ]
    answers = [caller.post(ORDER_SIGN, json=request(), headers={"Authorization": one} if one is not None else {}) for one in authorizations]
    assert {(answer.status_code, answer.data, answer.headers["WWW-Authenticate"]) for answer in answers} == {(401, REFUSAL_BODY, "Bearer")}
    assert len({tuple(sorted((key, value) for key, value in answer.headers if key != "X-Request-ID")) for answer in answers}) == 1


@pytest.mark.parametrize("path", ["/cds-services/ndm-order-sign", "/cds-services/unknown", "/cds-services/ndm-order-sign/feedback"])
def test_every_endpoint_that_is_protected_asks_for_a_token(caller: FlaskClient, path: str) -> None:
    """SE-01, SE-02: service and feedback, known or not, say nothing to somebody without a token."""
    assert caller.post(path, json=request()).status_code == 401


GOOD: dict[str, Made] = {
    "SE-05 aud as list": lambda h: h.token(aud=[PUBLIC_URL + ORDER_SIGN]),
    "SE-05 aud list with others": lambda h: h.token(aud=["https://other.example.org", PUBLIC_URL + ORDER_SIGN]),
    "SE-04 further claims": lambda h: h.token(sub="client-id", nbf=int(NOW) - 300, tenant="any", extra={"a": 1}),
    "SE-03 further header members": lambda h: h.token(header={"extra": "x"}),
    "A8 fifteen minutes, as Epic signs": lambda h: h.token(iat=int(NOW), exp=int(NOW) + 900, nbf=int(NOW) - 300, sub="client-id"),
    "J5 expired a moment ago": lambda h: h.token(iat=int(NOW) - 300, exp=int(NOW) - 59),
    "J5 issued by a fast clock": lambda h: h.token(iat=int(NOW) + 59, exp=int(NOW) + 300),
    "J5 valid from a fast clock": lambda h: h.token(nbf=int(NOW) + 59),
    "J5 an hour": lambda h: h.token(exp=int(NOW) + 3_600),
    "J5 times with fractions": lambda h: h.token(iat=NOW + 0.5, exp=NOW + 300.25),
    "J10 jti of the greatest length": lambda h: h.token(jti="x" * 255),
    "bearer in lower case": lambda h: h.token(),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_token_is_let_in(trust: Trust, hospital: Hospital, name: str) -> None:
    """SE-04, SE-05, SE-09, A8: what real clients send is accepted, up to the edge of each limit."""
    scheme = "bearer" if "lower case" in name else "Bearer"
    assert trust.client(f"{scheme} {GOOD[name](hospital)}", [ORDER_SIGN]).name == "general"


@pytest.mark.parametrize(("late_s", "let_in"), [(-61, True), (-59, True), (59, True), (60, False), (61, False)])
def test_the_leeway_is_a_minute(trust: Trust, hospital: Hospital, late_s: int, let_in: bool) -> None:
    """J5, SE-09: a token is good until less than sixty seconds after its end."""
    token = f"Bearer {hospital.token(iat=int(NOW) - LIFE_S, exp=int(NOW) - late_s)}"
    if let_in:
        assert trust.client(token, [ORDER_SIGN])
    else:
        with pytest.raises(Refused):
            trust.client(token, [ORDER_SIGN])


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("ES384", ("P-384", 0)),
        ("RS384", (2_048, 0)),
        ("RS384", (4_096, 0)),
        ("ES256", ("P-256", 0)),
        ("ES512", ("P-521", 0)),
        ("PS384", (2_048, 0)),
        ("RS512", (2_048, 0)),
    ],
)
def test_asymmetric_algorithms_are_accepted(settings: Settings, hospital: Hospital, algorithm: str, key: tuple[Any, int]) -> None:
    """SE-08: ES384 and RS384 by default, others when the operator allows them."""
    made = elliptic(*key) if isinstance(key[0], str) else rsa_key(*key)
    other = replace(hospital, algorithm=algorithm, key=made)
    keys = settings.clients[0].jwks_file
    assert keys is not None
    keys.write_bytes(other.keyset())
    client = settings.clients[0] if algorithm in {"ES384", "RS384"} else replace(settings.clients[0], algorithms=(algorithm,))
    configured = replace(settings, clients=(client,))
    trust = Trust(configured, KeyRing(configured, lambda: 0.0, start=lambda work: work()), Fresh(), lambda: NOW)
    assert trust.client(f"Bearer {other.token()}", [ORDER_SIGN]) == client


def test_weak_rsa_keys_are_not_even_read(hospital: Hospital) -> None:
    """J8, SE-15: a key of 1,024 bits is left out of the set, with the reason."""
    weak = replace(hospital, key=rsa_key(1_024), algorithm="RS384")
    keys = read_keyset(weak.keyset())
    assert (keys.keys, "1024 bits" in keys.faults[0]) == ((), True)


@pytest.fixture
def two(settings: Settings, hospital: Hospital, tmp_path: Any) -> tuple[Trust, Hospital, Hospital]:
    """Two hospitals whose keys have the same id."""
    other = replace(hospital, issuer="https://other.example.org", key=elliptic("P-384", 7))
    keys = tmp_path / "other.json"
    keys.write_bytes(other.keyset())
    both = replace(settings, clients=(*settings.clients, Client("other", other.issuer, jwks_file=keys)))
    return Trust(both, KeyRing(both, lambda: 0.0, start=lambda work: work()), Fresh(), lambda: NOW), hospital, other


def test_a_key_is_worth_nothing_under_another_issuer(two: tuple[Trust, Hospital, Hospital]) -> None:
    """J4: two clients may have keys with one id; each is checked with its own key."""
    trust, first, second = two
    assert trust.client(f"Bearer {first.token()}", [ORDER_SIGN]).name == "general"
    assert trust.client(f"Bearer {second.token()}", [ORDER_SIGN]).name == "other"
    with pytest.raises(Refused) as refusal:
        trust.client(f"Bearer {first.token(iss=second.issuer)}", [ORDER_SIGN])
    assert refusal.value.reason == Reason.SIGNATURE


@pytest.mark.parametrize(("tenant", "let_in"), [("north", True), ("south", True), ("west", False), (None, False), (["north"], False)])
def test_tenants_can_be_limited(settings: Settings, hospital: Hospital, tenant: Any, let_in: bool) -> None:
    """SE-16: where tenants are named, only they are served."""
    limited = replace(settings, clients=(replace(settings.clients[0], tenants=("north", "south")),))
    trust = Trust(limited, KeyRing(limited, lambda: 0.0, start=lambda work: work()), Fresh(), lambda: NOW)
    token = f"Bearer {hospital.token(tenant=tenant)}"
    if let_in:
        assert trust.client(token, [ORDER_SIGN])
        return
    with pytest.raises(Refused) as refusal:
        trust.client(token, [ORDER_SIGN])
    assert refusal.value.reason == Reason.TENANT


def test_a_further_audience_holds_for_the_client_that_has_it(settings: Settings, hospital: Hospital) -> None:
    """SE-05: an audience that an EHR was given by hand is accepted for that client."""
    changed = replace(settings, clients=(replace(settings.clients[0], audiences=("ndm-cds-test",)),))
    trust = Trust(changed, KeyRing(changed, lambda: 0.0, start=lambda work: work()), Fresh(), lambda: NOW)
    assert trust.client(f"Bearer {hospital.token(aud='ndm-cds-test')}", [ORDER_SIGN])


@pytest.mark.parametrize(
    "header", [{"Host": "evil.example.org"}, {"X-Forwarded-Host": "evil.example.org"}, {"Forwarded": "host=evil.example.org"}]
)
def test_the_host_header_decides_nothing(caller: FlaskClient, hospital: Hospital, header: dict[str, str]) -> None:
    """J3, P6: audiences are built from the configured address, whatever the request says about its host."""
    evil = hospital.token(aud=f"https://evil.example.org{ORDER_SIGN}")
    assert caller.post(ORDER_SIGN, json=request(), headers={**header, "Authorization": f"Bearer {evil}"}).status_code == 401
    assert caller.post(ORDER_SIGN, json=request(), headers={**header, **hospital.authorization()}).status_code == 200


def test_a_token_is_good_once(caller: FlaskClient, hospital: Hospital) -> None:
    """SE-10, J9: the second use of a token is refused."""
    headers = hospital.authorization()
    assert [caller.post(ORDER_SIGN, json=request(), headers=headers).status_code for _ in range(3)] == [200, 401, 401]


def test_a_token_with_another_signature_of_the_same_claims_is_a_replay(caller: FlaskClient, hospital: Hospital) -> None:
    """J9: signing the same jti again does not make it new."""
    claims = hospital.claims()
    tokens = [hospital.sign(hospital.header(), claims) for _ in range(2)]
    assert tokens[0] != tokens[1]
    answers = [caller.post(ORDER_SIGN, json=request(), headers={"Authorization": f"Bearer {token}"}) for token in tokens]
    assert [answer.status_code for answer in answers] == [200, 401]


def test_two_issuers_may_use_the_same_token_id(two: tuple[Trust, Hospital, Hospital]) -> None:
    """SE-10: a jti is remembered for its issuer."""
    trust, first, second = two
    assert trust.client(f"Bearer {first.token(jti='same')}", [ORDER_SIGN])
    assert trust.client(f"Bearer {second.token(jti='same')}", [ORDER_SIGN])


class Counting(UsedTokens):
    """The memory of tokens, which counts how often it is asked."""

    asked = 0

    def first_use(self, issuer: str, jti: str, expires: float) -> bool:
        self.asked += 1
        return super().first_use(issuer, jti, expires)


def test_without_the_memory_of_tokens_nobody_is_let_in(build: Build, settings: Settings, hospital: Hospital) -> None:
    """SE-10: when it cannot be known whether a token was used, the answer is 503 and not 200."""

    class Down(Fresh):
        def first_use(self, issuer: str, jti: str, expires: float) -> bool:
            raise OSError("disk")

    closed = Trust(settings, KeyRing(settings, lambda: 0.0, start=lambda work: work()), Down(), lambda: NOW)
    answer = build(trust=closed).test_client().post(ORDER_SIGN, json=request(), headers=hospital.authorization())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")


def test_a_locked_memory_of_tokens_is_asked_once_in_a_second(settings: Settings, hospital: Hospital, tmp_path: Path) -> None:
    """SE-10, J9: behind a locked database the first caller waits and the others are told at once; one tries again a second later."""
    engine, now = open_engine(f"sqlite:///{tmp_path}/tokens.db"), [0.0]
    counting = Counting(engine)
    counting.create()
    trust = Trust(settings, KeyRing(settings, lambda: 0.0, start=lambda work: work()), counting, lambda: NOW, lambda: now[0])
    with closing(sqlite3.connect(tmp_path / "tokens.db")) as other:
        other.execute("BEGIN EXCLUSIVE")
        for at, asked in [(0.0, 1), (0.5, 1), (0.99, 1), (1.0, 2), (1.0, 2), (1.9, 2)]:
            now[0] = at
            with pytest.raises(ReplayStoreDown):
                trust.client(f"Bearer {hospital.token()}", [ORDER_SIGN])
            assert counting.asked == asked
    now[0] = 2.0
    for _ in range(3):
        assert trust.client(f"Bearer {hospital.token()}", [ORDER_SIGN])
    engine.dispose()


def test_development_mode_still_knows_registered_clients(build: Build, settings: Settings, hospital: Hospital) -> None:
    """In development mode a token of a registered client is checked, and anything else is the development client."""
    caller = build(replace(settings, development=True)).test_client()
    assert caller.post(ORDER_SIGN, json=request()).status_code == 200
    assert caller.post(ORDER_SIGN, json=request(), headers={"Authorization": "Bearer nonsense"}).status_code == 200
    assert caller.post(ORDER_SIGN, json=request(), headers={"Authorization": f"Bearer {stranger(hospital).token()}"}).status_code == 401


# The example of the CDS Hooks specification 2.0, section "Trusting CDS Clients": the token, and the public half of its key.
EXAMPLE_KEY = {
    "kty": "EC",
    "use": "sig",
    "crv": "P-384",
    "kid": "example-kid",
    "x": "46SDH7Znh821wblCBglA61sNE9ZrHYKKt3qRtRTmSXyOI_FIGBLWrWa0GPUkDCEk",
    "y": "XMcRuuoGW7CXjQdy-F5i3FeBE0x9hPLdeFdSoDd3ELmx404tLX0VRRcqzAsPhXcI",
    "alg": "ES384",
}
EXAMPLE_HEADER = (
    "eyJhbGciOiJFUzM4NCIsInR5cCI6IkpXVCIsImtpZCI6ImV4YW1wbGUta2lkIiwiamt1IjoiaHR0cHM6Ly9maGlyLWVoci5leGFtcGxlLmNvbS9qd2tfdXJpIn0"
)
EXAMPLE_CLAIMS = (
    "eyJpc3MiOiJodHRwczovL2ZoaXItZWhyLmV4YW1wbGUuY29tLyIsInN1YiI6ImNsaWVudF9pZCIsImF1ZCI6Imh0dHBzOi8vY2RzLmV4YW1wbGUub3JnL2Nkcy1zZXJ2"
    "aWNlcy9zb21lLXNlcnZpY2UiLCJleHAiOjE0MjI1Njg4NjAsImlhdCI6MTMxMTI4MDk3MCwianRpIjoiZWUyMmIwMjEtZTFiNy00NjExLWJhNWItOGVlYzZhMzNhYzFl"
    "IiwidGVuYW50IjoiMmRkZDZjM2EtOGU5YS00NGM2LWEzMDUtNTIxMTFhZDMwMmEyIn0"
)
EXAMPLE_SIGNATURE = (
    "CUFPkplnWd6YGIvzoHolWCQBDsCL8QtTWKGg_QFpS169WrqDGzktRi-_we6-6rVzbjerU27ZKww_SW0-b9RTz-dPJNcqsueMio8r6EqXUXhbLm_ch3XFSbDlGHDl_tqo"
)
EXAMPLE_TOKEN = f"{EXAMPLE_HEADER}.{EXAMPLE_CLAIMS}.{EXAMPLE_SIGNATURE}"


@pytest.fixture
def example(settings: Settings, tmp_path: Path) -> Trust:
    """A service that knows the client of the specification's example."""
    keys = tmp_path / "example.json"
    keys.write_text(json.dumps({"keys": [EXAMPLE_KEY]}))
    client = Client("example", "https://fhir-ehr.example.com/", jwks_file=keys, jwks_url="https://fhir-ehr.example.com/jwk_uri")
    known = replace(settings, clients=(client,))
    return Trust(known, KeyRing(known, lambda: 0.0, start=lambda work: work()), Fresh(), lambda: NOW)


def test_the_example_of_the_specification_verifies(example: Trust, settings: Settings) -> None:
    """SE-22: the signature of the specification's token is good; at the door the token is refused because it ended in 2015."""
    token = read_token(f"Bearer {EXAMPLE_TOKEN}")
    client = Client("example", "https://fhir-ehr.example.com/", jwks_url="https://fhir-ehr.example.com/jwk_uri")
    assert not list(header_faults(token.header, client))
    example.check_signature(token, replace(settings.clients[0], name="example"))
    with pytest.raises(Refused) as refusal:
        example.client(f"Bearer {EXAMPLE_TOKEN}", ["/cds-services/some-service"])
    assert refusal.value.reason == Reason.EXPIRED


@pytest.mark.parametrize("place", range(0, 96, 7))
def test_one_changed_bit_spoils_the_example(example: Trust, settings: Settings, place: int) -> None:
    """SE-22: the same token with one bit of its signature changed does not verify."""
    head, claims, signature = EXAMPLE_TOKEN.split(".")
    changed = bytearray(base64.urlsafe_b64decode(signature))
    changed[place] ^= 1
    with pytest.raises(Refused):
        example.check_signature(
            read_token(f"Bearer {head}.{claims}.{encoded(bytes(changed))}"), replace(settings.clients[0], name="example")
        )


def test_keys_of_the_wrong_kind_are_left_out() -> None:
    """J13: private, symmetric, encryption and unknown keys of a set are not used, and each reason is told."""
    good = public(elliptic("P-384"), "good")
    bad = [
        {**public(elliptic("P-384"), "private"), "d": "AAAA"},
        {"kty": "oct", "kid": "shared", "k": "AAAA"},
        {**public(elliptic("P-384"), "encryption"), "use": "enc"},
        {**public(elliptic("P-384"), "operations"), "key_ops": ["sign"]},
        {**public(elliptic("P-384"), "algorithm"), "alg": "RS384"},
        {**public(elliptic("P-384"), "broken"), "x": "AAAA"},
        {"kty": "EC", "crv": "secp256k1", "kid": "curve", "x": "AA", "y": "AA"},
        {key: value for key, value in good.items() if key != "kid"},
        "not an object",
    ]
    keys = read_keyset(json.dumps({"keys": [good, *bad]}).encode())
    assert [key.kid for key in keys.keys] == ["good"]
    assert len(keys.faults) == len(bad)


@pytest.mark.parametrize("server", [Server(public_url=PUBLIC_URL), Server(public_url=PUBLIC_URL, discovery="protected")])
def test_refused_tokens_are_counted_by_reason(build: Build, settings: Settings, server: Server) -> None:
    """The operator sees why tokens are refused; the caller does not."""
    caller = build(replace(settings, server=server)).test_client()
    caller.post(ORDER_SIGN, json=request())
    assert 'ndm_cds_refused_tokens_total{reason="no-token"} 1.0' in caller.get("/metrics").data.decode()
