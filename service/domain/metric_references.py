"""References to metrics in queries, with or without a label set.

A metric is written as its name, which means the points of all label sets, or with exactly one label set in brackets:
``Loss[dataset=validation]``, ``Loss[fold=1,dataset=test]`` in any order, ``Loss[]`` for the points without labels.
Names of metrics, and names and values of labels, may be written as JSON strings; those of labels must be where they
hold a comma, an equals sign, a bracket or a quote.

A name with brackets or quotes may be read in several ways; what is meant is the first that was logged: the name in
quotes, the whole text as a name, the text before the label set as a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from service.domain.points import NameValue

_STRING = r'"(?:[^"\\]|\\.)*"'
_WORD = rf'(?:{_STRING}|[^",=\[\]\\]+)'
_QUOTED = re.compile(rf"({_STRING})(?:\[.*\])?", re.DOTALL)
_LABEL = re.compile(rf"({_WORD})=({_WORD}|)(,|$)", re.DOTALL)
_PLAIN = re.compile(r'[^\s",=\[\]\\](?:[^",=\[\]\\]*[^\s",=\[\]\\])?')


class Reading(NamedTuple):
    """One way to read a reference; ``labels`` is ``None`` for all label sets."""

    name: str
    labels: frozenset[NameValue] | None


@dataclass(frozen=True, slots=True)
class MetricReference:
    """A metric of a query: ``text`` as written, and the ways to read it, in order of precedence."""

    text: str
    readings: tuple[Reading, ...] = field(compare=False, repr=False)
    """Excluded from ``repr``, which names representations: the order of a set differs between processes."""

    @classmethod
    def of(cls, text: str) -> MetricReference:
        """Read ``Loss``, ``Loss[dataset=validation]`` or ``"a[b]"[dataset=validation]``; any text may be a name."""
        return cls(text, (*_quoted(text), Reading(text, None), *_with_labels(text)))

    @property
    def name(self) -> str:
        """The name that is meant where none was logged."""
        return next((each.name for each in self.readings if each.labels is not None), self.readings[0].name)


def _quoted(text: str) -> Iterator[Reading]:
    match = _QUOTED.fullmatch(text)
    if match is None:
        return
    try:
        name = _word(match[1])
    except ValueError:
        return
    end = match.end(1)
    labels = None if end == len(text) else labels_between(text, end + 1, len(text) - 1)
    if labels is not None or end == len(text):
        yield Reading(name, labels)


def _with_labels(text: str) -> Iterator[Reading]:
    """A name that is not in quotes with its label set: at most one bracket begins one that ends with the text."""
    if not text.endswith("]"):
        return
    start = text.find("[", 1)
    while start > 0:
        labels = labels_between(text, start + 1, len(text) - 1)
        if labels is not None:
            yield Reading(text[:start], labels)
            return
        start = text.find("[", start + 1)


def labels_between(text: str, start: int, end: int) -> frozenset[NameValue] | None:
    """The labels in that part of ``text``; ``None`` where it is not a list of labels."""
    found, at = set(), start
    while at < end:
        match = _LABEL.match(text, at, end)
        if match is None:
            return None
        try:
            found.add(NameValue(_word(match[1]), _word(match[2])))
        except ValueError:
            return None
        at = match.end()
        if match[3] == "," and at == end:
            return None
    return frozenset(found)


def _word(text: str) -> str:
    return str(json.loads(text)) if text.startswith('"') else text.strip()


def bracketed(labels: frozenset[NameValue]) -> str:
    """A label set as it is written in a reference."""
    return "[" + ",".join(f"{_written(each.name)}={_written(each.value)}" for each in sorted(labels)) + "]"


def _written(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)
