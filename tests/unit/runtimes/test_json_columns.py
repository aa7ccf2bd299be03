"""Objects that are written alike: their columns are what reading them as JSON gives, and nothing else passes for them."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from service.runtimes.json_columns import columns
from testing.work import memory
from tests.rows import each_row

TEXTS = st.text(st.sampled_from('ab{}[],:1.- é"\\\n\x7f'), max_size=4)
NUMBERS = st.integers(-(10**6), 10**6) | st.floats(allow_nan=False, allow_infinity=False)
OBJECTS = st.builds(lambda t, n, at, m: {"t": t, "n": n, "a": {"t": at, "m": m}}, TEXTS, NUMBERS, TEXTS, NUMBERS)
SEPARATORS = st.sampled_from([(",", ":"), (", ", ": "), (" ,  ", ":")])


def written(objects: list[Any], separators: tuple[str, str]) -> bytes:
    return json.dumps(objects, ensure_ascii=False, separators=separators).encode()[1:-1]


def read(text: bytes) -> list[dict[str, Any]] | None:
    """The objects, put together from their columns."""
    found = columns(text)
    if found is None:
        return None
    values = {}
    for column in found.columns:
        cells = [row.tobytes() for row in column.cells(filler=0)]
        is_text = text[: int(column.begins[0])].endswith(b'"')
        values[column.path] = (
            [cell.rstrip(b"\0").decode() for cell in cells] if is_text else json.loads(column.as_json())
        )
    rows = zip(*(values[path] for path in [(b"t",), (b"n",), (b"a", b"t"), (b"a", b"m")]), strict=True)
    return [{"t": t, "n": n, "a": {"t": at, "m": m}} for t, n, at, m in rows]


@given(st.lists(OBJECTS, min_size=2, max_size=5), SEPARATORS)
def test_columns_are_of_all_objects_that_need_no_escape(objects, separators: tuple[str, str]) -> None:
    text = written(objects, separators)
    assert read(text) == (None if b"\\" in text else objects)


@given(
    st.lists(OBJECTS, min_size=2, max_size=4),
    st.integers(0, 200),
    st.integers(0, 12),
    st.text(st.sampled_from('"{}[],:1.-ex \n'), max_size=3),
)
def test_what_is_no_list_of_such_objects_has_no_columns(objects, at: int, dropped: int, added: str) -> None:
    """Whatever is put in place of a part of the text: what is read is what JSON reads, if that can read it."""
    text = written(objects, (",", ":"))
    broken = text[:at] + added.encode() + text[at + dropped :]
    try:
        expected = json.loads(b"[" + broken + b"]")
    except ValueError:
        expected = None
    try:
        found = read(broken)
    except (ValueError, KeyError):  # numbers that are none, or another first object
        return
    assert found is None or found == expected


@each_row(
    "text",
    [
        b"",
        b"1",
        b'{"a":"x"}',  # nothing follows that says how objects are set apart
        b'{"a":[1,2]},{"a":[1,2]}',
        b'{"a":"x"},{"a":"y"},',
        b'{"a":"x"},{"b":"y"}',
        b'{"a":"x"},{"a":"y","b":"z"}',
        b'{"a":"x"},{"a":"\xff"}',
        b'{"a":"x"},{"a":"\x1f"}',
        b'{"a":"x"},{"a":1}',
        b'{"a":"x"},"a":"y"}',
        b'{"a":"x" , "b":1},{"a":"x", "b":1}',
    ],
)
def test_text_that_is_not_written_alike_has_none(text: bytes) -> None:
    assert columns(text) is None


@each_row("first", [0, 7, 10**17, 10**18 - 1])
@each_row("cell", ["", "0", "00", "05", "7", "42", "-1", "1.5", "1e5", "1:", "1/", "null", "9" * 18, "1" + "0" * 18])
def test_cells_of_digits_are_whole_numbers_of_64_bits(first: int, cell: str) -> None:
    """Numbers of at most 18 digits are recognised, whatever else is written in the place of one."""
    found = columns(b'{"n":%d},{"n":%b}' % (first, cell.encode()))
    assert found is not None
    assert found.columns[0].are_digits() is bool(re.fullmatch("0|[1-9][0-9]{0,17}", cell))


def test_long_cells_are_found_and_not_given() -> None:
    found = columns(b'{"a":"%b"},{"a":""}' % (b"x" * 1000))
    assert found is not None
    assert not found.columns[0].is_narrow


@each_row("first", [b'{"a":%b"x"},', b'{"a":"x"},%b'])
def test_a_first_object_with_much_white_space_costs_no_memory_for_each_of_the_others(first: bytes) -> None:
    count = 2000
    text = first % (b" " * count) + b",".join([b'{"a":"x"}'] * count)
    assert columns(text) is None
    assert memory(lambda: columns(text)) < 20 * len(text)
