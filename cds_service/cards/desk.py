"""What all cards of one answer are written from."""

from collections.abc import Callable, Mapping
from typing import Protocol

from msgspec import Struct

from cds_service.clinical.bedside import Bedside
from cds_service.clinical.facts import Order, Setting
from cds_service.evidence import EvidenceRow, Overrides
from cds_service.fhir.drafts import Place
from cds_service.fhir.edits import Received
from cds_service.finding import Finding
from cds_service.kept import kept
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import REFERENCE, safe
from cds_service.service import Service
from cds_service.settings import Profile
from cds_service.suggestion import SuggestionSheet
from cds_service.triggers.allergy import DrugAllergy

RXNORM_OID = "urn:oid:2.16.840.1.113883.6.88"  # the name of RxNorm that Epic documents for suggested orders
SIGNERS = ("Practitioner/", "PractitionerRole/")
MOST_REASONS = 2


class Library(Protocol):
    """The part of the knowledge that cards are written from."""

    @property
    def services(self) -> Mapping[str, Service]: ...
    @property
    def evidence(self) -> Mapping[str, EvidenceRow]: ...
    @property
    def overrides(self) -> Overrides: ...
    @property
    def suggestions(self) -> Mapping[str, Mapping[str, SuggestionSheet]]: ...
    @property
    def version(self) -> str: ...


class Style(Struct, frozen=True):
    """How a client likes its cards, where links lead, and how a card gets its id."""

    new_id: Callable[[], str]
    profile: Profile = "standard"
    public_url: str | None = None

    @property
    def base(self) -> str:
        """Where our pages are; "" where no link may lead there."""
        url = (self.public_url or "").rstrip("/")
        return url if url and safe(url) else ""


class Desk(Struct, frozen=True, dict=True):
    """One patient, one service, one request, one client."""

    bedside: Bedside
    service: Service
    library: Library
    request: HookRequest
    style: Style

    @kept
    def received(self) -> Received:
        return Received(self.request.draft_orders)

    @kept
    def sheets(self) -> Mapping[str, SuggestionSheet]:
        return self.library.suggestions.get(self.service.condition, {})

    @kept
    def allergy(self) -> DrugAllergy | None:
        """The condition's rule about allergies, whatever hook it speaks at: it is asked before a drug is offered."""
        mine = (one for one in (self.service, *self.library.services.values()) if one.condition == self.service.condition)
        return next((one.allergy for one in mine if one.allergy), None)

    @property
    def changes_drafts(self) -> bool:
        """Some clients take no update of a medication order."""
        return self.style.profile != "epic"

    def place(self, orders: tuple[Order, ...] = ()) -> Place:
        """Patient, stay and signer; on the list that the orders concerned stand on, where that is not the ward's."""
        settings = {order.setting for order in orders if order.draft} - {Setting.INPATIENT}
        user = self.request.user
        return Place(
            subject=f"Patient/{self.request.patient_id}",
            encounter=f"Encounter/{self.request.encounter_id}" if self.request.encounter_id else "",
            requester=user if user.startswith(SIGNERS) and REFERENCE.fullmatch(user) else "",
            setting=min(settings, default=""),
        )

    def rxnorm(self, system: str) -> str:
        return RXNORM_OID if self.style.profile == "epic" else system


def reasons(findings: tuple[Finding, ...]) -> tuple[str, ...]:
    """The Observations that a suggested order answers: those that detected something, else those of the isolate."""
    isolates = [isolate for finding in findings for isolate in finding.remark.isolates]
    found = [one.reference for isolate in isolates for one in isolate.detections if one.found]
    named = [*found, *(reference for isolate in isolates for reference in isolate.references)]
    return tuple(dict.fromkeys(one for one in named if one.startswith("Observation/") and REFERENCE.fullmatch(one)))[:MOST_REASONS]
