"""Forty pieces of a patient, planted in every place of a request: none is seen outside, whatever goes wrong."""

import json
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cds_service.access import FhirAccess
from cds_service.settings import Settings
from cds_service.store.archive import Archive
from cds_service.store.card_ids import CardIds
from cds_service.store.engine import open_engine
from cds_service.store.memory import Memory
from cds_service.store.spool import Spool
from cds_service.web.logs import LOGGER, JsonLines

from ..web.conftest import SECRET, Build
from ..web.hospital import ORDER_SIGN, Hospital, bundle, carbapenemase, order

COUNT = 40


def canary(number: int) -> str:
    """A word that stands nowhere else."""
    return f"Canary{number:02d}xq"


def planted() -> dict[str, Any]:
    """A request with a canary in every place that can hold words."""
    c = [canary(number) for number in range(COUNT)]
    draft = {
        **order(f"Aztreonam {c[0]}", patient=c[12]),
        "id": c[1],
        "note": [{"text": c[2], "authorString": c[3]}],
        "requester": {"display": c[4], "reference": f"Practitioner/{c[5]}"},
        "reasonCode": [{"text": c[6]}],
        "identifier": [{"system": "urn:mrn", "value": c[7]}],
        "text": {"status": "generated", "div": f"<div>{c[8]}</div>"},
        "dosageInstruction": [{"text": c[9], "patientInstruction": c[10], "additionalInstruction": [{"text": c[11]}]}],
    }
    patient = {
        "resourceType": "Patient",
        "id": c[12],
        "identifier": [{"value": c[13]}],
        "name": [{"family": c[14], "given": [c[15]], "text": c[16]}],
        "telecom": [{"value": c[17]}],
        "address": [{"line": [c[18]], "city": c[19], "postalCode": c[20]}],
        "contact": [{"name": {"text": c[21]}}],
        "birthDate": c[22],
    }
    result = {**carbapenemase(c[12]), "note": [{"text": c[23]}], "performer": [{"display": c[24]}], "valueString": c[25]}
    condition = {
        "resourceType": "Condition",
        "code": {"text": c[26]},
        "note": [{"text": c[27]}],
        "subject": {"reference": f"Patient/{c[12]}"},
    }
    return {
        "hook": "order-sign",
        "hookInstance": c[28],
        "fhirServer": f"http://127.0.0.1:9/{c[29]}",
        "fhirAuthorization": {"access_token": c[30], "token_type": "Bearer", "expires_in": 300, "scope": c[31], "subject": c[32]},
        "context": {
            "userId": f"Practitioner/{c[33]}",
            "patientId": c[12],
            "encounterId": c[34],
            "draftOrders": bundle(draft),
            "extra": c[35],
        },
        "prefetch": {
            "patient": patient,
            "results": bundle(result),
            "orders": bundle(draft),
            "conditions": bundle(condition),
            "extra": c[36],
        },
        "extension": {"org.example": {"text": c[37]}},
        c[38]: c[39],
    }


def spoilt(name: str) -> bytes:
    """The planted request with one thing wrong."""
    body = planted()
    text = json.dumps(body)
    changes: dict[str, Callable[[], str]] = {
        "good": lambda: text,
        "cut": lambda: text[:-40],
        "trailing": lambda: f"{text} {canary(1)}",
        "duplicate": lambda: f'{{"{canary(2)}": 1, "{canary(2)}": 2, {text[1:]}',
        "nan": lambda: text[:-1] + f', "{canary(3)}": NaN}}',
        "list": lambda: json.dumps([body]),
        "hook": lambda: json.dumps({**body, "hook": canary(28)}),
        "no context": lambda: json.dumps({**body, "context": canary(35)}),
        "no user": lambda: json.dumps({**body, "context": {**body["context"], "userId": [canary(33)]}}),
        "patient": lambda: json.dumps({**body, "context": {**body["context"], "patientId": f"a/{canary(12)}/b c"}}),
        "no drafts": lambda: json.dumps({**body, "context": {**body["context"], "draftOrders": canary(0)}}),
        "draft shape": lambda: json.dumps(
            {**body, "context": {**body["context"], "draftOrders": {"resourceType": "Bundle", "entry": canary(0)}}}
        ),
        "prefetch shape": lambda: json.dumps({**body, "prefetch": [canary(36)]}),
        "prefetch junk": lambda: json.dumps({**body, "prefetch": {"results": canary(23), "orders": canary(2)}}),
        "prefetch outcome": lambda: json.dumps(
            {
                **body,
                "prefetch": {
                    "results": {
                        "resourceType": "OperationOutcome",
                        "issue": [{"severity": "error", "code": "x", "diagnostics": canary(23)}],
                    }
                },
            }
        ),
        "prefetch missing": lambda: json.dumps({**body, "prefetch": {}}),
        "server shape": lambda: json.dumps({**body, "fhirServer": {"a": canary(29)}}),
        "server evil": lambda: json.dumps({**body, "prefetch": {}, "fhirServer": f"http://{canary(29)}@evil/"}),
        "token shape": lambda: json.dumps({**body, "fhirAuthorization": canary(30)}),
    }
    return changes[name]().encode()


SPOILT = (
    "good", "cut", "trailing", "duplicate", "nan", "list", "hook", "no context", "no user", "patient", "no drafts", "draft shape",
    "prefetch shape", "prefetch junk", "prefetch outcome", "prefetch missing", "server shape", "server evil", "token shape",
)  # fmt: skip


@pytest.fixture
def watched(
    build: Build, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> Iterator[tuple[Flask, Callable[[], str]]]:
    """An application with a real store, and everything that it leaves behind as one text."""
    memory = Memory(Archive(open_engine(settings.store.url)), Spool(tmp_path / "spool"), lambda: 0.0)
    memory.start()

    def broken(_access: FhirAccess, queries: Any) -> Any:
        raise ValueError(str(queries), _access.token)

    app = build(replace(settings, development=True), fetch=broken, store=memory)
    caplog.handler.setFormatter(JsonLines())
    caplog.set_level(logging.DEBUG)
    LOGGER.addHandler(caplog.handler)

    def left() -> str:
        memory.stop()
        files = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file() and path.name != "keys.json"]
        metrics = app.test_client().get("/metrics").data.decode()
        return "\n".join([caplog.text, metrics, *files])

    yield app, left
    LOGGER.removeHandler(caplog.handler)
    memory.stop()


def seen(text: str) -> set[int]:
    """The canaries in a text, in any case."""
    lower = text.lower()
    return {number for number in range(COUNT) if canary(number).lower() in lower}


def test_every_canary_is_planted() -> None:
    """A16: the request holds all forty."""
    assert seen(json.dumps(planted())) == set(range(COUNT))


@pytest.mark.parametrize("name", SPOILT)
def test_no_canary_is_left_behind(watched: tuple[Flask, Callable[[], str]], name: str) -> None:
    """A16, O3, P10, T6, FA-03, SE-18: none of forty canaries is found in a refusal, the log, the metrics or the store."""
    app, left = watched
    answer = app.test_client().post(ORDER_SIGN, data=spoilt(name), content_type="application/json")
    if answer.status_code != 200:
        assert seen(answer.data.decode() + str(answer.headers)) == set()
    assert seen(left()) == set()


def test_the_errors_were_really_met(watched: tuple[Flask, Callable[[], str]]) -> None:
    """A16: the spoilt requests meet the refusals and the fault that they are here for."""
    caller = watched[0].test_client()
    statuses = {name: caller.post(ORDER_SIGN, data=spoilt(name), content_type="application/json").status_code for name in SPOILT}
    assert {400, 500} <= set(statuses.values())
    assert sum(status == 400 for status in statuses.values()) >= 9


@pytest.mark.parametrize(
    "entry",
    [
        {"outcome": "overridden", "overrideReason": {"userComment": canary(1)}},
        {
            "outcome": "overridden",
            "overrideReason": {"reason": {"system": f"urn {canary(2)}", "code": f"because {canary(3)}", "display": canary(4)}},
        },
        {"outcome": "accepted", "acceptedSuggestions": [{"id": canary(5)}]},
        {"outcome": canary(6)},
        {"outcome": "overridden", "extension": {canary(7): canary(8)}},
    ],
)
@pytest.mark.parametrize("known", [True, False])
def test_no_canary_of_feedback_is_left_behind(watched: tuple[Flask, Callable[[], str]], entry: dict[str, Any], known: bool) -> None:
    """A16, FB-13: comments, displays and sentences of feedback are found nowhere afterwards."""
    app, left = watched
    card = CardIds(SECRET).minter("development", "ndm-order-sign")() if known else canary(9)
    body = {"feedback": [{"card": card, "outcomeTimestamp": "2026-11-20T12:00:00Z", **entry}]}
    answer = app.test_client().post(f"{ORDER_SIGN}/feedback", json=body)
    assert seen(answer.data.decode()) == set()
    assert seen(left()) == set()


def test_tokens_are_left_nowhere(
    build: Build, settings: Settings, tmp_path: Path, hospital: Hospital, caplog: pytest.LogCaptureFixture
) -> None:
    """SE-18, T6: neither a good nor a bad token stands in the log, the metrics or the store; only its id does, where replay is judged."""
    memory = Memory(Archive(open_engine(settings.store.url)), Spool(tmp_path / "spool"), lambda: 0.0)
    memory.start()
    app = build(store=memory)
    caplog.set_level(logging.DEBUG)
    tokens = [hospital.token(), hospital.token(iss="https://evil.example.org")]
    for token in tokens:
        app.test_client().post(ORDER_SIGN, json=planted(), headers={"Authorization": f"Bearer {token}"})
    memory.stop()
    files = [path.read_bytes().decode("latin-1") for path in tmp_path.rglob("*") if path.is_file()]
    text = "\n".join([caplog.text, app.test_client().get("/metrics").data.decode(), *files])
    assert not [part for token in tokens for part in token.split(".")[1:] if part in text]
