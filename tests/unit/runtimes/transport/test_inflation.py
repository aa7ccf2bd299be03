from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Callable, Iterator
from functools import partial

import brotli
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.runtimes.transport.inflation import ERRORS, coding_of, inflate
from testing.effort import effort
from tests.rows import each_row

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

COMPRESS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": gzip.compress,
    "deflate": zlib.compress,
    "br": partial(brotli.compress, quality=5),
    "zstd": zstd.compress,
}
MIB = 1 << 20
EXPECTED: tuple[type[Exception], ...] = (BadGateway, *ERRORS)


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[at : at + size] for at in range(0, len(data), size))


def undo(data: bytes, coding: str, size: int = 65536, most: int = 1 << 30) -> bytes:
    return inflate(pieces(data, size), coding, most, lambda: None)


@pytest.mark.parametrize("coding", COMPRESS)
@settings(max_examples=effort(10, 30))
@given(body=st.binary(max_size=2000), size=st.integers(1, 50))
def test_undoes_what_comes_in_pieces(coding: str, body: bytes, size: int) -> None:
    assert undo(COMPRESS[coding](body), coding, size) == body


@each_row("coding", COMPRESS)
def test_undoes_more_than_a_step(coding: str) -> None:
    body = bytes(range(256)) * 20_000
    assert undo(COMPRESS[coding](body), coding) == body


@pytest.mark.parametrize("coding", COMPRESS)
@settings(max_examples=effort(10, 50))
@given(noise=st.binary(min_size=1, max_size=200))
def test_noise_raises_nothing_unexpected(coding: str, noise: bytes) -> None:
    for data in (noise, COMPRESS[coding](b"text" * 100)[:-3] + noise):
        try:
            undo(data, coding, 7)
        except EXPECTED:
            continue


@each_row("coding", COMPRESS)
def test_too_much_is_refused(coding: str) -> None:
    data = COMPRESS[coding](b"ab" * 1000)
    assert len(undo(data, coding, most=2000)) == 2000
    with pytest.raises(BadGateway):
        undo(data, coding, most=1999)


@each_row("coding", COMPRESS)
def test_a_bomb_is_refused_by_its_ratio(coding: str) -> None:
    with pytest.raises(BadGateway, match="compression ratio"):
        undo(COMPRESS[coding](bytes(64 * MIB)), coding)


@each_row("coding", COMPRESS)
def test_what_ends_early_is_refused(coding: str) -> None:
    with pytest.raises(EXPECTED):
        undo(COMPRESS[coding](b"some text" * 50)[:-1], coding)


def test_a_zstd_window_is_bounded() -> None:
    """A frame may ask its reader for gigabytes of window."""
    options: dict[int, int] = {zstd.CompressionParameter.window_log: 27, zstd.CompressionParameter.content_size_flag: 0}
    packer = zstd.ZstdCompressor(options=options)
    with pytest.raises(zstd.ZstdError):
        undo(packer.compress(b"text") + packer.flush(), "zstd")


def test_each_step_may_be_the_last() -> None:
    """The deadline holds for what keeps the processor busy, too: here members without content."""
    steps = iter(range(100))

    def keep_on() -> None:
        if next(steps) == 50:
            raise TimeoutError

    with pytest.raises(TimeoutError):
        inflate([gzip.compress(b"") * 10_000], "gzip", 1000, keep_on)


@each_row(
    "header, coding", [(None, None), ("", None), ("identity", None), (" GZIP ", "gzip"), ("br", "br"), ("zstd", "zstd")]
)
def test_knows_its_codings(header: str | None, coding: str | None) -> None:
    assert coding_of(header) == coding


@each_row("header", ["gzip, br", "compress", "aes128gcm", "*", "gzip;q=1"])
def test_refuses_others(header: str) -> None:
    with pytest.raises(BadGateway):
        coding_of(header)
