"""A comparison as comma-separated values: a column for each run, so that a spreadsheet shows the runs side by side.

The columns are ``section``, ``name``, ``labels``, ``aggregate`` and one for each requested run, headed by its id; runs
that could not be read come last. Sections are ``run`` (facts about each run, and the ``problem`` of one that could not
be read), ``parameter``, ``metric``, ``model 1``, ``model 2``, … (each begins with the models' names and artifact ids)
and ``step`` (series joined by step). Values are the runtime's, digit for digit; ``null`` is an empty cell.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, repeat

import msgspec
from msgspec import Raw

from service.api.http.csv_text import cell, row, text_cell
from service.api.resources.comparisons.to_json import Comparison, Missing
from service.api.resources.runs.to_json import members
from service.concurrency.decoders import json_decoder
from service.domain import comparison, points
from service.domain.comparison import Aligned, Baseline, Compared
from service.domain.series.series import Series
from service.domain.series.summary import Summary
from service.domain.timestamps import zone_clock
from service.domain.zones import TimeZone

_HEADINGS = (b"section", b"name", b"labels", b"aggregate")
_POINTS = ("first", "last", "min", "max")


class _Value(msgspec.Struct):
    value: Raw


def written(found: Comparison) -> Iterator[bytes]:
    """The table, in pieces."""
    runs, missing = found.runs, found.missing
    ids = [run.details.run.run_id for run in runs]
    unread = [str(one["runId"]) for one in missing]
    yield row((*_HEADINGS, *map(cell, ids), *map(cell, unread)))
    rows = chain(
        _runs(runs, found.zone),
        _problems(runs, missing),
        _parameters(runs, only_differing=found.only_differing),
        _metrics(runs, found.differences),
        () if found.joined is None else _joined(runs, found.joined),
    )
    for cells in rows:
        yield row(_padded(cells, len(_HEADINGS) + len(ids) + len(unread)))


def _padded(cells: Sequence[bytes], width: int) -> Iterable[bytes]:
    return chain(cells, repeat(b"", width - len(cells)))


def _runs(runs: Sequence[Compared], zone: TimeZone) -> Iterator[list[bytes]]:
    clock = zone_clock(zone)
    known = [json.loads(b"{%b}" % members(run.details.run, clock), parse_float=str, parse_int=str) for run in runs]
    for name in known[0]:
        if name != "runId":
            yield [b"run", cell(name), b"", b"", *(text_cell(one[name]) for one in known)]


def _problems(runs: Sequence[Compared], missing: Missing) -> Iterator[list[bytes]]:
    if missing:
        titles = (text_cell(one["problem"]["title"]) for one in missing)
        yield [b"run", b"problem", b"", b"", *repeat(b"", len(runs)), *titles]


def _parameters(runs: Sequence[Compared], *, only_differing: bool) -> Iterator[list[bytes]]:
    for one in comparison.parameters(runs):
        if one.differs or not only_differing:
            yield [b"parameter", _text(one.key), b"", b"", *map(_literal, one.values)]


def _metrics(runs: Sequence[Compared], differences: Baseline | None) -> Iterator[list[bytes]]:
    for one in comparison.aligned([run.summaries for run in runs]):
        if one.identity.model is None:
            yield from _metric(b"metric", one, differences)
    for number, block in enumerate(comparison.models(runs), 1):
        section = b"model %d" % number
        names = (b"" if model is None else text_cell(model.name) for model in block.models)
        ids = (b"" if model is None else _literal(model.artifact_id) for model in block.models)
        yield [section, b"name", b"", b"", *names]
        yield [section, b"artifactId", b"", b"", *ids]
        for one in block.metrics:
            yield from _metric(section, one, differences)


def _metric(section: bytes, one: Aligned[Summary], differences: Baseline | None) -> Iterator[list[bytes]]:
    head = [section, _text(one.name), _labels(one.labels)]
    yield [*head, b"count", *(b"" if each is None else b"%d" % each.count for each in one.series)]
    for aggregate in _POINTS:
        yield [*head, aggregate.encode("ascii"), *(_value(each, aggregate) for each in one.series)]
    yield [*head, b"mean", *(b"" if each is None else _literal(each.mean) for each in one.series)]
    if differences is not None:
        found = differences.of(one)
        yield [*head, b"difference", *map(_literal, found.difference)]
        yield [*head, b"relative", *map(_literal, found.relative)]


def _joined(runs: Sequence[Compared], metric: str) -> Iterator[list[bytes]]:
    series: list[Aligned[Series]] = comparison.aligned([run.series for run in runs])
    for one in series:
        if one.identity.name == metric:
            for step, values in comparison.joined(one).rows():
                yield [b"step", _text(one.name), _labels(one.labels), step, *map(_literal, values)]


def _value(summary: Summary | None, aggregate: str) -> bytes:
    text: bytes | None = None if summary is None else getattr(summary, aggregate)
    return b"" if text is None else _literal(bytes(json_decoder(_Value).decode(text).value))


def _labels(literal: bytes) -> bytes:
    return text_cell("; ".join(f"{label.name}={label.value}" for label in points.labels(literal)))


def _text(literal: bytes) -> bytes:
    return text_cell(points.text(literal))


def _literal(literal: bytes) -> bytes:
    """A cell of a number, of NaN or an infinity, or of text; empty for ``null``."""
    if literal == points.NULL:
        return b""
    if not literal.startswith(b'"'):
        return literal
    text = points.text(literal)
    return text.encode("ascii") if text in _NUMBERS else text_cell(text)


_NUMBERS = frozenset({"NaN", "Infinity", "-Infinity"})
