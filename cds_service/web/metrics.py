"""What is counted, for Prometheus; every label comes from a closed set, so the number of series is bounded."""

import threading
from collections.abc import Iterable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess

from cds_service.fhir.search import Reason
from cds_service.settings import environment

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0)
OTHER = "other"

_COUNTERS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ndm_cds_requests_total": ("Calls of a hook or of its feedback, by service and status.", ("service", "status")),
    "ndm_cds_verdicts_total": ("What each rule said, or the kind of its silence.", ("rule", "said")),
    "ndm_cds_cards_total": ("Cards sent, by their strongest rule.", ("rule", "indicator")),
    "ndm_cds_refused_tokens_total": ("Client tokens refused, by reason.", ("reason",)),
    "ndm_cds_feedback_total": ("Feedback on cards, by outcome.", ("outcome",)),
    "ndm_cds_fhir_faults_total": ("FHIR queries without a whole answer, by reason; a call refused as a whole counts once.", ("reason",)),
    "ndm_cds_records_dropped_total": ("Records of decisions given up because the spool was full.", ()),
}


class Metrics:
    """The counters of one process; `text` gives those of all workers together where they share a folder."""

    def __init__(self, services: Iterable[str], rules: Iterable[str]) -> None:
        self._services, self._rules = frozenset(services), frozenset(rules)
        self._registry = registry = CollectorRegistry()
        self._counters = {name: Counter(name, text, labels, registry=registry) for name, (text, labels) in _COUNTERS.items()}
        self._faults = {reason.value: self._counters["ndm_cds_fhir_faults_total"].labels(reason.value) for reason in Reason}
        self._counted: dict[str, int] = {}
        self._lock = threading.Lock()
        self._bound: dict[tuple[str, ...], Counter] = {}
        self._seconds = Histogram("ndm_cds_request_seconds", "Time to answer.", ("service",), registry=registry, buckets=SECONDS)
        self._spool = Gauge("ndm_cds_spool_bytes", "Bytes waiting for the database.", registry=registry, multiprocess_mode="mostrecent")
        self._keys = Gauge(
            "ndm_cds_keys_age_seconds", "Age of a client's key set.", ("client",), registry=registry, multiprocess_mode="max"
        )

    def answered(self, service: str, status: int, seconds: float) -> None:
        """Count one call of a hook or of its feedback."""
        name = service if service in self._services else OTHER
        self._count("ndm_cds_requests_total", name, str(status))
        self._seconds.labels(name).observe(seconds)

    def verdicts(self, said: Mapping[str, str]) -> None:
        """Count what each rule said, or why it kept silent (the kind of reason only)."""
        for rule, kind in said.items():
            self._count("ndm_cds_verdicts_total", self._rule(rule), kind)

    def card(self, rule: str, indicator: str) -> None:
        """Count a card that was sent."""
        self._count("ndm_cds_cards_total", self._rule(rule), indicator)

    def refused(self, reason: str) -> None:
        """Count a token that was refused."""
        self._count("ndm_cds_refused_tokens_total", reason)

    def feedback(self, outcome: str) -> None:
        """Count what became of a card."""
        self._count("ndm_cds_feedback_total", outcome)

    def fhir_faults(self, totals: Mapping[str, int]) -> None:
        """Bring the counter up to these totals of this process, by reason."""
        if totals == self._counted:
            return
        with self._lock:
            for reason, total in totals.items():
                self._faults[reason].inc(max(0, total - self._counted.get(reason, 0)))
                self._counted[reason] = max(total, self._counted.get(reason, 0))

    def dropped(self, count: int) -> None:
        """Count records that had to be given up."""
        self._counters["ndm_cds_records_dropped_total"].inc(count)

    def text(self, spool_bytes: int, key_ages: Mapping[str, float | None]) -> tuple[bytes, str]:
        """The exposition and its media type; an age of -1 says that a key set was never read."""
        self._spool.set(spool_bytes)
        for client, age in key_ages.items():
            self._keys.labels(client).set(-1 if age is None else age)
        return generate_latest(self._source()), CONTENT_TYPE_LATEST

    def _source(self) -> CollectorRegistry:
        if "PROMETHEUS_MULTIPROC_DIR" not in environment():
            return self._registry
        together = CollectorRegistry()
        multiprocess.MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return together

    def _count(self, *name_and_labels: str) -> None:
        """One more of a series, which is looked up once: the client library checks and joins the labels anew at each call."""
        bound = self._bound.get(name_and_labels)
        if bound is None:
            name, *labels = name_and_labels
            bound = self._bound[name_and_labels] = self._counters[name].labels(*labels)
        bound.inc()

    def _rule(self, rule: str) -> str:
        return rule if rule in self._rules else OTHER
