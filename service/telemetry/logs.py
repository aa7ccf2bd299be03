"""Logs: one JSON object a line on standard error.

Members: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, and what the event adds. JSON escapes control
characters, so that nothing a caller sends can forge a line.
"""

from __future__ import annotations

import json
import logging
import sys
import traceback
from datetime import UTC, datetime
from typing import Any

_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_log = logging.getLogger("service")


class JSONFormatter(logging.Formatter):
    """Formats a record and the fields of its ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line: dict[str, Any] = {
            "time": moment.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update((name, value) for name, value in vars(record).items() if name not in _STANDARD)
        if record.exc_info and record.exc_info[1] is not None:
            line["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        return json.dumps(line, ensure_ascii=True, default=str)


def configure(level: str) -> None:
    """Send all logs of the process to standard error as JSON.

    What no line says is not looked up: the caller's place in the source, thread, process (Python's "Optimization").
    """
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JSONFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for chatty in ("urllib3", "redis", "werkzeug"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def failure(error: BaseException) -> None:
    """Note an error that nobody foresaw, with its stack: for operators, never for callers."""
    _log.error("unexpected error", exc_info=error, extra={"event": "failure"})
