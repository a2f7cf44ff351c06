"""Reads the configuration, a TOML file and the environment, strictly: every mistake at once, with file, key and what to do."""

import socket
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cds_service.configuration_keys import CLIENT_KEYS, KEYS, PREFIX, Flaw, Key
from cds_service.errors import ConfigurationError, Problem
from cds_service.settings import LOOPBACK, Client, Server, Settings, Store, environment

CONFIG = f"{PREFIX}CONFIG"
_CHILD = f"{PREFIX}SERVICE_", f"{PREFIX}PORT"  # what Kubernetes sets for a service named ndm-cds, which is no mistake


@dataclass(frozen=True, slots=True)
class Found:
    """One value with the place that it was read from."""

    value: Any
    file: str
    key: str


def read_settings(file: Path | None = None, *, development: bool = False, env: Mapping[str, str] | None = None) -> Settings:
    """Read the settings, or raise ConfigurationError with all problems.

    The file is the argument, else what `NDM_CDS_CONFIG` names, else there is none. The environment wins over the file.
    """
    return _Reading(dict(environment()) if env is None else dict(env), development).settings(file)


def check_start(settings: Settings, host: str, port: int) -> None:
    """Refuse what would be unsafe or could not work, all at once."""
    problems = []
    where = str(settings.source or "the command line")
    if settings.development and host not in LOOPBACK:
        problems.append(Problem(where, "--host", host, "127.0.0.1", "without tokens it stays on this machine"))
    if not settings.development and not settings.clients:
        hint = "name at least one client in a file given by --config or NDM_CDS_CONFIG, or try the service out with --dev"
        problems.append(Problem(where, "clients", "no registered client", "at least one [clients.<name>] table", hint))
    taken = _taken(host, port)
    if taken:
        problems.append(Problem("the command line", "--host, --port", f"{host}:{port}", "an address that can be listened on", taken))
    if problems:
        raise ConfigurationError(problems)


def _taken(host: str, port: int) -> str:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error.strerror or "it cannot be used"
    return ""


class _Reading:
    """One pass over file and environment; collects problems instead of stopping at the first."""

    def __init__(self, env: Mapping[str, str], development: bool) -> None:
        self._env, self._development = env, development
        self._problems: list[Problem] = []
        self._folder = Path()

    def settings(self, file: Path | None) -> Settings:
        path = file or (Path(self._env[CONFIG]) if self._env.get(CONFIG) else None)
        document = self._document(path) if path else {}
        self._folder = path.parent if path else Path()
        self._unknown(document, path)
        values = {(key.section, key.name): self._value(key, document, path) for key in KEYS}
        clients = self._clients(document.get("clients", {}), str(path))
        server = Server(**{name: value for (section, name), value in values.items() if section == "server" and value is not None})
        self._relations(server, clients, path)
        if self._problems:
            raise ConfigurationError(self._problems)
        store = Store(**{name: value for (section, name), value in values.items() if section == "store" and value is not None})
        single = {name: value for (section, name), value in values.items() if not section and value is not None}
        return Settings(server, store, clients, development=self._development, source=path, **single)

    def _document(self, path: Path) -> Mapping[str, Any]:
        try:
            return tomllib.loads(path.read_text("utf-8"))
        except OSError as error:
            found = error.strerror or "unreadable"
            self._problem(str(path), "(the file)", found, "a readable TOML file", "check --config or NDM_CDS_CONFIG")
        except (ValueError, RecursionError) as error:
            self._problem(str(path), "(the file)", str(error), "TOML in UTF-8", "the message names line and column")
        return {}

    def _unknown(self, document: Mapping[str, Any], path: Path | None) -> None:
        known: dict[str, set[str]] = {"server": set(), "store": set()}
        for key in KEYS:
            known.setdefault(key.section, set()).add(key.name)
        for name, content in document.items():
            if name == "clients" or name in known.get("", ()):
                continue
            if name not in known:
                self._problem(str(path), name, "an unknown table or key", "one of " + ", ".join(sorted({*known, "clients"} - {""})))
            elif not isinstance(content, dict):
                self._problem(str(path), name, _kind(content), f"a table [{name}]")
            else:
                self._unknown_in(name, content, known[name], str(path))
        self._unknown_variables()

    def _unknown_in(self, where: str, content: Mapping[str, Any], known: Iterable[str], file: str) -> None:
        for name in content:
            if name not in known:
                self._problem(file, f"{where}.{name}", "an unknown key", "one of " + ", ".join(sorted(known)), _near(name, known))

    def _unknown_variables(self) -> None:
        known = {CONFIG, *(key.variable for key in KEYS), *(f"{key.variable}_FILE" for key in KEYS if key.secret)}
        for name in self._env:
            if name.startswith(PREFIX) and name not in known and not name.startswith(_CHILD):
                self._problem("environment", name, "an unknown variable", "one of " + ", ".join(sorted(known)), _near(name, known))

    def _value(self, key: Key, document: Mapping[str, Any], path: Path | None) -> Any:
        found = self._from_environment(key) or self._from_file(key, document, path)
        return None if found is None else self._read(key.read, found, key.secret)

    def _from_environment(self, key: Key) -> Found | None:
        name, file = key.variable, f"{key.variable}_FILE"
        if key.secret and file in self._env:
            if name in self._env:
                self._problem("environment", file, f"both {name} and {file}", "one of the two")
            try:
                return Found(Path(self._env[file]).read_text("utf-8").rstrip("\r\n"), "environment", file)
            except (OSError, ValueError):
                self._problem("environment", file, "a file that cannot be read", "a readable file that holds nothing but the value")
                return None
        return Found(key.from_text(self._env[name]), "environment", name) if name in self._env else None

    def _from_file(self, key: Key, document: Mapping[str, Any], path: Path | None) -> Found | None:
        table = document.get(key.section, {}) if key.section else document
        if not isinstance(table, dict) or key.name not in table:
            return None
        return Found(table[key.name], str(path), key.place)

    def _read(self, read: Callable[[Any, Path, bool], Any], found: Found, secret: bool = False) -> Any:
        try:
            return read(found.value, self._folder, self._development)
        except Flaw as flaw:
            shown = _kind(found.value) if secret else flaw.found or _shown(found.value)
            self._problem(found.file, found.key, shown, flaw.expected, flaw.hint)
            return None

    def _clients(self, tables: Any, file: str) -> tuple[Client, ...]:
        if not isinstance(tables, dict):
            self._problem(file, "clients", _kind(tables), "tables [clients.<name>]")
            return ()
        return tuple(client for name, table in tables.items() if (client := self._client(name, table, file)))

    def _client(self, name: str, table: Any, file: str) -> Client | None:
        where = f"clients.{name}"
        if not isinstance(table, dict):
            self._problem(file, where, _kind(table), f"a table [{where}]")
            return None
        before = len(self._problems)
        self._unknown_in(where, table, [key.name for key in CLIENT_KEYS], file)
        given = [key for key in CLIENT_KEYS if key.name in table]
        values = {key.field: self._read(key.read, Found(table[key.name], file, f"{where}.{key.name}")) for key in given}
        if "issuer" not in table:
            self._problem(file, f"{where}.issuer", "nothing", "the https URL that the client's tokens have as iss")
        if "jwks_file" not in table and "jwks_url" not in table:
            hint = "without public keys no token can be checked"
            self._problem(file, where, "neither jwks_file nor jwks_url", "at least one of them", hint)
        if len(self._problems) > before:
            return None
        return Client(name=name, **{field: value for field, value in values.items() if value is not None})

    def _relations(self, server: Server, clients: tuple[Client, ...], path: Path | None) -> None:
        """What single keys cannot say: URLs that are plain although the site is no test rig, and clients that cannot be told apart."""
        file = str(path or "environment")
        plain_allowed = self._development or server.allow_loopback_http
        hint = "https only; server.allow_loopback_http = true allows http on 127.0.0.1 for test rigs"
        plain = [("server.public_url", server.public_url)] if clients else []
        for client in clients:
            plain += [(f"clients.{client.name}.fhir_base", base) for base in client.fhir_bases]
            plain += [(f"clients.{client.name}.jwks_url", client.jwks_url)] if client.jwks_url else []
        for key, url in plain:
            if url.startswith("http://") and not plain_allowed:
                self._problem(file, key, url, "an https URL", hint)
        self._doubles(clients, file)

    def _doubles(self, clients: tuple[Client, ...], file: str) -> None:
        seen: dict[tuple[str, str | None], str] = {}
        for client in clients:
            for tenant in client.tenants or (None,):
                other = seen.setdefault((client.issuer, tenant), client.name)
                if other != client.name:
                    said = f"the same issuer{' and tenant' if tenant else ''} as clients.{other}"
                    self._problem(file, f"clients.{client.name}", said, "another issuer, or tenants of its own")

    def _problem(self, file: str, key: str, found: str, expected: str, hint: str = "") -> None:
        self._problems.append(Problem(file, key, found, expected, hint))


def _kind(value: Any) -> str:
    names = {dict: "a table", list: "a list", str: "a text", bool: "true or false", int: "a number", float: "a decimal number"}
    return names.get(type(value), type(value).__name__)


def _shown(value: Any) -> str:
    return repr(value)[:120] if isinstance(value, str | int | float) else _kind(value)


def _near(name: str, known: Iterable[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, list(known), 1)
    return f"perhaps {near[0]} is meant" if near else ""
