"""Readers of many runs at once: what each asks for, and what became of it."""

from __future__ import annotations

import http.client
import random
import threading
import time
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from urllib.parse import urlsplit

_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked for: ``paths`` by popularity (Zipf, so that the tenth is asked for a tenth as often as the first),
    each by any of the ``callers``, whose request headers these are."""

    paths: Sequence[str]
    callers: Sequence[Mapping[str, str]]


@dataclass(slots=True)
class Answered:
    """Milliseconds of each answer and the second in which it came, by one reader; how many were stored, how many not
    ``200``, and how often another host had to be asked."""

    took: array[float] = field(default_factory=lambda: array("d"))
    at: array[float] = field(default_factory=lambda: array("d"))
    stored: int = 0
    failed: int = 0
    elsewhere: int = 0


class Readers:
    """So many readers, each on a connection of its own, to the hosts in turn. Where a connection breaks off, a reader
    asks the next host, as what stands in front of hosts does; only where none answers, the request has failed."""

    def __init__(self, hosts: Sequence[str], asking: Asking, count: int) -> None:
        self._hosts = [urlsplit(host).netloc for host in hosts]
        self._asking = asking
        self._weights = list(accumulate(1 / rank for rank in range(1, len(asking.paths) + 1)))
        self._over = threading.Event()
        self._began = 0.0
        self.answered = [Answered() for _ in range(count)]
        self._threads = [threading.Thread(target=self._read, args=(number,)) for number in range(count)]

    def __enter__(self) -> Readers:
        self._began = time.perf_counter()
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _read(self, number: int) -> None:
        draw = random.Random(number)
        answered = self.answered[number]
        host = number % len(self._hosts)
        connection = http.client.HTTPConnection(self._hosts[host], timeout=_PATIENCE)
        while not self._over.is_set():
            (path,) = draw.choices(self._asking.paths, cum_weights=self._weights)
            headers = draw.choice(self._asking.callers)
            began = time.perf_counter()
            for _ in self._hosts:
                try:
                    connection.request("GET", path, headers=dict(headers))
                    answer = connection.getresponse()
                    answer.read()
                except (OSError, http.client.HTTPException):
                    connection.close()
                    host = (host + 1) % len(self._hosts)
                    connection = http.client.HTTPConnection(self._hosts[host], timeout=_PATIENCE)
                    answered.elsewhere += 1
                else:
                    answered.failed += answer.status != 200
                    answered.stored += "; hit" in answer.headers.get("Cache-Status", "")
                    break
            else:
                answered.failed += 1
            ended = time.perf_counter()
            answered.took.append((ended - began) * 1000)
            answered.at.append(ended - self._began)
        connection.close()
