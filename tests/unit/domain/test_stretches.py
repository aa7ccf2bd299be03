"""Long texts are looked through piece by piece, and what is found is what a look at all at once finds."""

from __future__ import annotations

import json
import re

from hypothesis import example, given
from hypothesis import strategies as st

from service.domain.stretches import AT_ONCE, contains, each_pair, find, of_pairs, search
from tests.rows import each_row

PART = b"needle"
NUMBER = re.compile(rb"[0-9]+;")
TEXTS = st.lists(
    st.sampled_from(['"', "\\", "},{", '"name":"', '},{"name":"', ",", "]", "[", "é", "\ud83d", " ", "x"]), max_size=6
).map("".join)
PAIRS = st.lists(st.fixed_dictionaries({"name": TEXTS, "value": TEXTS}), max_size=8)


@each_row("before", [0, 10, AT_ONCE - 3, AT_ONCE, 2 * AT_ONCE - 1])
def test_what_lies_across_two_stretches_is_found(before: int) -> None:
    text = b"." * before + PART + b"." * 10
    assert find(text, PART) == text.find(PART) == before
    assert find(text, PART, before + 1) == -1
    numbered = b"." * before + b"12;34;"
    found = search(NUMBER, numbered)
    assert found is not None
    assert found.span() == (before, before + 3)
    assert search(NUMBER, numbered, before + 3) is not None
    assert search(NUMBER, numbered, before + 6) is None


@each_row("before", [0, AT_ONCE - 1, AT_ONCE - 2])
def test_a_part_is_found_whatever_its_case(before: int) -> None:
    assert contains("ß" * before + "STRASSE", "strasse".casefold())
    assert contains("ß" * before + "Straße", "straße".casefold())
    assert not contains("ß" * before + "Gasse", "strasse")
    assert contains("", "")


@given(PAIRS, st.integers(1, 60), st.sampled_from([(",", ":"), (", ", ": "), (" ,\n", ":")]))
@example([{"name": "a", "value": '},{"name":"b'}, {"name": "b", "value": "\\"}], 1, (",", ":"))
def test_an_array_of_pairs_is_the_same_in_several(
    pairs: list[dict[str, str]], length: int, written: tuple[str, str]
) -> None:
    array = json.dumps(pairs, separators=written).encode()
    several = list(of_pairs(array, length))
    assert [pair for one in several for pair in json.loads(one)] == pairs
    longest = max((len(json.dumps(pair, separators=written)) for pair in pairs), default=0)
    assert max(map(len, several)) <= length + longest + len("[] ,\n") + 2
    stored = json.dumps([{name: pair[name] for name in ("name", "value")} for pair in pairs], separators=(",", ":"))
    assert list(map(json.loads, each_pair(stored.encode()))) == pairs


def test_a_pair_of_several_stretches_is_one() -> None:
    pairs = [{"name": "a", "value": '},{"name":"' * (AT_ONCE // 4)}, {"name": "b", "value": "x" * 3 * AT_ONCE}]
    array = json.dumps([*pairs, pairs[0]], separators=(",", ":")).encode()
    assert list(map(json.loads, each_pair(array))) == [*pairs, pairs[0]]
    assert len(list(of_pairs(array))) == 3
