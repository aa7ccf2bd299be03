"""References to metrics in queries, with or without a label set.

A metric is written as its name, which means the points of all label sets, or with exactly one label set in brackets:
``Loss[dataset=validation]``, ``Loss[fold=1,dataset=test]`` in any order, ``Loss[]`` for the points without labels.
Names and values of labels that hold a comma, an equals sign, a bracket or a quote are written as JSON strings.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field

from service.domain.points import NameValue

_WORD = r'(?:"(?:[^"\\]|\\.)*"|[^",=\[\]\\]+)'
_LABEL = re.compile(rf"({_WORD})=({_WORD}|)(,|$)", re.DOTALL)
_PLAIN = re.compile(r'[^\s",=\[\]\\](?:[^",=\[\]\\]*[^\s",=\[\]\\])?')


@dataclass(frozen=True, slots=True)
class MetricReference:
    """A metric of a query: ``text`` as written; ``labels`` is ``None`` for all label sets."""

    text: str
    name: str = field(compare=False)
    labels: frozenset[NameValue] | None = field(compare=False, repr=False)
    """Excluded from ``repr``, which names representations: the order of a set differs between processes."""

    @classmethod
    def of(cls, text: str) -> MetricReference:
        """Read ``Loss`` or ``Loss[dataset=validation]``; text that is neither is a name."""
        start = text.find("[")
        if start <= 0 or not text.endswith("]"):
            return cls(text, text, None)
        labels = _labels(text[start + 1 : -1])
        return cls(text, text, None) if labels is None else cls(text, text[:start], labels)


def _labels(text: str) -> frozenset[NameValue] | None:
    """The labels between the brackets; ``None`` where they are not a list of labels."""
    found, at = set(), 0
    while at < len(text):
        match = _LABEL.match(text, at)
        if match is None:
            return None
        try:
            found.add(NameValue(_word(match[1]), _word(match[2])))
        except ValueError:
            return None
        at = match.end()
        if match[3] == "," and at == len(text):
            return None
    return frozenset(found)


def _word(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text.strip()


def bracketed(labels: frozenset[NameValue]) -> str:
    """A label set as it is written in a reference."""
    return "[" + ",".join(f"{_written(each.name)}={_written(each.value)}" for each in sorted(labels)) + "]"


def _written(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
