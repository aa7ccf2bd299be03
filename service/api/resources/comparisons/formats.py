"""A comparison in the formats that it can be had in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from service.api.http.formats import CSV, CSV_EXCEL, JSON, Writers, with_byte_order_mark
from service.api.resources.comparisons import to_csv, to_json
from service.api.resources.comparisons.to_json import Missing
from service.domain.comparison import Compared
from service.domain.zones import TimeZone


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Runs side by side. ``joined`` is the metric whose series are to be joined by step, ``baseline`` the id of the
    run from which the others' last values are to differ."""

    runs: Sequence[Compared]
    missing: Missing
    zone: TimeZone
    only_differing: bool
    joined: str | None
    baseline: str | None

    def json(self) -> Iterator[bytes]:
        return to_json.compared(
            self.runs,
            self.missing,
            self.zone,
            only_differing=self.only_differing,
            joined=self.joined,
            baseline=self.baseline,
        )

    def csv(self) -> Iterator[bytes]:
        return to_csv.compared(
            self.runs,
            self.missing,
            self.zone,
            only_differing=self.only_differing,
            joined=self.joined,
            baseline=self.baseline,
        )


FORMATS: Writers[Comparison] = {
    JSON: Comparison.json,
    CSV: Comparison.csv,
    CSV_EXCEL: with_byte_order_mark(Comparison.csv),
}
