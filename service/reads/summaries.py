"""Summaries of runs' metrics, stored by content, so that each content is summarized once."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from contextlib import suppress
from functools import partial

import msgspec

from service.caching import codec
from service.caching.codec import NotAnEntry
from service.caching.entry_keys import summary_key
from service.concurrency.bounded_map import BoundedMap
from service.domain.freshness import Snapshot
from service.domain.metrics import MetricResource
from service.domain.series.aggregates import summarize
from service.domain.series.summary import RunSummary
from service.reads.read_through import ReadThrough
from service.reads.results import Read

_AT_HAND_BYTES = 8 * 1024 * 1024
_OVERHEAD = 500
_AS_OBJECTS = 3
"""The size of a summary in memory, as a multiple of its packed length."""


class Summaries:
    """Reads summaries, and keeps the last used ones in memory. Thread-safe."""

    def __init__(self) -> None:
        self._at_hand: BoundedMap[str, _Summarized] = BoundedMap(_AT_HAND_BYTES, lambda one: one.weight)

    def of(self, resources: Mapping[str, Read[MetricResource]], reads: ReadThrough) -> dict[str, Read[RunSummary]]:
        """The summary of each run; it is loaded, or made and stored, on access."""
        keys = {run_id: summary_key(one.key, one.digest) for run_id, one in resources.items()}
        summarized = self._known(keys.values(), reads)
        read: dict[str, Read[RunSummary]] = {}
        for run_id, one in resources.items():
            key = keys[run_id]
            known = summarized.get(key)
            load = partial(self._make, key, one, reads) if known is None else known.content
            size = one.size if known is None else known.size
            read[run_id] = Read(key, one.digest, one.provenance, load, Snapshot(one.digest, size))
        return read

    def _known(self, keys: Collection[str], reads: ReadThrough) -> dict[str, _Summarized]:
        """The summaries that are in memory or stored."""
        known = {key: one for key in keys if (one := self._at_hand.get(key)) is not None}
        elsewhere = [key for key in keys if key not in known]
        stored = reads.derived(elsewhere) if elsewhere else {}
        for key, packed in stored.items():
            with suppress(NotAnEntry):
                known[key] = _Summarized(codec.unpack(packed, RunSummary), codec.size_of(packed))
                self._at_hand.keep(key, known[key])
        return known

    def _make(self, key: str, resource: Read[MetricResource], reads: ReadThrough) -> RunSummary:
        content = resource.content()
        made = RunSummary(tuple(summarize(content.metrics)), content.unreadable)
        packed = codec.pack(made)
        self._at_hand.keep(key, _Summarized(made, codec.size_of(packed)))
        reads.keep_derived(key, packed, time.time() - resource.provenance.age)
        return made


class _Summarized(msgspec.Struct, frozen=True):
    """A summary in memory; ``size`` is its packed length in bytes."""

    summary: RunSummary
    size: int

    def content(self) -> RunSummary:
        return self.summary

    @property
    def weight(self) -> int:
        return _OVERHEAD + _AS_OBJECTS * self.size
