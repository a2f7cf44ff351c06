"""Generated hostile bodies, through the corridor and over HTTP: each is answered or refused, and none breaks anything.

    python -m tests.long.hostile_bodies --count 100000 --http 5000 [--seed 1]

Three kinds: whole requests with a few places changed to something that they should not be, random JSON, and bytes that are no
JSON. Ends with status 1 when an exception other than a refusal came up, or an answer was a 5xx.
"""

import argparse
import copy
import json
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from cds_service.cards import Style
from cds_service.cases.run import numbered
from cds_service.decide import decide
from cds_service.errors import ServiceError
from cds_service.knowledge import Knowledge, load
from cds_service.protocol.response import to_json
from tests.live.conftest import await_ready, launch

ROOT = Path(__file__).resolve().parents[2]
FIXTURES = sorted((ROOT / "fixtures/ndm/requests").glob("*.json"))
HOOKS = {"order-sign": "ndm-order-sign", "order-select": "ndm-order-select", "patient-view": "ndm-patient-view"}
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, -0.0, 1e308, 5e-324, 10**40, -(10**19), 0.1, [], {}, [[]], [None], [{}], {"a": []}, "", " ", "\x00",
    "0", "-1", "NaN", "1E+999999999", "\u202eevil", "\ud7ff", "\U0001f9a0" * 40, "x" * 70_000, "`", "<script>alert(1)</script>",
    "[a](javascript:b)", "' OR 1=1 --", "../../etc/passwd", "http://169.254.169.254/", "Patient/../x", "#contained", "#",
    "2026-02-30", "9999-12-31T23:59:60Z", "0000-01-01", "2026", "not detected NDM detected", "aztreonam aztreonam", "Patient/pat1",
    "urn:uuid:1", "{{context.patientId}}", "١٢٣", "１２ ｇ", "1e3 g", {"resourceType": "OperationOutcome"},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "entry": []}}]}, {"reference": 5}, {"coding": "x"},
    {"coding": [{"code": {}}]}, {"value": "1E+99999999"}, {"value": 1e300, "unit": "mg"},
)  # fmt: skip
ELSEWHERE = ("contained", "extension", "modifierExtension", "resourceType", "valueRatio", "dosageInstruction")
NAMES = ("resourceType", "entry", "resource", "id", "status", "code", "coding", "subject", "reference", "text", "medicationCodeableConcept")
RAW = (
    b"", b" ", b"\x00", b"\xff\xfe{\x00}\x00", b"\xef\xbb\xbf{}", b"[" * 100_000, b'{"a":' * 5_000, b'{"hook":NaN}', b"{}{}", b"nul",
    b'{"a":1,"a":2}', b'{"hook":"\xed\xa0\x80"}', b'{"hook":"\\ud800"}', b'"' + b"a" * 200_000, b"[" + b"{}," * 300_000 + b"{}]", b"-",
    b"1" * 6_000, b"0x1f", b"GET / HTTP/1.1\r\n\r\n", b"%PDF-1.7", b"\x1f\x8b\x08\x00", b"<?xml version='1.0'?><a/>",
    b"hook=order-sign&x=1", b'{"prefetch":{"results":1e999}}',
)  # fmt: skip


def bodies(seed: int) -> Iterator[tuple[str, bytes]]:
    """Service and body, without end; the same for the same seed."""
    drawn = random.Random(seed)
    made = (_changed, _changed, _changed, _changed, _changed, _changed, _scrambled, _random_json, _raw)
    while True:
        yield drawn.choice(made)(drawn)


@cache
def _fixtures() -> tuple[dict[str, Any], ...]:
    return tuple(json.loads(file.read_text("utf-8")) for file in FIXTURES)


def _service(drawn: random.Random, whole: Any) -> str:
    hook = whole.get("hook") if isinstance(whole, dict) else None
    return HOOKS[hook] if isinstance(hook, str) and hook in HOOKS and drawn.random() < 0.95 else drawn.choice([*HOOKS.values()])


def _changed(drawn: random.Random) -> tuple[str, bytes]:
    """A good request with up to six places changed; the lower ones are as likely as the upper ones."""
    whole = copy.deepcopy(drawn.choice(_fixtures()))
    service = _service(drawn, whole)
    for _ in range(drawn.choice((1, 1, 1, 2, 3, 6))):
        _change(drawn, whole)
    return service, json.dumps(whole, ensure_ascii=drawn.random() < 0.5).encode("utf-8", "replace")


def _change(drawn: random.Random, whole: Any) -> None:
    places = list(_places(whole))
    if not places:
        return
    holder, key = drawn.choice(places)
    match drawn.randrange(8):
        case 0:
            del holder[key]
        case 1 if isinstance(holder, list):
            holder.extend(copy.deepcopy(holder[key]) for _ in range(drawn.choice((1, 5, 60))))
        case 2:
            other, name = drawn.choice(places)
            holder[key] = copy.deepcopy(other[name])
        case 3:
            holder[key] = [holder[key]]
        case 4 if isinstance(holder, dict):
            holder["_" + key] = {"extension": [{"url": "x", "valueCode": "masked"}]}
        case 5 if isinstance(holder, dict):
            holder[drawn.choice(ELSEWHERE)] = holder[key]
        case 6 if isinstance(holder[key], str):
            holder[key] = _bent(drawn, holder[key])
        case _:
            holder[key] = copy.deepcopy(drawn.choice(ODD))


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every holder with each of its keys."""
    for key in list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield value, key
        yield from _places(value[key])


def _bent(drawn: random.Random, text: str) -> str:
    at = drawn.randrange(len(text) + 1)
    piece = drawn.choice(("\x00", "-", "9", " ", "\u200b", "`", "é", "/", "Z", "\n", ".", "e9", "|"))
    return drawn.choice((text[:at] + piece + text[at:], text[:at], text[at:], text.upper(), text[::-1], text * 3))


def _scrambled(drawn: random.Random) -> tuple[str, bytes]:
    """A good request with bytes changed, taken out or repeated."""
    whole = drawn.choice(_fixtures())
    body = bytearray(json.dumps(whole).encode())
    for _ in range(drawn.choice((1, 2, 8, 64))):
        at = drawn.randrange(len(body))
        match drawn.randrange(3):
            case 0:
                body[at] = drawn.randrange(256)
            case 1:
                del body[at : at + drawn.randrange(1, 40)]
            case _:
                body[at:at] = body[at : at + drawn.randrange(1, 200)]
        body = body or bytearray(b"{")
    return _service(drawn, whole), bytes(body)


def _random_json(drawn: random.Random) -> tuple[str, bytes]:
    """A request whose context, drafts or prefetch are any JSON at all."""
    whole = {"hook": drawn.choice([*HOOKS, "x"]), "hookInstance": "7b6f0c9e-3d53-4a58-9a0e-0f7c6a1f2b11", "context": _any(drawn, 4)}
    if drawn.random() < 0.7:
        whole["context"] = {"userId": "Practitioner/1", "patientId": "pat1", "draftOrders": _any(drawn, 5), "selections": _any(drawn, 2)}
    whole["prefetch"] = {key: _any(drawn, 5) for key in drawn.sample(("patient", "results", "orders", "vitals", "conditions", "x"), 4)}
    service = _service(drawn, whole)
    return service, json.dumps(whole if drawn.random() < 0.9 else _any(drawn, 6)).encode()


def _any(drawn: random.Random, depth: int) -> Any:
    if depth == 0 or drawn.random() < 0.25:
        return drawn.choice(ODD)
    if drawn.random() < 0.4:
        return [_any(drawn, depth - 1) for _ in range(drawn.randrange(4))]
    found = {drawn.choice(NAMES): _any(drawn, depth - 1) for _ in range(drawn.randrange(6))}
    if drawn.random() < 0.5:
        found["resourceType"] = drawn.choice(("Bundle", "Observation", "MedicationRequest", "Patient", "Condition"))
    return found


def _raw(drawn: random.Random) -> tuple[str, bytes]:
    """Bytes that no client sends on purpose."""
    body = drawn.choice(RAW) if drawn.random() < 0.5 else drawn.randbytes(drawn.randrange(1, 400))
    return drawn.choice([*HOOKS.values()]), body


def through_the_corridor(knowledge: Knowledge, count: int, seed: int) -> tuple[Counter[str], list[str], tuple[float, int]]:
    """What became of so many bodies, what broke, and the most seconds of processor time with the number of that body."""
    outcomes: Counter[str] = Counter()
    broken: list[str] = []
    longest = (0.0, 0)
    for number, (service, body) in zip(range(count), bodies(seed), strict=False):
        began = time.thread_time()
        try:
            decision = decide(knowledge, service, body, fetch=None, now=NOW, style=Style(new_id=numbered()))
            json.loads(to_json(decision.cards))
            outcomes["cards" if decision.cards else "silence"] += 1
        except ServiceError as refused:
            outcomes[f"refused with {refused.status}"] += 1
        except Exception as error:  # noqa: BLE001 - this is what is looked for
            broken.append(f"body {number} of seed {seed}: {type(error).__name__}")
        longest = max(longest, (time.thread_time() - began, number))
    return outcomes, broken, longest


def over_http(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    """The statuses of so many bodies sent to a started server, and which of them were 5xx."""
    statuses: Counter[str] = Counter()
    broken: list[str] = []
    with tempfile.TemporaryDirectory(prefix="ndm-long-") as folder:
        server = launch(Path(folder), None, 2, 8)
        await_ready(server)
        try:
            for number, (service, body) in zip(range(count), bodies(seed), strict=False):
                status, _ = server.ask("POST", f"/cds-services/{service}", body)
                statuses[str(status)] += 1
                if status >= 500:
                    broken.append(f"body {number} of seed {seed}: {status}")
        finally:
            server.stop()
    return statuses, broken


def main() -> int:
    """Run both, and report."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--count", type=int, default=100_000, help="bodies through the corridor (100000)")
    arguments.add_argument("--http", type=int, default=5_000, help="bodies over HTTP (5000)")
    arguments.add_argument("--seed", type=int, default=1)
    given = arguments.parse_args()
    outcomes, broken, longest = through_the_corridor(load(), given.count, given.seed)
    say(f"{given.count:,} bodies through the corridor; the slowest, number {longest[1]:,}, took {longest[0] * 1_000:.0f} ms of one core")
    for name, count in outcomes.most_common():
        say(f"  {name:<20}{count:>9,}")
    statuses, failed = over_http(given.http, given.seed + 1)
    say(f"{given.http:,} bodies over HTTP")
    for name, count in statuses.most_common():
        say(f"  status {name:<13}{count:>9,}")
    for line in [*broken, *failed][:20]:
        say(f"BROKEN {line}")
    say(f"{len(broken)} unexpected exceptions, {len(failed)} answers of 5xx")
    return 1 if broken or failed else 0


def say(line: str) -> None:
    """One line of the report."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
