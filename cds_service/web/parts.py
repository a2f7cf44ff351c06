"""What the application works with, handed in by whoever starts it; nothing here is made inside the application."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from cds_service.knowledge import Knowledge
from cds_service.protocol.prefetch import Fetch
from cds_service.settings import Client, Settings
from cds_service.store.archive import Override, Record
from cds_service.store.card_ids import CardIds
from cds_service.store.pseudonyms import Pseudonyms
from cds_service.web.admission import Admission

if TYPE_CHECKING:  # prometheus_client must not be imported before the server says where workers count together
    from cds_service.web.metrics import Metrics


class Doorkeeper(Protocol):
    """Says who calls; `web.trust.Trust` in earnest."""

    def client(self, authorization: str | None, paths: Collection[str]) -> Client:
        """The registered client; raises Refused, or ReplayStoreDown."""


class Remembers(Protocol):
    """Keeps decisions and feedback; `store.memory.Memory` in earnest."""

    def decided(self, record: Record) -> None:
        """Keep a decision without waiting."""

    def feedback(self, records: list[Record]) -> None:
        """Keep feedback, or raise StoreUnavailable."""

    def overridden(self, patient: str, clinician: str, since: float) -> frozenset[Override]:
        """What this clinician overrode for this patient since then, in seconds since 1970."""

    def healthy(self) -> bool:
        """Whether the database can be reached."""

    def waiting(self) -> int:
        """Bytes that wait for the database."""

    def take_dropped(self) -> int:
        """Records given up since last asked."""


@dataclass(frozen=True)
class Parts:
    """Settings, knowledge and the ways to the outside; `now` is the wall clock, `clock` a monotonic one in seconds."""

    settings: Settings
    knowledge: Knowledge
    store: Remembers
    trust: Doorkeeper
    fetch_for: Callable[[Client], Fetch | None]
    now: Callable[[], datetime]
    clock: Callable[[], float]
    ids: CardIds
    pseudonyms: Pseudonyms
    new_id: Callable[[], str]
    metrics: "Metrics"
    admission: Admission
    key_ages: Callable[[], Mapping[str, float | None]]
    fhir_faults: Callable[[], Mapping[str, int]]
