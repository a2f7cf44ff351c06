"""Calls to the FHIR server of a registered client: the only place that does so, within one deadline for all of a request."""

import math
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from ssl import SSLContext, create_default_context
from typing import Any

import certifi
import requests
from requests.adapters import HTTPAdapter
from urllib3.exceptions import HTTPError

from cds_service.access import Answer, Fetch, FhirAccess
from cds_service.fhir.breaker import Breaker
from cds_service.fhir.door import Door
from cds_service.fhir.leash import POOLS, Leash, held
from cds_service.fhir.origins import host_of, is_loopback_http, origin_of, registered_base
from cds_service.fhir.search import OUTAGES, Fault, Reason, Search
from cds_service.settings import LOOPBACK, Client, Settings
from cds_service.turns import aside

THREADS = 96  # two servers' wide doors, so that one that hangs does not keep another waiting
CHUNK = 1 << 16
HTTP_1_1 = 11  # as http.client writes it
LARGEST_PAGE = 8 << 20
LARGEST_TOTAL = 24 << 20
LARGEST_REFUSAL = 1 << 14
CONNECT_S = 0.25  # a first packet that was lost is sent again by us long before the kernel would
RESERVE_S, RESERVE_SHARE = 0.05, 0.05  # of the deadline, the smaller one, is kept for judging and writing the answer
RETRY_SHARE = 0.5  # of the deadline must be left for a second try after an answer of 5xx
PLAIN, PACKED = "identity", {"gzip", "x-gzip", "deflate"}
HEADERS = {"Accept": "application/fhir+json", "Accept-Encoding": PLAIN, "User-Agent": "ndm-cds"}
REASONS = {3: Reason.REDIRECT, 4: Reason.REFUSED, 5: Reason.UNAVAILABLE}  # by the first digit of the status
BROKEN = (requests.RequestException, HTTPError, HTTPException, OSError, ValueError, zlib.error)


@dataclass
class Budget:
    """What all calls of one request may take together: until when, and how many bytes."""

    ends: float
    whole_s: float
    bytes_left: int = LARGEST_TOTAL


@dataclass(frozen=True)
class Manners:
    """What is known of one server: whether it answers, and how many calls it takes at a time."""

    breaker: Breaker
    door: Door


@dataclass(frozen=True)
class Errand:
    """One request's calls to one server."""

    token: str | None
    budget: Budget
    door: Door


class FhirClient:
    """All calls to FHIR servers of one process; `clock` is monotonic, in seconds."""

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._server, self._development, self._clock = settings.server, settings.development, clock
        self._session = _Session(create_default_context(cafile=str(settings.ca_bundle or certifi.where())))
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="fhir")
        self._servers: dict[tuple[str, str], Manners] = {}
        self._reasons: Counter[str] = Counter()
        self._lock = threading.Lock()

    def fetch_for(self, client: Client, deadline_s: float | None = None) -> Fetch:
        """How one request of this client fetches; the deadline of all its calls begins now and is `server.deadline_ms` by default."""
        whole = self._server.deadline_ms / 1000 if deadline_s is None else deadline_s
        budget = Budget(self._clock() + whole - min(RESERVE_S, whole * RESERVE_SHARE), whole)
        return lambda access, queries: self._fetch(client, budget, access, queries)

    def reasons(self) -> Mapping[str, int]:
        """How often data could not be had since the start, by reason; never by address."""
        with self._lock:
            return dict(self._reasons)

    def close(self) -> None:
        """End all connections."""
        self._threads.shutdown(wait=False, cancel_futures=True)
        self._session.close()

    @aside
    def _fetch(self, client: Client, budget: Budget, access: FhirAccess, queries: Mapping[str, str]) -> Mapping[str, Answer]:
        try:
            base, token = self._admit(client, budget, access)
            server = self._server_of(client, base)
        except Fault as fault:
            self._count([fault.reason])
            return {}
        searches = {key: Search(base, query) for key, query in queries.items()}
        self._run(searches, Errand(token, budget, server.door))
        if any(search.pages for search in searches.values()) or not OUTAGES & {search.fault for search in searches.values()}:
            server.breaker.succeeded()
        else:
            server.breaker.failed()
        self._count([search.fault for search in searches.values() if search.fault])
        return {key: answer for key, search in searches.items() if (answer := search.answer()) is not None}

    def _admit(self, client: Client, budget: Budget, access: FhirAccess) -> tuple[str, str | None]:
        """The base to call and the token to show; nothing has been looked up or called yet."""
        base = registered_base(access.base, client.fhir_bases, any_base=client.any_fhir_base)
        if base is None:
            raise Fault(Reason.UNREGISTERED)
        if not base.startswith("https://") and not self._may_be_plain(base):
            raise Fault(Reason.PLAIN_HTTP)
        if access.token is None and not client.any_fhir_base:
            raise Fault(Reason.NO_TOKEN)
        if access.life_s is not None:
            budget.ends = min(budget.ends, self._clock() + access.life_s)
        if self._clock() >= budget.ends:
            raise Fault(Reason.EXPIRED if access.life_s is not None and access.life_s <= 0 else Reason.LATE)
        return base, access.token

    def _may_be_plain(self, base: str) -> bool:
        if self._development:
            return host_of(base) in LOOPBACK
        return self._server.allow_loopback_http and is_loopback_http(base)

    def _server_of(self, client: Client, base: str) -> Manners:
        """By origin, since a request may name any path below a registered base."""
        with self._lock:
            server = self._servers.setdefault((client.name, origin_of(base)), Manners(Breaker(self._clock), Door()))
        if not server.breaker.allows():
            raise Fault(Reason.BREAKER)
        return server

    def _run(self, searches: Mapping[str, Search], errand: Errand) -> None:
        """All at once; what is not there at the deadline is ended and counts as late."""

        def get(url: str, leash: Leash) -> bytes:
            return self._get(url, errand, leash)

        work = {self._threads.submit(search.run, get): search for search in searches.values()}
        done, late = wait(work, timeout=max(0.0, errand.budget.ends - self._clock()))
        for future in late:
            future.cancel()
            work[future].leash.end()
            work[future].fault = Reason.LATE
        for future in done:
            future.result()

    def _get(self, url: str, errand: Errand, leash: Leash) -> bytes:
        """One GET, with one more try where the failure may pass by itself."""
        try:
            return self._once(url, errand, leash, CONNECT_S)
        except Fault as fault:
            pause = self._pause(fault, errand.budget)
            if pause is None:
                raise
        time.sleep(pause)
        return self._once(url, errand, leash)

    def _pause(self, fault: Fault, budget: Budget) -> float | None:
        """Seconds until the second try, None for no second try."""
        left = budget.ends - self._clock()
        if fault.reason is Reason.CONNECT:
            return 0.0 if left > 0 else None
        if fault.reason is Reason.THROTTLED:
            return fault.retry_after_s if fault.retry_after_s is not None and fault.retry_after_s < left else None
        if fault.reason is Reason.UNAVAILABLE and left >= budget.whole_s * RETRY_SHARE:
            pause = fault.retry_after_s or 0.0
            return pause if pause < left else None
        return None

    def _once(self, url: str, errand: Errand, leash: Leash, connect_s: float = math.inf) -> bytes:
        try:
            with errand.door.place(errand.budget.ends - self._clock()), held(leash):
                return self._call(url, errand, leash, connect_s)
        except TimeoutError:
            raise Fault(Reason.LATE) from None

    def _call(self, url: str, errand: Errand, leash: Leash, connect_s: float) -> bytes:
        budget = errand.budget
        left = budget.ends - self._clock()
        if left <= 0 or leash.cut:
            raise Fault(Reason.LATE)
        headers = {"Authorization": f"Bearer {errand.token}"} if errand.token else {}
        try:
            response = self._session.get(url, headers=headers, timeout=(min(left, connect_s), left), stream=True, allow_redirects=False)
        except BROKEN as error:
            raise Fault(self._why(error, Reason.CONNECT, budget)) from None
        try:
            body = self._body(response, budget)
        except BROKEN as error:
            raise Fault(self._why(error, Reason.CUT, budget)) from None
        finally:
            response.close()
        if _stays_open(response):
            errand.door.widen()
        return body

    def _body(self, response: requests.Response, budget: Budget) -> bytes:
        refusal = _refusal(response)
        if refusal is None:
            return _read(response, budget, LARGEST_PAGE)
        if response.headers.get("Content-Length", "").isdecimal():
            _read(response, budget, LARGEST_REFUSAL)  # so that the connection can serve again
        raise refusal

    def _why(self, error: Exception, usual: Reason, budget: Budget) -> Reason:
        if isinstance(error, requests.exceptions.SSLError):
            return Reason.TLS
        if self._clock() >= budget.ends:
            return Reason.LATE
        if isinstance(error, requests.exceptions.ConnectTimeout):
            return Reason.CONNECT
        return Reason.LATE if isinstance(error, requests.exceptions.Timeout | TimeoutError) else usual

    def _count(self, reasons: list[Reason]) -> None:
        with self._lock:
            self._reasons.update(reason.value for reason in reasons)


def _stays_open(response: requests.Response) -> bool:
    return response.raw.version == HTTP_1_1 and response.headers.get("Connection", "").lower() != "close"


def _refusal(response: requests.Response) -> Fault | None:
    """Why the status gives no data, or None for 200."""
    status = response.status_code
    if status == 200:
        return None
    after = response.headers.get("Retry-After", "")
    seconds = float(after) if after.isdecimal() and len(after) < 6 else None
    named = {401: Reason.UNAUTHORIZED, 429: Reason.THROTTLED}.get(status)
    return Fault(named or REASONS.get(status // 100, Reason.NOT_FHIR), seconds)


def _read(response: requests.Response, budget: Budget, largest: int) -> bytes:
    """The body as it arrives, unpacked, and no further than the limits; `read1` gives what is there instead of waiting for more."""
    packing = response.headers.get("Content-Encoding", PLAIN).strip().lower() or PLAIN
    if packing != PLAIN and packing not in PACKED:
        raise Fault(Reason.NOT_FHIR)
    unpacker = zlib.decompressobj(wbits=zlib.MAX_WBITS | 32) if packing != PLAIN else None
    pieces: list[bytes] = []
    size = 0
    while chunk := response.raw.read1(CHUNK, decode_content=False):
        for piece in _unpacked(unpacker, chunk) if unpacker else (chunk,):
            size += len(piece)
            budget.bytes_left -= len(piece)
            if size > largest or budget.bytes_left < 0:
                raise Fault(Reason.TOO_LARGE)
            pieces.append(piece)
    if unpacker and not unpacker.eof:
        raise Fault(Reason.CUT)
    return b"".join(pieces)


def _unpacked(unpacker: Any, chunk: bytes) -> Iterator[bytes]:
    """In pieces no larger than CHUNK: a chunk that unpacks to a thousand times its size never stands in memory at once."""
    while not unpacker.eof and (piece := unpacker.decompress(chunk, CHUNK)):
        yield piece
        chunk = unpacker.unconsumed_tail


class _Session(requests.Session):
    """Looks at no environment, keeps no cookie, and does not even read where a redirect leads."""

    def __init__(self, context: SSLContext) -> None:
        super().__init__()
        for scheme in ("https://", "http://"):
            self.mount(scheme, _Adapter(context))
        self.trust_env = False
        self.headers.clear()
        self.headers.update(HEADERS)
        self.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))

    def get_redirect_target(self, resp: requests.Response) -> None:
        return None


class _Adapter(HTTPAdapter):
    """One context for all connections: reading the certificates again for each costs 30 ms of processor time."""

    def __init__(self, context: SSLContext) -> None:
        self._context = context
        super().__init__(pool_connections=THREADS, pool_maxsize=THREADS, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **kwargs: Any) -> None:
        super().init_poolmanager(connections, maxsize, block, ssl_context=self._context, **kwargs)
        self.poolmanager.pool_classes_by_scheme = POOLS

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:
        conn.cert_reqs = "CERT_REQUIRED"
