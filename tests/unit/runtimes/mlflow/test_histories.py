"""Whole histories: how much of one is kept, and how often a way that a server may not have is tried."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from itertools import count

import pytest

from service.domain.errors import BadGateway
from service.domain.runtime import CacheScope
from service.runtimes.http_client import HTTPRequest
from service.runtimes.mlflow.histories import FastPath, Histories
from service.runtimes.reader import RuntimeReader
from tests.unit.reads.fakes import context


@dataclass
class Answer:
    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Endless:
    """Gives pages, each with a token that was not seen before."""

    def __init__(self) -> None:
        self.asked = count()

    def read(self, request: HTTPRequest) -> Answer:
        number = next(self.asked)
        point = {"key": "loss", "value": 0.5, "timestamp": number, "step": number}
        return Answer(json.dumps({"metrics": [point], "next_page_token": str(number)}).encode())


def test_pages_that_never_end_are_given_up_for_what_they_hold() -> None:
    client = Endless()
    histories = Histories(RuntimeReader(client, "X-Group", lambda _: False), most_bytes=10_000)
    with pytest.raises(BadGateway, match="too long"):
        histories.read("run1", "loss", {}, context(CacheScope("t", "g")))
    assert 100 < next(client.asked) < 200


def test_a_fast_path_that_may_not_be_there_is_tried_by_one_and_left_alone_for_a_while_where_it_fails() -> None:
    now = [0.0]
    path = FastPath(lambda: now[0])
    assert [path.enter(), path.enter()] == [True, False], "whoever comes meanwhile goes round"
    path.worked()
    assert [path.enter(), path.enter()] == [True, True]
    path.failed()
    assert not path.enter()
    now[0] = 301.0
    assert [path.enter(), path.enter()] == [True, False]
