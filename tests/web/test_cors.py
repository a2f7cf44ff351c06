"""Calls from a browser: closed unless the operator names an origin, open in development mode."""

import pytest
from flask.testing import FlaskClient

from cds_service.settings import Server, Settings

from .conftest import Build
from .hospital import ORDER_SIGN, PUBLIC_URL, request

ORIGIN = "https://viewer.example.org"
PREFLIGHT = {"Origin": ORIGIN, "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization,content-type"}
ENDPOINTS = ("/cds-services", ORDER_SIGN, f"{ORDER_SIGN}/feedback")


@pytest.fixture
def shared(build: Build, settings: Settings) -> FlaskClient:
    """The application of an operator who named one origin."""
    return build(Settings(Server(public_url=PUBLIC_URL, cors_origins=(ORIGIN,)), settings.store, settings.clients)).test_client()


@pytest.mark.parametrize("path", ENDPOINTS)
def test_a_preflight_of_a_named_origin_is_granted_without_a_token(shared: FlaskClient, path: str) -> None:
    """CO-01, CO-02: discovery, service and feedback answer a preflight with origin, methods and headers, and ask for no token."""
    answer = shared.options(path, headers=PREFLIGHT)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert {"GET", "POST", "OPTIONS"} <= set(answer.headers["Access-Control-Allow-Methods"].split(", "))
    assert {"authorization", "content-type"} <= set(answer.headers["Access-Control-Allow-Headers"].lower().split(", "))
    assert "Access-Control-Allow-Credentials" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("origin", ["https://evil.example.org", f"{ORIGIN}.evil.org", "null", ORIGIN.upper(), f"{ORIGIN}:444"])
def test_another_origin_is_not_named(shared: FlaskClient, origin: str) -> None:
    """CO-03: an origin that is not on the list is named in no answer; Vary tells caches why."""
    for answer in (
        shared.options(ORDER_SIGN, headers={**PREFLIGHT, "Origin": origin}),
        shared.get("/cds-services", headers={"Origin": origin}),
    ):
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert "Origin" in answer.headers["Vary"]


def test_refusals_carry_the_header_too(shared: FlaskClient) -> None:
    """CO-03: 401, 404 and 405 can be read by the page that asked."""
    headers = {"Origin": ORIGIN}
    answers = [
        shared.post(ORDER_SIGN, json=request(), headers=headers),
        shared.get("/nope", headers=headers),
        shared.get(ORDER_SIGN, headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [401, 404, 405]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {ORIGIN}


def test_refusals_of_a_call_carry_the_header_in_development(open_caller: FlaskClient) -> None:
    """CO-03: 400, 412 and 415 as well; in development mode for any origin."""
    headers = {"Origin": "http://localhost:3000"}
    answers = [
        open_caller.post(ORDER_SIGN, json={}, headers=headers),
        open_caller.post(ORDER_SIGN, json={**request(), "prefetch": {}}, headers=headers),
        open_caller.post(ORDER_SIGN, data="x", headers={**headers, "Content-Type": "text/xml"}),
        open_caller.post(ORDER_SIGN, json=request(), headers=headers),
    ]
    assert [answer.status_code for answer in answers] == [400, 412, 415, 200]
    assert {answer.headers["Access-Control-Allow-Origin"] for answer in answers} == {"http://localhost:3000"}


def test_without_configuration_no_origin_is_named(caller: FlaskClient) -> None:
    """P5: CORS is off by default."""
    for answer in (caller.options(ORDER_SIGN, headers=PREFLIGHT), caller.get("/cds-services", headers={"Origin": ORIGIN})):
        assert not [name for name in answer.headers.keys() if name.startswith("Access-Control")]  # noqa: SIM118 - headers are no mapping
