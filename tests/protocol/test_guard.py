"""Bodies that are refused before anything reads them, and honest ones that are not."""

import json
import time
from datetime import UTC, datetime

import pytest
from msgspec import Raw
from msgspec.json import decode, encode

from bench.charts import request
from cds_service.errors import BadRequest
from cds_service.protocol.guard import CHUNK, DEEPEST, MOST_NODES, check_body, without_duplicates
from cds_service.protocol.request import parse_request
from tests.protocol.requests import body, draft, order_sign

HOSTILE = {
    "a byte order mark": b"\xef\xbb\xbf" + body(order_sign()),
    "UTF-16": json.dumps(order_sign()).encode("utf-16"),
    "UTF-16 without a mark": json.dumps(order_sign()).encode("utf-16-le"),
    "UTF-32": json.dumps(order_sign()).encode("utf-32"),
    "bad UTF-8 in a field that is read": body(order_sign()).replace(b"pat1", b"pat\xff", 1),
    "bad UTF-8 in a field that nobody reads": body(order_sign(x="\u00e4")).replace(b"\\u00e4", b"\xe4"),
    "overlong UTF-8": body(order_sign()).replace(b"pat1", b"pat\xc0\xaf", 1),
    "UTF-8 that ends in the middle": body(order_sign())[:-1] + b"\xc3",
    "a lone surrogate": body(order_sign()).replace(b"pat1", b"pat\\ud800", 1),
    "a lone surrogate where nobody reads": body(order_sign(x="QQ")).replace(b"QQ", b"\\udfff"),
    "NaN": body(order_sign(x="QQ")).replace(b'"QQ"', b"NaN"),
    "Infinity": body(order_sign(x="QQ")).replace(b'"QQ"', b"-Infinity"),
    "a number of 5,000 digits": body(order_sign(x="QQ")).replace(b'"QQ"', b"1" * 5_000),
    "a leading zero": body(order_sign(x="QQ")).replace(b'"QQ"', b"01"),
    "100,000 lists": b"[" * 100_000 + b"]" * 100_000,
    "1,000 lists in a draft": body(order_sign()).replace(b'"aztreonam"', b"[" * 1_000 + b"]" * 1_000),
    "41 levels": b'{"a":' * DEEPEST + b"{}" + b"}" * DEEPEST,
    "brackets without an end": b'{"hook":' * 60,
    "brackets that do not match": b'{"a":[}]',
    "5 MB of empty objects": b"[" + b"{}," * 1_700_000 + b"{}]",
    "5 MB of numbers": b"[" + b"1," * 2_600_000 + b"1]",
    "text behind the object": body(order_sign()) + b" x",
    "two objects": body(order_sign()) * 2,
    "a NUL in an id": body(order_sign()).replace(b"pat1", b"pat\\u0000", 1),
    "a raw control character": body(order_sign()).replace(b"pat1", b"pat\n", 1),
}  # fmt: skip


@pytest.mark.parametrize("content", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_bodies_are_refused(content: bytes) -> None:
    """G-01, G-11, H1–H6, A13: 400, whatever it is, and no other error."""
    with pytest.raises(BadRequest):
        parse_request(content, "order-sign")


@pytest.mark.parametrize(
    ("where", "twice"),
    [
        ("the root", b'"hook":"order-sign","hook":"order-sign"'),
        ("the root, prefetch", b'"hook":"order-sign","prefetch":{}'),
        ("prefetch", b'"hook":"order-sign","x":{"a":1,"a":1}'),
    ],
)
def test_a_name_that_occurs_twice_is_refused(where: str, twice: bytes) -> None:
    """H5: two values under one name in the root and its members."""
    with pytest.raises(BadRequest, match="twice"):
        parse_request(body(order_sign()).replace(b'"hook": "order-sign"', twice), "order-sign")


@pytest.mark.parametrize(
    "changed",
    [
        lambda text: text.replace('"patientId": "pat1"', '"patientId": "pat2", "patientId": "pat1"'),
        lambda text: text.replace('"status": "draft"', '"status": "cancelled", "status": "draft"'),
        lambda text: text.replace('"text": "aztreonam"', '"text": "x", "text": "aztreonam"'),
        lambda text: text.replace('"prefetch": {}', '"prefetch": {"results": null, "results": null}'),
        lambda text: text.replace('"prefetch": {}', '"prefetch": {"results": [' + "1, " * 200 + '1], "results": [' + "1, " * 200 + "1]}"),
        lambda text: text.replace('"prefetch": {}', '"fhirAuthorization": {"access_token": "a", "access_token": "b"}'),
        lambda text: text.replace('"prefetch": {}', '"prefetch": {}, "prefetch": {}'),
    ],
)
def test_a_name_twice_where_it_can_change_a_verdict_is_refused(changed: object) -> None:
    """H5: in the context, in a draft, among the prefetch keys and in the authorization."""
    with pytest.raises(BadRequest, match="twice"):
        parse_request(changed(json.dumps(order_sign())).encode(), "order-sign")


def test_the_chart_is_not_read_a_second_time() -> None:
    """Performance: large prefetched values are left out of the strict reading, wherever they stand."""
    chart = {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Observation", "id": str(number)}} for number in range(50)]}
    text = body(order_sign(prefetch={"results": chart, "orders": chart, "patient": {"resourceType": "Patient"}, "none": None}))
    values = decode(text, type=dict[str, Raw])
    found = without_duplicates(text, decode(values["prefetch"], type=dict[str, Raw]).values())
    assert found["prefetch"] == {"results": 0, "orders": 0, "patient": {"resourceType": "Patient"}, "none": None}
    assert found["context"] == order_sign()["context"]


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "}" * 90,
        "[" * 90,
        '"' * 90,
        "\\" * 91,
        '\\"{' * 60,
        "[{}]" * 60,
        "a{b\\\\",
        "\u00e4\u00f6\U0001f489",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ],
)
def test_brackets_and_quotes_in_texts_are_only_texts(text: str) -> None:
    """H2: what stands inside a string is neither depth nor structure."""
    request = order_sign()
    request["context"]["draftOrders"]["entry"][0]["resource"]["note"] = [{"text": text}]
    assert parse_request(body(request), "order-sign").patient_id == "pat1"
    raw = json.dumps(request, ensure_ascii=False).encode()
    assert parse_request(raw, "order-sign").patient_id == "pat1"


@pytest.mark.parametrize("letter", ["\u00e4", "\u2013", "\U0001f489"])
@pytest.mark.parametrize("place", range(-5, 2))
def test_a_letter_may_stand_where_a_piece_of_the_body_ends(letter: str, place: int) -> None:
    """A13: bytes of one letter may fall into two pieces; half a letter there is refused."""
    start = b'{"a":"'
    before, whole = start + b"x" * (CHUNK - len(start) + place), letter.encode()
    check_body(before + whole + b'"}')
    with pytest.raises(BadRequest, match="UTF-8"):
        check_body(before + whole[:-1] + b'"}')


@pytest.mark.parametrize("content", [b"", b" ", b"\n", b" \r\n\t "])
def test_an_empty_body_is_named_so(content: bytes) -> None:
    """H1: nothing, or nothing but white space, is an empty body."""
    with pytest.raises(BadRequest, match="empty"):
        check_body(content)


def test_forty_levels_are_taken() -> None:
    """H2: the boundary: forty levels are read, forty-one are not."""
    check_body(b'{"a":' * (DEEPEST - 1) + b"{}" + b"}" * (DEEPEST - 1))
    with pytest.raises(BadRequest, match="40"):
        check_body(b'{"a":' * DEEPEST + b"{}" + b"}" * DEEPEST)


def test_an_honest_large_chart_is_taken() -> None:
    """H3, G-13: 16 MB of ordinary results pass the count of values."""
    one = json.dumps({"resource": draft(note=[{"text": "x" * 200}])})
    check_body(f'{{"entry":[{",".join([one] * 30_000)}]}}'.encode())


@pytest.mark.parametrize("piece", [", ", "{},", '",",', "[", "\\\\,", "\\", ',"', "\u00e4,"])
def test_commas_in_a_long_text_are_no_values(piece: str) -> None:
    """H3: megabytes of commas and brackets in texts are taken, quickly, wherever a chunk of the count ends."""
    text = piece * (3_000_000 // len(piece))
    started = time.perf_counter()
    check_body(json.dumps({"a": [text], "b": {",": text[:2_000_001]}}).encode())
    assert time.perf_counter() - started < 1.5


def test_the_count_of_values_has_a_boundary() -> None:
    """H3: as many values as allowed pass, twice as many do not."""
    check_body(b"[" + b"{}," * (MOST_NODES // 2 - 2) + b"{}]")
    with pytest.raises(BadRequest, match="values"):
        check_body(b"[" + b"{}," * MOST_NODES + b"{}]")


def test_a_bomb_is_refused_quickly() -> None:
    """A13: 5 MB of empty objects are refused without being read."""
    content = HOSTILE["5 MB of empty objects"]
    started = time.perf_counter()
    with pytest.raises(BadRequest):
        check_body(content)
    assert time.perf_counter() - started < 0.5


FLAT = ",".join(f'"k{number:07d}":1' for number in range(1_500_000))


@pytest.mark.parametrize(
    ("place", "keys"),
    [
        ('"prefetch": {}', f'"prefetch": {{}}, {FLAT}'),
        ('"text": "aztreonam"', f'"text": "aztreonam", {FLAT}'),
        ('"prefetch": {}', f'"prefetch": {{{FLAT}}}'),
        ('"prefetch": {}', f'"prefetch": {{"results": {{"resourceType": "Observation", {FLAT}}}}}'),
        ('"prefetch": {}', f'"prefetch": {{}}, {FLAT[: 13 * 210_000 - 1]}'),
        ('"text": "aztreonam"', f'"text": "aztreonam", {FLAT[: 13 * 210_000 - 1]}'),
        ('"prefetch": {}', f'"prefetch": {{{FLAT[: 13 * 300 - 1]}}}'),
    ],
    ids=["root", "draft", "keys", "resource", "fewer in the root", "fewer in a draft", "300 keys"],
)
def test_flat_objects_of_many_names_are_refused_quickly(place: str, keys: str) -> None:
    """D15: 20 MB of flat names are refused before they become objects, and so are 210,000 beside the charts, or 300 prefetch keys."""
    content = json.dumps(order_sign()).replace(place, keys).encode()
    started = time.process_time()
    with pytest.raises(BadRequest, match="more than"):
        parse_request(content, "order-sign")
    assert time.process_time() - started < 0.5


def test_the_charts_of_the_load_test_are_taken() -> None:
    """G-13: an honest request with a chart of ten thousand resources passes every count, also with the least white space."""
    content = request("card", 10_000, datetime(2026, 11, 20, tzinfo=UTC))
    assert len(content) > 15_000_000
    assert parse_request(content, "order-sign").prefetch
    assert parse_request(encode(decode(content)), "order-sign").prefetch
