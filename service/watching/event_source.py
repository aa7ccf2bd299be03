"""Reads server-sent events (HTML Standard, 9.2) of a URL, and reconnects where the connection breaks."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import urllib3
from urllib3.exceptions import HTTPError
from urllib3.response import BaseHTTPResponse

_CONNECT_SECONDS, _SILENT_SECONDS = 10.0, 45.0
"""Seconds without data after which a stream counts as broken: an idle one sends a comment every 15 seconds."""
_FIRST_PAUSE, _LONGEST_PAUSE = 0.5, 10.0
_LONGEST_WAIT = 300.0
_LONGEST_LINE = 64 * 1024 * 1024
_LONGEST_PROBLEM = 64 * 1024
_LATER = frozenset({429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Event:
    kind: str
    id: str
    data: bytes


class Refused(Exception):
    """The service refuses the stream; the message says why."""


class _ComeBack(Exception):
    """The service asks to reconnect after ``seconds``; ``None`` where it names no time."""

    def __init__(self, seconds: float | None, why: str) -> None:
        super().__init__(why)
        self.seconds = seconds


class EventSource:
    """The events of ``url``, over as many connections as it takes.

    ``interrupted`` is called with the reason and the seconds until the next attempt when a connection has failed.
    """

    def __init__(
        self,
        url: str,
        headers: Mapping[str, str],
        *,
        interrupted: Callable[[str, float], None] = lambda _why, _seconds: None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._url = url
        self._headers = {"Accept": "text/event-stream", **headers}
        self._interrupted = interrupted
        self._sleep = sleep
        self._last = ""
        self._pool = urllib3.PoolManager(retries=False)

    def __iter__(self) -> Iterator[Event]:
        """All events up to and with ``end``. Raises ``Refused``."""
        failures, connected = 0, False
        while True:
            try:
                response = self._open()
                connected = True
                for event in parse(response.stream(decode_content=True)):
                    failures, self._last = 0, event.id or self._last
                    if event.kind == "end" and _reason(event) == "shutdown":
                        break
                    yield event
                    if event.kind == "end":
                        return
                response.close()
                seconds, why = (_FIRST_PAUSE if failures else 0.0), "the connection has ended"
            except (HTTPError, OSError) as error:
                if not connected:
                    raise Refused(f"cannot reach {self._url.partition('?')[0]}: {_short(error)}") from error
                seconds, why = _pause(failures), _short(error)
            except _ComeBack as error:
                seconds, why = _pause(failures) if error.seconds is None else error.seconds, str(error)
            failures += 1
            if seconds:
                self._interrupted(why, seconds)
                self._sleep(seconds)

    def _open(self) -> BaseHTTPResponse:
        headers = {**self._headers, **({"Last-Event-ID": self._last} if self._last else {})}
        timeout = urllib3.Timeout(connect=_CONNECT_SECONDS, read=_SILENT_SECONDS)
        response = self._pool.request(
            "GET", self._url, headers=headers, timeout=timeout, preload_content=False, redirect=False
        )
        if response.status == 200 and response.headers.get("Content-Type", "").startswith("text/event-stream"):
            return response
        try:
            why = _problem(response)
        finally:
            response.close()
        if response.status in _LATER:
            raise _ComeBack(_retry_after(response.headers.get("Retry-After", "")), why)
        raise Refused(why)


def parse(pieces: Iterable[bytes]) -> Iterator[Event]:
    """The complete events of a stream. Raises ``Refused`` for a line that is too long."""
    fields: dict[str, bytes] = {}
    for line in _lines(pieces):
        if not line:
            if fields:
                kind, number = (fields.get(name, b"").decode("utf-8", "replace") for name in ("event", "id"))
                yield Event(kind or "message", number, fields.get("data", b""))
            fields = {}
        elif not line.startswith(b":"):
            name, _, value = line.partition(b":")
            value = value.removeprefix(b" ")
            known = name.decode("ascii", "replace")
            fields[known] = fields[known] + b"\n" + value if known == "data" and "data" in fields else value


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    begun: list[bytes] = []
    size = 0
    for piece in pieces:
        *whole, rest = piece.split(b"\n")
        for line in whole:
            yield b"".join((*begun, line)).removesuffix(b"\r")
            begun, size = [], 0
        begun.append(rest)
        size += len(rest)
        if size > _LONGEST_LINE:
            raise Refused("not a stream of events: a line is too long")


def _reason(event: Event) -> str:
    with suppress(ValueError, AttributeError):
        return str(json.loads(event.data).get("reason", ""))
    return ""


def _problem(response: BaseHTTPResponse) -> str:
    """The error as the service describes it (RFC 9457)."""
    with suppress(ValueError, HTTPError):
        found = json.loads(response.read(_LONGEST_PROBLEM))
        if isinstance(found, dict):
            texts = [found.get("title"), found.get("detail")]
            texts += [f"{each['parameter']}: {each['detail']}" for each in found.get("errors", ())]
            return f"{response.status}: " + "; ".join(str(text) for text in texts if text)
    return f"{response.status}: not a stream of events"


def _retry_after(text: str) -> float | None:
    """Seconds (RFC 9110, 10.2.3)."""
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST_WAIT)
    with suppress(ValueError, TypeError):
        return min(max(parsedate_to_datetime(text).timestamp() - time.time(), 0.0), _LONGEST_WAIT)
    return None


def _pause(failures: int) -> float:
    return float(min(_FIRST_PAUSE * 2 ** min(failures, 10), _LONGEST_PAUSE))


def _short(error: Exception) -> str:
    return str(error).partition("\n")[0][:200] or type(error).__name__
