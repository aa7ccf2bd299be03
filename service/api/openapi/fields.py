"""Fields that several schemas share: query parameters, and the documentation of values."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeVar

from marshmallow import ValidationError, fields

from service.api.http.request import with_plus
from service.domain.metrics import MOST_STEP_DIGITS
from service.domain.selection.instants import instant_of


class Sorted(Protocol):
    """A sort key; two with the same ``field`` are duplicates."""

    @property
    def field(self) -> Any: ...


Key = TypeVar("Key", bound=Sorted)

ZONED = "RFC 3339, in the answer's time zone; fractional digits as the runtime gave them."


def zoned_metadata() -> dict[str, Any]:
    """The documentation of a timestamp that may be missing."""
    return {"description": f"{ZONED} `null` where the runtime's is missing or cannot be read.", "format": "date-time"}


def value_metadata() -> dict[str, Any]:
    """The documentation of a metric's value."""
    return {
        "description": (
            "A JSON number, digit for digit the runtime's, or the name of a number that JSON cannot represent. "
            "`null` where the runtime's value is not a number."
        ),
        "anyOf": [{"type": "number"}, {"type": "string", "enum": ["NaN", "Infinity", "-Infinity"]}, {"type": "null"}],
    }


def step_metadata() -> dict[str, Any]:
    """The documentation of a step."""
    return {
        "description": (
            f"A whole number of either sign, of at most {MOST_STEP_DIGITS:,} digits. `null` where the runtime has "
            "none, or none that can be read."
        ),
        "example": 1,
    }


def true_or_false(description: str) -> fields.Boolean:
    """A query parameter that is ``true`` or, as by default, ``false``."""
    return fields.Boolean(
        load_default=False,
        truthy={"true"},
        falsy={"false"},
        error_messages={"invalid": "must be true or false"},
        metadata={"description": description, "default": False},
    )


def nothing() -> None:
    """The ``load_default`` of optional parameters: the document would state a value as a default, but not a
    function."""


def whole_number(detail: str) -> Callable[[str], str]:
    """A check for plain decimal digits: ``int`` would accept ``1_000`` and blanks as well."""

    def check(text: str) -> str:
        if not (text.isascii() and text.isdigit() and len(text) < 20):
            raise ValidationError(detail)
        return text

    return check


_INSTANT = "must be an RFC 3339 timestamp such as 2026-03-29T03:00:00+02:00"
_OFFSET = re.compile(r"([+-][0-9]{2})([0-9]{2})\Z")
"""An offset as Python's ``%z`` writes it, and clients made by openapi-generator."""


class _Instant(fields.Field[bytes]):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> bytes:
        found = instant_of(_OFFSET.sub(r"\1:\2", with_plus(value)))
        if found is None:
            raise ValidationError(_INSTANT)
        return found


def instant_field(description: str) -> _Instant:
    """A query parameter that is an RFC 3339 timestamp, loaded by ``selection.instants.instant``."""
    return _Instant(
        load_default=nothing,
        metadata={"description": description, "type": "string", "format": "date-time"},
    )


def check_order(data: Mapping[str, Any], *bounds: tuple[str, str]) -> None:
    """Raise ``ValidationError`` for each lower bound that is above its upper bound."""
    wrong = {
        least: [f"must not be beyond {greatest}"]
        for least, greatest in bounds
        if None not in {data.get(least), data.get(greatest)} and data[least] > data[greatest]
    }
    if wrong:
        raise ValidationError(wrong)


class SortField(fields.Field[tuple[Key, ...]], Generic[Key]):
    """Sort keys, each at most once, each with an optional ``-`` for descending order.

    ``pattern`` is that of a key without the ``-``. ``key`` makes one from its text and whether it is descending, and
    raises ``ValidationError`` for invalid text; keys with the same ``field`` are duplicates. ``between`` separates
    keys; the document allows ``most`` of them.
    """

    def __init__(
        self,
        key: Callable[[str, bool], Key],
        *,
        pattern: str,
        most: int,
        rule: str,
        description: str,
        between: re.Pattern[str] = re.compile(","),
        **options: Any,
    ) -> None:
        signed = f"-?({pattern})"
        super().__init__(
            load_default=tuple,
            metadata={
                "description": description,
                "type": "string",
                "pattern": f"^{signed}(,{signed}){{0,{most - 1}}}$",
            },
            **options,
        )
        self._key = key
        self._rule = rule
        self._between = between

    def _deserialize(self, value: Any, *_: Any, **__: Any) -> tuple[Key, ...]:
        texts: Sequence[str] = self._between.split(value)
        keys = tuple(self._key(text.removeprefix("-"), text.startswith("-")) for text in texts)
        if len({key.field for key in keys}) != len(keys):
            raise ValidationError(self._rule)
        return keys
