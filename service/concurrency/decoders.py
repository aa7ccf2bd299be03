"""msgspec's typed decoders, each made once and one at a time.

msgspec collects the type information of a ``Struct`` at its first decoding, and stores it on the class before it is
complete: a second thread that decodes a nested class at that moment dereferences a null pointer, which ends the process
(seen with msgspec 0.22). A decoder made here is complete before anybody uses it.
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
    """A decoder of JSON to ``kind``. Decoders are kept for ever, so ``kind`` must be a constant of the program."""
    return _json.get(kind) or _made(_json, kind, msgspec.json.Decoder)


def msgpack_decoder(kind: type[T]) -> msgspec.msgpack.Decoder[T]:
    """A decoder of MessagePack to ``kind``."""
    return _msgpack.get(kind) or _made(_msgpack, kind, msgspec.msgpack.Decoder)


def _made(decoders: dict[Any, Any], kind: type[T], make: Callable[[type[T]], Any]) -> Any:
    with _making:
        if kind not in decoders:
            decoders[kind] = make(kind)
        return decoders[kind]
