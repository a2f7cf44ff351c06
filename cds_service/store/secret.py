"""The secret of an installation: configured, or made once and kept in a file that only its owner reads."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

_BYTES = 32
FILE = "secret"


def kept_secret(folder: Path) -> bytes:
    """The secret in this folder, made where there is none yet; all workers get the same."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / FILE
    with suppress(FileExistsError):
        _make(path)
    return path.read_bytes()


def _make(path: Path) -> None:
    """Write aside and link, so that no other process ever reads a half-written secret."""
    if path.exists():
        return
    aside = path.with_name(f"{FILE}.{secrets.token_hex(8)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        os.write(handle, secrets.token_bytes(_BYTES))
        os.fsync(handle)
        os.link(aside, path)
    finally:
        os.close(handle)
        aside.unlink()
