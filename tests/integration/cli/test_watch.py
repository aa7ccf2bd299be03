"""``metric-resource watch``, against a service that answers by a script."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys

import pytest

from service.cli import main
from service.cli.watch import CANNOT, DONE, NOT_SO, TOKEN
from service.watching.event_source import EventSource, Refused
from tests.servers.scripted_events import Answer, event, point, points, refusal, scripted_events, stream

RUN = "run-watched"
STATE = event("state", 1, {"status": "RUNNING", "count": 2, "timezone": "UTC"})
COMPLETED = event("status", 8, {"status": "COMPLETED"}) + event("end", 9, {"reason": "ended"})


@pytest.fixture(autouse=True)
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(TOKEN, "a.b.c")


def watch(*options: str, answers: list[Answer]) -> tuple[int, list[tuple[str, dict[str, str]]]]:
    with scripted_events(*answers) as service:
        return main(["watch", RUN, "--url", service.url, "--plain", *options]), service.requests


def test_each_point_is_a_line_and_a_run_that_completes_is_a_success(capsys: pytest.CaptureFixture[str]) -> None:
    answer = stream(STATE, points(2, point(1, 0.90), point(1, "NaN", "Acc\x1b[2J", dataset="test")), COMPLETED)
    status, requests = watch("--name", "Loss", "--timezone", "Europe/Berlin", answers=[answer])
    assert status == DONE
    assert capsys.readouterr().out.splitlines() == [
        "status RUNNING",
        "2026-03-29T03:00:00+02:00 step 1 Loss 0.9",
        "2026-03-29T03:00:00+02:00 step 1 Acc�[2J[dataset=test] NaN",
        "status COMPLETED",
    ]
    ((path, headers),) = requests
    assert path == f"/runs/{RUN}/metric-resource/events?name=Loss&timezone=Europe%2FBerlin"
    assert headers["Authorization"] == "Bearer a.b.c"


def test_a_run_that_ends_otherwise_is_none() -> None:
    dead = event("status", 2, {"status": "DEAD"}) + event("end", 3, {"reason": "ended"})
    assert watch(answers=[stream(STATE, dead)])[0] == NOT_SO


def test_it_ends_once_all_that_is_waited_for_holds(capsys: pytest.CaptureFixture[str]) -> None:
    answer = stream(STATE, points(2, point(1, 0.5)), points(3, point(2, 0.10)), points(4, point(3, 7)))
    status, _ = watch("--until", "Loss:last<=0.1", "--until", "Loss:count>=2", answers=[answer])
    said = capsys.readouterr()
    assert status == DONE
    assert "step 3" not in said.out
    assert said.err.splitlines() == [
        "last of Loss is 0.1 at step 2, which is <= 0.1",
        "count of Loss is 2, which is >= 2",
    ]
    status, _ = watch("--until", "Loss:last<=0.1", answers=[stream(STATE, points(2, point(1, 0.5)), COMPLETED)])
    assert status == NOT_SO
    assert "which is not <= 0.1" in capsys.readouterr().err


def test_what_is_taken_back_counts_no_more() -> None:
    answer = stream(
        STATE, points(2, point(5, 0.01)), event("changed", 3, {}), STATE, points(4, point(1, 0.9)), COMPLETED
    )
    assert watch("--until", "Loss:min>0.5", "--until", "Loss:count==1", answers=[answer])[0] == DONE


def test_it_goes_on_behind_the_last_event_wherever_the_connection_ends() -> None:
    pauses: list[float] = []
    answers = [
        stream(STATE, points(2, point(1, 1)), b"id: 3\nevent: points\ndata: {}"),  # cut off
        refusal(503, "Busy", Retry_After="7"),
        stream(points(4, point(2, 2)), event("end", 5, {"reason": "shutdown"})),
        refusal(502, "Bad gateway"),
        stream(COMPLETED),
    ]
    with scripted_events(*answers) as service:
        kinds = [found.kind for found in EventSource(f"{service.url}/events", {}, sleep=pauses.append)]
    assert kinds == ["state", "points", "points", "status", "end"]
    assert [headers.get("Last-Event-ID") for _, headers in service.requests] == [None, "2", "2", "5", "5"]
    assert 7 in pauses


@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_a_refusal_is_said_and_is_the_end(status: int, capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(answers=[refusal(status, "No")])[0] == CANNOT
    assert capsys.readouterr().err == f"{status}: No; so it is\n"


def test_what_cannot_be_reached_is_said() -> None:
    with pytest.raises(Refused, match=r"cannot reach http://127\.0\.0\.1:1/events:"):
        next(iter(EventSource("http://127.0.0.1:1/events?token=secret", {})))


def test_an_expired_token_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert watch(answers=[stream(STATE, event("end", 2, {"reason": "expired"}))])[0] == CANNOT
    assert "the token has expired" in capsys.readouterr().err


def test_what_is_no_check_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["watch", RUN, "--until", "Accuracy is good"])
    assert "such as Accuracy:last>=0.9" in capsys.readouterr().err


def test_a_terminal_has_a_table_that_is_updated_in_place() -> None:
    answer = stream(STATE, points(2, point(1, 0.9, fold="1")), points(3, point(2, 0.25, fold="1")), COMPLETED)
    with scripted_events(answer) as service:
        command = [sys.executable, "-c", "from service.cli import main; raise SystemExit(main())"]
        near, far = pty.openpty()
        with subprocess.Popen(
            [*command, "watch", RUN, "--url", service.url],
            env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "40"},
            stdout=far,
            stderr=far,
        ) as process:
            os.close(far)
            written = b"".join(iter(lambda: _read(near), b""))
            os.close(near)
    assert process.returncode == DONE
    assert b"\x1b[1A" in written, "nothing was updated in place"
    table = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", written.decode()).rpartition(RUN)[2]
    (row,) = [line for line in table.splitlines() if "Loss" in line]
    assert row.strip("│ \r").replace("│", " ").split() == [
        "Loss[fold=1]", "2", "2", "0.25", "0.25", "0.9", "2026-03-29T03:00:00+02:00"
    ]  # fmt: skip
    assert "COMPLETED" in table
    assert "2/2" in table


def _read(descriptor: int) -> bytes:
    try:
        return os.read(descriptor, 65536)
    except OSError:  # the other end is closed
        return b""
