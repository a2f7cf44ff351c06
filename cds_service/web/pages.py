"""The pages that explain the knowledge: rules, evidence, the source article, source attributes."""

from collections.abc import Callable, Sequence
from typing import Any

from flask import Blueprint, Flask, Response, jsonify, render_template, request

from cds_service.knowledge import Knowledge
from cds_service.web.attributes import REGULATION, attributes
from cds_service.web.rule_pages import Example, cited_by, groups_of, lead_rule, page_of, rules_of
from cds_service.web.site import guard, policies


def register(app: Flask, knowledge: Knowledge, examples: Callable[[], Sequence[Example]] = tuple) -> None:
    """Adds `/`, `/rules`, `/rules/<id>`, `/evidence`, `/trace` and `/source-attributes`; `examples` are the clinical cases."""
    blueprint = Blueprint("pages", __name__)
    pages = Pages(knowledge, examples)
    for url, view in (
        ("/", pages.home),
        ("/rules", pages.rules),
        ("/rules/<rule_id>", pages.rule),
        ("/evidence", pages.evidence),
        ("/trace", pages.trace),
        ("/source-attributes", pages.source_attributes),
    ):
        blueprint.add_url_rule(url, view.__name__, view)
    guard(blueprint)
    app.register_blueprint(blueprint)


class Pages:
    """The views, over one state of the knowledge."""

    def __init__(self, knowledge: Knowledge, examples: Callable[[], Sequence[Example]]) -> None:
        self.knowledge = knowledge
        self._examples = examples
        self._cases: Sequence[Example] | None = None

    @property
    def cases(self) -> Sequence[Example]:
        """The clinical cases, decided once, when a page first asks."""
        if self._cases is None:
            self._cases = tuple(self._examples())
        return self._cases

    def home(self) -> str:
        """What this is, and where to go."""
        conditions = [one.condition for one in policies(self.knowledge).values()]
        services, first = self.knowledge.services.values(), lead_rule(self.knowledge)
        rules = len(rules_of(self.knowledge))
        return render_template("home.html", title="Start", services=services, rules=rules, first=first, conditions=conditions)

    def rules(self) -> str:
        """Every rule by the question that it answers."""
        return render_template("rules.html", title="Rules", groups=groups_of(self.knowledge))

    def rule(self, rule_id: str) -> Any:
        """One rule, whole."""
        found = rules_of(self.knowledge).get(rule_id)
        if found is None:
            return render_template("missing.html", title="No such rule", rule_id=rule_id), 404
        page = page_of(*found, self.knowledge, self.cases)
        return render_template("rule.html", title=page.rule.sheet.title, page=page)

    def evidence(self) -> str:
        """Every row of evidence with its strength and how it was read."""
        return render_template("evidence.html", title="Evidence", rows=self.knowledge.evidence.values(), cited=cited_by(self.knowledge))

    def trace(self) -> str:
        """Each statement of the source article and what became of it."""
        rules = rules_of(self.knowledge)
        counts = {rule: sum(one.rule == rule for one in self.cases) for rule in rules}
        return render_template("trace.html", title="Source article", traces=self.knowledge.traces, rules=rules, counts=counts)

    def source_attributes(self) -> str | Response:
        """The thirteen source attributes, as a page or as JSON for a client that shows them itself."""
        found = attributes(self.knowledge)
        wants_json = request.args.get("format") == "json" or request.accept_mimetypes.best == "application/json"
        if wants_json:
            return jsonify({"regulation": REGULATION, "version": self.knowledge.version, "attributes": found})
        conditions = [one.condition.title for one in policies(self.knowledge).values()]
        return render_template("attributes.html", title="Source attributes", attributes=found, regulation=REGULATION, conditions=conditions)
