"""The summaries of a run, found by references to its metrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from functools import cached_property
from heapq import nsmallest

from service.domain import points
from service.domain.metric_references import MetricReference, Reading, bracketed
from service.domain.points import NameValue
from service.domain.series.summary import Summary

_LISTED, _LONGEST_LISTED = 10, 200
_CURE = '; names with a bracket or a quote can be written as JSON strings, such as "mAP[0.5]"[dataset=val]'


class MetricSummaries:
    """The summaries of one run, by metric, in the order of ``aggregates.summarize``: the last one of a name is that of
    all its label sets. Label sets are read only of metrics that are asked for with labels."""

    def __init__(self, found: Sequence[Summary]) -> None:
        names = [one.name for one in found]
        if b"\\" in b"".join(names):
            names = list(map(_plain_literal, names))
        self._found = found
        self._names = names
        self._last = dict(zip(names, found, strict=True))
        self._by_labels: dict[str, dict[frozenset[NameValue], Summary]] = {}
        self._listed: dict[str | None, str] = {}

    def of(self, metric: MetricReference) -> Summary | None:
        """The summary of a metric; ``None`` where it was not logged."""
        return next((found for each in metric.readings if (found := self._read(each)) is not None), None)

    def _read(self, reading: Reading) -> Summary | None:
        if reading.labels is None:
            return self._last.get(_unescaped(reading.name))
        return self._label_sets(reading.name).get(reading.labels)

    def absence(self, metric: MetricReference) -> str:
        """A message for a metric that was not logged, with those that were."""
        name = next((each.name for each in metric.readings if self._is_logged(each.name)), None)
        if name is not None:
            return f"metric {metric.text} was not logged; label sets of {name}: {self._listing(name)}"
        cure = _CURE if "[" in metric.text or '"' in metric.text else ""
        return f"metric {metric.name} was not logged; logged: {self._listing(None)}{cure}"

    def _is_logged(self, name: str) -> bool:
        return _unescaped(name) in self._last

    def _listing(self, name: str | None) -> str:
        """Some label sets of a metric, or some names: listed once, however many expectations fail."""
        if name not in self._listed:
            names = [each[1:-1].decode("utf-8", "surrogatepass") for each in self._last]
            self._listed[name] = _some(names if name is None else list(map(bracketed, self._label_sets(name))))
        return self._listed[name]

    def _label_sets(self, name: str) -> dict[frozenset[NameValue], Summary]:
        if name not in self._by_labels:
            read = ((one.labels, one) for one in self._by_name.get(_unescaped(name), ()))
            self._by_labels[name] = {points.label_set(labels): one for labels, one in read if labels is not None}
        return self._by_labels[name]

    @cached_property
    def _by_name(self) -> dict[bytes, list[Summary]]:
        by_name: dict[bytes, list[Summary]] = {name: [] for name in self._last}
        for name, one in zip(self._names, self._found, strict=True):
            by_name[name].append(one)
        return by_name


def _plain_literal(literal: bytes) -> bytes:
    return literal if b"\\" not in literal else _unescaped(points.text(literal))


def _unescaped(name: str) -> bytes:
    """The JSON of a name that needs no escapes; no other name has the same JSON."""
    return b'"%b"' % name.encode("utf-8", "surrogatepass")


def _some(names: Collection[str]) -> str:
    if not names:
        return "nothing"
    more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
    listed = (
        each if len(each) <= _LONGEST_LISTED else f"{each[:_LONGEST_LISTED]}…" for each in nsmallest(_LISTED, names)
    )
    return ", ".join(listed) + more
