"""Which words are time zones, and what they are called."""

from __future__ import annotations

from service.domain.zones import is_time_zone, time_zone, zone_names
from tests.rows import each_row


@each_row(
    "given, name",
    [("+0200", "+02:00"), ("+02:00", "+02:00"), ("-0530", "-05:30"), ("+0000", "+00:00"), ("Etc/GMT+2", "Etc/GMT+2")],
)
def test_an_offset_has_one_name_however_it_is_written(given: str, name: str) -> None:
    assert time_zone(given).name == name
    assert time_zone(given).rules.utcoffset(None) == time_zone(name).rules.utcoffset(None)


@each_row("word", ["Factory", "+02", "+200", "+2:00", "0200", "+2400", "+0260", "+02:000", "+٠٢٠٠", " 0200"])
def test_what_is_no_zone(word: str) -> None:
    assert not is_time_zone(word)
    assert word not in zone_names()
