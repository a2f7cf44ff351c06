"""A real PostgreSQL of the test's own and an SQLite file: every test of the store runs on both."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import NullPool, create_engine, text

from cds_service.store.archive import Archive
from cds_service.store.engine import open_engine
from cds_service.store.spool import Spool

from .. import programs


class PostgreSQL:
    """One server in a folder of its own, as a user who is not root, on a free port of the loopback address."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self.folder, self.programs, self.port = folder / "data", programs, free_port()
        self.prefix = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        if self.prefix:
            shutil.chown(folder, "postgres", pwd.getpwnam("postgres").pw_gid)
            folder.chmod(0o700)
        self.run("initdb", "-D", str(self.folder), "-U", "tester", "--auth=trust", "--no-sync")
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, program: str, *arguments: str) -> None:
        subprocess.run([*self.prefix, str(self.programs / program), *arguments], check=True, capture_output=True, cwd="/")

    def start(self) -> None:
        options = [
            "-D",
            str(self.folder),
            "-p",
            str(self.port),
            "-c",
            "listen_addresses=127.0.0.1",
            "-c",
            f"unix_socket_directories={self.folder}",
        ]
        self.process = subprocess.Popen([*self.prefix, str(self.programs / "postgres"), *options], stderr=subprocess.DEVNULL, cwd="/")
        for _ in range(200):
            ready = subprocess.run([str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)], check=False)
            if ready.returncode == 0:
                return
            self.process.poll()
            subprocess.run(["sleep", "0.05"], check=False)
        raise RuntimeError("PostgreSQL did not start")

    def kill(self) -> None:
        """End it as a power cut would: the server and all that it started."""
        assert self.process is not None
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(self.process.pid)], capture_output=True, text=True, check=False
        ).stdout.split()
        for pid in [str(self.process.pid), *children]:
            subprocess.run(["kill", "-9", pid], check=False, capture_output=True)
        self.process.wait()
        (self.folder / "postmaster.pid").unlink(missing_ok=True)

    def stop(self) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(2)
            self.process.wait(10)

    def database(self, name: str) -> str:
        with create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT", poolclass=NullPool).connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}"'))
        return self.url(name)

    def url(self, name: str) -> str:
        return f"postgresql+psycopg://tester@127.0.0.1:{self.port}/{name}"


def free_port() -> int:
    """A port of the loopback address that nobody uses."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgreSQL]:
    """A running server."""
    found = programs.postgresql()
    folder = Path(tempfile.mkdtemp(prefix="ndm-pg-"))
    server = PostgreSQL(folder, found)
    server.start()
    yield server
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/store.db"
    server: PostgreSQL = request.getfixturevalue("postgresql")
    return server.database(tmp_path.name.replace("-", "_")[-60:])


@pytest.fixture
def archive(url: str) -> Iterator[Archive]:
    """The database behind the spool."""
    engine = open_engine(url)
    yield Archive(engine)
    engine.dispose()


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    """An empty spool."""
    made = Spool(tmp_path / "spool")
    made.prepare()
    return made
