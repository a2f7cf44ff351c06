"""The log: one JSON object in a line on stderr, with fields from a closed list, so that nothing of a patient can slip in."""

import logging
import sys
import threading
from collections.abc import Mapping
from datetime import UTC, datetime
from traceback import walk_tb
from typing import Any

import orjson

ERROR = logging.ERROR
WARNING = logging.WARNING
LOGGER = logging.getLogger("ndm_cds")
FIELDS = frozenset(
    {
        "request_id",
        "error_id",
        "client",
        "issuer",
        "tenant",
        "token_id",
        "service",
        "route",
        "method",
        "status",
        "reason",
        "elapsed_ms",
        "cards",
        "missing",
        "version",
        "count",
        "outcome",
        "worker",
        "error",
        "where",
    }
)
LONGEST_VALUE = 256
_TALKATIVE = ("ndm_cds", "_granian", "granian")


def event(name: str, level: int = logging.INFO, **fields: Any) -> None:
    """Write one event; a field that is not on the list is a mistake of the programmer and is left out."""
    if LOGGER.isEnabledFor(level):  # what follows is `LOGGER.log` without its search for the line of the caller, which no log line shows
        told = {"fields": {key: value for key, value in fields.items() if key in FIELDS}}
        LOGGER.handle(LOGGER.makeRecord(LOGGER.name, level, "", 0, name, (), None, extra=told))


def fault(error: BaseException) -> Mapping[str, Any]:
    """Type and place of an exception without its text, which can quote the request."""
    places = [(frame.f_code, line) for frame, line in walk_tb(error.__traceback__)]
    where = [f"{code.co_filename.rpartition('/')[2]}:{line} {code.co_name}" for code, line in places[-12:]]
    return {"error": type(error).__name__, "where": where}


class JsonLines(logging.Formatter):
    """Formats a record as one JSON line; of foreign libraries only name and level are kept."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line without its end."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {"at": at, "level": record.levelname.lower()}
        line["event"] = record.getMessage() if record.name.startswith(_TALKATIVE) else record.name
        line |= {key: _short(value) for key, value in getattr(record, "fields", {}).items() if value is not None}
        if record.exc_info and record.exc_info[1]:
            line |= fault(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _short(value: Any) -> Any:
    return value[:LONGEST_VALUE] if isinstance(value, str) else value


def log_configuration() -> dict[str, Any]:
    """The logging set-up for `logging.config.dictConfig`, for this process and the server's workers."""
    handler = {"class": "logging.StreamHandler", "stream": "ext://sys.stderr", "formatter": "json"}
    names = ("ndm_cds", "_granian", "granian.access")
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": {"()": JsonLines}},
        "handlers": {"stderr": handler},
        "root": {"level": "WARNING", "handlers": ["stderr"]},
        "loggers": {name: {"level": "INFO", "handlers": ["stderr"], "propagate": False} for name in names},
    }


def log_uncaught() -> None:
    """Keep a crash outside any request, in whichever thread, from printing values: type and place go to the log."""
    sys.excepthook = lambda _kind, error, _trace: event("crash", logging.CRITICAL, **fault(error))
    threading.excepthook = lambda found: event("crash", logging.CRITICAL, **fault(found.exc_value or SystemError()))
