"""What all pages share: navigation, the policy for their content, and how the sentences of a sheet are shown."""

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Flask, Response, request, url_for
from markupsafe import Markup, escape

from cds_service.clinical.policy import Policy
from cds_service.knowledge import Knowledge

# No inline script or style and nothing from elsewhere: what a page shows comes from this service.
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; font-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
PLACES = (
    ("sandbox.bench", "Sandbox"),
    ("pages.rules", "Rules"),
    ("pages.evidence", "Evidence"),
    ("pages.trace", "Source article"),
    ("governance.board", "Governance"),
    ("pages.source_attributes", "Source attributes"),
)
SLOT = re.compile(r"\{([a-z_]+)\}")
VERIFIED: Mapping[str, tuple[str, str]] = {
    "primary": ("good", "read in the primary document"),
    "secondary": ("warning", "read in a transcription, not in the document itself"),
    "article-only": ("critical", "stated by the source article only"),
}
HOLDS: Mapping[str, tuple[str, str]] = {
    "correct": ("good", "holds"),
    "in-part": ("info", "holds in part"),
    "outdated": ("warning", "outdated"),
    "superseded": ("warning", "superseded"),
    "misattributed": ("critical", "misattributed"),
    "conflict": ("warning", "sources differ"),
    "unverified": ("critical", "not verified"),
}


def furnish(app: Flask, knowledge: Knowledge, development: bool) -> None:
    """Gives every template the navigation, the version and the filters; call it once, before the blueprints are used."""
    app.jinja_env.filters.update(slots=slots, code=code)
    app.jinja_env.globals.update(
        site_nav=lambda: navigation(app),
        development=development,
        knowledge_version=knowledge.version,
        verified=VERIFIED,
        holds=HOLDS,
        override_lasts=hours(knowledge.overrides.lasts_h),
        width="",
    )
    room = Blueprint("site", __name__, static_folder="static", static_url_path="/static", template_folder="templates")
    guard(room)
    app.register_blueprint(room)


def guard(blueprint: Blueprint) -> None:
    """Sends the policy for content, and for who learns the address, with every page of a blueprint."""

    @blueprint.after_request
    def _seal(answer: Response) -> Response:
        answer.headers["Content-Security-Policy"] = CONTENT_POLICY
        answer.headers["Referrer-Policy"] = "no-referrer"
        answer.headers["X-Content-Type-Options"] = "nosniff"
        return answer


def navigation(app: Flask) -> list[dict[str, Any]]:
    """The places that this instance offers, and which one the visitor is in."""
    here = (request.endpoint or "").partition(".")
    return [
        {"name": name, "url": url_for(endpoint), "current": _current(endpoint, here[0], here[2])}
        for endpoint, name in PLACES
        if endpoint in app.view_functions
    ]


def _current(endpoint: str, room: str, view: str) -> bool:
    if endpoint == f"{room}.{view}":
        return True
    if (room, view) == ("pages", "rule"):
        return endpoint == "pages.rules"
    return endpoint.startswith(f"{room}.") and room in {"sandbox", "governance"}


def hours(number: int) -> str:
    """A number of hours in words."""
    return f"{number} hour" if number == 1 else f"{number} hours"


def slots(text: str) -> Markup:
    """A sentence of a sheet with its places marked."""
    mark = Markup('<span class="slot">{}</span>')
    parts = enumerate(SLOT.split(text))
    return Markup("").join(mark.format(part.replace("_", " ")) if place % 2 else escape(part) for place, part in parts)


def code(text: str) -> Markup:
    """A sentence of a docstring with what stands between backticks as code."""
    mark = Markup("<code>{}</code>")
    return Markup("").join(mark.format(part) if place % 2 else escape(part) for place, part in enumerate(text.split("`")))


def policies(knowledge: Knowledge) -> Mapping[str, Policy]:
    """The site policy of each condition."""
    return {service.condition: service.reference.policy for service in knowledge.services.values()}
