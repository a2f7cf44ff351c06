"""What a card may say about its evidence, and which reasons it offers for being overridden."""

from datetime import date

from cds_service.clinical.policy import Sheet


class EvidenceRow(Sheet, frozen=True):
    """One row of evidence: the sentence that a card may print, and how strong its words may be."""

    id: str
    wording: str
    strength: tuple[str, ...]
    society: str = ""
    year: int | None = None
    citation: str = ""
    url: str = ""
    doi: str = ""
    verified: str = "secondary"
    checked_by: str = "pending"
    next_review: date | None = None
    printed: bool = True


class Override(Sheet, frozen=True):
    """One reason for overriding a card."""

    code: str
    display: str
    note: str = ""


class Overrides(Sheet, frozen=True):
    """All override reasons by the word that sheets use."""

    system: str
    reasons: dict[str, Override]
