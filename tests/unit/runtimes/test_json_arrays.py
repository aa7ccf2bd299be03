"""Long arrays of objects, a stretch at a time: the same objects, few at once, whatever is in them."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from service.domain.errors import BadGateway
from service.runtimes import json_arrays
from testing.work import calls
from tests.rows import each_row

STRETCH = 64


class Named(msgspec.Struct):
    name: str


TEXT = st.text(max_size=20) | st.sampled_from(["},{", '"},{"a":', "[{", "}]", "\\"])
VALUES = st.recursive(
    st.none() | st.integers() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=20,
)
OBJECTS = st.lists(st.dictionaries(st.sampled_from(["a", "b", "},{"]), VALUES, max_size=3), max_size=12)


def read(text: str, kind: Any = list[Raw]) -> list[list[Any]]:
    return list(json_arrays.items(Raw(text.encode()), kind, "the list", stretch=STRETCH))


@given(OBJECTS, st.sampled_from([None, 1]), st.sampled_from([(",", ":"), (", ", ": "), (" , ", " :")]))
@example([{"a": [{"a": 1}] * 50}] + [{"a": 1}] * 50, None, (",", ":"))
@example([{"a": [{"b": [{}] * 40}] * 3}] * 2, None, (", ", ": "))
def test_they_are_the_objects_of_the_array(objects: list[Any], indent: int | None, separators: tuple[str, str]) -> None:
    written = json.dumps(objects, indent=indent, separators=separators)
    assert [json.loads(bytes(one)) for some in read(written) for one in some] == objects


def test_few_are_read_at_once_also_behind_one_that_is_long() -> None:
    first = '{"a":[' + ",".join(["{}"] * 5000) + "]}"
    found = read("[" + ",".join([first, *["{}"] * 5000]) + "]")
    assert sum(map(len, found)) == 5001
    assert max(map(len, found[1:])) <= STRETCH


def test_the_work_is_linear() -> None:
    def nested(count: int) -> str:
        return '[{"a":[' + ",".join(['{"a":1}'] * count) + "]}]"

    few, many = nested(1000), nested(4000)
    assert calls(lambda: read(many)) < 2 * calls(lambda: read(few))


def test_null_has_none() -> None:
    assert read("null") == []
    assert read("[ ]", list[Named]) == [[]]


def test_null_is_no_array() -> None:
    with pytest.raises(BadGateway, match="the list"):
        list(json_arrays.stretches(Raw(b"null"), lambda text: text, list[Raw], "the list"))


@each_row(
    "written",
    ['"a"', "{}", "1", "[1]", "[null]", '[{"name": 1}]', "[{}]", '[{"name": "a"}, 1]', "[[]]", "nullify"]
    + ['[{"name": "a"},' + ",".join(["1"] * 5000) + "]"],
)
def test_anything_else_is_refused(written: str) -> None:
    with pytest.raises(BadGateway, match="the list"):
        read(written, list[Named])


def test_what_are_no_objects_is_refused_before_it_is_kept() -> None:
    with pytest.raises(BadGateway, match="the list"):
        read("[{}," + ",".join(["1"] * 5000) + "]")


def test_what_can_be_read_at_once_is() -> None:
    written = json.dumps([{"a": number} for number in range(100)]).encode()
    found = [*json_arrays.stretches(Raw(written), lambda text: text, list[Raw], "the list", stretch=STRETCH)]
    texts = [one for one in found if isinstance(one, bytes)]
    assert len(texts) == len(found) > 10
    assert json.loads(b"[" + b",".join(texts) + b"]") == json.loads(written)
