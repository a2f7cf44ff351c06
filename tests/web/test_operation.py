"""What operators and their machines ask."""

import json
import logging
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from openapi_spec_validator import validate

from cds_service.fhir.search import Reason
from cds_service.settings import Settings
from cds_service.web.logs import LOGGER, JsonLines, event, fault, log_configuration

from .conftest import Build, Kept
from .hospital import ORDER_SIGN, request, speaking


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/version", "/openapi.json"])
def test_operators_need_no_token(caller: FlaskClient, path: str) -> None:
    """B13: health, readiness, counters, version and description are answered without a token."""
    assert caller.get(path).status_code == 200


def test_health_does_not_depend_on_the_database(caller: FlaskClient, kept: Kept) -> None:
    """With the database down the process is alive and not ready."""
    kept.up = False
    assert json.loads(caller.get("/healthz").data) == {"status": "ok"}
    answer = caller.get("/readyz")
    assert (answer.status_code, json.loads(answer.data)["store"]) == (503, "unavailable")


def test_the_version_names_program_and_knowledge(caller: FlaskClient) -> None:
    """Which knowledge answers can be told from outside, to its content hash."""
    assert re.fullmatch(r".+\+[0-9a-f]{8,}", json.loads(caller.get("/version").data)["knowledge"])


def test_the_description_is_the_one_in_the_repository(caller: FlaskClient, root: Path) -> None:
    """B12: what is served is `docs/openapi.json`, and it is OpenAPI 3.1."""
    served = caller.get("/openapi.json").data
    assert served == (root / "docs" / "openapi.json").read_bytes()
    validate(json.loads(served))


def test_counters_have_closed_labels(open_caller: FlaskClient) -> None:
    """B13: whatever is called, labels come from closed sets, and the number of series stays far below a thousand."""
    for number in range(20):
        open_caller.post(f"/cds-services/unknown-{number}", json=request())
    open_caller.post(ORDER_SIGN, json=speaking())
    text = open_caller.get("/metrics").data.decode()
    assert 'ndm_cds_requests_total{service="unknown",status="404"} 20.0' in text
    assert 'ndm_cds_cards_total{indicator="critical",rule="ndmAztreonamUnprotected"} 1.0' in text
    assert 'ndm_cds_verdicts_total{rule="ndmAztreonamUnprotected",said="spoke"} 1.0' in text
    assert "unknown-1" not in text
    assert len([line for line in text.splitlines() if not line.startswith("#")]) < 1_000


def test_given_up_records_are_counted(caller: FlaskClient, kept: Kept) -> None:
    """An operator sees that decisions were given up because nothing took them."""
    kept.lost = 3
    assert "ndm_cds_records_dropped_total 3.0" in caller.get("/metrics").data.decode()


def test_a_fault_of_ours_is_counted_too(build: Build, settings: Settings) -> None:
    """B13: an answer of 500 stands among the calls, so that an alert on it can ring."""

    def broken(*_: object) -> None:
        raise RuntimeError

    caller = build(replace(settings, development=True), fetch_for=broken).test_client()
    assert caller.post(ORDER_SIGN, json=speaking()).status_code == 500
    assert 'ndm_cds_requests_total{service="ndm-order-sign",status="500"} 1.0' in caller.get("/metrics").data.decode()


def test_faults_of_fhir_servers_are_counted_by_reason(build: Build, settings: Settings) -> None:
    """B13: each reason has a series from the start, and it follows what the FHIR calls report, never back."""
    faults = {"deadline": 2}
    caller = build(replace(settings, development=True), fhir_faults=lambda: dict(faults)).test_client()
    assert 'ndm_cds_fhir_faults_total{reason="deadline"} 0.0' in caller.get("/metrics").data.decode()
    for total, shown in ((2, "2.0"), (2, "2.0"), (5, "5.0"), (4, "5.0")):
        faults["deadline"] = total
        caller.post(ORDER_SIGN, json=request())
        assert f'ndm_cds_fhir_faults_total{{reason="deadline"}} {shown}' in caller.get("/metrics").data.decode()
    assert caller.get("/metrics").data.decode().count("ndm_cds_fhir_faults_total{") == len(Reason)


def test_each_call_is_one_line_of_json(open_caller: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    """B14: one line for a call, with the request id, the service, the status and the time, and not a word of the request."""
    caplog.handler.setFormatter(JsonLines())
    with caplog.at_level(logging.INFO, LOGGER.name):
        LOGGER.addHandler(caplog.handler)
        open_caller.post(ORDER_SIGN, json=speaking(), headers={"X-Request-ID": "abc"})
        LOGGER.removeHandler(caplog.handler)
    line = json.loads(caplog.text.splitlines()[0])
    assert (line["event"], line["request_id"], line["service"], line["status"], line["cards"]) == (
        "answered",
        "abc",
        "ndm-order-sign",
        200,
        1,
    )


def test_only_listed_fields_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """A field that is not on the list does not reach the log, and a line break cannot end a line."""
    caplog.handler.setFormatter(JsonLines())
    with caplog.at_level(logging.INFO, LOGGER.name):
        LOGGER.addHandler(caplog.handler)
        event("told", reason='a\n{"forged": 1}\x1b[31m', patient="Smith")
        LOGGER.removeHandler(caplog.handler)
    line = caplog.text.splitlines()[0]
    assert json.loads(line)["reason"].startswith("a\n")
    assert "Smith" not in line


def test_messages_of_libraries_are_not_repeated() -> None:
    """O3: a library's message can hold an address with a patient in it; only its name and level are written."""
    record = logging.LogRecord("urllib3.connectionpool", logging.WARNING, "", 1, "GET %s", ("/Patient/smith",), None)
    assert json.loads(JsonLines().format(record)) | {"at": ""} == {"at": "", "level": "warning", "event": "urllib3.connectionpool"}


def test_an_exception_is_logged_without_its_words() -> None:
    """Type and place of an exception are written; its text is not."""
    with pytest.raises(ValueError, match="Smith") as raised:
        int("Smith")
    said = fault(raised.value)
    assert said["error"] == "ValueError"
    assert "Smith" not in str(said)


def test_the_logging_configuration_is_complete() -> None:
    """The set-up that the server is given names a handler for every logger."""
    configuration = log_configuration()
    assert {one for logger in configuration["loggers"].values() for one in logger["handlers"]} == set(configuration["handlers"])


def test_a_crash_in_a_thread_is_one_line_of_json() -> None:
    """B14: what breaks outside any request, in whichever thread, is told by type and place, and without values."""
    program = """
import logging.config, threading
from cds_service.web.logs import log_configuration, log_uncaught
logging.config.dictConfig(log_configuration())
log_uncaught()
broken = threading.Thread(target=lambda: int("JohnDoe"))
broken.start()
broken.join()
int("JohnDoe")
"""
    done = subprocess.run([sys.executable, "-c", program], cwd=Path(__file__).parents[2], capture_output=True, text=True, check=False)
    assert [json.loads(line)["event"] for line in done.stderr.splitlines()] == ["crash", "crash"]
    assert "JohnDoe" not in done.stderr
