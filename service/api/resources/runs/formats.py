"""The formats of a list of runs."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence

import msgspec

from service.api.http.csv_text import cell, row, text_cell
from service.api.http.formats import CSV, CSV_EXCEL, JSON, NDJSON, Writers, with_byte_order_mark
from service.api.resources.runs import to_json
from service.api.resources.runs.to_json import Columns
from service.domain.run_lists import Rows, RunList
from service.domain.runs import NULL, Run
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone

_TOGETHER = 500
_LOADED = 5000


class _Number(str):
    """A number literal."""

    __slots__ = ()


class Runs(msgspec.Struct, frozen=True):
    """Runs to be written: rows of a list, out of ``total``; ``following`` is the next page's URL, where they are
    ``paged``."""

    listed: RunList
    rows: Rows
    total: int
    zone: TimeZone
    paged: bool
    following: str | None
    columns: Columns

    def json(self) -> Iterator[bytes]:
        return to_json.run_list(
            self._stretches(), self.total, self.zone, self.columns, paged=self.paged, following=self.following
        )

    def csv(self) -> Iterator[bytes]:
        """A column for each member of a run in JSON, in the same order, then one for each requested metric; ``null`` is
        an empty cell."""
        clock = zone_clock(self.zone)
        names = _members(b"{%b}" % to_json.members(Run("", ""), clock))
        yield row([*map(cell, names), *(text_cell(str(aggregate)) for aggregate in self.columns.aggregates)])
        for stretch in self._stretches():
            yield b"".join(
                row(
                    [
                        *map(_cell, _members(b"{%b}" % to_json.members(run, clock)).values()),
                        *(b"" if one.value == NULL else one.value.strip(b'"') for one in self.columns.of(run)),
                    ]
                )
                for run in stretch
            )

    def ndjson(self) -> Iterator[bytes]:
        clock = zone_clock(self.zone)
        for stretch in self._stretches():
            yield b"".join(b"{%b%b}\n" % (to_json.members(run, clock), self.columns.members(run)) for run in stretch)

    def _stretches(self) -> Iterator[Sequence[Run]]:
        """The runs in batches: in a sorted list each may be in another part, so that many parts are loaded together."""
        for first in range(0, len(self.rows), _LOADED):
            runs = self.listed.runs(self.rows[first : first + _LOADED])
            for start in range(0, len(runs), _TOGETHER):
                yield runs[start : start + _TOGETHER]


FORMATS: Writers[Runs] = {
    JSON: Runs.json,
    CSV: Runs.csv,
    CSV_EXCEL: with_byte_order_mark(Runs.csv),
    NDJSON: Runs.ndjson,
}


def _members(text: bytes) -> dict[str, str | None]:
    members: dict[str, str | None] = json.loads(text, parse_int=_Number, parse_float=_Number)
    return members


def _cell(value: str | None) -> bytes:
    return value.encode("ascii") if isinstance(value, _Number) else text_cell(value)
