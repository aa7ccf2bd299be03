from __future__ import annotations

from service.runtimes.transport.retries import retry_after, whole_seconds
from tests.rows import each_row

NOW = 1445412480.0  # 2015-10-21T07:28:00Z


@each_row(
    "value, seconds",
    [
        ("0", 0),
        (" 7 ", 7),
        ("120", 120),
        ("9" * 5000, 86400),
        ("Wed, 21 Oct 2015 07:28:30 GMT", 30),
        ("Wed, 21 Oct 2015 07:27:00 GMT", 0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 86400),
        ("Wednesday, 21-Oct-15 07:28:30 GMT", 30),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Wed, 99 Oct 2015 07:28:30 GMT", None),
        ("Wed, 21 Oct 99999999999 07:28:30 GMT", None),
    ],
)
def test_reads_seconds_and_dates(value: str, seconds: float | None) -> None:
    assert retry_after({"Retry-After": value}, NOW) == seconds


def test_is_none_where_there_is_none() -> None:
    assert retry_after({}) is None


@each_row("seconds, whole", [(None, None), (0.0, 1), (0.2, 1), (1.0, 1), (1.1, 2)])
def test_rounds_up(seconds: float | None, whole: int | None) -> None:
    assert whole_seconds(seconds) == whole
