"""The configuration in words: what is set, with secrets masked, and the reference of all keys."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import make_url

from cds_service.configuration_keys import CLIENT_KEYS, KEYS, PREFIX, Key, default_of
from cds_service.settings import Client, Settings

MASK = "***"


def shown(settings: Settings) -> str:
    """The settings in force as TOML, so that they can be compared with the file; secrets and passwords are masked."""
    lines = [f"# from {settings.source}" if settings.source else "# from the environment and the defaults"]
    if settings.development:
        lines.append("# development mode: no token is needed, loopback only")
    lines += [f"secret = {_toml(MASK)}"] if settings.secret else []
    lines += [f"ca_bundle = {_toml(settings.ca_bundle)}"] if settings.ca_bundle else []
    lines += ["", "[server]", *_pairs(settings.server, [key for key in KEYS if key.section == "server"])]
    url = make_url(settings.store.url).render_as_string(hide_password=True)
    lines += ["", "[store]", f"url = {_toml(url)}"]
    lines += [f"spool = {_toml(settings.store.spool)}"] if settings.store.spool else []
    for client in settings.clients:
        lines += ["", f"[clients.{_name(client)}]", *_pairs(client, CLIENT_KEYS)]
    return "\n".join(lines) + "\n"


def reference() -> str:
    """All keys as a Markdown table for the documentation: key, type, default, variable, meaning."""
    return "\n".join(_reference()) + "\n"


def _reference() -> Iterator[str]:
    yield "| Key | Type | Default | Variable | Meaning |"
    yield "|---|---|---|---|---|"
    for key in KEYS:
        variable = f"`{key.variable}`" + (f", `{key.variable}_FILE`" if key.secret else "")
        yield f"| `{key.place}` | {key.kind} | {_default(key)} | {variable} | {key.says} |"
    for key in CLIENT_KEYS:
        yield f"| `clients.<name>.{key.name}` | {key.kind} | {_default(key)} | – | {key.says} |"
    yield f"| – | path | – | `{PREFIX}CONFIG` | The configuration file, where `--config` does not name one. |"


def _default(key: Key) -> str:
    if key.name == "issuer":
        return "required"
    value = default_of(key)
    return "–" if value is None else f"`{_toml(value)}`"


def _pairs(holder: Any, keys: Any) -> Iterator[str]:
    for key in keys:
        value = getattr(holder, key.field)
        if value is not None:
            yield f"{key.name} = {_toml(value)}"


def _name(client: Client) -> str:
    return client.name if client.name.replace("-", "").replace("_", "").isalnum() and client.name.isascii() else _toml(client.name)


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(one) for one in value) + "]"
    text = str(value) if isinstance(value, Path) else value
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
