"""Parsers of numbers and switches.

A parser takes the text of a variable that is set and gives its value, or raises ``ValueError`` with what it must be.
Numbers are plain decimal digits: no sign, exponent, underscore, white space or NaN.
"""

from __future__ import annotations

import re
from collections.abc import Callable

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
    """``text`` for a message: on one line, cut where it is long. For variables that hold no secret only."""
    return repr(text if len(text) <= _SHOWN else text[:_SHOWN] + "…")
