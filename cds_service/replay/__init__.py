"""Stored requests through the engine, or through any running CDS service: which answers differ from the promised ones."""

from cds_service.replay.compare import Difference, differences
from cds_service.replay.fixtures import Answer, Fixture, read_fixtures, store
from cds_service.replay.run import Outcome, ask_engine, replay
from cds_service.replay.wire import Remote, Unreachable

__all__ = [
    "Answer",
    "Difference",
    "Fixture",
    "Outcome",
    "Remote",
    "Unreachable",
    "ask_engine",
    "differences",
    "read_fixtures",
    "replay",
    "store",
]
