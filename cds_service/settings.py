"""What the operator decides, as frozen values; the only place that looks at the process's environment."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

Profile = Literal["standard", "epic"]
Unavailable = Literal["412", "card"]
Discovery = Literal["open", "protected"]

HOST, PORT = "127.0.0.1", 8080
LOOPBACK = frozenset({HOST, "::1", "localhost"})
RECOMMENDED_ALGORITHMS = ("ES384", "RS384")  # CDS Hooks 2.0, "JWT Signing Algorithm"


@dataclass(frozen=True, slots=True)
class Server:
    """How the service shows itself and where its limits are."""

    public_url: str = f"http://{HOST}:{PORT}"
    cors_origins: tuple[str, ...] = ()
    deadline_ms: int = 2_000
    max_body_mb: int = 20
    allow_loopback_http: bool = False
    discovery: Discovery = "open"


@dataclass(frozen=True, slots=True)
class Store:
    """Where decisions, feedback and used tokens are kept; the URL can carry a password.

    `spool` is the folder for what the database cannot take at the moment; None puts it beside an SQLite file, or into the
    working folder.
    """

    url: str = field(default="sqlite:///ndm-cds.db", repr=False)
    spool: Path | None = None


@dataclass(frozen=True, slots=True)
class Client:
    """One registered CDS client: who signs its tokens, which FHIR servers may be called for it, how it likes its cards.

    `any_fhir_base` is true for the client of the development mode alone. For a client in `shadow` everything is judged and
    recorded, and no card is shown.
    """

    name: str
    issuer: str
    fhir_bases: tuple[str, ...] = ()
    profile: Profile = "standard"
    unavailable: Unavailable = "412"
    audiences: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = RECOMMENDED_ALGORITHMS
    jwks_file: Path | None = None
    jwks_url: str | None = None
    any_fhir_base: bool = False
    shadow: bool = False


# Whoever calls a service in development mode without a token of a registered client.
DEVELOPMENT_CLIENT = Client(name="development", issuer="", any_fhir_base=True)


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that the operator decides, read once at start.

    `governance` opens the stewardship dashboard, `fhir_data` holds patients for the sandbox of the development mode.
    """

    server: Server = field(default_factory=Server)
    store: Store = field(default_factory=Store)
    clients: tuple[Client, ...] = ()
    development: bool = False
    secret: bytes | None = field(default=None, repr=False)
    governance: str | None = field(default=None, repr=False)
    fhir_data: Path | None = None
    ca_bundle: Path | None = None
    source: Path | None = None

    def audience(self, path: str) -> str:
        """The URL of an endpoint as clients know it, from the configured public URL and never from the Host header."""
        return self.server.public_url + path


def environment() -> Mapping[str, str]:
    """A copy of the process's environment."""
    return dict(os.environ)


def share_metrics(folder: Path) -> None:
    """Tell prometheus_client, before it is imported, that several workers count together in this folder."""
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
