"""A fixture FHIR R4 server for the sandbox: the shipped patients to read and search, and faults to switch on."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import orjson
from flask import Blueprint, Flask, Response, request

from cds_service.web.fhir_search import included, known, search
from cds_service.web.stories import Shelf

PREFIX = "/sandbox/fhir"
TOKEN = "fixture-token"  # noqa: S105, it guards invented patients only, and the page shows it
NOTICE = "A fixture server of ndm-cds with invented patients, for trying out the service. Not for care."
USUAL_COUNT, LARGEST_COUNT, SMALL_COUNT = 100, 1000, 3
FAULTS: Mapping[str, str] = {
    "slow": "Answers late",
    "unauthorized": "Answers 401",
    "broken": "Answers 500",
    "small-pages": "Answers in pages of three",
    "broken-page": "The second page breaks off",
    "token": "Asks for a bearer token",
}
HELD = (
    *("AllergyIntolerance", "Condition", "DiagnosticReport", "Encounter", "Medication", "MedicationRequest", "Observation"),
    *("Organization", "Patient", "Practitioner", "Procedure", "ServiceRequest", "Specimen"),
)
SEARCHED = {
    "token": ("_id", "category", "clinical-status", "code", "identifier", "intent", "status", "type", "verification-status"),
    "reference": ("encounter", "has-member", "medication", "patient", "requester", "result", "specimen", "subject"),
    "date": ("authoredon", "birthdate", "collected", "date", "issued", "onset-date", "recorded-date"),
    "string": ("family", "given", "name"),
}


@dataclass(frozen=True)
class Fault:
    """What goes wrong on purpose, and on which resource type ("all" for every one)."""

    name: str = ""
    kind: str = "all"

    def on(self, kind: str) -> str:
        """The fault that strikes a request about one resource type, or ""."""
        return self.name if self.kind in {"all", kind} else ""

    @property
    def path(self) -> str:
        return f"/faults/{self.name}/{self.kind}" if self.name else ""


@dataclass(frozen=True)
class FhirServer:
    """The server's contents, what it asks for, and how it waits."""

    shelf: Shelf
    token: str | None = None
    slow_s: float = 4
    pause: Callable[[float], None] = field(default=time.sleep)

    def read(self, fault: Fault, kind: str, name: str) -> Response:
        """GET [base]/[type]/[id]."""
        refused = self._refused(fault, kind)
        if refused:
            return refused
        found = next((one for one in self.shelf.resources() if (one.get("resourceType"), one.get("id")) == (kind, name)), None)
        return answer(found) if found else outcome(404, "not-found", f"No {kind} with this id on the fixture server.")

    def search(self, fault: Fault, kind: str) -> Response:
        """GET [base]/[type]?… and POST [base]/[type]/_search."""
        refused = self._refused(fault, kind)
        if refused:
            return refused
        parameters = [*request.args.items(multi=True), *(request.form.items(multi=True) if request.method == "POST" else ())]
        asked = dict(parameters)
        if fault.on(kind) == "broken-page" and number(asked.get("_offset"), 0):
            return Response('{"resourceType": "Bundle", "type": "searchset", "ent', 200, mimetype="application/fhir+json")
        resources = list(self.shelf.resources())
        return answer(page(resources, kind, parameters, fault))

    def _refused(self, fault: Fault, kind: str) -> Response | None:
        struck = fault.on(kind)
        if struck == "slow":
            self.pause(self.slow_s)
        wanted = self.token or (TOKEN if struck == "token" else None)
        if struck == "unauthorized" or (wanted and request.headers.get("Authorization") != f"Bearer {wanted}"):
            refusal = outcome(401, "login", "This fixture server asks for a bearer token here.")
            refusal.headers["WWW-Authenticate"] = 'Bearer realm="fixture"'
            return refusal
        return outcome(500, "exception", "The fixture server fails on purpose.") if struck == "broken" else None


def page(resources: list[dict[str, Any]], kind: str, parameters: list[tuple[str, str]], fault: Fault) -> dict[str, Any]:
    """One page of a searchset, with links to itself and to the next one."""
    found = search(resources, kind, parameters)
    asked = dict(parameters)
    small = fault.on(kind) in {"small-pages", "broken-page"}
    count = min(number(asked.get("_count"), USUAL_COUNT), SMALL_COUNT if small else LARGEST_COUNT)
    offset = number(asked.get("_offset"), 0)
    shown = found[offset : offset + count]
    base = request.url_root.rstrip("/") + PREFIX + fault.path
    entries = [{"fullUrl": f"{base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}} for one in shown]
    entries += [
        {"fullUrl": f"{base}/{one['resourceType']}/{one['id']}", "resource": one, "search": {"mode": "include"}}
        for one in included(resources, shown, parameters)
    ]
    kept = [pair for pair in parameters if known(pair[0]) and pair[0] != "_offset"]
    links = [{"relation": "self", "url": link(base, kind, [*kept, *([("_offset", str(offset))] if offset else [])])}]
    if count and offset + count < len(found):
        links.append({"relation": "next", "url": link(base, kind, [*kept, ("_offset", str(offset + count))])})
    bundle = {"resourceType": "Bundle", "type": "searchset", "total": len(found), "link": links}
    return {**bundle, "entry": entries} if entries else bundle


def link(base: str, kind: str, parameters: list[tuple[str, str]]) -> str:
    """The URL of one page."""
    return f"{base}/{kind}?{urlencode(parameters)}" if parameters else f"{base}/{kind}"


def number(text: str | None, usual: int) -> int:
    """A count of the query, or the usual one where it is none."""
    return int(text) if text and text.isdecimal() else usual


def capabilities(base: str) -> dict[str, Any]:
    """The CapabilityStatement of the fixture server."""
    parameters = [{"name": name, "type": kind} for kind, names in SEARCHED.items() for name in names]
    interactions = [{"code": "read"}, {"code": "search-type"}]
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": "2026-11-22",
        "kind": "instance",
        "software": {"name": "ndm-cds fixture FHIR server"},
        "implementation": {"description": NOTICE, "url": base},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "rest": [
            {"mode": "server", "resource": [{"type": kind, "interaction": interactions, "searchParam": parameters} for kind in HELD]},
        ],
    }


def answer(body: Mapping[str, Any], status: int = 200) -> Response:
    """A FHIR answer."""
    return Response(orjson.dumps(body), status, mimetype="application/fhir+json")


def outcome(status: int, code: str, text: str) -> Response:
    """A refusal as an OperationOutcome."""
    return answer({"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": code, "diagnostics": text}]}, status)


def register(app: Flask, server: FhirServer) -> None:
    """Adds the fixture server at /sandbox/fhir, and once more below /sandbox/fhir/faults/<fault>/<type>."""
    blueprint = Blueprint("fhir_server", __name__, url_prefix=PREFIX)
    known = ",".join(f'"{fault}"' for fault in FAULTS)
    prefixes: tuple[tuple[str, bool], ...] = (("", False), (f"/faults/<any({known}):fault>/<on>", True))
    for prefix, faulty in prefixes:
        suffix = "_faulty" if faulty else ""
        find, read = _finder(server), _reader(server)
        blueprint.add_url_rule(f"{prefix}/metadata", f"metadata{suffix}", _metadata)
        blueprint.add_url_rule(f"{prefix}/<kind>/<name>", f"read{suffix}", read)
        blueprint.add_url_rule(f"{prefix}/<kind>", f"search{suffix}", find)
        blueprint.add_url_rule(f"{prefix}/<kind>/_search", f"post_search{suffix}", find, methods=["POST"])
    blueprint.after_request(_open)
    app.register_blueprint(blueprint)


def _metadata(**_: str) -> Response:
    return answer(capabilities(request.url_root.rstrip("/") + PREFIX))


def _reader(server: FhirServer) -> Callable[..., Response]:
    def read(kind: str, name: str, **fault: str) -> Response:
        return server.read(_fault(**fault), kind, name)

    return read


def _finder(server: FhirServer) -> Callable[..., Response]:
    def find(kind: str, **fault: str) -> Response:
        return server.search(_fault(**fault), kind)

    return find


def _fault(fault: str = "", on: str = "all") -> Fault:
    return Fault(fault, on)


def _open(response: Response) -> Response:
    """Invented patients may be read from any page, as the public sandbox does; no answer is kept by a cache."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    response.headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Accept, Prefer, Cache-Control"
    response.headers["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Fixture-Server"] = NOTICE
    return response
