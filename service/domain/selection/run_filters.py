"""Which runs of a resource group are asked for, and in what order."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Literal, get_args

from service.domain.expectations import Answer, Question
from service.domain.runs import NULL, Run
from service.domain.selection.instants import instant

RunField = Literal["createdAt", "modifiedAt", "durationSeconds", "status", "configurationName"]
_NO_METRICS: Mapping[str, Any] = {}
RUN_FIELDS: tuple[RunField, ...] = get_args(RunField)


@dataclass(frozen=True, slots=True)
class RunFilter:
    """What a run must have, all of it. Empty and ``None`` members ask for nothing.

    ``statuses``: one of them. ``search``: a part of the run's id or of its configuration's name, whatever the case.
    ``created_since`` and ``created_until`` (as ``instants.instant`` has them) are inclusive; a run without a time of
    creation lies outside of both. The others are ids.
    """

    statuses: frozenset[str] = frozenset()
    scenario_id: str | None = None
    executable_id: str | None = None
    configuration_id: str | None = None
    execution_schedule_id: str | None = None
    search: str = ""
    created_since: bytes | None = None
    created_until: bytes | None = None


@dataclass(frozen=True, slots=True)
class RunSortKey:
    """What to sort runs by: a field, or what their metrics come to."""

    field: RunField | Question
    descending: bool = False


Metrics = Mapping[str, Mapping[Question, Answer | None]]
"""By run id, what the run's metrics come to; ``None`` where it has no such metric."""


def selected(runs: Iterable[Run], wanted: RunFilter) -> list[Run]:
    """The runs that pass, in their order."""
    tests = _tests(wanted)
    return [run for run in runs if all(test(run) for test in tests)]


def ordered(runs: Iterable[Run], sort: Sequence[RunSortKey], metrics: Metrics = _NO_METRICS) -> list[Run]:
    """The runs by each key in turn; a run without what it is sorted by, NaN included, comes last, whatever the
    direction."""
    found = list(runs)
    for key in reversed(sort):
        value = _number(key.field, metrics) if isinstance(key.field, Question) else _VALUES[key.field]
        valued = [(known, run) for run in found if (known := value(run)) is not None]
        without = [run for run in found if value(run) is None]
        valued.sort(key=lambda pair: pair[0], reverse=key.descending)
        found = [run for _, run in valued] + without
    return found


def _number(question: Question, metrics: Metrics) -> Callable[[Run], Decimal | None]:
    def number(run: Run) -> Decimal | None:
        answer = metrics.get(run.run_id, {}).get(question)
        return None if answer is None else answer.number

    return number


def _tests(wanted: RunFilter) -> list[Callable[[Run], bool]]:
    tests: list[Callable[[Run], bool]] = []
    if wanted.statuses:
        tests.append(lambda run: run.status in wanted.statuses)
    ids: tuple[tuple[str | None, Callable[[Run], bytes]], ...] = (
        (wanted.scenario_id, lambda run: run.scenario_id),
        (wanted.executable_id, lambda run: run.executable_id),
        (wanted.configuration_id, lambda run: run.configuration_id),
        (wanted.execution_schedule_id, lambda run: run.execution_schedule_id),
    )
    tests += [_is(text, literal) for text, literal in ids if text is not None]
    if wanted.search:
        tests.append(_search(wanted.search.casefold()))
    if wanted.created_since is not None or wanted.created_until is not None:
        tests.append(lambda run: _within(instant(run.created_at), wanted.created_since, wanted.created_until))
    return tests


def _is(text: str, literal: Callable[[Run], bytes]) -> Callable[[Run], bool]:
    return lambda run: _text(literal(run)) == text


def _search(part: str) -> Callable[[Run], bool]:
    return lambda run: part in run.run_id.casefold() or part in (_text(run.configuration_name) or "").casefold()


def _within(moment: bytes | None, since: bytes | None, until: bytes | None) -> bool:
    return moment is not None and (since is None or since <= moment) and (until is None or moment <= until)


def _text(literal: bytes) -> str | None:
    if literal == NULL:
        return None
    text: str = json.loads(literal)
    return text


def _by_name(literal: bytes) -> tuple[str, str] | None:
    text = _text(literal)
    return None if text is None else (text.casefold(), text)


_VALUES: Mapping[RunField, Callable[[Run], Any]] = {
    "createdAt": lambda run: instant(run.created_at),
    "modifiedAt": lambda run: instant(run.modified_at),
    "durationSeconds": lambda run: run.duration,
    "status": lambda run: run.status,
    "configurationName": lambda run: _by_name(run.configuration_name),
}
