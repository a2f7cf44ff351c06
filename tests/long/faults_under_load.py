"""A server as in production, called without a pause while its FHIR servers fail in every way: never late, never falsely silent.

    python -m tests.long.faults_under_load --minutes 5 --count 2000

The patient of every call carries NDM and is ordered aztreonam alone, so a call whose checks ran has a card. Ends with status 1 when
an answer was an empty list, a 500, or a 412 although the client had sent what is needed; when the server needed longer than its
deadline and 50 ms; when a worker's memory grew; or when an answer that unpacks to 300 MB cost 64 MB or more.
"""

import argparse
import json
import random
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.live.conftest import Running, await_ready, launch
from tests.long.faulty_record import FaultyRecord, draw_plan, named, prefetched
from tests.long.hostile_bodies import say
from tests.web.hospital import ORDER_SIGN, Hospital, order, request

WORKERS, THREADS, SENDERS = 2, 8, 6
DEADLINE_MS, GRACE_MS = 1_000, 50
BOMBS = 12
MOST_GROWTH_MB, MOST_BOMB_MB = 24, 64


@dataclass
class Tally:
    """What came back."""

    statuses: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)
    waited_ms: list[float] = field(default_factory=list)
    faulted: int = 0
    told: dict[str, str] = field(default_factory=dict)
    memory_mb: dict[int, list[float]] = field(default_factory=dict)


def main() -> int:
    """Run, compare, report."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--minutes", type=float, default=5.0)
    arguments.add_argument("--count", type=int, default=2_000, help="go on until so many calls met a fault (2000)")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="ndm-long-") as folder:
        tally, took, bomb_mb = soak(Path(folder), given.minutes * 60, given.count, given.seed)
    return report(tally, took, bomb_mb)


def soak(folder: Path, seconds: float, count: int, seed: int) -> tuple[Tally, list[tuple[float, str]], float]:
    """The tally, the server's own times in milliseconds with the call, and the memory that a bomb cost in MB."""
    record = FaultyRecord()
    hospital = Hospital(now=time.time())
    (folder / "keys.json").write_bytes(hospital.keyset())
    server = launch(folder, configuration(hospital, record.bases), WORKERS, THREADS)
    tally = Tally()
    try:
        await_ready(server)
        send(server, record, tally, time.monotonic() + seconds, count, seed)
        bomb_mb = throw_bombs(server, record)
    finally:
        server.stop()
        record.close()
    took = [(line["elapsed_ms"], line["request_id"]) for line in server.log if line["event"] == "answered"]
    return tally, took, bomb_mb


def configuration(hospital: Hospital, bases: list[str]) -> str:
    """Tokens, an allowlist and a deadline as in production; only http on this machine is allowed."""
    return "\n".join(
        [
            "[server]",
            'public_url = "https://cds.example.org"',
            f"deadline_ms = {DEADLINE_MS}",
            "allow_loopback_http = true",
            "[clients.general]",
            f'issuer = "{hospital.issuer}"',
            'jwks_file = "keys.json"',
            f"fhir_base = {json.dumps(bases)}",
        ]
    )


def send(server: Running, record: FaultyRecord, tally: Tally, end: float, count: int, seed: int) -> None:
    """Call from several senders at once, and look at the workers' memory meanwhile."""

    def sender(which: int) -> None:
        drawn, number = random.Random(seed * 1_000 + which), which
        while time.monotonic() < end or tally.faulted < count:
            number += SENDERS
            one_call(server, record, tally, drawn, number)

    with ThreadPoolExecutor(SENDERS) as pool:
        sending = [pool.submit(sender, which) for which in range(SENDERS)]
        while not all(one.done() for one in sending):
            for worker in server.workers:
                tally.memory_mb.setdefault(worker, []).append(_memory_mb(worker, "VmRSS"))
            time.sleep(1)
        for one in sending:
            one.result()


def one_call(server: Running, record: FaultyRecord, tally: Tally, drawn: random.Random, number: int) -> None:
    """One call with its own fault, and what is wrong with the answer."""
    plan = draw_plan(drawn)
    state, prefetch = prefetched(drawn, record.bases[number % len(record.bases)])
    body = {**request(order("Aztreonam")), **record.access(plan, number), "prefetch": prefetch}
    told = f"prefetch {state}, plan {named(plan)}"
    tally.told[f"call-{number}"] = told
    headers = {**Hospital(now=time.time()).authorization(), "X-Request-ID": f"call-{number}"}
    began = time.monotonic()
    status, text = server.ask("POST", ORDER_SIGN, body, headers)
    tally.waited_ms.append((time.monotonic() - began) * 1_000)
    tally.statuses[str(status)] += 1
    tally.faulted += plan not in {"good", "slow"}
    wrong = _wrong(status, text, state)
    if wrong:
        tally.broken.append(f"{wrong}: {told}")


def _wrong(status: int, text: bytes, state: str) -> str:
    if status == 200:
        return "" if json.loads(text)["cards"] else "an empty list of cards"
    if status not in {412, 503}:
        return f"status {status}"
    return "412 although everything needed was there" if status == 412 and state == "enough" else ""


def throw_bombs(server: Running, record: FaultyRecord) -> float:
    """By how many MB the memory of a worker rose at the most while answers that unpack to 300 MB arrived."""
    before = {}
    for worker in server.workers:
        Path(f"/proc/{worker}/clear_refs").write_text("5")  # the peak counts from now on
        before[worker] = _memory_mb(worker, "VmRSS")
    for number in range(BOMBS):
        body = {**request(order("Aztreonam")), **record.access("bomb", number), "prefetch": {}}
        server.ask("POST", ORDER_SIGN, body, Hospital(now=time.time()).authorization())
    return max(_memory_mb(worker, "VmHWM") - before[worker] for worker in before)


def _memory_mb(process: int, what: str) -> float:
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1_024
    raise LookupError(what)


def report(tally: Tally, took: list[tuple[float, str]], bomb_mb: float) -> int:
    """Print what was found, and give the exit status."""
    took_ms = [one for one, _ in took]
    late = sorted(((one, tally.told.get(call, call)) for one, call in took if one > DEADLINE_MS + GRACE_MS), reverse=True)
    grown = {worker: growth(seen) for worker, seen in tally.memory_mb.items()}
    say(f"{len(tally.waited_ms):,} calls, {tally.faulted:,} of them with a fault: {_shares(tally.statuses)}")
    say(f"server's own time: median {_part(took_ms, 0.5):.0f} ms, 99 % {_part(took_ms, 0.99):.0f} ms, longest {_part(took_ms, 1):.0f} ms")
    say(f"  later than {DEADLINE_MS} + {GRACE_MS} ms: {len(late)}")
    for one, told in late[:10]:
        say(f"    {one:.0f} ms: {told}")
    waited = [one for one in tally.waited_ms if one > DEADLINE_MS + GRACE_MS]
    say(f"as the sender on the same machine saw it: longest {max(tally.waited_ms):.0f} ms, {len(waited)} later than that")
    for worker, seen in tally.memory_mb.items():
        say(f"worker {worker}: {seen[0]:.0f} MB at first, {max(seen):.0f} at most, {seen[-1]:.0f} at last; {grown[worker]:+.1f} late on")
    say(f"an answer that unpacks to 300 MB: {bomb_mb:+.1f} MB")
    for line, count in Counter(tally.broken).most_common(10):
        say(f"BROKEN {count}x {line}")
    fat = max(grown.values(), default=0.0) > MOST_GROWTH_MB or bomb_mb >= MOST_BOMB_MB
    return 1 if tally.broken or late or fat else 0


def growth(seen: list[float]) -> float:
    """The last quarter of the measurements against the one before the middle, in MB; the first half is warming up."""
    quarter = max(1, len(seen) // 4)
    early, late = seen[quarter : 2 * quarter] or seen, seen[-quarter:]
    return sum(late) / len(late) - sum(early) / len(early)


def _part(values: list[float], share: float) -> float:
    ordered = sorted(values) or [0.0]
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _shares(statuses: Counter[str]) -> str:
    return ", ".join(f"{count:,} x {status}" for status, count in statuses.most_common())


if __name__ == "__main__":
    sys.exit(main())
