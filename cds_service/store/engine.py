"""Opens the database: SQLite in WAL mode for one machine, PostgreSQL by URL; no wait is longer than the patience of a request."""

import sqlite3
import threading
from functools import partial
from pathlib import Path
from time import monotonic, sleep
from typing import Any, NoReturn
from weakref import WeakSet

from sqlalchemy import Engine, create_engine, event, make_url
from sqlalchemy.engine.interfaces import DBAPIConnection, DBAPICursor
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

PATIENCE_S = 1
_BETWEEN_TRIES_S = 0.01
_PRIMARY_CODE = 0xFF  # the rest of an extended result code says which kind of it
_FILE = "file"


class DatabaseReplaced(Exception):
    """The file that was opened is no longer the one that the path leads to, so that what is written into it is lost."""


def is_near(url: str) -> bool:
    """The database is a file of this machine, so that reading it waits for nobody else's."""
    return make_url(url).get_backend_name() == "sqlite"


def open_engine(url: str, *, durable: bool = False, patience_s: float = PATIENCE_S) -> Engine:
    """An engine for `sqlite:///file` or `postgresql+psycopg://…`, which connects when it is first used.

    `durable` makes SQLite wait for the disk at each commit, as PostgreSQL always does; for a lock it waits `patience_s`.
    """
    if is_near(url):
        engine = create_engine(url, connect_args={"timeout": patience_s})
        users = _USERS.setdefault(engine.url.database or "", _Users())
        users.engines.add(engine)
        event.listen(engine, "connect", partial(_begin, engine, users, durable))
        event.listen(engine, "checkout", partial(_same_file, engine, users))
        return engine
    waits: dict[str, Any] = {"connect_timeout": 2 * PATIENCE_S, "options": f"-c statement_timeout={PATIENCE_S}s"}
    return create_engine(url, connect_args=waits, pool_pre_ping=True, pool_timeout=PATIENCE_S)


def file_of(engine: Engine) -> tuple[int, int] | None:
    """Device and inode of the SQLite file that the path leads to now; None for what is no file, or is not there."""
    if engine.dialect.name != "sqlite" or not engine.url.database:
        return None
    try:
        found = Path(engine.url.database).stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


class _Users:
    """The engines of this process for one SQLite file, and the file that they opened.

    The last connection to a file that closes takes the log beside the path away. After the file was replaced that would be the log of the
    new one, with what was just acknowledged; so all let go of the old file together, before any opens the new one.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.engines: WeakSet[Engine] = WeakSet()
        self.file: tuple[int, int] | None = None

    def let_go(self) -> NoReturn:
        """Close what is idle and forget the file; raises DatabaseReplaced."""
        for engine in list(self.engines):
            engine.dispose()
        self.file = None
        raise DatabaseReplaced("The file of the database was deleted or replaced while it was open.")


_USERS: dict[str, _Users] = {}


def _begin(engine: Engine, users: _Users, durable: bool, connection: DBAPIConnection, record: ConnectionPoolEntry) -> None:
    """What each new connection is told; one to another file than that of the others would come too early."""
    with users.lock:
        found = file_of(engine)
        if users.file not in {None, found}:
            connection.close()
            users.let_go()
        cursor = connection.cursor()
        _write_ahead(cursor)
        # FULL waits for the disk at each commit, up to 0.7 s with eight processes; with WAL, NORMAL can lose the
        # last rows in a power cut but never damages the file.
        cursor.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
        cursor.close()
        users.file = record.info[_FILE] = found


def _same_file(
    engine: Engine, users: _Users, _connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """SQLite itself goes on writing into a file that was deleted.

    Connections after this fault open what is there then; while other processes hold the old file that can fail until they are started anew.
    """
    if record.info[_FILE] != file_of(engine):
        with users.lock:
            record.invalidate()
            users.let_go()


def _write_ahead(cursor: DBAPICursor) -> None:
    """Workers that open a new file at the same moment: one of them changes its mode, the others find it changed.

    SQLite does not wait its `timeout` for this one change but refuses at once, so the wait is here.
    """
    until = monotonic() + PATIENCE_S
    while True:
        try:
            cursor.execute("PRAGMA journal_mode")
            if cursor.fetchone() != ("wal",):
                cursor.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY_CODE != sqlite3.SQLITE_BUSY or monotonic() > until:
                raise
            sleep(_BETWEEN_TRIES_S)
        else:
            return
