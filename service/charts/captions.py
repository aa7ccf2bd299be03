"""What a chart says in words."""

from __future__ import annotations

from collections.abc import Sequence

from service.domain.points import NameValue

_LONGEST = 48


def trace_names(label_sets: Sequence[Sequence[NameValue]], otherwise: str) -> list[str]:
    """A name for each series of one metric: the labels that tell it from the others, else all of them.

    A label's name loses its prefix (``metrics.ai.sap.com/Artifact.name`` → ``Artifact.name``). Two names may be alike.
    """
    common = frozenset.intersection(*map(frozenset, label_sets)) if len(label_sets) > 1 else frozenset()
    return [_name([label for label in labels if label not in common]) or otherwise for labels in label_sets]


def enumerated(names: Sequence[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    return " and ".join(part for part in (", ".join(names[:-1]), *names[-1:]) if part)


def cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


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
