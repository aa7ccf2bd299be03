"""The unit of a metric, guessed from its name."""

from __future__ import annotations

import re

_WORDS = re.compile(r"[kKMG]i?B(?![a-z])|[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+|%|µs")
_UNITS = {
    "s": ("seconds", "second", "secs", "sec", "s"),
    "ms": ("milliseconds", "millis", "msec", "ms"),
    "µs": ("microseconds", "micros", "us", "µs"),
    "min": ("minutes", "mins", "min"),
    "h": ("hours", "hrs"),
    "B": ("bytes",),
    "kB": ("kilobytes", "kb"),
    "MB": ("megabytes", "mb"),
    "GB": ("gigabytes", "gb"),
    "KiB": ("kib",),
    "MiB": ("mib",),
    "GiB": ("gib",),
    "%": ("percent", "percentage", "pct", "%"),
    "°C": ("celsius",),
    "W": ("watts", "watt"),
    "J": ("joules",),
    "Hz": ("hertz", "hz"),
}
_BY_WORD = {word: unit for unit, words in _UNITS.items() for word in words}
_SPANS = {"second": "s", "sec": "s", "s": "s", "minute": "min", "hour": "h", "step": "step", "epoch": "epoch"}
_MAY_MEAN_LEAST = "min"


def unit(metric: str) -> str | None:
    """The unit of a metric called ``metric``: ``epoch_seconds`` → ``s``, ``tokens_per_second`` → ``tokens/s``.

    Only the last words of a name count; ``min`` alone means a minimum more often than minutes. ``loss``, ``accuracy``
    and the like have none.
    """
    words = [word.lower() for word in _WORDS.findall(metric)]
    if len(words) >= 3 and words[-2] == "per" and words[-1] in _SPANS:
        return f"{_BY_WORD.get(words[-3], words[-3])}/{_SPANS[words[-1]]}"
    if len(words) < 2 and (not words or len(words[0]) < 3):
        return None
    return None if words[-1] == _MAY_MEAN_LEAST else _BY_WORD.get(words[-1])
