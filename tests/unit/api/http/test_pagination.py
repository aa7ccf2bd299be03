"""Cursors: read only as they were written, for the very view that they were written for."""

from __future__ import annotations

import base64
import re
import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from service.api.http.pagination import Cursor, Cursors
from service.api.openapi.schemas import NO_CURSOR
from service.domain.errors import InvalidParameter
from service.domain.freshness import Snapshot
from tests.rows import each_row

CURSORS = st.builds(
    Cursor,
    st.builds(Snapshot, st.binary(min_size=16, max_size=16), st.integers(0, 2**40)),
    st.integers(0, 10**7),
)
ALPHABET = string.ascii_letters + string.digits + "-_"
VIEWS = st.lists(st.text(max_size=10), max_size=5)


def bytes_of(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


@given(CURSORS, VIEWS)
def test_what_was_written_is_read(cursor: Cursor, view: list[str]) -> None:
    assert Cursors(b"secret").read(Cursors(b"secret").write(cursor, view), view) == cursor


@given(CURSORS, VIEWS, VIEWS)
def test_it_is_bound_to_its_view(cursor: Cursor, view: list[str], other: list[str]) -> None:
    assume(view != other)
    text = Cursors(b"secret").write(cursor, view)
    with pytest.raises(InvalidParameter, match="cursor"):
        Cursors(b"secret").read(text, other)


@given(CURSORS, st.integers(0, 100), st.characters())
def test_a_changed_one_is_refused(cursor: Cursor, position: int, character: str) -> None:
    text = Cursors(b"secret").write(cursor, ())
    position %= len(text)
    changed = text[:position] + character + text[position + 1 :]
    assume(changed != text)
    with pytest.raises(InvalidParameter) as refused:
        Cursors(b"secret").read(changed, ())
    assert [fault.parameter for fault in refused.value.faults] == ["cursor"]


def test_a_text_that_decodes_to_the_same_bytes_is_refused() -> None:
    """The last bits of base64 text may say nothing; whoever gets a cursor twice gets the same text."""
    texts = [Cursors(b"secret").write(Cursor(Snapshot(bytes(16), 1), position), ()) for position in (0, 200, 300)]
    others = [(text, text[:-1] + character) for text in texts for character in ALPHABET if character != text[-1]]
    alike = [other for text, other in others if bytes_of(other) == bytes_of(text)]
    assert alike
    for other in alike:
        with pytest.raises(InvalidParameter, match="cursor"):
            Cursors(b"secret").read(other, ())


@given(CURSORS)
def test_another_service_cannot_have_written_it(cursor: Cursor) -> None:
    with pytest.raises(InvalidParameter):
        Cursors(b"secret").read(Cursors(b"another").write(cursor, ()), ())


@given(st.text(max_size=600))
def test_garbage_is_refused_by_name(text: str) -> None:
    with pytest.raises(InvalidParameter, match="cursor") as refused:
        Cursors(b"secret").read(text, ())
    assert [fault.detail for fault in refused.value.faults] == [NO_CURSOR]


def test_one_that_an_earlier_release_has_written_is_read() -> None:
    """Clients go on with pages while the service is renewed; a change of the format or the key ends their sequences."""
    cursor = Cursor(Snapshot(bytes(range(16)), 1_800_000_000), 4000)
    view = ("/runs/run1/metric-resource", "tenant", "\xe4")
    text = "8zV4Ul5n0TMdRZQqsGdD_5KSxBAAAQIDBAUGBwgJCgsMDQ4PzmtJ0gDND6A"
    assert Cursors(b"secret").write(cursor, view) == text
    assert Cursors(b"secret").read(text, view) == cursor


def test_every_position_and_half_of_a_surrogate_pair_can_be_read_back() -> None:
    cursors = [Cursor(Snapshot(bytes(16), 1), position) for position in range(300)]
    assert [
        Cursors(b"secret").read(Cursors(b"secret").write(one, ["\ud800"]), ["\ud800"]) for one in cursors
    ] == cursors


@given(CURSORS)
def test_a_url_holds_it_as_it_is(cursor: Cursor) -> None:
    assert re.fullmatch("[A-Za-z0-9_-]+", Cursors(b"secret").write(cursor, ()))


@each_row("junk", ["!!!!", "\n\n\n\n", "    ", "....", "\xe4" * 4])
def test_nothing_may_stand_between_its_characters(junk: str) -> None:
    cursor = Cursor(Snapshot(bytes(16), 1), 2)
    text = Cursors(b"secret").write(cursor, ())
    with pytest.raises(InvalidParameter, match="cursor"):
        Cursors(b"secret").read(text[:8] + junk + text[8:], ())
