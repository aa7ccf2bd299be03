"""What a chart says in words."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from itertools import accumulate, takewhile

from service.domain.points import NameValue

SEPARATOR = " · "
"""Between the parts of a run's name."""
PARTS = re.compile(", | · ")
"""Where a run's name can be broken into lines."""
LONGEST = 48
WITHOUT_LABELS = "without labels"
"""The series of a metric that has none, beside others that have."""
_TITLE = 36
_LINE = 88
"""Characters of a line below a title: as wide as a chart."""


def trace_names(label_sets: Sequence[Sequence[NameValue]], otherwise: str) -> list[str]:
    """A name for each series of one metric: the labels that distinguish it from the others, else all of them.

    A label's name loses its prefix (``metrics.ai.sap.com/Artifact.name`` → ``Artifact.name``). Two names may be alike.
    """
    common = frozenset.intersection(*map(frozenset, label_sets)) if len(label_sets) > 1 else frozenset()
    return [_name([label for label in labels if label not in common]) or otherwise for labels in label_sets]


def enumerated(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def named(metrics: Sequence[str]) -> str:
    """Metrics in a title: all of them, or those that it has room for."""
    return cut(enumerated(metrics), _TITLE)


def cut(text: str, longest: int = LONGEST) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def fitting(parts: Iterable[str], longest: int) -> str:
    """As many of the first parts as there is room for, with commas; no more of them is looked at."""
    whole = accumulate(parts, lambda before, part: f"{before}, {part}")
    *_, last = ("", *takewhile(lambda one: len(one) <= longest, whole))
    return last


def wrapped(notes: Iterable[str]) -> list[str]:
    """The notes in lines that a chart has room for; one that has room stays as it is."""
    return [
        line
        for note in notes
        for line in ([note] if len(note) <= _LINE else textwrap.wrap(note, _LINE, break_on_hyphens=False))
    ]


def _name(labels: Sequence[NameValue]) -> str:
    return cut(", ".join(f"{label.name.rpartition('/')[2]}={label.value}" for label in labels))


def apart(names: Sequence[str]) -> list[str]:
    """The names, with a number behind those that would be alike.

    Each number is tried once for a name, so that the work is in proportion to the names, however many are alike.
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
