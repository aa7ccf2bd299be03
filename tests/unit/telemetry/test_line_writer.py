"""Lines of the log: whole, in order, waited for by nobody but who may not lose one."""

from __future__ import annotations

import fcntl
import json
import logging
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import pytest

from service.concurrency.blocking import set_slot_owner
from service.telemetry.json_logs import AUDIT, LineHandler
from service.telemetry.line_writer import LineWriter
from testing.threads import together
from testing.waiting import eventually

PIPE = 4096
"""Bytes that the pipe of a test takes before somebody reads."""
ROOT = Path(__file__).parents[3]
LINE = "a" * 99 + "\n"


class Pipe:
    """A small pipe; ``read`` reads what there is, without waiting."""

    def __init__(self) -> None:
        self.out, self.into = os.pipe()
        fcntl.fcntl(self.into, fcntl.F_SETPIPE_SZ, PIPE)
        os.set_blocking(self.out, False)
        self.lines: list[str] = []
        self._rest = ""

    def read(self) -> int:
        """How many lines there are so far."""
        try:
            text = self._rest + os.read(self.out, 1 << 20).decode()
        except BlockingIOError:
            return len(self.lines)
        *whole, self._rest = text.split("\n")
        self.lines += whole
        return len(self.lines)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    os.close(made.out)
    os.close(made.into)


def test_behind_a_pipe_that_nobody_reads_lines_are_dropped_and_counted_and_nobody_waits(pipe: Pipe) -> None:
    dropped: list[int] = []
    writer = LineWriter(pipe.into, most_bytes=10_000)
    writer.start(lambda: dropped.append(1))
    for _ in range(1000):
        writer.add(LINE)
    assert dropped
    expected = 1000 - len(dropped)
    eventually(lambda: pipe.read() == expected)
    writer.add("again\n")
    eventually(lambda: pipe.read() == expected + 1)
    writer.stop()
    assert pipe.lines == [LINE[:-1]] * expected + ["again"]


def test_a_line_that_may_not_be_lost_is_written_at_once_behind_those_before_it(pipe: Pipe) -> None:
    writer = LineWriter(pipe.into)
    writer.start(lambda: None)
    writer.add("before\n")
    writer.write("refused\n")
    assert pipe.read() == 2
    assert pipe.lines == ["before", "refused"]
    writer.stop()


def test_it_waits_for_who_reads_without_its_slot_and_is_not_dropped(pipe: Pipe) -> None:
    writer = LineWriter(pipe.into, most_bytes=10)
    owner = Owner()
    thread = threading.Thread(target=lambda: (owner.own(), writer.write(LINE * 100)))
    thread.start()
    eventually(lambda: owner.released == 1)
    eventually(lambda: pipe.read() == 100)
    thread.join()
    assert owner.released == 0


class Owner:
    """Counts the slots that are released."""

    def __init__(self) -> None:
        self.released = 0

    def own(self) -> None:
        set_slot_owner(self)

    def release_slot(self) -> None:
        self.released += 1

    def reacquire_slot(self) -> None:
        self.released -= 1


def test_what_is_buffered_at_the_end_is_written_and_what_comes_later_too(pipe: Pipe) -> None:
    writer = LineWriter(pipe.into)
    writer.start(lambda: None)
    writer.add("last\n")
    writer.stop()
    assert pipe.read() == 1
    writer.add("later\n")
    assert pipe.read() == 2


WRITES = """
import sys
from service.telemetry.line_writer import LineWriter
writer = LineWriter(1)
sys.stderr.write("ready")
sys.stderr.flush()
sys.stdin.read()
for _ in range(60):
    writer.write(sys.argv[1] * 9999 + "\\n")
"""


def test_a_record_waits_for_no_lock_of_logging(pipe: Pipe) -> None:
    """Python 3.14 takes a handler's lock without looking whether there is one, so there is."""
    handler = LineHandler(LineWriter(pipe.into))
    assert handler.lock is not None
    with handler.lock:
        together(lambda: handler.handle(logging.makeLogRecord({"msg": "said"})))
    assert pipe.read() == 1


def test_long_lines_of_several_processes_stay_whole() -> None:
    """A pipe takes 4 KiB as one piece at most, here in pieces for certain."""
    out, into = os.pipe()
    fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, PIPE)
    os.set_blocking(into, False)
    with ExitStack() as stack:
        start = partial(subprocess.Popen, stdin=subprocess.PIPE, stdout=into, stderr=subprocess.PIPE, cwd=ROOT)
        writers = [stack.enter_context(start([sys.executable, "-c", WRITES, letter])) for letter in "ab"]
        os.close(into)
        assert [writer.stderr and writer.stderr.read(5) for writer in writers] == [b"ready"] * 2
        for writer in writers:
            assert writer.stdin is not None
            writer.stdin.close()
        with os.fdopen(out) as read:
            lines = read.read().splitlines()
    assert sorted(lines) == ["a" * 9999] * 60 + ["b" * 9999] * 60


SERVES = f"""
import logging, sys
from service.telemetry import json_logs
json_logs.configure("INFO", 1)
json_logs.start_buffering(lambda: None)
json_logs.add(logging.getLogger("service.access"), logging.INFO, "GET \\u2028", {{"n": 1, "f": 0.5, "s": '"\\x1b', "none": None}})
logging.getLogger("service.server").info("hello %s", "you", extra={{"event": "greeting", "path": {{"a": 1}}}})
try:
    raise RuntimeError("odd")
except RuntimeError as error:
    json_logs.failure(error)
logging.getLogger("{AUDIT}").warning("refused", extra={{"event": "refusal"}})
sys.stdout.flush()
import os
os._exit(0)  # as where the process is killed: what was not written by now is lost
"""


def test_lines_are_json_and_an_audit_line_leaves_nothing_behind() -> None:
    done = subprocess.run([sys.executable, "-c", SERVES], stdout=subprocess.PIPE, cwd=ROOT, text=True, check=True)
    access, greeting, failure, refusal = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.stdout.isascii()
    assert len(access.pop("time")) == len("2026-03-29T01:00:00.000Z")
    assert access == {
        "level": "info", "logger": "service.access", "message": "GET \u2028", "n": 1, "f": 0.5, "s": '"\x1b', "none": None,
    }  # fmt: skip
    assert (greeting["message"], greeting["event"], greeting["path"]) == ("hello you", "greeting", {"a": 1})
    assert failure["exception"].endswith("RuntimeError: odd\n")
    assert (refusal["level"], refusal["event"]) == (logging.getLevelName(logging.WARNING).lower(), "refusal")
