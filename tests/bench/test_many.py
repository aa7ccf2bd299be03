"""Many readers at once, for the benchmark, and what is made of what they saw."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench import many, picture, upstream
from bench.readers import Asking, Readers
from bench.results import GOALS, Results
from testing.ports import free_port
from testing.waiting import eventually

ASKING = Asking(["/often", *(f"/seldom/{number}" for number in range(9))], [{"Time-Zone": "Asia/Tokyo"}])


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are sent apart: the second waits 40 ms for the acknowledgement

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "1")
        stored = self.path == "/often" and self.headers["Time-Zone"] == "Asia/Tokyo"
        self.send_header("Cache-Status", "service; hit" if stored else "service; fwd=miss")
        self.end_headers()
        self.wfile.write(b"x")

    def log_message(self, *_: object) -> None:
        """Nothing."""


@contextmanager
def host() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_readers_ask_the_next_host_and_ask_most_for_what_is_popular() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with host() as there:
        with Readers([nobody, there], ASKING, 2) as readers:
            eventually(lambda: all(len(one.took) >= 200 for one in readers.answered))
        first, second = readers.answered
        assert (first.failed, first.elsewhere) == (0, 1)
        assert (second.failed, second.elsewhere) == (0, 0)
        popular = second.stored / len(second.took)
        assert popular == pytest.approx(1 / sum(1 / rank for rank in range(1, 11)), abs=0.12)


def test_a_request_that_no_host_answers_has_failed() -> None:
    nobody = f"http://127.0.0.1:{free_port()}"
    with Readers([nobody, nobody], ASKING, 1) as readers:
        eventually(lambda: readers.answered[0].took)
    assert readers.answered[0].failed == len(readers.answered[0].took)


def test_growth_is_that_of_all_samples() -> None:
    level = [(second, 90.0 + second % 2) for second in range(60)]
    assert abs(60 * many.growth(level)) < 0.1
    assert many.growth([(second, 90 + 0.01 * second) for second in range(60)]) == pytest.approx(0.01)


def test_ten_thousand_runs_of_the_runtime_do_not_stay_in_memory() -> None:
    before = upstream.metrics("run-10-2-0")
    for number in range(1, 300):
        assert f'"run-10-2-{number}"'.encode() in upstream.metrics(f"run-10-2-{number}")
    assert upstream.metrics("run-10-2-0") is not before


def test_the_picture_has_each_goal_and_who_answered_how_often() -> None:
    results = Results()
    results.rates |= {"service 10": [700.0, 701.0, 702.0], "gunicorn hello": [1000.0], "nginx tuned 10 gzip": [9000.0]}
    drawn = picture.specification(results.document())
    rates, goals = (panel["data"]["values"] for panel in drawn["vconcat"])
    assert [(row["who"], row["answer"], row["rate"]) for row in rates] == [
        ("the service", "10 points", 701.0),
        ("nginx, tuned", "10 points, gzip", 9000.0),
    ]
    assert [(row["goal"], row["verdict"]) for row in goals] == [(f"{GOALS[0].text}: 0.701", "reached")]
    assert goals[0]["share"] == pytest.approx(0.701 / 0.7)
    assert ", ".join(drawn["title"]["subtitle"]) == results.document()["machine"]
