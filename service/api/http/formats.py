"""The one table of formats that answers can have, and which of them a request asks for: by the query, else ``Accept``.

A resource has a table of its own, ``Writers``: what writes its answer in each of its formats. A further format is one
line there; query, document and ``406`` follow.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import chain
from typing import Any, TypeVar

from werkzeug.datastructures import MIMEAccept
from werkzeug.http import parse_accept_header

from service.domain.errors import NotAcceptable


@dataclass(frozen=True, slots=True)
class Format:
    """``name`` is what the query parameter ``format`` calls it; ``parameters`` are those of its media type.

    Of formats with one media type ``Accept`` chooses the one that is offered first; the others have to be named.
    """

    name: str
    media_type: str
    parameters: str = ""
    extension: str = ""
    """Where the answer is to be saved as a file: that file's."""
    compressed: bool = False
    """Whether it is compressed as it is, so that a content coding gains nothing."""
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"}, compare=False)
    """What the document says of an answer, where the resource has no schema of its own for it."""

    @property
    def content_type(self) -> str:
        return self.media_type + self.parameters


_TABLE = "; charset=utf-8; header=present"
JSON = Format("json", "application/json")
CSV = Format("csv", "text/csv", _TABLE, "csv")
CSV_EXCEL = Format("csv-excel", "text/csv", _TABLE, "csv")
NDJSON = Format("ndjson", "application/x-ndjson")
PARQUET = Format("parquet", "application/vnd.apache.parquet", extension="parquet", compressed=True)
ARROW = Format("arrow", "application/vnd.apache.arrow.stream", extension="arrows")
EVENT_STREAM = Format("event-stream", "text/event-stream")
TEXT = Format("text", "text/plain", "; charset=utf-8", "txt")
VEGA_LITE = Format("vegalite", "application/vnd.vegalite.v6+json")
SVG = Format(
    "svg",
    "image/svg+xml",
    schema={"type": "string", "description": "The chart, with its description as accessible name."},
)
PNG = Format(
    "png",
    "image/png",
    compressed=True,
    schema={
        "type": "string",
        "contentMediaType": "image/png",
        "description": "The chart at twice its size in pixels.",
    },
)

T = TypeVar("T")
Writer = Callable[[T], Iterable[bytes]]
Writers = Mapping[Format, Writer[T]]
"""The formats of a resource, ours to prefer in this order, and what writes its answer in each."""
_BYTE_ORDER_MARK = "\ufeff".encode()


def with_byte_order_mark(write: Writer[T]) -> Writer[T]:
    """The same text behind a byte order mark, by which Excel knows UTF-8."""
    return lambda content: chain((_BYTE_ORDER_MARK,), write(content))


@lru_cache(maxsize=1024)
def choose(offers: Sequence[Format], asked: str | None, accept: str | None, missing: str = "") -> Format:
    """The format to answer in: the one ``asked`` for by name, else the one that ``accept`` likes best (RFC 9110,
    12.5.1; parameters such as ``charset=utf-8`` make no difference), else the first.

    Raises ``NotAcceptable`` where none of ``offers`` matches; its message has ``missing``: why others cannot be had.
    """
    if asked is not None:
        found = next((one for one in offers if one.name == asked), None)
    elif accept:
        found = _liked_best(offers, accept)
    else:
        found = offers[0]
    if found is None:
        raise NotAcceptable([f"{one.media_type} (format={one.name})" for one in offers], missing)
    return found


def _liked_best(offers: Sequence[Format], accept: str) -> Format | None:
    bare = [(name.partition(";")[0].strip(), quality) for name, quality in parse_accept_header(accept, MIMEAccept)]
    by_media_type = {one.media_type: one for one in reversed(offers)}
    best = MIMEAccept(bare).best_match([one.media_type for one in offers])
    return None if best is None else by_media_type[best]
