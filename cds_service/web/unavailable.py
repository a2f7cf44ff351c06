"""The card for clients whose users would never see a 412: nothing was checked, and why."""

from cds_service.protocol.response import Card, Coding, Source
from cds_service.service import Service

SUMMARY = "Not checked: data that every answer needs could not be read"
TOPIC = Coding("urn:ndm-cds:topic", "notChecked", "Check not made")


def unavailable_card(service: Service, missing: tuple[str, ...], card_id: str, version: str) -> Card:
    """One warning that the check was not made, naming the parts of the record that were missing in the service's own words."""
    named = [service.sheet.prefetch[key].names for key in missing if key in service.sheet.prefetch]
    missed = ", ".join(named) or "data of the record"
    detail = f"{service.sheet.title} could not judge. Missing: {missed}. That no other card is shown says nothing about the orders."
    return Card(
        uuid=card_id,
        summary=SUMMARY,
        indicator="warning",
        source=Source(service.sheet.title, TOPIC),
        detail=detail,
        extension={"ndm-cds.rules": [TOPIC.code], "ndm-cds.knowledge": version},
    )
