"""Some runs of a list by columns, with no object for any of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

LONGEST = 192


class Texts(NamedTuple):
    """A text for each run: rows of UTF-8 with zero bytes behind the shorter ones and nowhere else, and their lengths
    in bytes, at most ``LONGEST``."""

    rows: NDArray[np.uint8]
    lengths: NDArray[np.intp]

    def joined(self, between: bytes) -> bytes:
        """All of them, with ``between``, one byte, between two."""
        count, width = self.rows.shape
        framed = np.empty((count, width + 1), np.uint8)
        framed[:, :-1] = self.rows
        framed[:, -1] = ord(between)
        text = framed.tobytes()[:-1]
        return text if int(self.lengths.min()) == width else text.translate(None, b"\0")


class RunTable(msgspec.Struct, frozen=True):
    """``count`` runs, all timestamps readable.

    ``members`` are those of ``Run``, by name, as they are there: texts and JSON literals. One that is ``null`` in all
    runs is absent.
    """

    count: int
    members: Mapping[str, Texts]
