"""The order-entry sandbox of the development mode: a page that asks the real endpoints, and what it needs beside them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, render_template, request

from cds_service.clinical.facts import Drug
from cds_service.clinical.figures import figure
from cds_service.decide import Decision
from cds_service.errors import ServiceError
from cds_service.knowledge import Knowledge
from cds_service.web.explain import explanation
from cds_service.web.fhir_server import FAULTS, HELD
from cds_service.web.outcome import outcome
from cds_service.web.site import guard
from cds_service.web.stories import Shelf, Story

PREFIX = "/sandbox"
Ask = Callable[[str, bytes], Decision]


@dataclass(frozen=True)
class Sandbox:
    """The views; `ask` takes one request through the corridor without remembering it."""

    knowledge: Knowledge
    shelf: Shelf
    ask: Ask

    def bench(self) -> str:
        """The page itself; everything on it is drawn by its scripts."""
        first = next((story.patient_id for story in self.shelf.stories() if story.first), "")
        return render_template("sandbox.html", title="Sandbox", width="page-wide", faults=FAULTS, kinds=HELD, first=first)

    def patients(self) -> Response:
        """All stories without their records: one's own patients first, then the shipped ones in the order that teaches."""
        return jsonify([_headline(story) for story in sorted(self.shelf.stories(), key=lambda story: story.place)])

    def patient(self, patient_id: str) -> Response:
        """One story with its record and drafts."""
        story = self.shelf.story(patient_id)
        if story is None:
            return outcome(404, "not-found", "The sandbox has no patient with this id.")
        return jsonify({**_headline(story), "resources": story.resources, "drafts": story.drafts, "encounterId": story.encounter_id})

    def formulary(self) -> Response:
        """The drugs that an order can name, antibacterials first."""
        drugs = {drug.key: drug for service in self.knowledge.services.values() for drug in service.reference.drugs.values()}
        listed = sorted(drugs.values(), key=lambda drug: (not drug.antibacterial, drug.name))
        return jsonify([self._entry(drug) for drug in listed])

    def explain(self, service_id: str) -> Response:
        """Why each rule spoke or kept silent about the request in the body; refusals as the hook itself gives them."""
        try:
            return jsonify(explanation(self.ask(service_id, request.get_data())))
        except ServiceError as error:
            return outcome(error.status, error.code, error.message)

    def _entry(self, drug: Drug) -> dict[str, Any]:
        return {"name": drug.name, "injection": drug.injection_only, "usual": usual(self.knowledge, drug)}


def usual(knowledge: Knowledge, drug: Drug) -> Mapping[str, str]:
    """The dose for normal kidneys where the knowledge has a table for the drug, as the form writes it."""
    table = [row for service in knowledge.services.values() for row in service.reference.doses.rows if row.agent == drug.key]
    rows = [row for row in table if row.grams and not row.loading and "none" in row.replacement]
    if not rows:
        return {}
    best = max(rows, key=lambda row: (row.hi is None and row.suggest, row.grams or 0))
    infusion = best.infusion_h or best.label_infusion_h
    said = {"dose": figure(best.grams) if best.grams else "", "interval": f"{best.intervals_h[0]:f}" if best.intervals_h else ""}
    return {**said, "infusion": figure(infusion) if infusion else ""}


def _headline(story: Story) -> dict[str, Any]:
    return {"patientId": story.patient_id, "title": story.title, "story": story.story, "hook": story.hook}


def register(app: Flask, sandbox: Sandbox) -> None:
    """Adds /sandbox with its patients, its formulary and the explaining endpoint; for the development mode only."""
    blueprint = Blueprint("sandbox", __name__, url_prefix=PREFIX)
    views: Sequence[tuple[str, Callable[..., Any], str]] = (
        ("", sandbox.bench, "GET"),
        ("/patients", sandbox.patients, "GET"),
        ("/patients/<patient_id>", sandbox.patient, "GET"),
        ("/formulary", sandbox.formulary, "GET"),
        ("/explain/<service_id>", sandbox.explain, "POST"),
    )
    for url, view, method in views:
        blueprint.add_url_rule(url, view.__name__, view, methods=[method])
    guard(blueprint)
    app.register_blueprint(blueprint)
