"""What a card may say about its evidence, and which reasons it offers for being overridden."""

from datetime import date
from typing import Annotated, Literal

from msgspec import Meta

from cds_service.clinical.lists import Text
from cds_service.clinical.policy import Sheet

ADDRESS = r"^(https?://[^\s/]+\.\S+)?$"
DOI = r"^(10\.\d{4,9}/\S+)?$"


class EvidenceRow(Sheet, frozen=True):
    """One row of evidence: the sentence that a card may print, and how strong its words may be.

    `source` is printed behind the sentence, where society and year would not name all of it.
    """

    id: str
    wording: Text
    strength: tuple[str, ...]
    society: str = ""
    year: int | None = None
    citation: str = ""
    source: str = ""
    url: Annotated[str, Meta(pattern=ADDRESS, description="an address that begins with https:// or http://")] = ""
    doi: Annotated[str, Meta(pattern=DOI, description="a DOI such as 10.1093/cid/ciag481")] = ""
    verified: Literal["primary", "secondary", "article-only"] = "secondary"
    checked_by: str = "pending"
    next_review: date | None = None
    printed: bool = True


class Override(Sheet, frozen=True):
    """One reason for overriding a card."""

    code: str
    display: Text
    note: str = ""


class Overrides(Sheet, frozen=True):
    """All override reasons by the word that sheets use; for `lasts_h` hours an overridden card is not shown again."""

    system: Text
    lasts_h: int
    reasons: dict[str, Override]
