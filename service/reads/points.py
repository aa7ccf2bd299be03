"""Runs that were read for a table of their points, with one in memory at a time."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from service.caching import codec
from service.caching.codec import Packed
from service.domain.errors import ServiceError
from service.domain.freshness import Provenance, Snapshot, combined
from service.domain.metrics import MetricResource
from service.reads.results import Read


class Manifest(msgspec.Struct, frozen=True, array_like=True):
    """The contents of a table: the snapshot of each run, ``None`` where it could not be read."""

    snapshots: dict[str, Snapshot | None]

    @classmethod
    def of(cls, read: Mapping[str, Read[MetricResource] | ServiceError]) -> Manifest:
        return cls({run_id: None if isinstance(one, ServiceError) else one.snapshot for run_id, one in read.items()})

    @property
    def missing(self) -> set[str]:
        """The runs that could not be read."""
        return {run_id for run_id, snapshot in self.snapshots.items() if snapshot is None}

    def packed(self) -> Packed:
        return codec.pack(self)

    @property
    def snapshot(self) -> Snapshot:
        """The name of the manifest in a cursor."""
        packed = self.packed()
        return Snapshot(codec.digest_of(packed), codec.size_of(packed))


class ReadPoints(msgspec.Struct, frozen=True):
    """The runs in the order of the request; ``missing`` are those that could not be read. ``snapshot`` names all
    contents together, for another page; ``keep`` stores them for it."""

    found: dict[str, Read[MetricResource]]
    missing: dict[str, ServiceError]
    snapshot: Snapshot
    keep: Callable[[], None]

    @property
    def size(self) -> int:
        """Bytes of all contents, unpacked."""
        return sum(each.size for each in self.found.values())

    @property
    def provenance(self) -> Provenance:
        """The provenance of all contents together."""
        return combined((each.provenance for each in self.found.values()), partial=bool(self.missing))
