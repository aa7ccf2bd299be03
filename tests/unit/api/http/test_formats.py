"""The table of formats, and which of a resource's a request is answered in."""

from __future__ import annotations

import pytest

from service.api.http import formats
from service.api.http.formats import CSV, CSV_EXCEL, JSON, NDJSON, PNG, Format, Writers, choose, with_byte_order_mark
from service.api.resources.metric_resource.formats import FORMATS, TABLES, Points
from service.domain.errors import NotAcceptable
from service.domain.metrics import Chunk
from service.domain.zones import time_zone
from tests.rows import each_row

ALL = [each for each in vars(formats).values() if isinstance(each, Format)]
NAMES = {"json", "csv", "csv-excel", "ndjson", "parquet", "arrow", "vegalite", "svg", "png", "text", "event-stream"}


def test_every_format_of_the_contract_has_one_name() -> None:
    assert {each.name for each in ALL} == NAMES
    assert len(ALL) == len(NAMES)


@each_row("chosen", FORMATS)
def test_what_a_resource_has_can_be_asked_for_by_name_whatever_accept_says(chosen: Format) -> None:
    assert choose(tuple(FORMATS), chosen.name, "text/html") == chosen


@each_row("chosen", [each for each in ALL if each not in FORMATS])
def test_what_a_resource_does_not_have_is_not_acceptable(chosen: Format) -> None:
    with pytest.raises(NotAcceptable) as refused:
        choose(tuple(FORMATS), chosen.name, None)
    assert all(f"{each.media_type} (format={each.name})" in refused.value.detail for each in FORMATS)


@each_row(
    "accept, chosen",
    [
        (None, JSON),
        ("*/*", JSON),
        ("text/csv", CSV),
        ("text/csv; charset=utf-8, application/json;q=0.5", CSV),
        ("application/json;q=0.1, application/x-ndjson", NDJSON),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", JSON),
        ("text/csv;q=.9, application/json; Q=.5", CSV),
    ],
)
def test_accept_chooses_what_it_likes_best_and_of_one_media_type_the_first(accept: str | None, chosen: Format) -> None:
    assert choose(tuple(FORMATS), None, accept) == chosen


def test_a_format_more_is_one_line() -> None:
    text = Format("text", "text/plain")
    writers: Writers[str] = {JSON: lambda content: [content.encode()], text: lambda content: [content.encode()]}
    assert choose(tuple(writers), "text", None) == text


def test_excel_is_given_the_same_table_behind_a_byte_order_mark() -> None:
    point = b'{"name":"Loss","value":0.5,"timestamp":"2026-03-29T01:00:13Z","step":1,"labels":[]}'
    points = Points((Chunk(point, 1),), time_zone("Europe/Berlin"), list)
    plain, excel = (b"".join(TABLES[each](points)) for each in (CSV, CSV_EXCEL))
    assert plain == b"name,value,timestamp,step\r\nLoss,0.5,2026-03-29T03:00:13+02:00,1\r\n"
    assert excel == b"\xef\xbb\xbf" + plain
    assert list(with_byte_order_mark(lambda _: [b"a"])(None)) == [b"\xef\xbb\xbf", b"a"]


def test_what_is_compressed_as_it_is_needs_no_coding() -> None:
    assert {each.name for each in ALL if each.compressed} == {PNG.name, "parquet"}
