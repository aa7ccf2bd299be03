"""Timestamps in every zone, against the standard library's arithmetic as an independent opinion."""

import re
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from numpy.typing import NDArray

from service.domain.localizing import localized, localized_literal, utc_literal
from service.domain.timestamps import REMEMBERED_MINUTES, Moment, MomentReader, ZoneClock, zone_clock
from service.domain.zones import UnknownTimeZone, time_zone, zone_names
from testing.work import MEBIBYTE, memory
from tests.rows import each_row

RFC3339 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)", re.ASCII)
ZONES = st.sampled_from(sorted(zone_names()))
OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59)
SECONDS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)).map(lambda moment: moment.replace(microsecond=0))
FRACTIONS = st.text("0123456789", max_size=12)


def spelled(local: datetime, fraction: str, offset: int | None, lower: bool) -> bytes:
    sign, minutes = ("-", -offset) if offset is not None and offset < 0 else ("+", offset or 0)
    tail = "Z" if offset is None else f"{sign}{minutes // 60:02d}:{minutes % 60:02d}"
    text = f"{local.isoformat()}{'.' + fraction if fraction else ''}{tail}"
    return (text.lower() if lower else text).encode()


def written(text: bytes, zone: str) -> str:
    moment = MomentReader().read(text)
    assert isinstance(moment, Moment)
    return ZoneClock(time_zone(zone)).write(moment).decode()


@given(local=SECONDS, fraction=FRACTIONS, offset=st.none() | OFFSETS, lower=st.booleans(), zone=ZONES)
@example(datetime(1972, 1, 7, 0, 44, 29), "5", None, False, "Africa/Monrovia")
@example(datetime(1972, 1, 7, 0, 44, 30), "5", None, False, "Africa/Monrovia")
@example(datetime(2011, 12, 30, 9, 59, 59), "999999999", None, False, "Pacific/Apia")
@example(datetime(2026, 10, 25, 0, 30), "10", None, True, "Europe/Berlin")
@example(datetime(1890, 1, 1), "", None, False, "Europe/Amsterdam")
def test_the_instant_and_every_digit_stay(local, fraction, offset, lower, zone) -> None:
    text = written(spelled(local, fraction, offset, lower), zone)
    assert RFC3339.fullmatch(text)
    shift = timedelta(minutes=offset or 0)
    instant = local.replace(tzinfo=timezone(shift) if shift else UTC)
    without_fraction = re.sub(r"\.\d+", "", text)
    assert datetime.fromisoformat(without_fraction) == instant
    assert (re.search(r"\.(\d+)", text) or ["", ""])[1] == fraction


@given(local=SECONDS, zone=ZONES)
def test_the_offset_is_the_zones_own_to_the_minute(local, zone) -> None:
    text = written(spelled(local, "", None, False), zone)
    given_offset = datetime.fromisoformat(text).utcoffset()
    true_offset = local.replace(tzinfo=UTC).astimezone(time_zone(zone).rules).utcoffset()
    assert abs(given_offset - true_offset) <= timedelta(seconds=30)


@each_row(
    "text, zone, expected",
    [
        ("2026-03-29T01:00:00.123456Z", "Europe/Berlin", "2026-03-29T03:00:00.123456+02:00"),
        ("2026-03-29T00:59:59.9Z", "Europe/Berlin", "2026-03-29T01:59:59.9+01:00"),
        ("2026-03-29T01:00:00+00:00", "UTC", "2026-03-29T01:00:00Z"),
        ("2026-03-29T01:00:00Z", "+05:30", "2026-03-29T06:30:00+05:30"),
        ("2026-03-29T01:00:00Z", "+00:00", "2026-03-29T01:00:00Z"),
        ("2026-01-01T12:00:00Z", "Europe/London", "2026-01-01T12:00:00+00:00"),
        ("1972-01-07T00:44:29Z", "Africa/Monrovia", "1972-01-06T23:59:29-00:45"),
        ("1972-01-07T00:44:30Z", "Africa/Monrovia", "1972-01-07T00:44:30+00:00"),
        ("2016-12-31T23:59:60.50Z", "Asia/Tokyo", "2017-01-01T08:59:59.50+09:00"),
        ("9999-12-31T23:59:59Z", "Asia/Tokyo", "9999-12-31T23:59:59Z"),
        ("0001-01-01T00:00:00Z", "America/New_York", "0001-01-01T00:00:00Z"),
    ],
)
def test_particular_moments(text: str, zone: str, expected: str) -> None:
    assert written(text.encode(), zone) == expected


@each_row("text", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-01:00", "0000-02-29T12:00:00Z"])
def test_what_even_utc_cannot_write_stays_as_it_is(text: str) -> None:
    assert MomentReader().read(text.encode()) == text.encode()


@each_row(
    "text",
    ["", "now", "2026-02-30T00:00:00Z", "2026-03-29T01:00:00", "2026-03-29 01:00:00Z", "2026-03-29T24:00:00Z"]
    + ["2026-03-29T01:00:00.Z", "2026-03-29T01:00:00+24:00", "2026-03-29T01:00:61Z", "20260329T010000Z"]
    + ["2026-03-29T01:00:00Z\n", "٢٠٢٦-03-29T01:00:00Z", "0000-02-30T00:00:00Z"],
)
def test_what_is_no_timestamp_is_none(text: str) -> None:
    assert MomentReader().read(text.encode()) is None


@given(st.binary(max_size=40))
def test_garbage_never_fails(text: bytes) -> None:
    assert MomentReader().read(text) is None or re.match(rb"\d{4}-", text)


@given(st.lists(st.tuples(SECONDS, FRACTIONS), max_size=20), ZONES)
def test_each_timestamp_of_a_text_is_written_alone(moments, zone) -> None:
    reader, clock = MomentReader(), ZoneClock(time_zone(zone))
    read = [reader.read(spelled(local, fraction, None, False)) for local, fraction in moments]
    text = b"%b, Z".join([b'{"name":"Z\\"timestamp\\":\\"","timestamp":%b}' % utc_literal(moment) for moment in read])
    expected = text
    for moment in read:
        written = localized_literal(utc_literal(moment), clock)
        assert moment is not None
        assert written == (b'"' + (moment if isinstance(moment, bytes) else clock.write(moment)) + b'"')
        expected = expected.replace(utc_literal(moment), b"\0" + written, 1)
    assert localized(text, clock) == expected.replace(b"\0", b"")


@given(
    st.lists(st.tuples(SECONDS, FRACTIONS, st.sampled_from(["Z", "+00:00", "z", "+02:00", "-00:00", ""])), max_size=5)
)
def test_texts_are_all_utc_only_where_each_one_is_written_as_it_would_be(given_texts) -> None:
    texts = [
        spelled(local, fraction, None, False).decode().removesuffix("Z") + suffix
        for local, fraction, suffix in given_texts
    ]
    reader = MomentReader()
    plain = [
        utc_literal(reader.read(text.encode())) == b'"' + text.replace("+00:00", "Z").encode() + b'"' for text in texts
    ]
    assert MomentReader().all_utc(texts) == (bool(texts) and all(plain))
    assert not texts or MomentReader().all_utc_cells(cells(texts)) == all(plain)


def cells(texts: list[str]) -> NDArray[np.uint8]:
    """The texts as rows."""
    encoded = [text.encode() for text in texts]
    width = max(1, *map(len, encoded))
    return np.frombuffer(b"".join(text.ljust(width, b"\0") for text in encoded), np.uint8).reshape(-1, width)


@each_row(
    "text",
    [
        "2026-02-30T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "2026-03-29T24:00:00Z",
        "2026-03-29T01:60:00Z",
        "2026-03-29T01:00:60Z",
    ]
    + [
        "2026-03-29T01:00:00.Z",
        "2026-03-29t01:00:00Z",
        "",
        "2026-03-29T01:00:00Z\n2026-03-29T01:00:00Z",
        "٢026-03-29T01:00:00Z",
    ],
)
def test_what_needs_more_than_a_look_is_not_all_utc(text: str) -> None:
    assert not MomentReader().all_utc([text])
    assert not MomentReader().all_utc(["2026-03-29T01:00:00Z", text])
    assert not MomentReader().all_utc_cells(cells([text]))
    assert not MomentReader().all_utc_cells(cells(["2026-03-29T01:00:00Z", text]))


@each_row(
    "name",
    ["", "Mars/Base", "europe/berlin", "localtime", "../UTC", "/etc/passwd", "+24:00", "+2400", "+02", "UTC\0"]
    + ["+٠2:00", "Europe/Berlin\n", "posix/UTC", "02:00"],
)
def test_unknown_zones_are_refused(name: str) -> None:
    with pytest.raises(UnknownTimeZone):
        time_zone(name)


def test_every_iana_zone_is_known() -> None:
    assert len(zone_names()) > 590
    assert all(time_zone(name).name == name for name in zone_names())


def test_one_long_fraction_among_many_timestamps_takes_no_more_room_than_itself() -> None:
    """The shapes of all lines used to be compared with the first one's, so many times over: 100 MB for 100 kB."""
    texts = ["2026-03-29T01:00:00." + "1" * 100_000 + "Z"] + ["2026-03-29T01:00:00Z"] * 2000
    assert memory(lambda: MomentReader().all_utc(texts)) < 3 * MEBIBYTE


def test_what_is_remembered_of_zones_and_minutes_that_others_choose_is_bounded() -> None:
    """A thousand zones with 65,536 minutes each were 20 GB."""
    minutes = [
        b"%04d-%02d-%02dT%02d:00" % (2000 + n // 8064, n // 672 % 12 + 1, n // 24 % 28 + 1, n % 24)
        for n in range(REMEMBERED_MINUTES + 100)
    ]
    zone = ZoneClock(time_zone("+05:30"))
    some = 4096
    used = memory(lambda: [zone.reading(minute) for minute in minutes[:some]] and None) / some * REMEMBERED_MINUTES
    for minute in minutes[some:]:
        zone.reading(minute)
    assert len(set(minutes)) > REMEMBERED_MINUTES
    assert len(zone._readings) <= REMEMBERED_MINUTES
    assert used * (zone_clock.cache_info().maxsize or 0) < 512 * MEBIBYTE
