"""One query to a FHIR server, page by page, and why it ended early."""

import re
from collections.abc import Callable
from enum import StrEnum

from cds_service.access import Answer
from cds_service.bundles import open_page
from cds_service.fhir.leash import Leash
from cds_service.fhir.origins import origin_of, within
from cds_service.sent import Resource

KIND = re.compile(r"/([A-Z][A-Za-z]+)(?=[/?]|\Z)")
MOST_PAGES = 50
MOST_RESOURCES = 20_000


class Reason(StrEnum):
    """Why data could not be had from a FHIR server; a closed set, so that it may label a metric."""

    UNREGISTERED = "base-not-registered"
    PLAIN_HTTP = "plain-http"
    NO_TOKEN = "no-token"  # noqa: S105 - a reason, not a secret
    EXPIRED = "token-expired"
    BREAKER = "breaker-open"
    CONNECT = "no-connection"
    TLS = "tls"
    LATE = "deadline"
    REDIRECT = "redirect"
    UNAUTHORIZED = "status-401"
    REFUSED = "status-4xx"
    THROTTLED = "status-429"
    UNAVAILABLE = "status-5xx"
    NOT_FHIR = "not-the-fhir-asked-for"
    CUT = "answer-broke-off"
    TOO_LARGE = "too-large"
    TOO_LONG = "too-many-pages"
    LINK = "page-link-refused"


OUTAGES = {Reason.CONNECT, Reason.TLS, Reason.LATE, Reason.UNAVAILABLE, Reason.CUT}


class Fault(Exception):
    """A call that gave no data; the text is the reason's word and nothing else. `retry_after_s` is what the server asked for."""

    def __init__(self, reason: Reason, retry_after_s: float | None = None) -> None:
        super().__init__(reason.value)
        self.reason = reason
        self.retry_after_s = retry_after_s


Get = Callable[[str, Leash], bytes]


class Search:
    """One read or search below a base address; what was read before a fault is kept, as incomplete."""

    def __init__(self, base: str, query: str) -> None:
        self.base, self.query = base, query
        self.leash = Leash()
        self.resources: list[Resource] = []
        self.pages = 0
        self.complete = False
        self.fault: Reason | None = None

    def run(self, get: Get) -> None:
        """Follow the pages to the last one."""
        try:
            self._read(get)
        except Fault as fault:
            self.fault = Reason.LATE if self.leash.cut else fault.reason  # what is read after the cut is not the server's fault

    def answer(self) -> Answer | None:
        """What there is now; None where not even a first page came."""
        complete = self.complete  # first, since at the deadline the last page may still be coming in
        return Answer(tuple(self.resources), complete) if self.pages else None

    def _read(self, get: Get) -> None:
        first = self._follow(self.query)
        url, kind = first, self._kind(first)
        visited: set[str] = set()
        while url:
            if self.pages >= MOST_PAGES or len(self.resources) >= MOST_RESOURCES:
                raise Fault(Reason.TOO_LONG)
            if url in visited:
                raise Fault(Reason.LINK)
            visited.add(url)
            page = open_page(get(url, self.leash), kind)
            if page is None:
                raise Fault(Reason.NOT_FHIR)
            kind = ""  # a later page may hold included resources only
            self.resources.extend(page.resources)
            self.pages += 1
            url = self._follow(page.next) if page.next is not None else ""
        self.complete = True

    def _follow(self, link: str) -> str:
        """The address of a query or of a page link, as long as it stays below the base."""
        url = self._absolute(link) if link else ""
        if not within(url, self.base):
            raise Fault(Reason.LINK)
        return url

    def _absolute(self, link: str) -> str:
        if "://" in link.partition("?")[0]:
            # Servers behind a proxy write http where they are reached by https; the call goes to the registered origin.
            return f"https{link[4:]}" if link.startswith("http://") and self.base.startswith("https://") else link
        if link.startswith("/"):
            return origin_of(self.base) + link
        return f"{self.base}{link}" if link.startswith("?") else f"{self.base}/{link}"

    def _kind(self, url: str) -> str:
        """The type that the query asks for; "" for the link to a later page, which need not say it."""
        found = KIND.match(url, len(self.base))
        return found[1] if found else ""
