"""What a FHIR server can do wrong, one script each, and how much of the data is still had."""

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass

from tests.fhir_client.faultfhir import Call, Script, bomb, bundle, good, kind_of, outcome, pause, resource

NOTHING, PART, ALL = "nothing", "part", "all"
BIG = 9 << 20


@dataclass(frozen=True)
class Fault:
    """A way to fail; `gives` is what is had of the data all the same, `reason` what the metric counts."""

    name: str
    script: Script
    reason: str = ""
    gives: str = NOTHING

    @property
    def deadline_s(self) -> float:
        """Short where the fault uses all of it, long enough for a busy machine where it does not."""
        return 0.4 if self.reason == "deadline" else 5.0

    def __str__(self) -> str:
        return self.name


def status(number: int, **headers: str) -> Script:
    """Answers every call with this status and an OperationOutcome."""
    return lambda call: call.send(number, outcome("error"), {name.replace("_", "-"): value for name, value in headers.items()})


def body(content: bytes | str | dict[str, object], **headers: str) -> Script:
    """Answers every call with 200 and this body."""
    return lambda call: call.send(200, content, {name.replace("_", "-"): value for name, value in headers.items()})


def then_good(first: Script) -> Script:
    """Fails the first call for each type, and serves the second."""

    def script(call: Call) -> None:
        before = [one for one in call.server.calls[: call.number] if kind_of(one.target) == kind_of(call.target)]
        (good if before else first)(call)

    return script


def second_page(fault: Script) -> Script:
    """Serves a first page with a link to a second one, where the fault waits."""

    def script(call: Call) -> None:
        if "page=2" in call.target:
            fault(call)
            return
        kind = kind_of(call.target)
        call.send(200, bundle(resource(kind), next_url=f"{call.server.base}/{kind}?page=2"))

    return script


def link(text: str) -> Script:
    """Serves pages whose next link is this text, with {base} and {kind} filled in."""
    return lambda call: call.send(
        200, bundle(resource(kind_of(call.target)), next_url=text.format(base=call.server.base, kind=kind_of(call.target)))
    )


def endless(call: Call) -> None:
    """Every page has another one."""
    kind = kind_of(call.target)
    call.send(200, bundle(resource(kind, str(call.number)), next_url=f"{call.server.base}/{kind}?page={call.number + 2}x"))


def cycle(call: Call) -> None:
    """Two pages that each call the other the next."""
    kind = kind_of(call.target)
    other = "a" if "page=b" in call.target else "b"
    call.send(200, bundle(resource(kind), next_url=f"{call.server.base}/{kind}?page={other}"))


def closed(call: Call) -> None:
    """Ends the connection without a word."""
    call.line.shutdown(2)
    raise OSError


def cut(call: Call) -> None:
    """Promises more than it sends, and closes."""
    call.send(200, json.dumps(bundle(resource(kind_of(call.target))))[:40], length=4_000)
    closed(call)


def chunked(text: bytes) -> Script:
    """An answer in chunks, written by hand."""

    def script(call: Call) -> None:
        call.raw("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nTransfer-Encoding: chunked\r\n\r\n")
        call.raw(text)
        closed(call)

    return script


def head_drip(call: Call) -> None:
    """The headers arrive byte by byte and never end."""
    call.drip(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: a\r\n" * 500)


def body_drip(call: Call) -> None:
    """The body arrives byte by byte."""
    call.raw("HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 5000\r\n\r\n")
    call.drip(b" " * 5_000)


def continues(call: Call) -> None:
    """Says 100 Continue for ever."""
    while not call.server.over.wait(0.01):
        call.raw("HTTP/1.1 100 Continue\r\n\r\n")


def raw(text: bytes | str) -> Script:
    """Any bytes, then the end."""

    def script(call: Call) -> None:
        call.raw(text)
        closed(call)

    return script


def packed(call: Call) -> None:
    """A good answer, packed although nobody asked for it."""
    one = json.dumps(bundle(resource(kind_of(call.target)))).encode()
    call.send(200, gzip.compress(one), {"Content-Encoding": "gzip"})


def in_two(call: Call) -> None:
    """A good answer in two chunks."""
    one = json.dumps(bundle(resource(kind_of(call.target)))).encode()
    parts = b"".join(b"%x\r\n%s\r\n" % (len(half), half) for half in (one[:30], one[30:]))
    call.raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + parts + b"0\r\n\r\n")


def beside(one: dict[str, object]) -> Script:
    """A good resource beside another entry."""
    return lambda call: call.send(200, bundle(resource(kind_of(call.target)), one))


def pages_by(link_of: Callable[[Call, str], str]) -> Script:
    """Two good pages; the link between them is written in one way or another."""

    def script(call: Call) -> None:
        kind = kind_of(call.target)
        last = "page=2" in call.target
        call.send(200, bundle(resource(kind, "2" if last else "1"), next_url=None if last else link_of(call, kind)))

    return script


def slow(call: Call) -> None:
    """Good, and just in time."""
    pause(call, 0.05)
    good(call)


FAULTS = (
    Fault("connection closed at once", closed, "no-connection"),
    Fault("silence", Call.hang, "deadline"),
    Fault("headers byte by byte", head_drip, "deadline"),
    Fault("body byte by byte", body_drip, "deadline"),
    Fault("100 Continue for ever", continues, "deadline"),
    Fault("not HTTP", raw("SSH-2.0-OpenSSH_9.2\r\n\r\n"), "no-connection"),
    Fault("a hundred and one headers", raw("HTTP/1.1 200 OK\r\n" + "X-A: b\r\n" * 101 + "\r\n"), "no-connection"),
    Fault("a header of 70 kB", raw(f"HTTP/1.1 200 OK\r\nX-A: {'b' * 70_000}\r\n\r\n"), "no-connection"),
    Fault("body cut", cut, "answer-broke-off"),
    Fault("more bytes promised than sent", lambda call: (call.send(200, "{}", length=9_999), call.hang())[0], "deadline"),
    Fault(
        "fewer bytes promised than sent", lambda call: call.send(200, bundle(resource("Observation")), length=30), "not-the-fhir-asked-for"
    ),
    Fault("chunk without a size", chunked(b"zz\r\n{}\r\n"), "answer-broke-off"),
    Fault("chunk cut", chunked(b'ff\r\n{"resource'), "answer-broke-off"),
    Fault("gzip bomb", body(bomb(60 << 20), Content_Encoding="gzip"), "too-large"),
    Fault("gzip that is none", body(b"not gzip at all", Content_Encoding="gzip"), "answer-broke-off"),
    Fault("gzip cut", body(gzip.compress(b"{}" * 9_000)[:40], Content_Encoding="gzip"), "answer-broke-off"),
    Fault("an encoding that nobody asked for", body(b"\x0b\x02\x80", Content_Encoding="br"), "not-the-fhir-asked-for"),
    Fault("body of 9 MB", body(b" " * BIG), "too-large"),
    Fault("HTML page", body("<html><body>Tomcat</body></html>", Content_Type="text/html"), "not-the-fhir-asked-for"),
    Fault("no body", body(b""), "not-the-fhir-asked-for"),
    Fault("a list", body("[]"), "not-the-fhir-asked-for"),
    Fault("null", body("null"), "not-the-fhir-asked-for"),
    Fault("broken JSON", body('{"resourceType":"Bundle","entry":['), "not-the-fhir-asked-for"),
    Fault("JSON with more behind it", body('{"resourceType":"Bundle"}{}'), "not-the-fhir-asked-for"),
    Fault("NaN", body('{"resourceType":"Bundle","total":NaN}'), "not-the-fhir-asked-for"),
    Fault("100,000 levels", body(b'{"resourceType":"Bundle","x":' + b"[" * 100_000 + b"]" * 100_000 + b"}"), "not-the-fhir-asked-for"),
    Fault("UTF-16", body('{"resourceType":"Bundle"}'.encode("utf-16")), "not-the-fhir-asked-for"),
    Fault("another resource type", body(resource("Slot")), "not-the-fhir-asked-for"),
    Fault("a Bundle of other types only", body(bundle(resource("Slot"))), "not-the-fhir-asked-for"),
    Fault("a count without entries", body({"resourceType": "Bundle", "type": "searchset", "total": 7}), "not-the-fhir-asked-for"),
    Fault("entry as an object", body({"resourceType": "Bundle", "entry": {}}), "not-the-fhir-asked-for"),
    Fault("OperationOutcome error with status 200", body(outcome("error")), "not-the-fhir-asked-for"),
    Fault("OperationOutcome fatal among the entries", beside(outcome("fatal")), "not-the-fhir-asked-for"),
    Fault("OperationOutcome without issue among the entries", beside({"resourceType": "OperationOutcome"}), "not-the-fhir-asked-for"),
    Fault("204", status(204), "not-the-fhir-asked-for"),
    Fault("301 to the same host", status(301, Location="/fhir/elsewhere"), "redirect"),
    Fault("302 to another host", status(302, Location="http://127.0.0.9/"), "redirect"),
    Fault("307 to itself", status(307, Location="/fhir/Observation?patient=pat1"), "redirect"),
    Fault("400", status(400), "status-4xx"),
    Fault("401", status(401, WWW_Authenticate="Bearer"), "status-401"),
    Fault("403", status(403), "status-4xx"),
    Fault("404", status(404), "status-4xx"),
    Fault("406", status(406), "status-4xx"),
    Fault("410", status(410), "status-4xx"),
    Fault("429 without a time", status(429), "status-429"),
    Fault("429 for an hour", status(429, Retry_After="3600"), "status-429"),
    Fault("500", status(500), "status-5xx"),
    Fault("501", status(501), "status-5xx"),
    Fault("502", status(502), "status-5xx"),
    Fault("503 for two minutes", status(503, Retry_After="120"), "status-5xx"),
    Fault("504", status(504), "status-5xx"),
    Fault("pages without end", endless, "too-many-pages", PART),
    Fault("a page that follows itself", link("{base}/{kind}?page=1"), "page-link-refused", PART),
    Fault("two pages in a circle", cycle, "page-link-refused", PART),
    Fault("next page on another host", link("http://127.0.0.9/fhir/{kind}?page=2"), "page-link-refused", PART),
    Fault("next page on another port", link("http://127.0.0.1:9/fhir/{kind}?page=2"), "page-link-refused", PART),
    Fault("next page beside the base", link("{base}-other/{kind}?page=2"), "page-link-refused", PART),
    Fault("next page above the base", link("{base}/../admin?page=2"), "page-link-refused", PART),
    Fault("next page with a user", link("http://a:b@127.0.0.1/fhir/{kind}"), "page-link-refused", PART),
    Fault("next page by another scheme", link("file:///etc/passwd"), "page-link-refused", PART),
    Fault("empty next link", link(""), "page-link-refused", PART),
    Fault("410 on page 2", second_page(status(410)), "status-4xx", PART),
    Fault("401 on page 2", second_page(status(401)), "status-401", PART),
    Fault("500 on page 2", second_page(status(500)), "status-5xx", PART),
    Fault("page 2 cut", second_page(cut), "answer-broke-off", PART),
    Fault("page 2 never comes", second_page(Call.hang), "deadline", PART),
    Fault("HTML on page 2", second_page(body("<html>", Content_Type="text/html")), "not-the-fhir-asked-for", PART),
    Fault("OperationOutcome error on page 2", second_page(body(outcome("error"))), "not-the-fhir-asked-for", PART),
    Fault("connection closed once", then_good(closed), "", ALL),
    Fault("500 once", then_good(status(500)), "", ALL),
    Fault("503 once", then_good(status(503)), "", ALL),
    Fault("429 for no time", then_good(status(429, Retry_After="0")), "", ALL),
    Fault("late but in time", slow, "", ALL),
    Fault("packed although not asked for", packed, "", ALL),
    Fault("in chunks", in_two, "", ALL),
    Fault("OperationOutcome warning among the entries", beside(outcome("warning")), "", ALL),
    Fault("OperationOutcome information among the entries", beside(outcome("information")), "", ALL),
    Fault(
        "an entry without a resource", body('{"resourceType":"Bundle","entry":[{"response":{"status":"200"}}]}'), "not-the-fhir-asked-for"
    ),
    Fault("an empty searchset", body({"resourceType": "Bundle", "type": "searchset", "total": 0}), "", ALL),
    Fault("two pages", pages_by(lambda call, kind: f"{call.server.base}/{kind}?page=2"), "", ALL),
    Fault("a next link that is only a query", pages_by(lambda _, kind: f"/fhir/{kind}?page=2"), "", ALL),
    Fault("a next link below the base", pages_by(lambda _, kind: f"{kind}?page=2"), "", ALL),
    Fault("resources of another patient", lambda call: call.send(200, bundle(resource(kind_of(call.target), patient="other"))), "", ALL),
    Fault("a cookie", lambda call: call.send(200, bundle(resource(kind_of(call.target))), {"Set-Cookie": "a=b; Path=/"}), "", ALL),
)
