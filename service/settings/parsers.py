"""Parsers of names, numbers, lists and secrets, which raise ``ValueError`` for invalid text."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import StrEnum
from typing import TypeVar

from service.auth.algorithms import SIGNATURE_ALGORITHMS
from service.domain.ids import group_fault
from service.domain.runtime import RuntimeKind
from service.settings.json_objects import read_text

_LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")
_POINTER = re.compile(r"(/([^~/]|~[01])+)+")
_DOTTED = re.compile(r"[^./]+(\.[^./]+)*")
_SECRET_CHARACTERS = 32
_E = TypeVar("_E", bound=StrEnum)
_T = TypeVar("_T")


def word(text: str) -> str:
    """Printable characters without white space."""
    if not text.isprintable() or any(map(str.isspace, text)):
        raise ValueError("must not contain white space or control characters")
    return text


def scopes(text: str) -> str:
    """Scopes of an access token, separated by single spaces (RFC 6749, 3.3)."""
    for scope in text.split(" "):
        if not scope:
            raise ValueError("must be scopes separated by single spaces")
        word(scope)
    return text


def listed(parse: Callable[[str], _T], *, repeats: bool = False) -> Callable[[str], tuple[_T, ...]]:
    """One or more values, comma-separated, without duplicates unless ``repeats``."""

    def parse_all(text: str) -> tuple[_T, ...]:
        values: list[_T] = []
        for number, item in enumerate(text.split(","), 1):
            value = _item(parse, number, item.strip(" "))
            if value in values and not repeats:
                raise ValueError(f"item {number} is a duplicate")
            values.append(value)
        return tuple(values)

    return parse_all


def _item(parse: Callable[[str], _T], number: int, text: str) -> _T:
    if not text:
        raise ValueError(f"item {number} is empty; items are separated by single commas")
    try:
        return parse(text)
    except ValueError as error:
        raise ValueError(f"item {number} {error}") from None


def one_of(kind: type[_E]) -> Callable[[str], _E]:
    """A member of an enumeration, by its value."""

    def parse(text: str) -> _E:
        if text in list(kind):
            return kind(text)
        raise ValueError(f"must be one of {', '.join(kind)}, not {echo(text)}")

    return parse


def log_level(text: str) -> str:
    if text.upper() in _LOG_LEVELS:
        return text.upper()
    raise ValueError(f"must be one of {', '.join(_LOG_LEVELS)}, not {echo(text)}")


def algorithm(text: str) -> str:
    """A signature algorithm with a public key."""
    if text in SIGNATURE_ALGORITHMS:
        return text
    raise ValueError(
        f"must be one of {', '.join(SIGNATURE_ALGORITHMS)} (HMAC and none are never accepted), not {echo(text)}"
    )


def resource_group(text: str, kind: RuntimeKind | None) -> str:
    fault = group_fault(text, kind)
    if fault is None:
        return text
    raise ValueError(fault)


def claim_path(text: str) -> str:
    """The path of a claim: dotted (``realm_access.roles``) or a JSON pointer (``/a.b/c``)."""
    if _POINTER.fullmatch(word(text)) or _DOTTED.fullmatch(text):
        return text
    raise ValueError(f"must be a dotted path like a.b or a JSON pointer like /a/b, not {echo(text)}")


def secret(text: str) -> str:
    """A secret that is long enough."""
    if len(text) < _SECRET_CHARACTERS:
        raise ValueError(f"must have at least {_SECRET_CHARACTERS} characters")
    return unpadded(text)


def utf8(text: str) -> str:
    """Any text that can be encoded."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise ValueError("is not UTF-8") from None
    return text


def unpadded(text: str) -> str:
    """Text without surrounding white space, such as the line break that a secret in a file easily gets."""
    if utf8(text) != text.strip():
        raise ValueError("begins or ends with white space")
    return text


def readable_file(text: str) -> str:
    """The path of a readable file."""
    read_text(text)
    return text


def time_zone(is_zone: Callable[[str], bool]) -> Callable[[str], str]:
    """A zone that ``is_zone`` knows."""

    def parse(text: str) -> str:
        if is_zone(text):
            return text
        raise ValueError(f"must be an IANA time zone like Europe/Berlin or an offset ±hh:mm, not {echo(text)}")

    return parse


_INTEGER = re.compile(r"[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)
_SWITCH = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
_SHOWN = 32


def integer(least: int, most: int) -> Callable[[str], int]:
    """Whole numbers from ``least`` to ``most``."""

    def parse(text: str) -> int:
        if _INTEGER.fullmatch(text) and least <= int(text) <= most:
            return int(text)
        raise ValueError(f"must be a whole number from {least} to {most}, not {echo(text)}")

    return parse


def seconds(most: int, *, zero: bool = True) -> Callable[[str], float]:
    """Seconds up to ``most``, fractions included; above zero where ``zero`` makes no sense."""
    least = "from 0" if zero else "above 0,"

    def parse(text: str) -> float:
        if _DECIMAL.fullmatch(text) and (zero or float(text) > 0) and float(text) <= most:
            return float(text)
        raise ValueError(f"must be a number of seconds {least} up to {most}, not {echo(text)}")

    return parse


def switch(text: str) -> bool:
    """``true`` or ``false``, in the usual spellings."""
    if text.lower() in _SWITCH:
        return _SWITCH[text.lower()]
    raise ValueError(f"must be true or false, not {echo(text)}")


def echo(text: str) -> str:
    """``text`` for a message: on one line, shortened. Not for variables with secrets."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
