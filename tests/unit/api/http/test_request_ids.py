"""Request ids and traces: a caller's are taken over where they are well-formed, and nothing else of them is."""

from __future__ import annotations

import re

from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from service.api.http.context import current_request
from service.api.http.request_ids import REQUEST_ID_HEADERS, new_traceparent, request_id, traceparent
from tests.rows import each_row

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
WELL_FORMED = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}(-[!-~]*)?")
NEW_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@each_row("given_id", ["a", "A-Z_a.z~0:9/+=@", "x" * 128])
def test_a_well_formed_id_is_taken_over(given_id: str) -> None:
    assert request_id([given_id]) == given_id


@each_row("given_id", [None, "", "x" * 129, "a b", "a\n", "ä", "a\x00", '"a"', "a,b", "١"])
def test_any_other_is_replaced(given_id: str | None) -> None:
    assert NEW_ID.fullmatch(request_id([given_id]))


def test_the_first_that_is_well_formed_counts() -> None:
    assert request_id([None, "not one", "second", "third"]) == "second"


def test_new_ids_differ() -> None:
    assert request_id([]) != request_id([])


@each_row(
    "text",
    [
        f"00-{TRACE}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-ff",
        f"cc-{TRACE}-{SPAN}-01",
        f"cc-{TRACE}-{SPAN}-01-what.comes.later",
        f"01-{TRACE}-{SPAN}-01-" + "x" * (512 - 56),
    ],
)
def test_a_well_formed_trace_goes_on(text: str) -> None:
    """W3C Trace Context, 3.2.2; versions to come may add to it (3.2.4)."""
    assert traceparent(text) == text


@each_row(
    "text",
    [
        None,
        "",
        f"ff-{TRACE}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{TRACE}-{SPAN}-01-",
        f"00-{TRACE}-{SPAN}-01-later",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        f"cc-{TRACE}-{SPAN}-01-a b",
        f"01-{TRACE}-{SPAN}-01-" + "x" * (513 - 56),
    ],
)
def test_any_other_trace_begins_anew_and_is_not_sampled(text: str | None) -> None:
    begun = traceparent(text)
    assert begun != text
    assert re.fullmatch(r"00-[0-9a-f]{32}-[0-9a-f]{16}-00", begun)


@given(st.text() | st.from_regex(WELL_FORMED))
def test_what_comes_of_any_text_is_well_formed(text: str) -> None:
    assert WELL_FORMED.fullmatch(traceparent(text))


def test_new_traces_differ() -> None:
    assert new_traceparent() != new_traceparent()


def test_a_request_has_one_context_of_its_own() -> None:
    app = Flask(__name__)
    for name in REQUEST_ID_HEADERS:
        with app.test_request_context(headers={name: name.lower()}):
            first = current_request()
            assert first is current_request()
            assert first.trace.request_id == name.lower()
            assert first.principal is None
