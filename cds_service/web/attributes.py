"""The thirteen source attributes of an evidence-based decision support intervention, 45 CFR 170.315(b)(11)(iv)(A)."""

from collections.abc import Mapping
from typing import Any

from cds_service.knowledge import Knowledge
from cds_service.web.rule_pages import rules_of

REGULATION = "45 CFR 170.315(b)(11)(iv)(A)"
NOT_USED = "Not used."
NAMES: Mapping[str, str] = {
    "citation": "Bibliographic citation of the intervention",
    "developer": "Developer of the intervention",
    "funding": "Funding source of the technical implementation",
    "dates": "Release and revision dates",
    "race": "Use of race",
    "ethnicity": "Use of ethnicity",
    "language": "Use of language",
    "sexual_orientation": "Use of sexual orientation",
    "gender_identity": "Use of gender identity",
    "sex": "Use of sex",
    "date_of_birth": "Use of date of birth",
    "social_determinants": "Use of social determinants of health",
    "health_status": "Use of health status assessments",
}


def attributes(knowledge: Knowledge) -> list[dict[str, Any]]:
    """Number, name and value of each attribute; citations and dates are read off the knowledge."""
    found = {
        "citation": [line for row in knowledge.evidence.values() if row.printed and (line := row.citation or row.society)],
        "dates": dates(knowledge),
    }
    stated = knowledge.attributes
    values = {key: list(dict.fromkeys(found[key])) if key in found else stated.get(key, NOT_USED) for key in NAMES}
    return [{"number": number, "key": key, "name": NAMES[key], "value": value} for number, (key, value) in enumerate(values.items(), 1)]


def dates(knowledge: Knowledge) -> list[str]:
    """The version, when its sheets were last reviewed, and when they are due."""
    reviewed = [rule.sheet.reviewed for rule, _ in rules_of(knowledge).values()]
    lines = [f"Knowledge {knowledge.version}"]
    if reviewed:
        lines.append(f"Rules last reviewed between {min(one.on for one in reviewed)} and {max(one.on for one in reviewed)}")
        lines.append(f"Next review due from {min(one.next for one in reviewed)}")
    years = sorted({f"{row.society} {row.year}" for row in knowledge.evidence.values() if row.society and row.year})
    return [*lines, *([f"Guidance and labels: {', '.join(years)}"] if years else [])]
