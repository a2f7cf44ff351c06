"""Takes a body off the wire: JSON in UTF-8, uncompressed, and no larger than the operator allows, with or without a length."""

from typing import IO

from flask import Request

from cds_service.errors import BadRequest, TooLarge, UnsupportedBody

JSON_TYPES = frozenset({"application/json", "application/fhir+json", "application/json+fhir"})
PLAIN = frozenset({"application/json", "application/json; charset=utf-8", "application/json;charset=UTF-8"})  # taken without being parsed
UTF8 = frozenset({"utf-8", "utf8"})


def read_body(request: Request, most: int) -> bytes:
    """Give the bytes of the body, at most `most` of them."""
    _check_type(request)
    if request.content_length is not None and request.content_length > most:
        raise _too_large(most)
    wanted = request.content_length
    if wanted is None:
        wanted = most + 1 if request.environ.get("wsgi.input_terminated") else 0
    body = _read(request.environ["wsgi.input"], wanted)
    if len(body) > most:
        raise _too_large(most)
    if request.content_length is not None and len(body) < wanted:
        raise _cut_short()
    return body


def _read(stream: IO[bytes], wanted: int) -> bytes:
    """Up to this many bytes; the stream may give fewer at a time."""
    pieces = []
    try:
        while wanted > 0 and (piece := stream.read(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
    except OSError:
        raise _cut_short() from None
    return pieces[0] if len(pieces) == 1 else b"".join(pieces)


def _check_type(request: Request) -> None:
    if request.environ.get("CONTENT_TYPE") in PLAIN and "HTTP_CONTENT_ENCODING" not in request.environ:
        return
    stated = request.headers.get("Content-Type", "").strip()
    if stated and request.mimetype not in JSON_TYPES:
        raise UnsupportedBody("Content-Type: application/json is expected.")
    charset = request.mimetype_params.get("charset", "utf-8").lower()
    if charset not in UTF8:
        raise UnsupportedBody("Content-Type: the charset utf-8 is expected.")
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in {"", "identity"}:
        raise UnsupportedBody("Content-Encoding: an uncompressed body is expected.")


def _cut_short() -> BadRequest:
    return BadRequest("The body ended before it was complete.")


def _too_large(most: int) -> TooLarge:
    return TooLarge(f"At most {most} bytes are accepted; server.max_body_mb sets this limit.")
