"""The description of the interface, kept true by calls that are made from it."""

import json
from typing import Any

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from cds_service.settings import Settings

from .conftest import Build
from .hospital import ORDER_SIGN, request, speaking

EXAMPLES = 30
NAMES = ["hook", "hookInstance", "context", "prefetch", "patientId", "userId", "draftOrders", "entry", "resource", "resourceType", "id"]
STEPS = [
    "context",
    "prefetch",
    "draftOrders",
    "entry",
    0,
    "resource",
    "results",
    "code",
    "subject",
    "dosageInstruction",
    "medicationCodeableConcept",
]
PLAIN = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
ODD = ([], {}, [None], [[]], "1E+999999999", "9" * 400, "\u0000", -1)
JSON = st.recursive(PLAIN, lambda one: st.lists(one, max_size=4) | st.dictionaries(st.sampled_from(NAMES), one, max_size=5), max_leaves=25)
QUIET = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]


@pytest.fixture
def application(build: Build, settings: Settings) -> Flask:
    """The application in development mode, so that calls need no token."""
    return build(Settings(settings.server, settings.store, development=True))


def described(application: Flask) -> Any:
    """The description as schemathesis reads it."""
    return schemathesis.openapi.from_wsgi("/openapi.json", application)


OPERATIONS = ["discover", "call", "feedback", "health", "readiness", "metrics", "version", "openapi"]


@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(data=st.data())
def test_answers_are_as_described(application: Flask, name: str, data: st.DataObject) -> None:
    """B12, A2, RS-05: whatever call is made from the description, the answer has a described status, type and shape, and is never 5xx."""
    operation = described(application).find_operation_by_id(name)
    case = data.draw(operation.as_strategy())
    answer = case.call()
    assert answer.status_code < 500
    case.validate_response(answer, excluded_checks=[schemathesis.checks.CHECKS.get_one("unsupported_method")])


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(body=JSON)
def test_hostile_json_is_never_a_fault(application: Flask, body: Any) -> None:
    """A2: any JSON at all is answered with 200, 400 or 412, and JSON."""
    answer = application.test_client().post(ORDER_SIGN, data=json.dumps(body), content_type="application/json")
    assert answer.status_code in {200, 400, 412}
    assert answer.content_type == "application/json"


@settings(max_examples=300, deadline=None, suppress_health_check=QUIET, derandomize=True, database=None)
@given(path=st.lists(st.sampled_from(STEPS), min_size=1, max_size=6), value=st.one_of(PLAIN, st.sampled_from(ODD)))
def test_a_request_with_one_thing_changed_is_never_a_fault(application: Flask, path: list[Any], value: Any) -> None:
    """A2, A14: a good request in which any one place holds something else is answered with 200, 400 or 412."""
    body: Any = speaking()
    place = body
    for step in path:
        inner = place[step] if (isinstance(place, dict) and step in place) or (isinstance(place, list) and step == 0 and place) else None
        if not isinstance(inner, dict | list):
            break
        place = inner
    if isinstance(place, dict) and place:
        place[sorted(place)[len(path) % len(place)]] = value
    elif isinstance(place, list) and place:
        place[0] = value
    answer = application.test_client().post(ORDER_SIGN, data=json.dumps(body), content_type="application/json")
    assert answer.status_code in {200, 400, 412}


def test_real_answers_are_as_described(application: Flask) -> None:
    """B12: an answer with cards, suggestions, links and reasons passes the schema of the description."""
    document = json.loads(application.test_client().get("/openapi.json").data)
    schema = {"$ref": "#/components/schemas/Cards", "components": document["components"]}
    for body in (speaking(), speaking("Meropenem"), request()):
        answer = json.loads(application.test_client().post(ORDER_SIGN, json=body).data)
        Draft202012Validator(schema).validate(answer)
