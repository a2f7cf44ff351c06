"""The text of a card as calm GitHub-flavored Markdown: first what is wrong and why, then what that rests on."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

from msgspec import Struct

from cds_service.cards import facts
from cds_service.cards.plan import Sketch
from cds_service.cards.text import first_and_rest, sentence
from cds_service.clinical.bedside import Bedside
from cds_service.evidence import EvidenceRow
from cds_service.finding import Finding


class Aside(Struct, frozen=True):
    """What the suggestions add to the text: words beside those offered, and why others are not."""

    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    dosed: bool = False
    allergic: bool = False


def detail(sketch: Sketch, bedside: Bedside, evidence: Mapping[str, EvidenceRow], aside: Aside, limited: Collection[str]) -> str:
    """The whole text; every section only where it has something to say. The last sentence of `limited` rules says their limits."""
    lead, *others = sketch.findings
    findings = (lead, *others)
    first, *rest = _said(lead, limited) or (lead.summary,)
    what, why = first_and_rest(sentence(first))
    blocks = [f"**{what}**", " ".join([why, *map(sentence, rest)]).strip()]
    dosed = aside.dosed or any(one.remark.corrections for one in findings)
    allergic = aside.allergic or any("allergy" in one.remark.words for one in findings)
    seen = facts.known(bedside, findings, dosed=dosed, allergic=allergic)
    blocks += [
        _listed("Seen", seen),
        _listed("Not known", facts.unknown(bedside, findings)),
        _listed("Also", _others(findings, limited)),
        _listed("With the suggestions", aside.notes),
        _listed("Not offered", aside.left_out),
        _listed("Evidence", map(cited, rows(findings, evidence))),
        _listed("Limits", dict.fromkeys(sentence(one.detail[-1]) for one in findings if one.rule in limited)),
    ]
    return "\n\n".join(block for block in blocks if block)


def brief(sketch: Sketch, bedside: Bedside) -> str:
    """One line of advice and the result that it rests on, for a hint while the order is still being chosen."""
    lead = sketch.lead
    texts = [sentence(text) for text in lead.detail[:1] or (lead.summary,)]
    texts += [f"**{sentence(one.summary)}**" for one in sketch.findings[1:]]
    texts += [facts.result(bedside, isolate) for isolate in lead.remark.isolates[:1]]
    return "\n\n".join(texts)


def rows(findings: Sequence[Finding], evidence: Mapping[str, EvidenceRow]) -> list[EvidenceRow]:
    """The printed rows of the findings, each once, in the order of the sheets."""
    ids = dict.fromkeys(key for one in findings for key in one.evidence)
    return [evidence[key] for key in ids if key in evidence and evidence[key].printed]


@lru_cache(maxsize=1_024)
def cited(row: EvidenceRow) -> str:
    """The row's own words; its source, society and year, or the citation, are added where the words do not name them."""
    if row.source:
        return sentence(f"{row.wording} ({row.source})")
    named = [*row.society.replace(",", " ").split(), str(row.year or "")]
    if row.society and all(word in row.wording for word in named):
        return sentence(row.wording)
    whose = society(row) if row.society else row.citation
    return sentence(f"{row.wording} ({whose})" if whose else row.wording)


def society(row: EvidenceRow) -> str:
    """ "IDSA 2026", or the society alone where a row has no year."""
    return f"{row.society} {row.year}" if row.year else row.society


def _said(finding: Finding, limited: Collection[str]) -> tuple[str, ...]:
    """The sentences of a finding without its limits."""
    return finding.detail[:-1] if finding.rule in limited else finding.detail


def _others(findings: Sequence[Finding], limited: Collection[str]) -> Iterator[str]:
    """Each further finding of the card: its summary, then its sentences as far as none before it said them."""
    lead, *others = findings
    told = set(_said(lead, limited))
    for one in others:
        new = [text for text in _said(one, limited) if text not in told]
        told.update(new)
        yield " ".join([f"**{sentence(one.summary).rstrip('.')}.**", *map(sentence, new)])


def _listed(title: str, lines: Iterable[str]) -> str:
    items = [f"- {line}" for line in lines]
    return "\n".join([f"**{title}**", "", *items]) if items else ""
