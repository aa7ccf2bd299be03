"""Series against a plain reading of the contract, and the cases that a plain reading may have overlooked."""

from __future__ import annotations

import gc
import json
import math
import subprocess
import sys
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.domain.metrics import Chunk
from service.domain.series import instant_columns
from service.domain.series.builder import series
from service.domain.series.series import Series
from testing.effort import effort
from testing.work import MEBIBYTE, memory, run_within
from tests.rows import each_row
from tests.unit.domain.series import reference
from tests.unit.domain.series.logged import chunks, point, points

SIZES = st.integers(1, 7)


def read(text: bytes | None) -> dict[str, Any] | None:
    return None if text is None else reference.read([text])[0]


def shown(logged: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if logged is None else {name: logged[name] for name in ("step", "timestamp", "value")}


def of(*texts: bytes, at_most: int | None = None) -> Series:
    (found,) = series(chunks(list(texts), 2), at_most)
    return found


def values(found: Series) -> list[Any]:
    return [json.loads(text)["value"] for text in found.points]


@each_row("values", [*permutations(["0.1", "0.10000000000000000001", "0.09999999999999999999"])])
def test_numbers_that_are_one_double_are_distinguished(values: tuple[str, ...]) -> None:
    (found,) = series(chunks([point(0).replace(b'"value": 0', f'"value": {value}'.encode()) for value in values], 2))
    assert b'"value":0.09999999999999999999}' in (found.min or b"")
    assert b'"value":0.10000000000000000001}' in (found.max or b"")


@given(st.lists(points(), min_size=1, max_size=40), SIZES)
def test_series_are_as_the_contract_has_them(texts: list[bytes], size: int) -> None:
    found, expected = series(chunks(texts, size)), reference.series(texts)
    assert [[read(text) for text in one.points] for one in found] == [list(map(shown, one)) for one in expected]
    for one, logged in zip(found, expected, strict=True):
        assert (one.count, one.downsampled) == (len(logged), False)
        assert (read(one.first), read(one.last)) == (shown(logged[0]), shown(reference.last(logged)))
        assert (read(one.min), read(one.max)) == tuple(map(shown, reference.extremes(logged)))
        assert_mean(one.mean, reference.mean(logged))
        assert json.loads(one.name) == logged[0]["name"]


def assert_mean(given_mean: bytes, exact: Fraction | float | None) -> None:
    if isinstance(exact, Fraction) and abs(exact) <= sys.float_info.max:
        assert json.loads(given_mean) == float(exact), "rounded once"
    elif isinstance(exact, Fraction):
        assert abs(Fraction(given_mean.decode()) - exact) <= abs(exact) / 10**16
    else:
        assert given_mean == {None: b"null", "inf": b'"Infinity"', "-inf": b'"-Infinity"'}.get(
            exact if exact is None else str(exact), b'"NaN"'
        )


@given(st.lists(points(), min_size=1, max_size=60), SIZES, st.integers(2, 12))
def test_downsampling_chooses_and_never_makes(texts: list[bytes], size: int, at_most: int) -> None:
    for whole, fewer in zip(series(chunks(texts, size)), series(chunks(texts, size), at_most), strict=True):
        assert len(fewer.points) == len(whole.points) or len(fewer.points) <= at_most
        assert fewer.downsampled == (len(whole.points) > at_most)
        remaining = iter(whole.points)
        assert all(text in remaining for text in fewer.points), "in the same order"
        facts = ("name", "labels", "count", "first", "last", "min", "max")
        assert [getattr(fewer, fact) for fact in facts] == [getattr(whole, fact) for fact in facts]
        assert {fewer.first, fewer.last} <= set(fewer.points)
        if at_most >= 4:
            assert {fewer.min, fewer.max} - {None} <= set(fewer.points)


def test_digits_pass_through() -> None:
    text = b'{"name":"n","labels":[],"value":12345678901234567890.10,"step":9007199254740993,"timestamp":null}'
    assert of(text).points == (b'{"step":9007199254740993,"timestamp":null,"value":12345678901234567890.10}',)


@pytest.mark.slow
def test_a_worker_has_loaded_what_it_calculates_with_before_the_first_request() -> None:
    """Loading numpy holds the interpreter's lock again and again: whoever asks meanwhile would wait for 100 ms and more.
    What draws has a process of its own, and what few services or requests need is loaded when they do."""
    later = {"vl_convert", "service.runtimes.mlflow.client", "redis", "flask_smorest", "opentelemetry", "pyarrow"}
    program = f"import sys, service.app; print(*sorted({ {'numpy', 'tsdownsample', *later} } & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", program], text=True).split() == ["numpy", "tsdownsample"]


def test_no_chunks_no_series() -> None:
    assert series([]) == []


def test_labels_in_another_order_are_the_same_series_shown_as_first_logged() -> None:
    found = of(point(1, a="x", b="y"), point(2, b="y", a="x"))
    assert json.loads(found.labels) == [{"name": "a", "value": "x"}, {"name": "b", "value": "y"}]
    assert found.count == 2


def test_names_apart_and_in_order_of_appearance() -> None:
    found = series(chunks([point(1, name="b"), point(2, name="a"), point(3, name="b"), point(4, name="b", l="x")], 3))
    assert [(one.name, one.count) for one in found] == [(b'"b"', 2), (b'"a"', 1), (b'"b"', 1)]


def test_all_steps_zero_is_the_order_of_time() -> None:
    found = of(*(point(minute, 0, f"2026-01-01T00:0{minute}:00Z") for minute in (3, 1, 2)))
    assert values(found) == [1, 2, 3]


def test_time_running_backwards_does_not_matter_where_there_are_steps() -> None:
    assert values(of(*(point(step, step, f"2026-01-01T00:0{9 - step}:00Z") for step in (2, 0, 1)))) == [0, 1, 2]


def test_what_is_logged_twice_keeps_the_runtimes_order() -> None:
    assert values(of(*(point(value, 1, "2026-01-01T00:00:00Z") for value in (5, 3, 4)))) == [5, 3, 4]


def test_points_without_a_step_come_last_and_stay_null() -> None:
    found = of(point(1), point(2, 7), point(3, None, "2026-01-01T00:00:00Z"))
    assert [json.loads(text)["step"] for text in found.points] == [7, None, None]
    assert values(found) == [2, 3, 1], "and those without a timestamp after those with one"


@each_row(
    "odd", [point(9, None, "2026-01-01T00:00:09Z"), point(9, None), point(9, 2), point(9, 1, "2026-01-01T00:00:09Z")]
)
def test_a_point_that_cannot_be_read_is_not_the_last(odd: bytes) -> None:
    last = point(2, 2, "2026-01-01T00:00:01Z")
    for at_most in (None, 2):
        found = of(odd, last, point(1, 1), at_most=at_most)
        assert json.loads(found.last)["value"] == 2
        assert found.last in found.points


def test_one_point_is_everything() -> None:
    found = of(point(4, 1))
    assert {found.first, found.last, found.min, found.max} == set(found.points)
    assert (found.mean, found.count) == (b"4.0", 1)


def test_only_nan_has_no_extremes_and_no_mean() -> None:
    found = of(point("NaN"), point("NaN"))
    assert (found.min, found.max, found.mean, found.count) == (None, None, b"null", 2)


@each_row(
    "logged, mean",
    [
        ([1, "NaN", 2], "1.5"),
        ([1, "Infinity"], '"Infinity"'),
        ([1, "-Infinity", "NaN"], '"-Infinity"'),
        (["Infinity", "-Infinity", 3], '"NaN"'),
        ([1.7e308] * 5, "1.7e308"),
        ([-1.7e308, 1.7e308, 1.7e308, 1.7e308], "8.5e307"),
        ([1e16, 1, -1e16], "0.3333333333333333"),
        ([0.1] * 10, "0.1"),
        ([0.1, 0.2, 0.3], "0.2"),
        ([5e-324, 5e-324], "5e-324"),
    ],
)
def test_means(logged: list[Any], mean: str) -> None:
    assert of(*map(point, logged)).mean == mean.encode()


@each_row(
    "logged, mean",
    [
        (["1e400"], b"1E+400"),
        (["123456789012345678901234567890e300"], b"1.2345678901234567890123456789E+329"),
        (["1e400", "-1e400", "0.5"], b"0.16666666666666667"),
        (["1e400", '"NaN"', "3e400"], b"2E+400"),
        (["1e400", '"-Infinity"'], b'"-Infinity"'),
        ([*["1e400"] * 5000, "-5e403"], b"0"),
    ],
)
def test_a_mean_of_values_beyond_double_precision_is_of_their_decimals(logged: list[str], mean: bytes) -> None:
    assert of(*(point(77.5).replace(b"77.5", value.encode()) for value in logged)).mean == mean


def test_of_infinities_that_differ_the_greatest_value_is_one() -> None:
    found = of(point("Infinity"), point("-Infinity"), point(3))
    assert json.loads(found.max or b"")["value"] == "Infinity"


def test_a_spike_among_a_million_survives() -> None:
    many = effort(70_000, 1_000_000)
    texts = [point(1e9 if step == 65_432 else step % 7, step) for step in range(many)]
    found = series(chunks(texts, 2000), 500)[0]
    assert len(found.points) <= 500
    assert 1e9 in values(found)
    assert (found.count, found.downsampled) == (many, True)


def test_where_a_series_stops_being_finite_is_kept() -> None:
    texts = [point("NaN" if 4000 <= step < 6000 else math.sin(step / 500), step) for step in range(10_000)]
    found = of(*texts, at_most=100)
    steps = {json.loads(text)["step"]: json.loads(text)["value"] for text in found.points}
    assert steps[4000] == steps[5999] == "NaN"
    assert sum(value != "NaN" for value in steps.values()) > 80


def test_nothing_but_nan_downsampled() -> None:
    found = of(*(point("NaN", step) for step in range(100)), at_most=10)
    assert {json.loads(text)["step"] for text in found.points} == {0, 99}


def test_one_long_fraction_takes_no_more_room_than_itself() -> None:
    """A column was as wide as its longest timestamp."""
    stamps = ["2026-03-29T01:00:00." + "1" * 100_000 + "Z"] + ["2026-03-29T01:00:00.5Z"] * 2000
    chunk = Chunk(b",".join(b'{"timestamp":"%b"}' % stamp.encode() for stamp in stamps), len(stamps))
    assert memory(lambda: instant_columns.read([chunk])) < 3 * MEBIBYTE
    assert instant_columns.read([chunk]).fraction[:2].tolist() == [int("1" * 18), 5 * 10**17]


def test_steps_whose_hashes_are_all_alike_are_distinguished_in_time() -> None:
    """20,000 multiples of the number that Python's hashes are remainders of: 200 million comparisons, as a set."""
    code = """
from service.domain.metrics import Chunk
from service.domain.series.builder import series
steps = [number * (2**61 - 1) for number in range(20_000, 0, -1)]
text = b",".join(b'{"name":"a","labels":[],"value":1,"step":%d,"timestamp":null}' % step for step in steps)
(found,) = series([Chunk(text, len(steps))])
print(found.first, found.last)
"""
    first, last = (b'{"step":%d,"timestamp":null,"value":1}' % (times * (2**61 - 1)) for times in (1, 20_000))
    assert run_within(code) == f"{first!r} {last!r}\n"


def test_many_names_asked_for_cost_no_more_than_one() -> None:
    chunk = Chunk(
        b",".join(b'{"name":"a%d","labels":[],"value":1,"step":1,"timestamp":null}' % number for number in range(200)),
        200,
    )

    class Name(str):
        """A name that counts how often it is compared."""

        compared = 0
        __slots__ = ()

        def __eq__(self, other: object) -> bool:
            Name.compared += 1
            return str(self) == other

        __hash__ = str.__hash__

    names = [Name(f"b{number}") for number in range(2000)]
    assert series([chunk], None, names) == []
    assert Name.compared < 5000


def test_series_are_nothing_that_the_garbage_collector_looks_at() -> None:
    """It stops all threads for as long as it looks at what is there: at 100,000 series, for a quarter of a second."""
    made = series(chunks([point(number, 1, None, l=str(number)) for number in range(100)], 10))
    gc.collect()
    assert len(made) == 100
    assert not any(map(gc.is_tracked, (part for one in made for part in (one, one.points, one.course))))
