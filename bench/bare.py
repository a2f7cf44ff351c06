"""The measure of what HTTP costs: a minimal Flask app that judges one rule on plain dicts and guards nothing."""

import orjson
from flask import Flask, Response, request

AZTREONAM, AVIBACTAM_CARRIERS, GENE = {"1664986", "1272"}, {"1603840", "1603839"}, "73982-1"

app = Flask(__name__)


def _codes(orders: list[dict]) -> set[str]:  # type: ignore[type-arg]
    return {coding["code"] for one in orders for coding in one.get("medicationCodeableConcept", {}).get("coding", ())}


@app.post("/cds-services/ndm-order-sign")
def order_sign() -> Response:
    """One card with one suggestion where an aztreonam draft meets the gene without a partner, else none."""
    body = orjson.loads(request.get_data())
    drafts = [entry["resource"] for entry in body["context"]["draftOrders"]["entry"]]
    drafted = _codes(drafts)
    cards: list[object] = []
    if drafted & AZTREONAM:
        prefetch = body["prefetch"]
        results = [entry["resource"] for entry in (prefetch["results"] or {}).get("entry", ())]
        orders = [entry["resource"] for entry in (prefetch["orders"] or {}).get("entry", ())]
        found = any(coding["code"] == GENE for one in results for coding in one["code"]["coding"])
        if found and not (drafted | _codes(orders)) & AVIBACTAM_CARRIERS:
            suggestion = {
                "label": "Add the partner",
                "uuid": "1",
                "actions": [{"type": "create", "description": "Add", "resource": drafts[0]}],
            }
            cards.append(
                {
                    "summary": "Unprotected",
                    "indicator": "critical",
                    "source": {"label": "bare"},
                    "suggestions": [suggestion],
                    "selectionBehavior": "any",
                }
            )
    return Response(orjson.dumps({"cards": cards}), mimetype="application/json")
