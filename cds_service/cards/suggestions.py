"""From the suggestion keys of a card's findings to the suggestions that this client can show."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from cds_service.cards.changes import ask, correct, extend, infuse, keep, limit, stop
from cds_service.cards.desk import Desk
from cds_service.cards.detail import Aside
from cds_service.cards.drugs import drugs
from cds_service.cards.proposal import Proposal, grouped, told
from cds_service.finding import Finding
from cds_service.protocol.response import Suggestion
from cds_service.suggestion import Act, SuggestionSheet

Propose = Callable[[Desk, Sequence[Finding], SuggestionSheet], Proposal]
ACTS: Mapping[Act, Propose] = MappingProxyType(
    {
        Act.START: drugs,
        Act.SWITCH: drugs,
        Act.KEEP: keep,
        Act.STOP: stop,
        Act.CORRECT: correct,
        Act.LIMIT: limit,
        Act.INFUSE: infuse,
        Act.EXTEND: extend,
        Act.REQUEST: ask,
    }
)


def suggestions(desk: Desk, findings: Sequence[Finding]) -> tuple[tuple[Suggestion, ...], Aside]:
    """The suggestions in the site's order of preference, and what the text says about them."""
    proposals = _proposals(desk, findings)
    left = [one for proposal in proposals for one in proposal.left_out]
    aside = Aside(
        notes=(*told(one for proposal in proposals for one in proposal.by_hand), *_notes(proposals)),
        left_out=grouped(left),
        dosed=any(proposal.dosed for proposal in proposals),
        allergic=any(proposal.allergic for proposal in proposals),
    )
    return tuple(one for proposal in proposals for one in _shown(desk, proposal)), aside


def _proposals(desk: Desk, findings: Sequence[Finding]) -> list[Proposal]:
    """What every key comes to; among the regimens those that an alert of a recorded allergy would meet stand last."""
    keys = ordered(desk, findings)
    found = [propose(desk, findings, key) for key in keys]
    policy = desk.bedside.policy
    preferred = policy.preferences.get(policy.preference or "", ())
    regimens = [one for key, one in zip(keys, found, strict=True) if key in preferred]
    best_first = iter(sorted(regimens, key=lambda one: one.alerted))
    return [next(best_first) if key in preferred else one for key, one in zip(keys, found, strict=True)]


def _notes(proposals: Sequence[Proposal]) -> list[str]:
    return list(dict.fromkeys(note for proposal in proposals for note in proposal.notes))


def propose(desk: Desk, findings: Sequence[Finding], key: str) -> Proposal:
    """What one suggestion comes to, for the findings that name it."""
    asking = [finding for finding in findings if key in finding.suggest]
    sheet = desk.sheets.get(key)
    return ACTS[sheet.does](desk, findings if sheet.does is Act.INFUSE else asking, sheet) if sheet else Proposal()


def ordered(desk: Desk, findings: Sequence[Finding]) -> list[str]:
    """Every key once, in the sheets' order; among themselves the regimens stand as the site prefers them."""
    named = list(dict.fromkeys(key for finding in findings for key in finding.suggest))
    policy = desk.bedside.policy
    preferred = policy.preferences.get(policy.preference or "", ())
    regimens = iter([key for key in preferred if key in named])
    return [next(regimens) if key in preferred else key for key in named]


def _shown(desk: Desk, proposal: Proposal) -> list[Suggestion]:
    """One suggestion with all its actions, or one for each action where the client takes a single one."""
    if not proposal.actions:
        return []
    if desk.style.profile == "epic":
        return [Suggestion(action.description, desk.style.new_id(), (action,)) for action in proposal.actions]
    return [Suggestion(proposal.label, desk.style.new_id(), proposal.actions)]
