"""Logs: one JSON object a line on standard error.

Members: ``time`` (RFC 3339, UTC), ``level``, ``logger``, ``message``, what the event adds, and where traces are sent
``trace_id``, ``span_id`` and ``trace_flags`` of the request. JSON escapes control characters, so that nothing a caller
sends can forge a line.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any

from service.concurrency.thread_origin import origin
from service.telemetry.line_writer import LineWriter

AUDIT = "service.audit"
"""The logger of audit lines, which are written at once and never dropped."""
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "color_message"}
_NUMBERS = frozenset({int, float})
_encode = json.JSONEncoder(default=str).encode
_log = logging.getLogger("service")


class JSONFormatter(logging.Formatter):
    """Formats a record and the fields of its ``extra``."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        if record.exc_info and record.exc_info[1] is not None:
            fields["exception"] = "".join(traceback.format_exception(record.exc_info[1]))
        return _line(record.created, record.levelname, record.name, record.getMessage(), fields)


class LineHandler(logging.Handler):
    """Writes lines by ``writer``."""

    def __init__(self, writer: LineWriter) -> None:
        super().__init__()
        self.writer = writer
        self.setFormatter(JSONFormatter())

    def handle(self, record: logging.LogRecord) -> bool:
        """Handle a record without the handler's lock, which is not needed: other threads would wait for it with their
        slots."""
        kept = self.filter(record)
        if kept:
            self.emit(kept if isinstance(kept, logging.LogRecord) else record)
        return bool(kept)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
        except Exception:  # noqa: BLE001 - as in every handler of logging: a message that cannot be formatted
            self.handleError(record)
            return
        if record.name == AUDIT:
            self.writer.write(line)
        else:
            self.writer.add(line)


_handler: LineHandler | None = None


def configure(level: str, descriptor: int | None = None) -> None:
    """Send all logs of the process to standard error, or to another descriptor, as JSON.

    The caller's place in the source, thread and process are not logged, and not looked up (Python's "Optimization").
    """
    global _handler  # noqa: PLW0603 - a process has one log, as it has one root logger
    logging._srcfile = None
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    _handler = LineHandler(LineWriter(sys.stderr.fileno() if descriptor is None else descriptor))
    root = logging.getLogger()
    root.handlers[:] = [_handler]
    root.setLevel(level)
    for chatty in ("urllib3", "redis", "werkzeug"):
        logging.getLogger(chatty).setLevel(max(logging.WARNING, logging.getLevelName(level)))


def start_buffering(dropped: Callable[[], None]) -> None:
    """Buffer lines, except those of the audit log, so that requests do not wait. ``dropped`` is called for each dropped
    line.

    To be called in the process that serves. Nothing changes where ``configure`` was not called.
    """
    if _handler is not None:
        _handler.writer.start(dropped)


def stop_buffering() -> None:
    """Write the buffered lines. Later ones are written at once."""
    if _handler is not None:
        _handler.writer.stop()


def add(logger: logging.Logger, level: int, message: str, fields: Mapping[str, Any]) -> None:
    """Log one of the lines that every request has: like ``logger``, but much faster.

    Uses ``logger`` itself where ``configure`` was not called. The caller checks its level.
    """
    if _handler is None:
        logger.log(level, "%s", message, extra=dict(fields))
    else:
        _handler.writer.add(_line(time.time(), logging.getLevelName(level), logger.name, message, fields) + "\n")


def _line(seconds: float, level: str, logger: str, message: str, fields: Mapping[str, Any]) -> str:
    span = origin()
    part_of = "" if span is None else span.members
    further = "".join([f", {_quoted(name)}: {_encoded(value)}" for name, value in fields.items()])
    return (
        f'{{"time": "{_timestamp(seconds)}", "level": "{level.lower()}", "logger": "{logger}", '
        f'"message": {_quoted(message)}{part_of}{further}}}'
    )


def _encoded(value: Any) -> str:
    if isinstance(value, str):
        return _quoted(value)
    return repr(value) if type(value) in _NUMBERS else _encode(value)


def _timestamp(seconds: float) -> str:
    """Seconds since the epoch as RFC 3339, to the millisecond."""
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    return f"{_second(whole)}.{milliseconds:03d}Z"


@lru_cache(maxsize=4)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def failure(error: BaseException) -> None:
    """Log an unexpected error with its stack, which callers never get."""
    _log.error("unexpected error", exc_info=error, extra={"event": "failure"})
