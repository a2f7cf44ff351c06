"""Turns decisions and feedback into the records that are kept: people as keyed hashes, and only words of our own."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from cds_service.cards.plan import ingredients
from cds_service.decide import Decision
from cds_service.finding import Overridden, Quiet
from cds_service.protocol.feedback import Feedback, Reason
from cds_service.protocol.request import HookRequest
from cds_service.protocol.response import Card
from cds_service.settings import Client
from cds_service.store.archive import Record
from cds_service.web.parts import Parts

SPOKE = "spoke"
OTHER = "other"
HOUR_S = 3_600.0
_PLAIN = {quiet: quiet.value for quiet in Quiet}  # asked for dozens of times in a request, and `value` is a call


class Ledger:
    """Writes what happened into the store of the application."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._rules = frozenset(rule.id for service in parts.knowledge.services.values() for rule in service.rules)
        self._reasons = frozenset(one.code for one in parts.knowledge.overrides.reasons.values())

    def decided(self, client: Client, body: bytes, decision: Decision, said: Mapping[str, str], elapsed_ms: float) -> None:
        """Keep an answer with its reasons; `said` are its verdicts."""
        request = decision.request
        drugs = sorted(ingredients(decision.bedside)) if decision.bedside else []
        record = self._record(client, decision.service.id, body, 200, elapsed_ms)
        record |= {
            "instance": self._hash("instance", client, request.hook_instance),
            "patient": self._patient(client, request),
            "clinician": self._hash("clinician", client, request.user),
            "verdicts": said,
            "missing": sorted(decision.missing),
            "cards": [self._card(card, drugs) for card in decision.cards],
        }
        self._parts.store.decided(record)

    def refused(self, client: Client, service: str, body: bytes, status: int, elapsed_ms: float, missing: tuple[str, ...] = ()) -> None:
        """Keep that no answer could be given."""
        self._parts.store.decided(self._record(client, service, body, status, elapsed_ms) | {"missing": sorted(missing)})

    def overridden(self, client: Client, request: HookRequest) -> frozenset[Overridden]:
        """What the user of this request overrode for this patient, as long ago as an override lasts."""
        patient, clinician = self._patient(client, request), self._hash("clinician", client, request.user)
        since = self._parts.now().timestamp() - self._parts.knowledge.overrides.lasts_h * HOUR_S
        found = self._parts.store.overridden(patient, clinician, since)
        return frozenset(Overridden(rule, drugs) for rule, drugs in found)

    def feedback(self, client: Client, service: str, entries: tuple[Feedback, ...]) -> int:
        """Keep the feedback about cards of ours and give the number of entries about others; raises StoreUnavailable."""
        ours = [one for one in entries if self._parts.ids.ours(client.name, service, one.card)]
        if ours:
            self._parts.store.feedback([self._outcome(client, service, one) for one in ours])
        return len(entries) - len(ours)

    def _record(self, client: Client, service: str, body: bytes, status: int, elapsed_ms: float) -> dict[str, Any]:
        return {
            "kind": "decision",
            "id": self._parts.new_id(),
            "at": self._parts.now().timestamp(),
            "client": client.name,
            "service": service,
            "status": status,
            "request": self._hash("request", client, sha256(body).digest()),
            "verdicts": {},
            "missing": [],
            "cards": [],
            "version": self._parts.knowledge.version,
            "elapsed_ms": round(elapsed_ms, 3),
        }

    def _outcome(self, client: Client, service: str, one: Feedback) -> Record:
        """The id is made of the content, so that a repeated call is the same record."""
        now = self._parts.now().timestamp()
        reason = one.reason or Reason()
        why = (reason.system or "", reason.code or "", one.comment or "")
        told = (one.card.lower(), one.outcome, one.at.isoformat(), *one.suggestions, *why)
        return {
            "kind": "feedback",
            "id": self._hash("feedback", client, *told),
            "at": now,
            "client": client.name,
            "service": service,
            "card": one.card.lower(),
            "outcome": one.outcome,
            "outcome_at": min(one.at.timestamp(), now),
            "suggestions": [name.lower() for name in one.suggestions if self._parts.ids.ours(client.name, service, name)],
            "reasoned": one.reasoned,
            **self._why(client, reason),
            "comment_length": len(one.comment or ""),
        }

    def _why(self, client: Client, reason: Reason) -> dict[str, str | None]:
        """A code of ours as it is; any other could be a name of somebody, so it leaves a keyed hash in place of its system."""
        ours = self._parts.knowledge.overrides.system
        if reason.code is None:
            return {"reason_system": None, "reason_code": None}
        if reason.system in (None, ours) and reason.code in self._reasons:
            return {"reason_system": ours, "reason_code": reason.code}
        return {"reason_system": self._hash("reason", client, reason.system or "", reason.code), "reason_code": OTHER}

    def _card(self, card: Card, drugs: list[str]) -> dict[str, Any]:
        rules = [rule for rule in card.extension.get("ndm-cds.rules", ()) if rule in self._rules]
        shown = {"id": card.uuid.lower(), "indicator": card.indicator, "rules": rules, "ingredients": drugs}
        return {**shown, "offers": len(card.suggestions)}

    def _patient(self, client: Client, request: HookRequest) -> str:
        return self._hash("patient", client, request.patient_id)

    def _hash(self, kind: str, client: Client, *said: str | bytes) -> str:
        return self._parts.pseudonyms.of(kind, client.name, *said)


def verdicts(decision: Decision) -> dict[str, str]:
    """For each rule that it spoke, or the kind of its silence; a reason in free words could quote the record and stays out."""
    if decision.verdicts is None:
        return {}
    said = {silence.rule: _PLAIN[silence.quiet] for silence in decision.verdicts.silences}
    for finding in decision.verdicts.findings:
        said[finding.rule] = SPOKE
    return said
