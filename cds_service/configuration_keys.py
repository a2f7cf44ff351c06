"""Every key of the configuration: its type, its default, its variable, and one sentence; the reference for operators is made of this."""

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from cds_service.fhir.origins import fault, is_loopback_http
from cds_service.keysets import KEY_OF_ALGORITHM, LARGEST_KEYSET, read_keyset
from cds_service.settings import Client, Server, Store

PREFIX = "NDM_CDS_"
PUBLIC_SANDBOX = "sandbox.cds-hooks.org"
SHORTEST_SECRET = 32
SHORTEST_CREDENTIAL = 16
_ORIGIN = re.compile(r"https?://[^/?#@\s]+")
_TRUE, _FALSE = {"true", "1", "yes", "on"}, {"false", "0", "no", "off"}

Reader = Callable[[Any, Path, bool], Any]


class Flaw(Exception):
    """A value that cannot be used; `found` replaces the value in the message where that says more."""

    def __init__(self, expected: str, hint: str = "", found: str = "") -> None:
        super().__init__(expected)
        self.expected, self.hint, self.found = expected, hint, found


@dataclass(frozen=True, slots=True)
class Key:
    """One key; `read` takes the value, the folder of the file and whether this is development mode, and raises Flaw."""

    section: str
    name: str
    kind: str
    read: Reader
    says: str
    secret: bool = False
    target: str = ""

    @property
    def place(self) -> str:
        """The key as it is written in the file."""
        return f"{self.section}.{self.name}" if self.section else self.name

    @property
    def field(self) -> str:
        """The field of the settings that it fills."""
        return self.target or self.name

    @property
    def variable(self) -> str:
        """The name in the environment."""
        return PREFIX + (f"STORE_{self.name}" if self.section == "store" else self.name).upper()

    def from_text(self, text: str) -> Any:
        """The value of a variable in the type that the file would have."""
        if self.kind == "integer":
            return int(text) if re.fullmatch(r"-?[0-9]{1,12}", text.strip()) else text
        if self.kind == "true or false":
            word = text.strip().lower()
            return word in _TRUE if word in _TRUE | _FALSE else text
        if self.kind.startswith("list"):
            return [part.strip() for part in text.split(",") if part.strip()]
        return text


def _text(value: Any, expected: str) -> str:
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise Flaw(expected)
    return value


def _integer(least: int, most: int) -> Reader:
    def read(value: Any, _folder: Path, _development: bool) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            raise Flaw(f"a whole number from {least} to {most}")
        return value

    return read


def _flag(value: Any, _folder: Path, _development: bool) -> bool:
    if not isinstance(value, bool):
        raise Flaw("true or false")
    return value


def _choice(*words: str) -> Reader:
    def read(value: Any, _folder: Path, _development: bool) -> str:
        if value not in words:
            raise Flaw("one of " + ", ".join(words))
        return str(value)

    return read


def _url(value: Any, _folder: Path, development: bool, *, query_allowed: bool = False) -> str:
    """An absolute URL; http passes here on loopback alone, and later only where test rigs are allowed."""
    text = _text(value, "an https URL")
    why = fault(text, ("https", "http"), query_allowed=query_allowed)
    if why:
        raise Flaw("an https URL without user, query or fragment", f"its {why} is not acceptable")
    if text.startswith("http://") and not (is_loopback_http(text) or (development and re.match(r"http://(localhost|\[::1\])[:/]", text))):
        raise Flaw("an https URL", "plain http is for 127.0.0.1 alone")
    return text.removesuffix("/")


def _keys_url(value: Any, folder: Path, development: bool) -> str:
    """A key URL stays byte for byte as it is, since a token's jku must equal it."""
    _url(value, folder, development, query_allowed=True)
    _no_public_sandbox(value, development, "the key URL of your own record system")
    return str(value)


def _no_public_sandbox(url: str, development: bool, expected: str) -> None:
    host = (urlsplit(url).hostname or "").removesuffix(".")
    if host == PUBLIC_SANDBOX and not development:
        raise Flaw(expected, "everybody knows the private key of the public sandbox; only --dev accepts it")


def _issuer(value: Any, _folder: Path, development: bool) -> str:
    text = _text(value, "the https URL that the client's tokens have as iss")
    why = fault(text, ("https", "http") if development else ("https",))
    if why:
        raise Flaw("an https URL, exactly as the tokens have it as iss", f"its {why} is not acceptable")
    _no_public_sandbox(text, development, "the issuer of your own record system")
    return text


def _many(read: Reader, expected: str, least: int = 0) -> Reader:
    def read_all(value: Any, folder: Path, development: bool) -> tuple[Any, ...]:
        if not isinstance(value, list) or len(value) < least:
            raise Flaw(f"a list of {expected}" + (f", at least {least}" if least else ""))
        found = []
        for one in value:
            try:
                found.append(read(one, folder, development))
            except Flaw as flaw:
                raise Flaw(flaw.expected, flaw.hint, flaw.found or repr(one)[:120]) from None
        return tuple(dict.fromkeys(found))

    return read_all


def _origin(value: Any, _folder: Path, _development: bool) -> str:
    text = _text(value, "an origin such as https://ehr.example.org")
    if not _ORIGIN.fullmatch(text) or fault(text, ("https", "http")) or text != text.lower():
        raise Flaw("an origin: scheme, host and port in lower case, without a path", "a wildcard is not possible")
    return text


def _word(value: Any, _folder: Path, _development: bool) -> str:
    return _text(value, "texts that are not empty")


def _algorithm(value: Any, _folder: Path, _development: bool) -> str:
    if value not in KEY_OF_ALGORITHM:
        raise Flaw("one of " + ", ".join(KEY_OF_ALGORITHM), "only asymmetric algorithms can be used")
    return str(value)


def _key_file(value: Any, folder: Path, _development: bool) -> Path:
    path = folder / _text(value, "the path of a JWK Set")
    try:
        with path.open("rb") as file:
            keys = read_keyset(file.read(LARGEST_KEYSET + 1))
    except OSError as error:
        raise Flaw("a readable file with the client's public keys", error.strerror or "", str(path)) from None
    except ValueError as error:
        raise Flaw("a JWK Set (RFC 7517)", str(error), str(path)) from None
    if not keys.keys:
        raise Flaw("at least one usable public key", "; ".join(keys.faults) or "the set is empty", str(path))
    return path.resolve()


def _file(value: Any, folder: Path, _development: bool) -> Path:
    path = folder / _text(value, "the path of a file")
    if not path.is_file():
        raise Flaw("a readable file", found=str(path))
    return path.resolve()


def _folder(value: Any, folder: Path, _development: bool) -> Path:
    path = folder / _text(value, "the path of a folder")
    if path.exists() and not path.is_dir():
        raise Flaw("a folder, or a path where one can be made", found=str(path))
    return path


def _database(value: Any, _folder: Path, _development: bool) -> str:
    from sqlalchemy import make_url
    from sqlalchemy.exc import ArgumentError

    expected = "sqlite:///file.db or postgresql+psycopg://user@host/database"
    try:
        url = make_url(_text(value, expected))
    except (ArgumentError, ValueError):
        raise Flaw(expected) from None
    if url.drivername not in {"sqlite", "postgresql", "postgresql+psycopg"}:
        raise Flaw(expected, "other databases are not supported")
    if url.drivername == "sqlite" and (not url.database or url.database == ":memory:"):
        raise Flaw(expected, "the workers share the database, so it needs a file")
    return str(value).replace("postgresql://", "postgresql+psycopg://", 1)


def _secret(value: Any, _folder: Path, _development: bool) -> bytes:
    text = _text(value, f"at least {SHORTEST_SECRET} characters")
    if len(text) < SHORTEST_SECRET:
        raise Flaw(f"at least {SHORTEST_SECRET} characters", "for instance the output of: openssl rand -hex 32")
    return text.encode()


def _credential(value: Any, _folder: Path, _development: bool) -> str:
    text = _text(value, f"at least {SHORTEST_CREDENTIAL} characters")
    if len(text) < SHORTEST_CREDENTIAL:
        raise Flaw(f"at least {SHORTEST_CREDENTIAL} characters", "for instance the output of: openssl rand -base64 24")
    return text


KEYS = (
    Key(
        "",
        "secret",
        "text",
        _secret,
        "Keys the card ids and the hashes of people; made once and kept in the spool folder if not given.",
        secret=True,
    ),
    Key(
        "",
        "governance",
        "text",
        _credential,
        "Opens the stewardship dashboard at /governance, as password or bearer token; without it nobody sees the page.",
        secret=True,
    ),
    Key("", "fhir_data", "path", _folder, "Development mode: a folder of FHIR Bundles or NDJSON whose patients join the sandbox."),
    Key("", "ca_bundle", "path", _file, "Certificate authorities for outgoing https, instead of the shipped list."),
    Key("server", "public_url", "URL", _url, "The address that clients know; audiences and links are built from it."),
    Key("server", "cors_origins", "list of origins", _many(_origin, "origins"), "Browser origins that may read answers."),
    Key(
        "server",
        "deadline_ms",
        "integer",
        _integer(100, 60_000),
        "The time for an answer that needs FHIR calls; they end a moment earlier.",
    ),
    Key("server", "max_body_mb", "integer", _integer(1, 200), "The largest body in millions of bytes; more is answered with 413."),
    Key("server", "allow_loopback_http", "true or false", _flag, "For test rigs: http on 127.0.0.1 for FHIR servers and keys."),
    Key("server", "discovery", "open or protected", _choice("open", "protected"), "Whether GET /cds-services needs a token."),
    Key("store", "url", "URL", _database, "The database: SQLite for one machine, PostgreSQL for several.", secret=True),
    Key("store", "spool", "path", _folder, "The folder for records that wait for the database; beside an SQLite file by default."),
)
CLIENT_KEYS = (
    Key("clients", "issuer", "URL", _issuer, "The iss of the client's tokens, exactly."),
    Key("clients", "jwks_file", "path", _key_file, "The client's public keys as a JWK Set, relative to the configuration file."),
    Key("clients", "jwks_url", "URL", _keys_url, "Where the client publishes its keys; a token's jku must equal it."),
    Key("clients", "fhir_base", "list of URLs", _many(_url, "https URLs"), "The FHIR servers that may be called.", target="fhir_bases"),
    Key("clients", "profile", "standard or epic", _choice("standard", "epic"), "How the client's cards are written."),
    Key("clients", "audiences", "list of texts", _many(_word, "texts"), "Further values that a token may have as aud."),
    Key("clients", "tenants", "list of texts", _many(_word, "texts", 1), "If given, the only tenants that are served."),
    Key("clients", "unavailable", "412 or card", _choice("412", "card"), "The answer when required data cannot be had."),
    Key("clients", "shadow", "true or false", _flag, "Judge and record everything for this client, and show no card."),
    Key("clients", "algorithms", "list of names", _many(_algorithm, "names of algorithms", 1), "Signature algorithms that are accepted."),
)


def default_of(key: Key) -> Any:
    """The value of a key that is not given; None where there is none."""
    holder: type[Any] | None = {"server": Server, "store": Store, "clients": Client}.get(key.section)
    found = {one.name: one.default for one in fields(holder)} if holder else {}
    value = found.get(key.field)
    return value if isinstance(value, Collection | int) and not isinstance(value, bytes) else None
