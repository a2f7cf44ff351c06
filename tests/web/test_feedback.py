"""What became of cards: read in every form that is in use, kept before it is acknowledged, and only with proof that the card was ours."""

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.errors import BadRequest, StoreUnavailable
from cds_service.protocol.feedback import Reason, parse_feedback
from cds_service.store.card_ids import CardIds

from .conftest import SECRET, Kept
from .hospital import ORDER_SIGN, Hospital

PATH = f"{ORDER_SIGN}/feedback"
WHEN = "2026-11-20T12:00:00Z"
IDS = CardIds(SECRET)


def card(client: str = "development", service: str = "ndm-order-sign") -> str:
    """A card id that the application gave."""
    return IDS.minter(client, service)()


def entry(**changes: Any) -> dict[str, Any]:
    """An override without a reason; a change of None takes a member away."""
    usual = {"card": card(), "outcome": "overridden", "outcomeTimestamp": WHEN}
    return {name: value for name, value in {**usual, **changes}.items() if value is not None}


def read(*entries: Any) -> Any:
    """Parse a call with these entries."""
    return parse_feedback(json.dumps({"feedback": list(entries)}).encode())


def test_feedback_is_kept(open_caller: FlaskClient, kept: Kept) -> None:
    """FB-01: a valid body is answered with 200 and JSON, and stands in the store."""
    suggestion = card()
    answer = open_caller.post(PATH, json={"feedback": [entry(outcome="accepted", acceptedSuggestions=[{"id": suggestion}])]})
    assert (answer.status_code, json.loads(answer.data)) == (200, {"received": 1})
    assert [(one["outcome"], one["suggestions"]) for one in kept.entries] == [("accepted", [suggestion])]


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        '{"feedback":[]}',
        '{"feedback":{}}',
        '{"feedback":null}',
        "null",
        "",
        "{",
        '{"feedback":[1]}',
        '{"feedback":[],"feedback":[]}',
    ],
)
def test_a_body_without_the_list_is_refused(open_caller: FlaskClient, body: str) -> None:
    """FB-02: what has no list of feedback, or an empty one, is 400."""
    assert open_caller.post(PATH, data=body, content_type="application/json").status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"card": None},
        {"card": ""},
        {"card": 5},
        {"card": "x" * 256},
        {"outcome": None},
        {"outcome": "ignored"},
        {"outcome": "ACCEPTED"},
        {"outcome": ["accepted"]},
        {"outcomeTimestamp": None},
        {"outcomeTimestamp": "yesterday"},
        {"outcomeTimestamp": "2026-11-20"},
        {"outcomeTimestamp": "2026-11-20T12:00:00"},
        {"outcomeTimestamp": "2026-13-20T12:00:00Z"},
        {"outcomeTimestamp": 1_795_000_000},
        {"outcomeTimestamp": "0001-01-01T00:00:00+14:00"},
        {"outcome": "accepted"},
        {"outcome": "accepted", "acceptedSuggestions": []},
        {"outcome": "accepted", "acceptedSuggestions": ["id"]},
        {"outcome": "accepted", "acceptedSuggestions": [{"id": 5}]},
        {"outcome": "accepted", "acceptedSuggestions": {"id": "x"}},
        {"overrideReason": "because"},
        {"overrideReason": {"reason": "because"}},
        {"overrideReason": {"reason": {"code": 5}}},
        {"overrideReason": {"userComment": 5}},
        {"overrideReason": {"userComment": "x" * 10_001}},
    ],
)
def test_an_entry_with_a_flaw_is_refused_with_its_place(changes: dict[str, Any]) -> None:
    """FB-03, FB-04, FB-05, FB-08, FB-13: each missing or ill-typed member is 400, named with its place."""
    with pytest.raises(BadRequest, match=r"^feedback\[1\]"):
        read(entry(), entry(**changes))


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("2026-11-20T12:00:00Z", "2026-11-20T12:00:00+00:00"),
        ("2026-11-20T12:00:00.123456Z", "2026-11-20T12:00:00.123456+00:00"),
        ("2026-11-20T13:00:00+01:00", "2026-11-20T12:00:00+00:00"),
        ("2026-11-20t12:00:00z", "2026-11-20T12:00:00+00:00"),
        ("2026-11-20T12:00:00.1Z", "2026-11-20T12:00:00.100000+00:00"),
    ],
)
def test_times_are_read_and_normalised(written: str, read_as: str) -> None:
    """FB-08: RFC 3339 with fractions and offsets, in UTC afterwards."""
    assert read(entry(outcomeTimestamp=written))[0].at.isoformat() == read_as


@pytest.mark.parametrize(
    ("changes", "reason", "comment"),
    [
        ({}, None, None),
        ({"overrideReason": {"reason": {"system": "urn:x", "code": "ast", "display": "Tested"}}}, Reason("urn:x", "ast"), None),
        ({"overrideReason": {"reason": {"code": "ast"}}}, Reason(None, "ast"), None),
        ({"overrideReason": {"userComment": "partner follows"}}, None, "partner follows"),
        ({"overrideReason": {"reason": {"code": "ast"}, "userComment": "x"}}, Reason(None, "ast"), "x"),
        ({"overrideReasons": {"reason": {"system": "urn:x", "code": "ast"}}}, Reason("urn:x", "ast"), None),
        ({"overrideReasons": [{"reason": {"system": "urn:x", "code": "ast"}}]}, Reason("urn:x", "ast"), None),
        ({"overrideReasons": {"extension": {"com.epic.cdshooks.feedback.overrideReason.code": "12"}}}, Reason(None, "12"), None),
        ({"extension": {"com.epic.cdshooks.feedback.overrideReason.id": "7", "other": 1}}, Reason(None, "7"), None),
        ({"extension": {"com.epic.cdshooks.feedback.overrideReason.text": "7"}}, Reason(None, "7"), None),
        ({"overrideReason": {"system": "urn:x", "code": "ast", "display": "Tested"}}, Reason("urn:x", "ast"), None),
        ({"overrideReason": None, "extension": {"foo": "bar"}}, None, None),
    ],
)
def test_reasons_are_read_in_all_forms_that_are_in_use(changes: dict[str, Any], reason: Reason | None, comment: str | None) -> None:
    """FB-06, FB-07, FB-11: no reason, the specification's form, Epic's plural and extension, and the sandbox's old form."""
    (found,) = read(entry(**changes))
    assert (found.reason, found.comment, found.reasoned) == (reason, comment, bool(reason or comment))


def test_a_call_may_tell_of_many_cards_and_be_repeated(open_caller: FlaskClient, kept: Kept) -> None:
    """FB-09: several entries at once; the same call again gives the same record ids, so the store keeps them once."""
    body = {"feedback": [entry(), entry(), entry(overrideReason={"userComment": "x"})]}
    assert [open_caller.post(PATH, json=body).status_code for _ in range(2)] == [200, 200]
    ids = [one["id"] for one in kept.entries]
    assert (len(ids), len(set(ids))) == (6, 3)


@pytest.mark.parametrize(
    "name",
    ["unknown", "5f2d1c3e-0000-4000-8000-000000000000", card("other"), card(service="ndm-patient-view")],
    ids=["word", "somebody else's", "another client's", "another service's"],
)
def test_a_card_that_is_not_ours_is_received_and_not_kept(open_caller: FlaskClient, kept: Kept, name: str) -> None:
    """FB-10, O5: an unknown, forged or foreign card is answered with 200 and leaves nothing."""
    answer = open_caller.post(PATH, json={"feedback": [entry(card=name)]})
    assert (answer.status_code, kept.entries) == (200, [])


def test_a_comment_is_counted_and_not_kept(open_caller: FlaskClient, kept: Kept) -> None:
    """FB-13: a comment can hold anything about anybody; its length is what remains."""
    open_caller.post(PATH, json={"feedback": [entry(overrideReason={"userComment": "Mrs Smith said so"})]})
    assert kept.entries[0]["comment_length"] == 17
    assert "Smith" not in str(kept.entries)


@pytest.mark.parametrize("given", [{"code": "ast"}, {"system": "urn:ndm-cds:override-reasons", "code": "ast"}])
def test_a_reason_of_ours_is_kept(open_caller: FlaskClient, kept: Kept, given: dict[str, str]) -> None:
    """FB-06: a code that our cards offer is kept as it is, with our system or with none."""
    open_caller.post(PATH, json={"feedback": [entry(overrideReason={"reason": given})]})
    (found,) = kept.entries
    assert (found["reason_system"], found["reason_code"], found["reasoned"]) == ("urn:ndm-cds:override-reasons", "ast", True)


@pytest.mark.parametrize(
    "given",
    [
        {"code": "JohnDoe"},
        {"system": "urn:JohnDoe", "code": "ast"},
        {"system": "urn:ndm-cds:override-reasons", "code": "JohnDoe"},
        {"system": "urn:x", "code": "because JohnDoe said so"},
    ],
)
def test_a_reason_that_is_not_ours_leaves_no_text(open_caller: FlaskClient, kept: Kept, given: dict[str, str]) -> None:
    """FB-13: a foreign code or system can be a name, so that only "other" and a keyed hash remain, equal for equal reasons."""
    body = {
        "feedback": [entry(overrideReason={"reason": given}), entry(overrideReason={"reason": given}), entry(overrideReason={"code": "7"})]
    }
    open_caller.post(PATH, json=body)
    assert "JohnDoe" not in str(kept.entries)
    assert [(one["reason_code"], one["reasoned"]) for one in kept.entries] == [("other", True)] * 3
    first, again, different = (one["reason_system"] for one in kept.entries)
    assert first == again != different


def test_an_outcome_from_the_future_counts_from_now(open_caller: FlaskClient, kept: Kept) -> None:
    """A wrong clock of the client cannot keep a rule quiet for longer than twelve hours from now."""
    open_caller.post(PATH, json={"feedback": [entry(outcomeTimestamp="2099-01-01T00:00:00Z")]})
    assert kept.entries[0]["outcome_at"] == kept.entries[0]["at"]


@pytest.mark.parametrize(
    ("path", "status"), [(PATH, 200), (ORDER_SIGN, 200), ("/cds-services", 401), ("/cds-services/ndm-patient-view", 401)]
)
def test_a_token_for_feedback_names_its_address_or_that_of_the_service(
    caller: FlaskClient, hospital: Hospital, path: str, status: int
) -> None:
    """FB-12: both audiences that clients use are taken, and no other."""
    body = {"feedback": [entry(card=card("general"))]}
    assert caller.post(PATH, json=body, headers=hospital.authorization(path)).status_code == status


def test_feedback_needs_a_token(caller: FlaskClient) -> None:
    """J15, SE-02: nobody tells of cards without saying who it is."""
    assert caller.post(PATH, json={"feedback": [entry()]}).status_code == 401


def test_feedback_that_cannot_be_kept_is_not_acknowledged(open_caller: FlaskClient, kept: Kept) -> None:
    """A19: with nowhere to keep it, the answer is 503 and asks to come back."""
    kept.fault = StoreUnavailable("nowhere")
    answer = open_caller.post(PATH, json={"feedback": [entry()]})
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
