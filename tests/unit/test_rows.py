"""A test that goes through a table goes through all of it, and says which rows failed."""

from __future__ import annotations

import pytest

from tests.rows import each_row


def test_each_row_is_tried_and_each_that_failed_is_named() -> None:
    tried: list[tuple[str, int, int]] = []

    @each_row("one", [1, 2])
    @each_row("other", [10, 20])
    def test(fixture: str, one: int, other: int) -> None:
        tried.append((fixture, one, other))
        assert (one, other) not in {(1, 20), (2, 10)}

    with pytest.raises(ExceptionGroup, match="2 of 2 rows") as failed:
        test(fixture="f")
    assert tried == [("f", 1, 10), ("f", 1, 20), ("f", 2, 10), ("f", 2, 20)]
    notes = [failure.__notes__ for failure in failed.value.exceptions]
    assert notes == [["row: other=20", "row: one=1"], ["row: other=10", "row: one=2"]]


def test_what_is_not_raised_as_expected_is_a_failure_of_its_row() -> None:
    @each_row("a, b", [(1, "x"), (0, "y")])
    def test(a: int, b: str) -> None:
        with pytest.raises(ZeroDivisionError):
            1 / a

    with pytest.raises(pytest.fail.Exception) as failed:
        test()
    assert failed.value.__notes__ == ["row: a=1, b='x'"]


def test_an_empty_table_is_refused() -> None:
    with pytest.raises(ValueError, match="without rows"):
        each_row("a", [])


def test_a_fixture_is_asked_for_a_column_is_not(request: pytest.FixtureRequest) -> None:
    """pytest takes what a test needs from its signature."""

    @each_row("column", [1])
    def test(column: int, fixture: str) -> None: ...

    function = pytest.Function.from_parent(request.node.parent, name="test", callobj=test)
    assert function.fixturenames[-1:] == ["fixture"]
