"""Takes a body off the wire: JSON in UTF-8, uncompressed, and no larger than the operator allows, with or without a length."""

from flask import Request
from werkzeug.exceptions import ClientDisconnected, RequestEntityTooLarge

from cds_service.errors import BadRequest, TooLarge, UnsupportedBody

JSON_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})
UTF8 = frozenset({"utf-8", "utf8"})


def read_body(request: Request, most: int) -> bytes:
    """Give the bytes of the body, at most `most` of them."""
    _check_type(request)
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)
    request.max_content_length = most
    try:
        body = request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise _too_large(most) from None
    except (ClientDisconnected, OSError):
        raise BadRequest("The body ended before it was complete.") from None
    if len(body) > most:
        raise _too_large(most)
    return body


def _check_type(request: Request) -> None:
    stated = request.headers.get("Content-Type", "").strip()
    if stated and request.mimetype not in JSON_TYPES:
        raise UnsupportedBody("Content-Type: application/json is expected.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in UTF8:
        raise UnsupportedBody("Content-Type: the charset utf-8 is expected.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UnsupportedBody("Content-Encoding: an uncompressed body is expected.")


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"At most {most} bytes are accepted; server.max_body_mb sets this limit.")
