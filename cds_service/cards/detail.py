"""The text of a card as calm GitHub-flavored Markdown: first what is wrong and why, then what that rests on."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from cds_service.cards import facts
from cds_service.cards.plan import Sketch
from cds_service.cards.text import sentence
from cds_service.clinical.bedside import Bedside
from cds_service.evidence import EvidenceRow
from cds_service.finding import Finding


@dataclass(frozen=True, slots=True)
class Aside:
    """What the suggestions add to the text: words beside those offered, and why others are not."""

    notes: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    dosed: bool = False
    allergic: bool = False


def detail(sketch: Sketch, bedside: Bedside, evidence: Mapping[str, EvidenceRow], aside: Aside) -> str:
    """The whole text; every section only where it has something to say."""
    lead, *others = sketch.findings
    findings = (lead, *others)
    first, *rest = lead.detail or (lead.summary,)
    blocks = [f"**{sentence(first)}**" if len(first) <= 160 else sentence(first)]
    blocks += [" ".join(sentence(text) for text in rest)] if rest else []
    blocks += [_other(one) for one in others]
    dosed = aside.dosed or any(one.remark.corrections for one in findings)
    seen = facts.known(bedside, findings, dosed=dosed, allergic=aside.allergic)
    blocks += [
        _listed("Seen", seen),
        _listed("Not known", facts.unknown(bedside, findings)),
        _listed("With the suggestions", aside.notes),
        _listed("Not offered", aside.left_out),
        _listed("Evidence", (sentence(cited(row)) for row in rows(findings, evidence))),
    ]
    return "\n\n".join(block for block in blocks if block)


def brief(sketch: Sketch, bedside: Bedside) -> str:
    """One line of advice and the result that it rests on, for a hint while the order is still being chosen."""
    lead = sketch.lead
    texts = [sentence(text) for text in lead.detail[:1] or (lead.summary,)]
    texts += [_other(one) for one in sketch.findings[1:]]
    texts += [facts.result(bedside, isolate) for isolate in lead.remark.isolates[:1]]
    return "\n\n".join(texts)


def rows(findings: Sequence[Finding], evidence: Mapping[str, EvidenceRow]) -> list[EvidenceRow]:
    """The printed rows of the findings, each once, in the order of the sheets."""
    ids = dict.fromkeys(key for one in findings for key in one.evidence)
    return [evidence[key] for key in ids if key in evidence and evidence[key].printed]


def cited(row: EvidenceRow) -> str:
    """The row's own words; society and year, or the citation, are added where the words do not name them."""
    named = [*row.society.replace(",", " ").split(), str(row.year or "")]
    if row.society and all(word in row.wording for word in named):
        return row.wording
    whose = society(row) if row.society else row.citation
    return f"{row.wording} ({whose})" if whose else row.wording


def society(row: EvidenceRow) -> str:
    """ "IDSA 2026", or the society alone where a row has no year."""
    return f"{row.society} {row.year}" if row.year else row.society


def _other(finding: Finding) -> str:
    """A further finding of the card: its summary, then its sentences."""
    return " ".join([f"**{sentence(finding.summary)}.**".replace("..", "."), *(sentence(text) for text in finding.detail)])


def _listed(title: str, lines: Iterable[str]) -> str:
    items = [f"- {line}" for line in lines]
    return "\n".join([f"**{title}**", "", *items]) if items else ""
