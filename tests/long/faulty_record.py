"""The FHIR servers of one hospital in a process of their own; the token of a call says what goes wrong with it."""

import json
import random
import time
from multiprocessing import Pipe, Process
from multiprocessing.connection import Connection
from typing import Any

from tests.fhir_client.faultfhir import Call, FaultServer, bomb, bundle, kind_of
from tests.fhir_client.faults import ALL, FAULTS
from tests.web.hospital import carbapenemase

KINDS = ("Observation", "MedicationRequest", "Patient", "DiagnosticReport", "Specimen", "Condition", "AllergyIntolerance", "Procedure")
HARMFUL = [number for number, fault in enumerate(FAULTS) if fault.gives != ALL]
SERVERS = 24  # many, so that the pause after five failures does not hide most of the faults
MOST_CALLS = 2_000
BOMB_BYTES = 300 << 20


def draw_plan(drawn: random.Random) -> str:
    """What a call is to meet: everything good or slow, one kind of resource spoilt, or all of them."""
    fault = drawn.choice(HARMFUL)
    return drawn.choice(
        ("good", "slow", f"one {drawn.choice(KINDS)} {fault}", f"one {KINDS[0]} {fault}", f"all * {fault}", f"all * {fault}")
    )


def named(plan: str) -> str:
    """The plan with the name of its fault."""
    scope, _, fault = plan.rpartition(" ")
    return f"{scope}: {FAULTS[int(fault)].name}" if fault.isdecimal() else plan


def answer(call: Call) -> None:
    """Do what the token of the call asks for."""
    if len(call.server.calls) > MOST_CALLS:
        del call.server.calls[:-100]
    scope, _, rest = call.headers.get("authorization", "").removeprefix("Bearer ").partition("_")
    kind, _, fault = rest.partition("_")
    if scope == "bomb":
        call.send(200, _bomb(), {"Content-Encoding": "gzip"})
    elif scope == "all" or (scope == "one" and kind == kind_of(call.target)):
        FAULTS[int(fault)].script(call)
    else:
        time.sleep(0.3 if scope == "slow" else 0.005)
        _record(call)


def _record(call: Call) -> None:
    """The patient's record: one result that proves NDM, and nothing else."""
    if "?" not in call.target:
        call.send(200, {"resourceType": kind_of(call.target), "id": call.target.rpartition("/")[2]})
        return
    call.send(200, bundle(carbapenemase()) if call.target.startswith("/fhir/Observation") and "laboratory" in call.target else bundle())


_packed: dict[int, bytes] = {}


def _bomb() -> bytes:
    return _packed.get(BOMB_BYTES) or _packed.setdefault(BOMB_BYTES, bomb(BOMB_BYTES))


class FaultyRecord:
    """The process with the servers; `bases` are their addresses."""

    def __init__(self, servers: int = SERVERS) -> None:
        self._end, there = Pipe()
        self._process = Process(target=_serve, args=(there, servers), daemon=True)
        self._process.start()
        self.bases: list[str] = self._end.recv()

    def access(self, plan: str, number: int) -> dict[str, Any]:
        """The members of a request that lead to one of the servers."""
        token = {"access_token": plan.replace(" ", "_"), "token_type": "Bearer", "expires_in": 300, "scope": "x", "subject": "y"}
        return {"fhirServer": self.bases[number % len(self.bases)], "fhirAuthorization": token}

    def close(self) -> None:
        """End the process."""
        self._end.send(None)
        self._process.join(5)
        self._process.kill()


def _serve(end: Connection, servers: int) -> None:
    _bomb()
    started = [FaultServer(answer) for _ in range(servers)]
    end.send([one.base for one in started])
    end.recv()


def prefetched(drawn: random.Random, base: str) -> tuple[str, dict[str, Any]]:
    """How much of the record a call brings along: its name, and the prefetch."""
    results, orders = json.loads(json.dumps(bundle(carbapenemase()))), bundle()
    paged = {**results, "link": [{"relation": "next", "url": f"{base}/Observation?category=laboratory&page=2"}]}
    states = {
        "nothing": {},
        "enough": {"results": results, "orders": orders},
        "a page missing": {"results": paged, "orders": orders},
        "failed": {
            "results": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
            "orders": orders,
        },
    }
    name = drawn.choice(("nothing", "nothing", *states))
    return name, states[name]
