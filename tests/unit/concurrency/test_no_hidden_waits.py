"""Nothing in the service waits for another thread or for time, but within ``concurrency.blocking.waiting``.

A request's thread that waits in any other way keeps its place, and four of them stop a worker.
"""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

from tests.rows import each_row

SERVICE = Path(__file__).parents[3] / "service"
FREE = ("concurrency/", "server/", "sandbox/")
"""What waiting is made of; whose the places are; and a program of its own."""

EXCEPTIONS = {
    ("auth/key_rings.py", "_wait"): "waits for a key server",
    ("auth/verifier.py", "_refresh"): "a thread of its own in the background",
    ("auth/verifier.py", "close"): "the end of the process",
    ("charts/process_messages.py", "is_waiting"): "looks whether something is there, without a wait",
    ("charts/rendering.py", "_end"): "a process that has been killed",
    ("caching/redis/bounded_connections.py", "_remaining"): "reads a context variable",
    ("cli/check.py", "_keys"): "a command without a server",
    ("caching/redis/subscription.py", "_run"): "a thread of its own in the background",
    ("caching/redis/subscription.py", "_turn"): "a thread of its own in the background",
    ("watching/event_source.py", "__init__"): "a command without a server",
    ("demo/launcher.py", "_wait"): "a command without a server",
    ("demo/launcher.py", "run"): "a command without a server",
    ("demo/processes.py", "__exit__"): "a command without a server",
    ("reads/shared_fetches.py", "_outcome"): "a flight, which manages its wait",
    ("runtimes/credentials/client_credentials.py", "authorization"): "a flight, which manages its wait",
    ("reads/feeds.py", "_run"): "a thread of its own in the background",
    ("reads/feeds.py", "_first_poll"): "a turn, and then a flight, which manages its wait",
    ("reads/polls.py", "stored"): "a flight, which manages its wait",
    ("reads/leases.py", "_keep"): "a thread of its own in the background",
    ("telemetry/tracing.py", "close"): "the end of the process",
    ("runtimes/transport/budget.py", "current"): "reads a context variable",
    ("telemetry/line_writer.py", "_keep_writing"): "a thread of its own in the background",
    ("telemetry/line_writer.py", "stop"): "the end of the process",
    ("telemetry/line_writer.py", "_write_all"): "a part of write, which manages its wait",
}

_ALWAYS = {"wait", "wait_for", "sleep", "communicate", "select", "as_completed"}
_THREADS = ("thread", "process", "worker", "pool", "refresher", "keeper")


def _waits(call: ast.Call) -> bool:
    function = call.func
    name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    arguments, keywords = call.args, {keyword.arg: keyword.value for keyword in call.keywords}
    if name in _ALWAYS:
        return True
    if not isinstance(function, ast.Attribute):
        return False
    match name:
        case "result" | "exception":
            limit = keywords.get("timeout")
            return "log" not in _receiver(function) and not (isinstance(limit, ast.Constant) and limit.value == 0)
        case "acquire":
            first = arguments[0] if arguments else keywords.get("blocking")
            if isinstance(first, ast.Constant):
                return first.value is not False
            return not arguments
        case "join":
            number = bool(arguments) and isinstance(arguments[0], ast.Constant)
            return not arguments or number or any(word in _receiver(function) for word in _THREADS)
        case "get":
            return not arguments or "timeout" in keywords or "block" in keywords
        case "poll":
            return bool(arguments)
        case _:
            return False


def _receiver(function: ast.Attribute) -> str:
    return ast.unparse(function.value).lower()


def _is_managed(node: ast.With) -> bool:
    return any(
        isinstance(item.context_expr, ast.Call) and ast.unparse(item.context_expr.func).split(".")[-1] == "waiting"
        for item in node.items
    )


def hidden_waits(source: str) -> list[tuple[str, int, str]]:
    """The function, line and text of each wait that is not managed."""
    found: list[tuple[str, int, str]] = []

    def walk(node: ast.AST, function: str, managed: bool) -> None:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            function, managed = node.name, False
        elif isinstance(node, ast.Lambda):
            managed = False
        elif isinstance(node, ast.With):
            managed = managed or _is_managed(node)
        elif isinstance(node, ast.Call) and not managed and _waits(node) and not _is_ours(node):
            found.append((function, node.lineno, ast.unparse(node)))
        elif (
            isinstance(node, ast.Attribute)
            and node.attr == "sleep"
            and not managed
            and ast.unparse(node) == "time.sleep"
        ):
            found.append((function, node.lineno, "time.sleep"))
        for child in ast.iter_child_nodes(node):
            walk(child, function, managed)

    tree = ast.parse(source)
    managed_names = {
        alias.asname or alias.name
        for node in (ast.walk(tree) if "concurrency.blocking" in source else ())
        if isinstance(node, ast.ImportFrom) and node.module == "service.concurrency.blocking"
        for alias in node.names
    }

    def _is_ours(call: ast.Call) -> bool:
        return isinstance(call.func, ast.Name) and call.func.id in managed_names

    walk(tree, "", managed=False)
    return found


@cache
def _found() -> list[tuple[str, str, int, str]]:
    return [
        (str(path.relative_to(SERVICE)), *wait)
        for path in sorted(SERVICE.rglob("*.py"))
        if not str(path.relative_to(SERVICE)).startswith(FREE)
        for wait in hidden_waits(path.read_text())
    ]


def test_every_wait_gives_its_place_away() -> None:
    assert [wait for wait in _found() if wait[:2] not in EXCEPTIONS] == []


def test_every_exception_is_needed() -> None:
    there = {exception for exception in EXCEPTIONS if (SERVICE / exception[0]).exists()}
    assert there - {wait[:2] for wait in _found()} == set()


@each_row(
    "wait",
    [
        "event.wait()",
        "event.wait(5)",
        "with condition:\n  condition.wait_for(ready)",
        "future.result()",
        "future.result(timeout=5)",
        "lock.acquire()",
        "lock.acquire(timeout=5)",
        "lock.acquire(True)",
        "thread.join()",
        "self._thread.join(seconds)",
        "things.get()",
        "things.get(timeout=1)",
        "time.sleep(1)",
        "def later(sleep=time.sleep): pass",
        "wait((future,))",
        "poll.poll(100)",
        "with waiting():\n  pass\nevent.wait()",
        "with waiting():\n  def later():\n    event.wait()",
        "with waiting():\n  later = lambda: event.wait()",
        "from time import sleep\nsleep(1)",
    ],
)
def test_a_planted_wait_is_found(wait: str) -> None:
    assert hidden_waits(wait)


@each_row(
    "harmless",
    [
        "with waiting():\n  event.wait()",
        "with blocking.waiting(briefly=True), lock:\n  event.wait()",
        "lock.acquire(blocking=False)",
        "lock.acquire(False)",
        "_log.exception('unforeseen')",
        "future.result(timeout=0)",
        "', '.join(parts)",
        "things.get(key)",
        "process.poll()",
        "from service.concurrency.blocking import sleep\nsleep(1)",
        "with lock:\n  count += 1",
    ],
)
def test_what_does_not_wait_is_left_alone(harmless: str) -> None:
    assert not hidden_waits(harmless)
