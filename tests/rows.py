"""A table that one test goes through: what pytest does around a test takes longer than most rows do."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from typing import Any

import pytest

_SHOWN = 300
"""Characters of a row."""


def each_row(names: str, table: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Like ``pytest.mark.parametrize``, as one test; a failure names each row that failed.

    For rows that leave nothing behind for the next: all of them have the same fixtures. One above the other is the
    product of both.
    """
    columns = [name.strip() for name in names.split(",")]
    rows = [dict(zip(columns, row if len(columns) > 1 else (row,), strict=True)) for row in table]
    if not rows:
        raise ValueError("a table without rows tests nothing")

    def decorate(test: Callable[..., None]) -> Callable[..., None]:
        signature = inspect.signature(test)

        @functools.wraps(test)
        def each(**fixtures: Any) -> None:
            failures: list[BaseException] = []
            for row in rows:
                try:
                    test(**fixtures, **row)
                except (Exception, pytest.fail.Exception) as failure:  # noqa: BLE001 - raised behind the last row
                    failure.add_note(f"row: {_shown(row)}")
                    failures.append(failure)
            if len(failures) == 1:
                raise failures[0]
            if failures:
                raise BaseExceptionGroup(f"{len(failures)} of {len(rows)} rows", failures)

        fixtures = [parameter for parameter in signature.parameters.values() if parameter.name not in columns]
        each.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        return each

    return decorate


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value!r}" for name, value in row.items())[:_SHOWN]
