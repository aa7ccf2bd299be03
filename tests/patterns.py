"""Every pattern of the service on texts made to have it look at the same characters over and over.

A pattern that goes back over what it has read takes seconds for one of these texts; any other takes a millisecond. Run
as ``python -m tests.patterns``, which ends with the pattern and the text; ``--pairs`` has two tokens in turn as well.
"""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import re
import signal
import sys
from collections.abc import Iterator
from itertools import chain, product
from pathlib import Path
from typing import Any

import service

_CALLS = re.compile(r"(?:(?<!\w)re\.(?:fullmatch|match|search|sub|split|findall|finditer)|validate\.Regexp)\(")
LENGTH = 8_000
CPU_SECONDS = 0.25
PREFIXES = ["", "https://a/", "Bearer ", '"timestamp":"2026-03-29T01:00', "2026-03-29T01:00:00.", '"', "[", "}", "/"]
ALWAYS = ["a", "0", " ", '"', "\\", "/"]


def patterns() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """The patterns of all modules: where each is, itself, and whether it is looked for anywhere in a text."""
    for found in pkgutil.walk_packages(service.__path__, "service."):
        if found.name.endswith("__main__"):
            continue
        module = importlib.import_module(found.name)
        for name, value in vars(module).items():
            if isinstance(value, re.Pattern):
                searched = re.search(rf"\b{name}\.(search|find|sub|split)", inspect.getsource(module))
                yield f"{module.__name__}.{name}", value, searched is not None


def patterns_in_calls() -> Iterator[tuple[str, re.Pattern[Any], bool]]:
    """Those that are written where they are used, ``re.fullmatch("…", text)`` or ``validate.Regexp("…")``."""
    for path in Path(service.__path__[0]).rglob("*.py"):
        source = path.read_text()
        if _CALLS.search(source):
            for node in ast.walk(ast.parse(source)):
                if isinstance(node, ast.Call) and _CALLS.match(ast.unparse(node)):
                    given = node.args[0]
                    if isinstance(given, ast.Constant):
                        yield f"{path.name}:{node.lineno}", re.compile(given.value), "search" in ast.unparse(node.func)


def texts(pattern: re.Pattern[Any], *, pairs: bool) -> Iterator[Any]:
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    signs = {sign for sign in source if not sign.isalnum() and sign not in "()|^$"}
    words = {word for word in re.findall(r'"\w+"|[A-Za-z]{4,}', source) if not word.isupper()}
    tokens = [*dict.fromkeys([*ALWAYS, *sorted(signs)[:8], *sorted(words)[:3]])]
    repeated = [*product([*PREFIXES, *tokens], tokens)]
    if pairs:
        repeated += [("", "".join(pair)) for pair in product(tokens, tokens)]
    for prefix, pump in repeated:
        text = prefix + pump * (LENGTH // len(pump)) + "\0"
        yield text if isinstance(pattern.pattern, str) else text.encode("latin-1")


def _too_long(*_: object) -> None:
    raise TimeoutError


def main() -> None:
    signal.signal(signal.SIGVTALRM, _too_long)
    for name, pattern, searched in chain(patterns(), patterns_in_calls()):
        for text in texts(pattern, pairs="--pairs" in sys.argv):
            signal.setitimer(signal.ITIMER_VIRTUAL, CPU_SECONDS)
            try:
                pattern.findall(text) if searched else pattern.fullmatch(text)
            except TimeoutError:
                sys.exit(f"{name} goes over {text[:24]!r}… again and again")
            finally:
                signal.setitimer(signal.ITIMER_VIRTUAL, 0)


if __name__ == "__main__":
    main()
