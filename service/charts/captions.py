"""The words of a chart: names of traces, titles, notes."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

from service.domain.points import NameValue

SEPARATOR = " · "
"""The separator of the parts of a run's name."""
PARTS = re.compile(", | · ")
"""A line break of a run's name."""
LONGEST = 48
WITHOUT_LABELS = "without labels"
"""The name of a series without labels beside others with labels."""
_TITLE = 36
_LINE = 88
"""Characters of a line below a title, for the width of a chart."""


def trace_names(label_sets: Sequence[Sequence[NameValue]], otherwise: str) -> list[str]:
    """A name for each series of one metric: the labels that distinguish it from the others, or all labels.

    A label's name loses its prefix (``metrics.ai.sap.com/Artifact.name`` → ``Artifact.name``). Names may repeat.
    """
    common = frozenset.intersection(*map(frozenset, label_sets)) if len(label_sets) > 1 else frozenset()
    return [_name([label for label in labels if label not in common]) or otherwise for labels in label_sets]


def enumerated(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def named(metrics: Sequence[str]) -> str:
    """The metrics of a title, as many as fit."""
    return cut(enumerated(metrics), _TITLE)


def cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def fitting(parts: Iterable[str], longest: int) -> str:
    """The first parts, separated by commas, as many as fit; the others are not read."""
    whole = accumulate(parts, lambda before, part: f"{before}, {part}")
    *_, last = ("", *takewhile(lambda one: len(one) <= longest, whole))
    return last


def wrapped(notes: Iterable[str]) -> list[str]:
    """The notes wrapped to the width of a chart."""
    return [
        line
        for note in notes
        for line in ([note] if len(note) <= _LINE else textwrap.wrap(note, _LINE, break_on_hyphens=False))
    ]


def _name(labels: Sequence[NameValue]) -> str:
    return cut(", ".join(f"{label.name.rpartition('/')[2]}={label.value}" for label in labels))


def apart(names: Sequence[str]) -> list[str]:
    """The names made unique, with a number after repeated ones.

    Each number is tried once for a name, so that the work is linear, however many names are equal.
    """
    taken = {*names}
    numbers: dict[str, int] = {}
    found = []
    for name in names:
        number = numbers.get(name, 0) + 1
        while number > 1 and f"{name} ({number})" in taken:
            number += 1
        numbers[name] = number
        one = name if number == 1 else f"{name} ({number})"
        taken.add(one)
        found.append(one)
    return found
