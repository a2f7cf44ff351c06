"""TLS: only a certificate for this very name, valid today and signed by a known authority, is believed."""

import ssl
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from cds_service.access import FhirAccess
from cds_service.fhir.client import FhirClient
from cds_service.settings import Client, Server, Settings
from tests.fhir_client.faultfhir import FaultServer, good, ticking

Key = ec.EllipticCurvePrivateKey


def certificate(
    folder: Path, address: str, days: int, issuer: tuple[x509.Certificate, Key] | None = None
) -> tuple[x509.Certificate, Key, Path]:
    """A certificate for an IP address, signed by an authority or by itself, and the file with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, f"test {address} {days}")])
    now = datetime.now(UTC)
    signed_by = issuer[0].subject if issuer else name
    built = (
        x509.CertificateBuilder()
        .subject_name(name).issuer_name(signed_by).public_key(key.public_key()).serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=30)).not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )  # fmt: skip
    path = folder / f"{address}-{days}-{bool(issuer)}.pem"
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(built.public_bytes(serialization.Encoding.PEM) + private)
    return built, key, path


@pytest.mark.parametrize(
    ("address", "days", "known", "version", "believed"),
    [
        ("127.0.0.1", 30, True, ssl.TLSVersion.TLSv1_3, True),
        ("127.0.0.1", 30, True, ssl.TLSVersion.TLSv1_2, True),
        ("127.0.0.2", 30, True, ssl.TLSVersion.TLSv1_3, False),
        ("127.0.0.1", -1, True, ssl.TLSVersion.TLSv1_3, False),
        ("127.0.0.1", 30, False, ssl.TLSVersion.TLSv1_3, False),
    ],
)
def test_a_certificate_is_believed_or_not(
    address: str, days: int, known: bool, version: ssl.TLSVersion, believed: bool,
    serve: Callable[..., FaultServer], registered: Callable[..., Client], tmp_path: Path,
) -> None:  # fmt: skip
    """T7: a wrong name, a past date and an unknown authority end the call before the token is sent; TLS 1.2 and 1.3 are spoken."""
    authority, authority_key, bundle = certificate(tmp_path, "127.0.0.9", 60)
    _, _, path = certificate(tmp_path, address, days, (authority, authority_key) if known else None)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    context.minimum_version = context.maximum_version = version
    server = serve(good, tls=context)
    client = FhirClient(Settings(server=Server(deadline_ms=5_000), ca_bundle=bundle))
    found = client.fetch_for(registered(server.base))(FhirAccess(server.base, "secret"), {"results": "Observation?patient=1"})
    assert ("results" in found) is believed
    assert len(server.calls) == int(believed)
    assert client.reasons() == ({} if believed else {"tls": 1})
    client.close()


def test_a_handshake_that_never_ends_is_ended(
    serve: Callable[..., FaultServer], registered: Callable[..., Client], client: FhirClient
) -> None:
    """FA-04, A3: a server that takes the connection and says nothing in the handshake is given up at the deadline."""
    silent = serve(lambda call: call.hang())
    base = silent.base.replace("http://", "https://")
    started = ticking()
    assert client.fetch_for(registered(base))(FhirAccess(base, "secret"), {"results": "Observation?patient=1"}) == {}
    assert ticking() - started < 2.3
    assert client.reasons() == {"deadline": 1}
