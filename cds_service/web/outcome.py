"""Refusals as a client reads them: an OperationOutcome for every status that is not 2xx, never HTML, never a word of the request."""

from collections.abc import Mapping

import orjson
from flask import Response

MEDIA_TYPE = "application/json"  # CDS Hooks clients expect JSON; the media type of FHIR would be unexpected here
RETRY_AFTER_S = "1"

# R4 value set "issue-type"; 401 has its own fixed body in web/trust.py.
_ISSUE_OF_STATUS: Mapping[int, str] = {
    400: "invalid",
    403: "forbidden",
    404: "not-found",
    405: "not-supported",
    408: "timeout",
    412: "incomplete",
    413: "too-long",
    414: "too-long",
    415: "not-supported",
    422: "invalid",
    429: "throttled",
    431: "too-long",
    500: "exception",
    503: "transient",
}
_TEXTS: Mapping[int, str] = {
    400: "The request could not be read.",
    404: "There is nothing at this address. GET /cds-services lists the services.",
    405: "This method is not offered here; the Allow header names those that are.",
    413: "The body is larger than this service accepts.",
    415: "A JSON body in UTF-8 is expected, uncompressed.",
    500: "The service has a fault. No check was made; the administrators find it in the log by this id.",
    503: "The service cannot answer at the moment. No check was made.",
}


def outcome(status: int, code: str, message: str = "", error_id: str | None = None) -> Response:
    """Give the answer for a refusal; `code` is the stable word for machines, `message` the sentence for people."""
    issue = {
        "severity": "fatal" if status == 500 else "error",
        "code": _ISSUE_OF_STATUS.get(status, "processing"),
        "details": {"text": code},
        "diagnostics": message or _TEXTS.get(status, "The request was refused."),
    }
    body = {"resourceType": "OperationOutcome", **({"id": error_id} if error_id else {}), "issue": [issue]}
    answer = Response(orjson.dumps(body), status, content_type=MEDIA_TYPE)
    if status == 503:
        answer.headers["Retry-After"] = RETRY_AFTER_S
    return answer
