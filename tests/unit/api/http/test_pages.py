"""Pages of a request: which one it asks for, and where the next one is."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import parse_qsl

import pytest
from flask import Flask
from msgspec import structs

from service.api.http.formats import CSV, JSON
from service.api.http.pagination import Cursors, Pages, Window, member
from service.api.http.parameters import PagedParameters
from service.api.http.request import ReadRequest
from service.concurrency.deadline import Deadline
from service.domain.errors import InvalidParameter
from service.domain.freshness import Snapshot
from service.domain.runtime import CacheScope, RequestContext
from service.domain.zones import time_zone
from tests.rows import each_row

SNAPSHOT = Snapshot(bytes(range(16)), 4711)
SCOPE = CacheScope("tenant", "group", connection="second")
APP = Flask(__name__)


@contextmanager
def asked(
    url: str = "/runs?limit=10&search=a%26b&search=c", scope: CacheScope = SCOPE, zone: str = "UTC"
) -> Iterator[ReadRequest[PagedParameters]]:
    """A request as a view has it while it is served."""
    with APP.test_request_context(url) as served:
        given = served.request.args
        limit = given.get("limit", type=int)
        context = RequestContext(scope, Deadline.after(60), "request", "trace")
        yield ReadRequest(PagedParameters(limit=limit, cursor=given.get("cursor")), JSON, time_zone(zone), context)


def next_page(url: str = "/runs?limit=10&search=a%26b&search=c", total: int = 25) -> str:
    pages = Pages(Cursors(b"secret"))
    with asked(url) as request:
        window, snapshot = pages.asked(request)
        following = pages.next(request, window, snapshot or SNAPSHOT, total)
    assert following is not None
    return following


def cursor_of(url: str) -> str:
    return dict(parse_qsl(url[1:]))["cursor"]


def test_a_first_page_is_of_what_there_is_now() -> None:
    with asked() as request:
        assert Pages(Cursors(b"secret")).asked(request) == (Window(0, 10), None)
    with asked("/runs") as request:
        assert Pages(Cursors(b"secret")).asked(request) == (Window(0, None), None)


def test_the_next_one_has_the_same_query_and_goes_on_in_the_same_snapshot() -> None:
    second = next_page()
    assert parse_qsl(second[1:])[:2] == [("search", "a&b"), ("search", "c")]
    assert [name for name, _ in parse_qsl(second[1:])] == ["search", "search", "limit", "cursor"]
    with asked("/runs" + second) as request:
        assert Pages(Cursors(b"secret")).asked(request) == (Window(10, 10), SNAPSHOT)
    third = next_page("/runs" + second)
    with asked("/runs" + third) as request:
        pages = Pages(Cursors(b"secret"))
        window, snapshot = pages.asked(request)
        assert (window, snapshot) == (Window(20, 10), SNAPSHOT)
        assert pages.next(request, window, SNAPSHOT, 25) is None


@each_row("limit, total, there_is", [(10, 10, False), (10, 11, True), (10, 9, False), (1, 2, True)])
def test_there_is_a_next_one_where_something_is_left(limit: int, total: int, there_is: bool) -> None:
    with asked(f"/runs?limit={limit}") as request:
        following = Pages(Cursors(b"secret")).next(request, Window(0, limit), SNAPSHOT, total)
    assert (following is not None) is there_is


def test_without_a_limit_there_is_none() -> None:
    with asked("/runs") as request:
        assert Pages(Cursors(b"secret")).next(request, Window(0, None), SNAPSHOT, 1000) is None


def test_how_long_a_page_is_and_its_format_may_change_on_the_way() -> None:
    cursor = cursor_of(next_page())
    with asked(f"/runs?format=csv&limit=3&search=c&search=a%26b&cursor={cursor}") as request:
        assert Pages(Cursors(b"secret")).asked(structs.replace(request, format=CSV)) == (Window(10, 3), SNAPSHOT)


@each_row(
    "path, scope, zone",
    [
        ("/points", SCOPE, "UTC"),
        ("/runs", dataclasses.replace(SCOPE, tenant="other"), "UTC"),
        ("/runs", dataclasses.replace(SCOPE, connection="other"), "UTC"),
        ("/runs", dataclasses.replace(SCOPE, resource_group="other"), "UTC"),
        ("/runs", dataclasses.replace(SCOPE, caller="somebody"), "UTC"),
        ("/runs", SCOPE, "Europe/Berlin"),
    ],
)
def test_a_cursor_is_for_the_request_that_it_was_given_for(path: str, scope: CacheScope, zone: str) -> None:
    with (
        asked(path + next_page(), scope, zone) as request,
        pytest.raises(InvalidParameter, match="cursor"),
    ):
        Pages(Cursors(b"secret")).asked(request)


@each_row("query", ["search=a%26b", "search=a%26b&search=d", "search=a%26b&search=c&status=DEAD", ""])
def test_nor_for_another_query(query: str) -> None:
    cursor = cursor_of(next_page())
    with asked(f"/runs?limit=10&cursor={cursor}&{query}") as request, pytest.raises(InvalidParameter, match="cursor"):
        Pages(Cursors(b"secret")).asked(request)


@pytest.mark.parametrize("following", [None, "?limit=1&cursor=x"])
def test_an_answer_says_how_many_there_are_and_where_more_is(following: str | None) -> None:
    assert json.loads(b"{" + member(7, following) + b"}") == {"page": {"total": 7, "next": following}}
