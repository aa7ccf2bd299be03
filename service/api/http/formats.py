"""All formats of answers, and which of them a request asks for: by the query, else ``Accept``.

Each resource has a table ``Writers`` of its formats and their writers. To add a format to a resource, add a line there;
query parameter, document and ``406`` follow.
"""

from __future__ import annotations

import re
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
    """``name`` is the value of the query parameter ``format``; ``parameters`` are those of the media type.

    Of formats with the same media type, ``Accept`` selects the first on offer; the others have to be named.
    """

    name: str
    media_type: str
    parameters: str = ""
    extension: str = ""
    """The file name extension, where the answer is saved as a file."""
    compressed: bool = False
    """Whether the format is compressed itself, so that a content coding gains nothing."""
    schema: Mapping[str, Any] = field(default_factory=lambda: {"type": "string"}, compare=False)
    """The schema in the document, where the resource has none of its own for the format."""

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
"""The formats of a resource in our order of preference, and the writer of each."""
_BYTE_ORDER_MARK = "\ufeff".encode()


def with_byte_order_mark(write: Writer[T]) -> Writer[T]:
    """The same text after a byte order mark, by which Excel recognises UTF-8."""
    return lambda content: chain((_BYTE_ORDER_MARK,), write(content))


_WITHOUT_ZERO = re.compile(r"(;\s*q=)(?=\.)", re.IGNORECASE)
_ANY = {"*": "*/*"}
"""Java's ``HttpURLConnection`` writes ``*; q=.2`` for any type."""


@lru_cache(maxsize=1024)
def choose(offers: Sequence[Format], asked: str | None, accept: str | None, missing: str = "") -> Format:
    """The format of the answer: the one ``asked`` for by name, else the one that ``accept`` prefers (RFC 9110, 12.5.1;
    parameters such as ``charset=utf-8`` make no difference), else the first.

    Raises ``NotAcceptable`` where none of ``offers`` matches; its message includes ``missing``, the reason why other
    formats are not available.
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
    given = parse_accept_header(_WITHOUT_ZERO.sub(r"\g<1>0", accept), MIMEAccept)
    bare = [(_ANY.get(name := each.partition(";")[0].strip(), name), quality) for each, quality in given]
    by_media_type = {one.media_type: one for one in reversed(offers)}
    best = MIMEAccept(bare).best_match([one.media_type for one in offers])
    return None if best is None else by_media_type[best]
