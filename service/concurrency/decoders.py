"""msgspec's typed decoders, each made once and one at a time.

msgspec learns what a ``Struct`` looks like when it is decoded first, and keeps it on the class before it has learned it
all: a second thread that decodes a class with another one inside at that moment reads a null pointer, which ends the
process (seen with msgspec 0.22). Made here, a decoder is whole before anybody has it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

T = TypeVar("T")

_making = threading.Lock()
_json: dict[Any, msgspec.json.Decoder[Any]] = {}
_msgpack: dict[Any, msgspec.msgpack.Decoder[Any]] = {}


def json_decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """Reads JSON as ``kind``, which is known when the program is written: what is made stays."""
    return _json.get(kind) or _made(_json, kind, msgspec.json.Decoder)


def msgpack_decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """Reads MessagePack as ``kind``."""
    return _msgpack.get(kind) or _made(_msgpack, kind, msgspec.msgpack.Decoder)


def _made(decoders: dict[Any, Any], kind: type[T], make: Callable[[type[T]], Any]) -> Any:
    with _making:
        if kind not in decoders:
            decoders[kind] = make(kind)
        return decoders[kind]
