"""Runs the service in granian, a production server: workers, restarts, a graceful stop, and one set of counters for all workers."""

import gc
import logging.config
import resource
import signal
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from math import ceil
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

from flask import Flask
from granian.constants import HTTPModes, Interfaces
from granian.server import Server as Granian
from sqlalchemy import make_url

from cds_service.configuration import check_start
from cds_service.fhir.client import FhirClient
from cds_service.fhir.quantity import load_units
from cds_service.knowledge import Knowledge, load
from cds_service.settings import Server, Settings, share_metrics
from cds_service.shipped import shipped
from cds_service.store.archive import Archive
from cds_service.store.engine import is_near, open_engine
from cds_service.store.memory import READING_S, Memory
from cds_service.store.secret import kept_secret
from cds_service.store.spool import Spool
from cds_service.store.statistics import Statistics
from cds_service.store.used_tokens import UsedTokens
from cds_service.web import create_app, utc_now
from cds_service.web.admission import Admission
from cds_service.web.allocator import give_back
from cds_service.web.bridge import Bridge
from cds_service.web.jwks import KeyRing
from cds_service.web.logs import event, log_configuration, log_uncaught
from cds_service.web.pages_of_site import ForPeople
from cds_service.web.rule_pages import Example
from cds_service.web.stories import Story, read_folder, read_stories
from cds_service.web.trust import Trust
from cds_service.web.warm import warm_up
from cds_service.web.workers import end_with_parent

WAITING = 384  # calls beside those that are judged: they wait for their turn, for a place, or for the rest of a large body
READING = 192  # bodies that threads may wait for at once; the first part of each is awaited without a thread
CONNECTIONS = 2_048
STOP_S = 3  # beside the deadline of the FHIR calls, for a request that is under way when the server stops
RESPAWNS, RESPAWN_WINDOW_S = 60, 60.0


def serve(
    settings: Settings,
    knowledge_paths: tuple[Path | None, Path | None],
    host: str,
    port: int,
    workers: int,
    threads: int,
    examples: Callable[[Knowledge], Sequence[Example]],
) -> None:
    """Answer until a signal ends it; raises ConfigurationError or KnowledgeError before anything listens.

    `knowledge_paths` are the folder of the knowledge and that of the site's changes. `threads` are the requests that each
    worker judges at the same time. `examples` gives the worked cases of the rule pages.
    """
    check_start(settings, host, port)
    settings = _named(settings, host, port)
    logging.config.dictConfig(log_configuration())
    gc.freeze()  # the modules are here to stay: each full collection while the knowledge is read would look at all of them
    knowledge = load(*knowledge_paths)
    load_units()  # here once, for all workers: in each of them, among its requests, it held up a second's worth of them
    with tempfile.TemporaryDirectory(prefix="ndm-cds-metrics-") as counters:
        share_metrics(Path(counters))
        gc.collect()
        gc.freeze()
        event("starting", version=knowledge.version, count=workers)
        begin = partial(_begin_worker, settings, knowledge, threads, examples)
        stop_s = STOP_S + ceil(settings.server.deadline_ms / 1_000)
        _server(host, port, workers, stop_s).serve(target_loader=begin, wrap_loader=False)


def _named(settings: Settings, host: str, port: int) -> Settings:
    """In development mode the service is known by the address that it listens on, unless another is configured."""
    if not settings.development or settings.server.public_url != Server().public_url:
        return settings
    return replace(settings, server=replace(settings.server, public_url=f"http://{host}:{port}"))


def _begin_worker(settings: Settings, knowledge: Knowledge, threads: int, examples: Callable[[Knowledge], Sequence[Example]]) -> Bridge:
    """The first thing that a worker does; a signal to stop that arrives before it serves would otherwise be lost, and the stop hang."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log_uncaught()
    give_back()
    end_with_parent()
    warm_up(knowledge, shipped("fixtures"), utc_now())
    return Bridge(build(settings, knowledge, threads, examples), threads + WAITING, READING)


def build(settings: Settings, knowledge: Knowledge, threads: int, examples: Callable[[Knowledge], Sequence[Example]]) -> Flask:
    """The application with its real store, keys and FHIR calls; it runs in the worker, since threads do not survive a fork."""
    url, folder = settings.store.url, spool_folder(settings)
    engine = open_engine(url)
    archive, safe = Archive(engine), Archive(open_engine(url, durable=True))
    near = Archive(open_engine(url, patience_s=READING_S)) if is_near(url) else None
    memory = Memory(archive, Spool(folder), time.monotonic, safe=safe, near=near)
    memory.start()
    Finalize(None, memory.stop, exitpriority=10)
    keys = KeyRing(settings, time.monotonic)
    calls = FhirClient(settings)
    app = create_app(
        settings,
        knowledge,
        store=memory,
        trust=Trust(settings, keys, UsedTokens(engine, archive.prepare), time.time),
        fetch_for=calls.fetch_for,
        secret=settings.secret or kept_secret(folder),
        admission=Admission(threads),
        key_ages=keys.ages,
        fhir_faults=calls.reasons,
        for_people=ForPeople(examples, Statistics(engine).between, patients(settings)),
    )
    gc.collect()
    gc.freeze()
    return app


def patients(settings: Settings) -> tuple[Story, ...]:
    """The patients of the sandbox: the shipped ones and those of the operator's folder; none outside development mode."""
    if not settings.development:
        return ()
    own = read_folder(settings.fhir_data) if settings.fhir_data else []
    return (*read_stories(shipped("fixtures")), *own)


def spool_folder(settings: Settings) -> Path:
    """Where records wait for the database: as configured, else beside an SQLite file, else in the working folder."""
    if settings.store.spool is not None:
        return settings.store.spool
    url = make_url(settings.store.url)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        return Path(f"{url.database}.spool")
    return Path("ndm-cds.spool")


class _Respawns(dict[int, float]):
    """Lets killed workers come back many times, but not without end: granian itself gives up at the second death in 5.5 s."""

    def __init__(self) -> None:
        super().__init__()
        self._times: list[float] = []

    def __setitem__(self, worker: int, at: float) -> None:
        self._times = [*self._times[-RESPAWNS:], at]
        super().__setitem__(worker, at)

    def get(self, worker: int, default: Any = None) -> Any:
        """The last respawn of a worker as granian asks for it: long ago, unless there were too many lately."""
        recent = [at for at in self._times if at > time.monotonic() - RESPAWN_WINDOW_S]
        return super().get(worker, default) if len(recent) > RESPAWNS else default


def _connections() -> int:
    """How many connections a worker may hold: as many as it wants if the system gives it the files for twice that, else fewer."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 2 * CONNECTIONS
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(hard, wanted)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return min(CONNECTIONS, soft // 2) if soft != resource.RLIM_INFINITY else CONNECTIONS


def _server(host: str, port: int, workers: int, stop_s: int) -> Any:
    logs: Mapping[str, Any] = log_configuration()
    server = Granian(
        "ndm-cds",
        address=host,
        port=port,
        interface=Interfaces.RSGI,
        workers=workers,
        backpressure=_connections(),
        respawn_failed_workers=True,
        workers_kill_timeout=stop_s,
        log_dictconfig=dict(logs),
        http=HTTPModes.http1,  # HTTP/2 without TLS would let one connection carry any number of requests past the limits
        websockets=False,
    )
    server.respawned_wrks = _Respawns()
    return server
