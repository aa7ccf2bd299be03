"""Typed decoders are made in one place, where two threads cannot have msgspec learn a class at the same time."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from testing.effort import effort
from tests.rows import each_row

SERVICE = Path(__file__).parents[3] / "service"
PLACES = {SERVICE / "concurrency" / "decoders.py", SERVICE / "sandbox" / "request_bodies.py"}
"""The service's and the sandbox's."""

RACE = """
from __future__ import annotations
import sys, threading
import msgspec
from service.concurrency.decoders import {made}

sys.setswitchinterval(1e-6)
for _ in range({rounds}):
    class Inner(msgspec.Struct):
        value: int | None = None

    class Outer(msgspec.Struct):
        inner: list[Inner] | None = None
        name: str = ""

    at_once = threading.Barrier(8)

    def decode(kind: type[Outer]) -> None:
        at_once.wait()
        {made}(kind).decode({body})

    threads = [threading.Thread(target=decode, args=(Outer,)) for _ in range(8)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""


@pytest.mark.parametrize(
    ("made", "body"),
    [
        ("json_decoder", b'{"inner":[{"value":1}],"name":"n"}'),
        ("msgpack_decoder", b"\x82\xa5inner\x91\x81\xa5value\x01\xa4name\xa1n"),
    ],
)
def test_threads_may_be_the_first_together(made: str, body: bytes) -> None:
    """With msgspec's own decoders the process ends by a segmentation fault within a few dozen rounds."""
    script = RACE.format(made=made, body=body, rounds=effort(50, 300))
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


def made_elsewhere(tree: ast.Module) -> Iterator[ast.Call]:
    """Typed decoders, and calls that make one: ``decode(…, type=…)`` and ``convert`` of msgspec."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            if called.startswith("msgspec.") and (
                called.endswith(".Decoder")
                or called == "msgspec.convert"
                or any(keyword.arg == "type" for keyword in node.keywords)
            ):
                yield node


@each_row(
    "line", ["msgspec.json.Decoder(list[int])", "msgspec.msgpack.decode(b'', type=int)", "msgspec.convert({}, int)"]
)
def test_each_way_is_found(line: str) -> None:
    assert [*made_elsewhere(ast.parse(line))]


def test_none_is_made_elsewhere() -> None:
    found = [
        f"{path.relative_to(SERVICE.parent)}:{call.lineno}: {ast.unparse(call)}"
        for path in SERVICE.rglob("*.py")
        if path not in PLACES
        for text in [path.read_text()]
        if "msgspec." in text
        for call in made_elsewhere(ast.parse(text))
    ]
    assert found == [], "use service.concurrency.decoders"
