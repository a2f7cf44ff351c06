"""Feedback for minutes while workers and PostgreSQL are killed: nothing that was acknowledged may be lost or doubled.

    python -m tests.long.feedback_under_kill --minutes 10 [--sqlite]

Starts a PostgreSQL of its own and two workers, sends feedback from four senders, and kills a random worker or the database every few
seconds. Ends with status 1 when an acknowledged feedback is missing or stands twice.
"""

import argparse
import json
import os
import random
import signal
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPException
from pathlib import Path

from sqlalchemy import NullPool, create_engine, select

from cds_service.store import tables
from tests.live.conftest import Running, await_ready, launch
from tests.programs import postgresql_folder
from tests.store.conftest import PostgreSQL
from tests.web.hospital import ORDER_SIGN, Hospital, speaking

SENDERS, WORKERS = 4, 2


def main() -> int:
    """Run, compare, report."""
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--minutes", type=float, default=10.0)
    arguments.add_argument("--sqlite", action="store_true")
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="ndm-long-"))
    database = None if given.sqlite else start_postgresql()
    url = database.database("long") if database else f"sqlite:///{folder}/store.db"
    hospital = Hospital(now=time.time())
    server = launch(folder, configuration(folder, hospital, url), WORKERS, 8)
    await_ready(server)
    acknowledged = send(server, database, given.minutes * 60)
    if database:
        time.sleep(1)
    wait_until_drained(server)
    server.stop()
    kept = rows(url)
    if database:
        database.stop()
    lost, doubled = set(acknowledged) - set(kept), len(kept) - len(set(kept))
    sys.stdout.write(json.dumps({"acknowledged": len(acknowledged), "kept": len(kept), "lost": len(lost), "doubled": doubled}) + "\n")
    return 1 if lost or doubled or not acknowledged else 0


def start_postgresql() -> PostgreSQL:
    """A server of this run's own."""
    programs = postgresql_folder()
    if programs is None:
        raise SystemExit("this run needs the programs of a PostgreSQL server (apt-get install postgresql); --sqlite goes without")
    database = PostgreSQL(Path(tempfile.mkdtemp(prefix="ndm-long-pg-")), programs)
    database.start()
    return database


def configuration(folder: Path, hospital: Hospital, url: str) -> str:
    """A test rig with this hospital and this database."""
    (folder / "keys.json").write_bytes(hospital.keyset())
    client = f'[clients.general]\nissuer = "{hospital.issuer}"\njwks_file = "keys.json"\n'
    return f'[server]\npublic_url = "https://cds.example.org"\n[store]\nurl = "{url}"\n{client}'


def send(server: Running, database: PostgreSQL | None, seconds: float) -> list[float]:
    """The outcome times that were acknowledged."""
    end = time.monotonic() + seconds
    acknowledged: list[float] = []
    hospital = Hospital(now=time.time())
    status, text = server.ask("POST", ORDER_SIGN, speaking(), hospital.authorization())
    if status != 200:
        raise SystemExit(f"the service answers {status}")
    card = json.loads(text)["cards"][0]["uuid"]

    def one(sender: int) -> None:
        number = 0
        while time.monotonic() < end:
            number += 1
            moment = 1_500_000_000 + sender * 10_000_000 + number
            told = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(moment))
            body = {"feedback": [{"card": card, "outcome": "overridden", "outcomeTimestamp": told}]}
            try:
                signed = Hospital(now=time.time()).authorization()
                if server.ask("POST", f"{ORDER_SIGN}/feedback", body, signed, timeout=10)[0] == 200:
                    acknowledged.append(float(moment))
            except (OSError, HTTPException):
                continue

    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(one, sender) for sender in range(SENDERS)]
        disturb(server, database, end - 3)
        for each in sending:
            each.result()
    return acknowledged


def disturb(server: Running, database: PostgreSQL | None, end: float) -> None:
    """Kill a worker or the database every few seconds."""
    drawn = random.Random(7)
    while time.monotonic() < end:
        time.sleep(drawn.uniform(0.5, 4))
        if database and drawn.random() < 0.25:
            database.kill()
            time.sleep(drawn.uniform(0.1, 3))
            database.start()
        elif server.workers:
            os.kill(drawn.choice(server.workers), signal.SIGKILL)


def wait_until_drained(server: Running) -> None:
    """Until nothing waits for the database."""
    for _ in range(120):
        try:
            if json.loads(server.ask("GET", "/readyz")[1])["spoolBytes"] == 0:
                return
        except (OSError, HTTPException, ValueError):
            pass
        time.sleep(0.5)


def rows(url: str) -> list[float]:
    """The outcome times in the store."""
    with create_engine(url, poolclass=NullPool).connect() as connection:
        return [row[0] for row in connection.execute(select(tables.feedback.c.outcome_at))]


if __name__ == "__main__":
    sys.exit(main())
