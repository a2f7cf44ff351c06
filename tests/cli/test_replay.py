"""`ndm-cds replay`: stored requests, promised answers, and what differs."""

import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from cds_service.cli import exits
from cds_service.replay import Answer, Remote, Unreachable, differences, read_fixtures
from cds_service.replay.wire import service_for

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(name="copy")
def _copy(tmp_path: Path, fixtures: Path, run: Run) -> Path:
    """Three requests with the answers of today, to be changed."""
    (tmp_path / "requests").mkdir()
    for name in ("aztreonam-alone", "protected-pair", "missing-results"):
        shutil.copy(fixtures / "ndm" / "requests" / f"{name}.json", tmp_path / "requests")
    run("replay", tmp_path, "--update")
    return tmp_path


def _change(file: Path, change: Callable[[Any], None]) -> None:
    body = json.loads(file.read_text("utf-8"))
    change(body)
    file.write_text(json.dumps(body), "utf-8")


def test_every_shipped_request_gets_its_promised_answer(run: Run, fixtures: Path) -> None:
    """The whole answers of all shipped requests are those that the engine gives, whatever day it is."""
    status, out, _ = run("replay", fixtures)
    assert status == exits.OK, out
    assert "differs" not in out
    assert "new" not in out.split()


def test_a_lost_card_is_one_difference(run: Run, copy: Path) -> None:
    """A card that was promised and does not come is named with its summary."""
    _change(copy / "requests" / "aztreonam-alone.json", lambda body: body["context"]["draftOrders"]["entry"].clear())
    status, out, _ = run("replay", copy)
    assert status == exits.DIFFERS
    assert "card ndmAztreonamUnprotected" in out
    assert "promised  critical: Aztreonam is unprotected" in out
    assert "got       nothing" in out
    assert "2 of 3 requests get the promised answer" in out


def test_a_changed_sentence_is_shown_from_both_sides(run: Run, copy: Path) -> None:
    """The place, the promised words and the words that came."""
    _change(copy / "responses" / "aztreonam-alone.json", lambda answer: answer["body"]["cards"][0].update(summary="Something else"))
    _, out, _ = run("replay", copy)
    assert "ndmAztreonamUnprotected summary" in out
    assert "promised  'Something else'" in out


def test_another_status_is_a_difference(run: Run, copy: Path) -> None:
    """A refusal instead of cards, or another refusal, is told with its text."""
    _change(copy / "responses" / "missing-results.json", lambda answer: answer.update(status=200, body={"cards": []}))
    _, out, _ = run("replay", copy)
    assert "promised  200 no card" in out
    assert "got       412 Data that every answer needs could not be had" in out


def test_update_keeps_the_answers(run: Run, copy: Path) -> None:
    """--update makes what came the promise."""
    _change(copy / "responses" / "aztreonam-alone.json", lambda answer: answer["body"]["cards"].clear())
    assert run("replay", copy)[0] == exits.DIFFERS
    assert run("replay", copy, "--update")[0] == exits.OK
    assert run("replay", copy)[0] == exits.OK


def test_a_request_without_an_answer_is_new(run: Run, copy: Path) -> None:
    """It is shown, and does not count as different."""
    (copy / "responses" / "protected-pair.json").unlink()
    status, out, _ = run("replay", copy)
    assert (status, "new     protected-pair" in out) == (exits.OK, True)


def test_a_single_file_keeps_its_answer_beside_it(run: Run, tmp_path: Path, copy: Path) -> None:
    """Outside a folder `requests` the answer is `x.response.json`."""
    file = tmp_path / "one.json"
    shutil.copy(copy / "requests" / "protected-pair.json", file)
    assert run("replay", file, "--update")[0] == exits.OK
    assert json.loads((tmp_path / "one.response.json").read_text("utf-8"))["status"] == 200
    assert [one.name for one in read_fixtures([tmp_path / "requests"])] == ["aztreonam-alone", "missing-results", "protected-pair"]


def test_as_of_judges_recorded_requests_at_their_time(run: Run, copy: Path) -> None:
    """A request without a line about its time is judged as of the moment that the user names."""
    _change(copy / "requests" / "aztreonam-alone.json", lambda body: body.pop("extension"))
    assert run("replay", copy, "--as-of", "2026-11-20T12:00:00Z")[0] == exits.OK
    assert run("replay", copy, "--as-of", "2028-01-01T00:00:00Z")[0] == exits.DIFFERS


def test_a_moment_that_reads_as_none_counts_as_unsaid(copy: Path) -> None:
    """A fixture with a broken moment is judged like one without."""
    _change(copy / "requests" / "aztreonam-alone.json", lambda body: body["extension"].update({"ndm-cds.written": "soon"}))
    assert read_fixtures([copy / "requests" / "aztreonam-alone.json"])[0].written is None


def test_a_broken_body_is_sent_as_it_is(run: Run, tmp_path: Path) -> None:
    """A file that is not JSON has no hook, so the service must be named; then the refusal is the answer."""
    file = tmp_path / "broken.json"
    file.write_bytes(b'{"hook": ')
    status, out, _ = run("replay", file)
    assert (status, "name it with --service" in " ".join(out.split())) == (exits.DIFFERS, True)
    assert "refused with 400" in run("replay", file, "--service", "ndm-order-sign")[1]


def test_the_result_can_be_read_by_machines(run: Run, copy: Path, tmp_path: Path) -> None:
    """--json lists every request, --junit has a failure for every difference."""
    _change(copy / "responses" / "aztreonam-alone.json", lambda answer: answer["body"]["cards"].clear())
    report = tmp_path / "replay.xml"
    _, out, _ = run("replay", copy, "--json", "--junit", report)
    found = json.loads(out)
    assert (found["requests"], found["different"]) == (3, 1)
    suite = ElementTree.fromstring(report.read_text("utf-8"))
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    assert len(suite.findall("testcase")) == 3


def test_an_empty_folder_is_usage(run: Run, tmp_path: Path) -> None:
    """Nothing to replay is a mistake of the user, not a success."""
    assert run("replay", tmp_path)[0] == exits.USAGE


def test_a_service_that_is_not_there_is_unreachable(run: Run, copy: Path) -> None:
    """A refused connection ends with status 4 and the address."""
    status, _, err = run("replay", copy, "--url", "http://127.0.0.1:9")
    assert status == exits.UNREACHABLE
    assert "http://127.0.0.1:9" in err


@pytest.mark.parametrize("url", ["127.0.0.1:8080", "ftp://127.0.0.1", "http://"])
def test_an_address_that_is_none_is_told(run: Run, copy: Path, url: str) -> None:
    """The address must be http or https with a host."""
    status, _, err = run("replay", copy, "--url", url)
    assert (status, "is not a URL such as" in err) == (exits.UNREACHABLE, True)


class _Service(http.server.BaseHTTPRequestHandler):
    """A CDS service that answers with what a test puts on the server, and remembers what it was sent."""

    def _answer(self, body: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self._answer(self.server.discovery)  # type: ignore[attr-defined]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.seen.append((self.path, self.headers.get("Authorization"), body))  # type: ignore[attr-defined]
        self._answer(self.server.answer)  # type: ignore[attr-defined]

    def log_message(self, *_: object) -> None:
        """Stay quiet."""


@pytest.fixture(name="service")
def _service() -> Iterator[Any]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Service)
    server.discovery = b'{"services": [{"id": "elsewhere", "hook": "order-sign"}]}'  # type: ignore[attr-defined]
    server.answer = b'{"cards": []}'  # type: ignore[attr-defined]
    server.seen = []  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def _url(server: Any) -> str:
    return f"http://127.0.0.1:{server.server_port}"


def test_any_service_can_be_asked_with_todays_dates(run: Run, copy: Path, service: Any) -> None:
    """The request goes to the service for its hook, with the token, and all its dates are moved to the present."""
    (copy / "responses" / "protected-pair.json").unlink()
    status, _, _ = run("replay", copy / "requests" / "protected-pair.json", "--url", _url(service), "--token", "a.b.c")
    ((path, token, body),) = service.seen
    assert (status, path, token) == (exits.OK, "/cds-services/elsewhere", "Bearer a.b.c")
    collected = [entry["resource"]["effectiveDateTime"] for entry in json.loads(body)["prefetch"]["results"]["entry"]]
    newest = max(datetime.fromisoformat(moment) for moment in collected)
    assert timedelta(0) < datetime.now(UTC) - newest < timedelta(hours=7)


def test_a_service_without_discovery_is_unreachable(run: Run, copy: Path, service: Any) -> None:
    """An answer that is no discovery document is told as such."""
    service.discovery = b"<html>"
    status, _, err = run("replay", copy, "--url", _url(service))
    assert (status, "without a list of services" in err) == (exits.UNREACHABLE, True)


def test_an_answer_that_is_no_json_is_a_difference(run: Run, copy: Path, service: Any) -> None:
    """HTML instead of cards loses the card that was promised."""
    service.answer = b"<html>"
    _, out, _ = run("replay", copy / "requests" / "aztreonam-alone.json", "--url", _url(service), "--service", "elsewhere")
    assert "card ndmAztreonamUnprotected" in out


def test_https_is_spoken(service: Any) -> None:
    """An https address is spoken to over TLS, so a plain server is unreachable there."""
    with pytest.raises(Unreachable):
        Remote(_url(service).replace("http", "https"), seconds=2).discovery()


def test_only_one_service_answers_a_hook_by_itself() -> None:
    """Where two services answer a hook, none is chosen."""
    services = [{"id": "a", "hook": "order-sign"}, {"id": "b", "hook": "order-sign"}, {"id": "c", "hook": "patient-view"}]
    assert service_for(services, "order-sign") is None
    assert service_for(services, "patient-view") == "c"


def _cards(*cards: dict[str, Any]) -> Answer:
    return Answer(200, {"cards": list(cards)})


def _card(**parts: Any) -> dict[str, Any]:
    return {"summary": "s", "indicator": "info", "source": {"label": "l", "topic": {"code": "one"}}, **parts}


@pytest.mark.parametrize(
    ("promised", "got", "where"),
    [
        (_cards(_card(uuid="a")), _cards(_card(uuid="b")), []),
        (_cards(_card(extension={"ndm-cds.knowledge": "1"})), _cards(_card(extension={"ndm-cds.knowledge": "2"})), []),
        (_cards(_card(links=[{"url": "a"}])), _cards(_card(links=[])), ["one links 1"]),
        (_cards(_card(links=[1])), _cards(_card()), ["one links"]),
        (_cards(), _cards(_card()), ["card one"]),
        (_cards(_card(source=None)), _cards(_card(source="x")), ["s source"]),
        (
            _cards(_card(), _card(source={"topic": {"code": "two"}})),
            _cards(_card(source={"topic": {"code": "two"}}), _card()),
            ["order of the cards"],
        ),
        (Answer(400, {"issue": [{"code": "a"}], "id": "1"}), Answer(400, {"issue": [{"code": "b"}], "id": "2"}), ["answer issue 1 code"]),
        (Answer(500, None), Answer(200, {"cards": []}), ["status"]),
        (Answer(500, "x"), Answer(500, "x"), []),
    ],
)
def test_differences_are_found_where_they_are(promised: Answer, got: Answer, where: list[str]) -> None:
    """Identifiers and versions do not count; everything else is named by its place."""
    assert [one.where for one in differences(promised, got)] == where


@pytest.mark.parametrize(
    ("before", "after", "days", "same"),
    [
        ("collected 2026-11-18", "collected 2026-11-28", 10, True),
        ("collected 2026-11-18", "collected 2026-11-29", 10, True),
        ("collected 2026-11-18", "collected 2026-12-18", 10, False),
        ("collected 2026-11-18", "taken 2026-11-28", 10, False),
        ("2026-11-18T10:00:00Z", "2026-11-28T09:00:00+00:00", 10, True),
        ("2026-99-18", "2026-11-28", 10, False),
        ("collected 2026-11-18", "collected 2026-11-19", 0, False),
    ],
)
def test_dates_may_lie_later_by_what_the_request_was_moved(before: str, after: str, days: int, same: bool) -> None:
    """A date in a sentence may move with the request, give or take a day, and nothing else may change."""
    found = differences(_cards(_card(detail=before)), _cards(_card(detail=after)), timedelta(days=days))
    assert (not found) is same


@pytest.mark.parametrize(
    ("before", "after", "days", "found"),
    [
        ("a\nb\nc", "a\nx\nc", 0, [("b", "x")]),
        ("a\nb\nc", "a\nc", 0, [("b", "nothing")]),
        ("a\n\nc", "a\n\nb\nc", 0, [("nothing", "b")]),
        ("a\non 2026-11-18\nc", "a\non 2026-11-28\nx", 10, [("c", "x")]),
        ("a\non 2026-11-18\nc", "a\non 2026-12-28\nc", 10, [("on 2026-11-18", "on 2026-12-28")]),
    ],
)
def test_of_a_long_text_only_the_changed_lines_are_shown(before: str, after: str, days: int, found: list[tuple[str, str]]) -> None:
    """A changed line of a long card stands alone."""
    told = differences(_cards(_card(detail=before)), _cards(_card(detail=after)), timedelta(days=days))
    assert [(one.promised, one.got) for one in told] == found
