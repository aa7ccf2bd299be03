"""The parts of gunicorn that are not its public interface and that the server stands on.

Each test says what to do where a newer gunicorn has moved its part. They are run before the lock is renewed: gunicorn
promises none of this, and ``pyproject.toml`` keeps to one major version.
"""

from __future__ import annotations

import importlib.util
import inspect
import re
from typing import Any

import pytest
from gunicorn import glogging
from gunicorn.app.base import BaseApplication
from gunicorn.config import Config
from gunicorn.http import errors, message, wsgi
from gunicorn.http.body import LengthReader
from gunicorn.http.unreader import IterUnreader
from gunicorn.workers.base import Worker as GunicornWorker

from service.cli.serve import Server
from service.server.gunicorn_log import Logger
from service.server.limits import Limits
from service.server.messages import DatedResponse, PlainRequest
from service.server.refusals import FAILED, refusal_of
from service.server.worker import Worker, configured_worker
from service.settings import read_settings
from tests.rows import each_row

PARSERS = ["python", *(["fast"] if importlib.util.find_spec("gunicorn_h1c") else [])]
HEAD = b"POST /a%20b?q=1 HTTP/1.1\r\nHost: localhost\r\nX-One: 1\r\nContent-Length: 3\r\n\r\n"
_ENVIRONMENT = {
    "AICORE_BASE_URL": "http://127.0.0.1:1",
    "RUNTIME_AUTH": "none",
    "JWT_ISSUER": "http://127.0.0.1:2",
    "JWT_AUDIENCE": "a",
    "WEB_MIN_SEND_RATE": "4321",
}


class Sink:
    """What ``exchange._Sink`` is to gunicorn's response."""

    def __init__(self) -> None:
        self.data = b""

    def sendall(self, data: bytes) -> None:
        self.data += data

    def send(self, data: bytes) -> int:
        return len(data)


@pytest.fixture(params=PARSERS)
def config(request: pytest.FixtureRequest) -> Config:
    made = Config()
    made.set("http_parser", request.param)
    return made


def parsed(config: Config, head: bytes) -> Any:
    return PlainRequest(config, IterUnreader((head,)), ("127.0.0.1", 1), 1)


def test_a_request_is_parsed_of_its_head_alone(config: Config) -> None:
    cure = (
        "Worker._parse and server/receiving.py: make the request as gunicorn's own workers do now, of a head in memory"
    )
    request = parsed(config, HEAD)
    assert (request.method, request.path, request.version) == ("POST", "/a%20b", (1, 1)), cure
    assert ("HOST", "localhost") in request.headers, f"names of headers are no longer in upper case: {cure}"
    assert ("X-ONE", "1") in request.headers, cure


def test_the_length_of_a_body_is_known_before_it_is_read(config: Config) -> None:
    cure = "Receiver._begin_body: find out the length that is to be gathered, or that there is none, in the new way"
    for head, length in ((HEAD, 3), (HEAD.replace(b"Content-Length: 3\r\n", b""), 0)):
        reader = parsed(config, head).body.reader
        assert isinstance(reader, LengthReader), cure
        assert reader.length == length, cure
    chunked = parsed(config, HEAD.replace(b"Content-Length: 3", b"Transfer-Encoding: chunked")).body.reader
    assert not isinstance(chunked, LengthReader), f"a chunked body would be taken for one of known length: {cure}"


def test_a_gathered_body_is_handed_to_the_application(config: Config) -> None:
    request = parsed(config, HEAD)
    request.unreader.unread(b"abc")
    assert request.body.read() == b"abc", "Receiver._read_body: hand the body that was gathered to the request anew"


@each_row(
    "head, error, statuses",
    [
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", errors.LimitRequestLine, {414}),
        (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 9000 + b"\r\n\r\n", errors.LimitRequestHeaders, {431}),
        (b"GET / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n", errors.ExpectationFailed, {417}),
        (b"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: magic\r\n\r\n", errors.ParseException, {501, 400}),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", errors.ParseException, {400}),
    ],
)
def test_what_the_parser_refuses_has_its_status(
    config: Config, head: bytes, error: type[Exception], statuses: set[int]
) -> None:
    """The parser in C takes an unknown transfer coding for an invalid header field in some versions."""
    with pytest.raises(error) as raised:
        parsed(config, head)
    assert refusal_of(raised.value).problem.status in statuses, (
        "server/refusals.py, _OF_ERRORS: gunicorn's errors have moved"
    )
    assert refusal_of(raised.value) is not FAILED


def test_a_response_writes_to_nothing_but_a_sink(config: Config) -> None:
    cure = "server/exchange.py, _Sink: it stands where gunicorn's response has a socket, and lacks what that asks now"
    sink: Any = Sink()
    response, environ = wsgi.create(
        parsed(config, HEAD), sink, ("127.0.0.1", 1), ("127.0.0.1", 2), config, DatedResponse
    )
    assert environ["PATH_INFO"] == "/a b", cure
    response.start_response("200 OK", [("Content-Length", "4")])
    response.write(b"body")
    response.close()
    head, _, body = sink.data.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200 OK\r\n"), cure
    assert body == b"body", f"the body is not sent as it is: {cure}"
    assert not response.should_close(), cure
    response.force_close()
    assert response.should_close(), f"Exchanges._answer closes connections by it when the worker stops: {cure}"


@each_row("head", [HEAD, HEAD.replace(b"1.1", b"1.0"), HEAD[:-2] + b"Connection: close\r\n\r\n"])
@each_row("headers", [[("Content-Length", "4"), ("ETag", '"a"')], []])
def test_a_response_begins_as_gunicorns_own(config: Config, head: bytes, headers: list[tuple[str, str]]) -> None:
    begun = []
    for kind in (wsgi.Response, DatedResponse):
        sink: Any = Sink()
        response, _ = wsgi.create(parsed(config, head), sink, ("127.0.0.1", 1), ("127.0.0.1", 2), config, kind)
        response.start_response("200 OK", headers)
        response.write(b"body")
        begun.append(re.sub(rb"Date: \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", b"Date", sink.data))
    assert begun[0] == begun[1], "server/messages.py, DatedResponse: write what gunicorn's response writes now"
    assert b"\r\nDate\r\n" in begun[1]


def test_no_header_is_a_proxys(config: Config) -> None:
    config.set("forwarded_allow_ips", "*")
    config.set("forwarder_headers", "SCRIPT_NAME")
    config.set("secure_scheme_headers", {"X-FORWARDED-PROTO": "https"})
    request = parsed(config, HEAD[:-2] + b"X-Forwarded-Proto: https\r\n\r\n")
    assert request.scheme == "http", "server/messages.py, PlainRequest: gunicorn asks in another way whom it trusts"


def test_a_response_without_length_is_chunked(config: Config) -> None:
    sink: Any = Sink()
    response, _ = wsgi.create(parsed(config, HEAD), sink, ("127.0.0.1", 1), ("127.0.0.1", 2), config, DatedResponse)
    response.start_response("200 OK", [])
    response.write(b"body")
    response.close()
    expected = b"\r\n\r\n4\r\nbody\r\n0\r\n\r\n"
    assert sink.data.endswith(expected), "server/exchange.py: streamed answers have another framing"


def test_a_worker_is_made_and_told_to_end_in_the_same_way() -> None:
    cure = "server/worker.py: compare it with gunicorn.workers.gthread, and do what that does now"
    assert list(inspect.signature(GunicornWorker.__init__).parameters)[1:] == [
        "age", "ppid", "sockets", "app", "timeout", "cfg", "log",
    ], cure  # fmt: skip
    for name in ("init_process", "run", "notify", "handle_exit"):
        assert callable(getattr(GunicornWorker, name, None)), f"{name}: {cure}"
    assert list(inspect.signature(GunicornWorker.handle_exit).parameters) == ["self", "sig", "frame"], cure
    source = inspect.getsource(GunicornWorker)
    for attribute in ("self.alive", "self.ppid", "self.sockets", "self.cfg", "self.wsgi", "self.log"):
        assert attribute in source, f"{attribute}: {cure}"
    order = inspect.getsource(GunicornWorker.init_process)
    assert "load_wsgi" in order, cure
    assert "self.run()" in order, f"Worker.init_process prepares what run needs before it calls this: {cure}"


def test_the_class_of_a_worker_may_be_given_with_its_limits() -> None:
    cure = "configured_worker: gunicorn takes no class any more; name the class, and have it find its limits elsewhere"
    config: Any = Config()
    config.set("worker_class", configured_worker(Limits(least_rate=77)))
    assert issubclass(config.worker_class, Worker), cure
    assert config.worker_class.limits.least_rate == 77, cure


def test_the_settings_reach_gunicorn_and_its_worker() -> None:
    cure = "Server.load_config: a setting of gunicorn has another name or another form now"
    config: Any = Server(read_settings(_ENVIRONMENT)).cfg
    assert config.worker_class.limits.least_rate == 4321
    expected: dict[str, object] = {"forwarded_allow_ips": [], "forwarder_headers": [], "secure_scheme_headers": {}}
    assert {name: getattr(config, name) for name in expected} == expected, f"nobody's header is trusted: {cure}"
    assert (config.keepalive, config.worker_connections, config.limit_request_line) == (30, 2000, 8190), cure
    for name in ("load_config", "load", "run"):
        assert callable(getattr(BaseApplication, name, None)), cure


def test_gunicorns_logs_go_through_ours() -> None:
    cure = (
        "server/gunicorn_log.py: override what glogging.Logger sets up now, so that nothing is written beside our logs"
    )
    for name in ("setup", "reopen_files", "close_on_exec"):
        assert callable(getattr(glogging.Logger, name, None)), f"{name}: {cure}"
    logger = Logger(Config())
    assert logger.error_log.name == "gunicorn.error", cure
    assert logger.error_log.propagate, cure
    assert logger.access_log.disabled, cure


def test_whom_to_trust_and_the_first_headers_are_asked_for_by_name() -> None:
    trusting = inspect.getsource(message.Request.parse_headers)
    assert "self._peer_trusted_for_forwarded()" in trusting, (
        "server/messages.py: gunicorn asks otherwise whether a peer's X-Forwarded headers count; have PlainRequest say no there"
    )
    assert "self.default_headers()" in inspect.getsource(wsgi.Response.send_headers), (
        "server/messages.py: gunicorn writes Date and Connection elsewhere: have DatedResponse do so there"
    )
