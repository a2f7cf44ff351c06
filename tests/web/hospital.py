"""A registered record system: its keys, its tokens, and the requests that it sends."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

PUBLIC_URL = "https://cds.example.org"
ISSUER = "https://ehr.example.org"
ORDER_SIGN = "/cds-services/ndm-order-sign"
NOW = 1_795_000_000.0
LIFE_S = 300
_numbers = count(1)


@cache
def elliptic(curve: str, number: int = 0) -> ec.EllipticCurvePrivateKey:
    """An elliptic key of this test run; `number` tells several apart."""
    return ec.generate_private_key({"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1()}[curve])


@cache
def rsa_key(bits: int, number: int = 0) -> rsa.RSAPrivateKey:
    """An RSA key of this test run."""
    return rsa.generate_private_key(65_537, bits)


def public(key: Any, kid: str, **members: Any) -> dict[str, Any]:
    """The public half as a JWK."""
    algorithm = RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": kid, **members}


def encoded(value: Any) -> str:
    """One part of a token."""
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


@dataclass
class Hospital:
    """Signs tokens as a record system does; every part can be changed to something wrong."""

    issuer: str = ISSUER
    kid: str = "key+/1="
    algorithm: str = "ES384"
    key: Any = field(default_factory=lambda: elliptic("P-384"))
    now: float = NOW

    def keyset(self) -> bytes:
        """Its JWK Set."""
        return json.dumps({"keys": [public(self.key, self.kid)]}).encode()

    def claims(self, path: str = ORDER_SIGN, **changes: Any) -> dict[str, Any]:
        """Good claims for an endpoint; a change of None takes the claim away."""
        usual = {
            "iss": self.issuer,
            "aud": PUBLIC_URL + path,
            "iat": int(self.now),
            "exp": int(self.now) + LIFE_S,
            "jti": f"token-{next(_numbers)}",
        }
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def header(self, **changes: Any) -> dict[str, Any]:
        """A good header."""
        usual = {"alg": self.algorithm, "typ": "JWT", "kid": self.kid}
        return {name: value for name, value in {**usual, **changes}.items() if value is not None}

    def token(self, path: str = ORDER_SIGN, header: Mapping[str, Any] | None = None, **claims: Any) -> str:
        """A signed token."""
        return self.sign(self.header(**(header or {})), self.claims(path, **claims))

    def sign(self, header: Any, claims: Any, key: Any = None, algorithm: str | None = None) -> str:
        """Sign whatever is given, also what a library would refuse to."""
        signed = f"{encoded(header)}.{encoded(claims)}"
        made = jwt.get_algorithm_by_name(algorithm or self.algorithm)
        return f"{signed}.{encoded(made.sign(signed.encode(), key or self.key))}"

    def authorization(self, path: str = ORDER_SIGN, **claims: Any) -> dict[str, str]:
        """The header for one call."""
        return {"Authorization": f"Bearer {self.token(path, **claims)}"}


def order(drug: str = "Aztreonam", number: str = "rx1", patient: str = "pat1") -> dict[str, Any]:
    """A draft order by name only."""
    return {
        "resourceType": "MedicationRequest",
        "id": number,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": f"Patient/{patient}"},
        "medicationCodeableConcept": {"text": drug},
        "dosageInstruction": [{"text": "2 g IV every 8 h"}],
    }


def carbapenemase(patient: str = "pat1", when: str = "2026-11-15T08:00:00Z") -> dict[str, Any]:
    """A laboratory result that proves NDM in a blood culture."""
    return {
        "resourceType": "Observation",
        "id": "gene1",
        "status": "final",
        "category": [{"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "laboratory"}]}],
        "code": {"text": "NDM gene (blood culture, Klebsiella pneumoniae)"},
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": when,
        "valueCodeableConcept": {"text": "Detected"},
    }


def bundle(*resources: Mapping[str, Any], kind: str = "searchset") -> dict[str, Any]:
    """A Bundle of these resources."""
    return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": one} for one in resources]}


def request(*drafts: Mapping[str, Any], prefetch: Mapping[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """An order-sign call with everything prefetched and nothing found, unless said otherwise; a change of None takes a member away."""
    usual = {
        "hook": "order-sign",
        "hookInstance": "7b6f0c9e-3d53-4a58-9a0e-0f7c6a1f2b11",
        "context": {"userId": "Practitioner/p1", "patientId": "pat1", "draftOrders": bundle(*(drafts or (order(),)), kind="collection")},
        "prefetch": {"patient": None, "results": bundle(), "orders": bundle(), **(prefetch or {})},
    }
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def speaking(drug: str = "Aztreonam") -> dict[str, Any]:
    """A call that is answered with at least one card: aztreonam alone for proven NDM."""
    return request(order(drug), prefetch={"results": bundle(carbapenemase())})
