"""A runtime that fails in passing, for good, or limits: how often it is asked, and what comes of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import chain, repeat

import pytest

from service.concurrency.circuit_breaker import Tolerance
from service.concurrency.deadline import Deadline
from service.domain.errors import (
    BadGateway,
    Overloaded,
    RateLimited,
    RuntimeForbids,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.runtimes.credentials import NoCredentials
from service.runtimes.http_client import HTTPRequest
from service.runtimes.transport import (
    Answer,
    Circuit,
    ConcurrencyLimit,
    HttpTransport,
    ResilientClient,
    Retries,
    TokenSource,
)
from service.telemetry.prometheus import Telemetry
from testing.waiting import eventually
from tests.integration.transport.conftest import Serve
from tests.integration.transport.servers import HANG_GUARD, Reply, Request, Server, raw, reply, silence

TIRELESS = Tolerance(failures=1000)
Get = Callable[..., Answer]


@dataclass
class Tokens:
    """Gives ``Bearer t0`` until it is refused, then ``Bearer t1``, …, up to ``last``."""

    last: int = 9
    number: int = 0
    refused: list[str] = field(default_factory=list)

    def authorization(self, deadline: Deadline) -> str:
        return f"Bearer t{self.number}"

    def invalidate(self, authorization: str) -> None:
        self.refused.append(authorization)
        self.number = min(self.number + 1, self.last)


class Pauses(list[float]):
    """Sleeps that are not slept."""


@dataclass
class Setup:
    """A client for a server, and everything it is made of."""

    transport: HttpTransport
    telemetry: Telemetry
    pauses: Pauses = field(default_factory=Pauses)

    def client(
        self,
        server: Server | str,
        *,
        tokens: TokenSource | None = None,
        tolerance: Tolerance = TIRELESS,
        telling: float = 0.5,
        clock: Callable[[], float] = time.monotonic,
        places: int = 8,
    ) -> Get:
        base = server if isinstance(server, str) else server.url
        client = ResilientClient(
            self.transport,
            base_url=f"{base}/v2",
            tokens=tokens or NoCredentials(),
            circuit=Circuit(tolerance, telling=telling, telemetry=self.telemetry, clock=clock),
            limit=ConcurrencyLimit(places, longest_wait=0.2, telemetry=self.telemetry),
            retries=Retries(sleep=self.pauses.append, jitter=lambda low, high: high),
            telemetry=self.telemetry,
        )

        def get(path: str = "/lm/meta", seconds: float = 5.0, **options: object) -> Answer:
            given = {"headers": {}, "operation": "test", "caller_token": None, **options}
            return client.read(HTTPRequest(path=path, deadline=Deadline.after(seconds), **given))  # type: ignore[arg-type]

        return get

    def sample(self, name: str) -> float:
        samples = [sample for metric in self.telemetry.registry.collect() for sample in metric.samples]
        return sum(sample.value for sample in samples if sample.name == f"metric_resource_{name}")


@pytest.fixture
def setup(transport: HttpTransport, telemetry: Telemetry) -> Setup:
    return Setup(transport, telemetry)


def in_turn(*replies: Reply) -> Callable[[Request], Reply]:
    """These replies, the last one for ever."""
    answers: Iterator[Reply] = chain(replies, repeat(replies[-1]))
    return lambda _: next(answers)


def test_asks_below_the_base_url(serve: Serve, setup: Setup) -> None:
    server = serve(in_turn(reply(b"1")))
    get = setup.client(server)
    answer = get("/lm/metrics", query=[("executionIds", "a,b"), ("$select", "*"), ("q", "ä b&c=d+/")])
    assert answer.body == b"1"
    assert server.requests[0].target == "/v2/lm/metrics?executionIds=a,b&$select=*&q=%C3%A4%20b%26c%3Dd%2B/"


def test_what_is_read_by_post_is_sent_as_json_and_sent_again(serve: Serve, setup: Setup) -> None:
    server = serve(in_turn(reply(status=503), reply(b"1")))
    assert setup.client(server)("/runs/search", document=b'{"a":1}').body == b"1"
    assert [(asked.method, asked.body, asked.headers["content-type"]) for asked in server.requests] == [
        ("POST", b'{"a":1}', "application/json")
    ] * 2


def test_a_path_cannot_leave_its_place(serve: Serve, setup: Setup) -> None:
    server = serve(in_turn(reply()))
    setup.client(server)("/lm/executions/a?b#c%2F")
    assert server.requests[0].target == "/v2/lm/executions/a%3Fb%23c%252F"


@pytest.mark.parametrize("status", [200, 204, 400, 404, 409, 410, 501])
def test_other_statuses_are_given_as_they_are(serve: Serve, setup: Setup, status: int) -> None:
    server = serve(in_turn(reply(b"" if status == 204 else b"x", status=status)))
    assert setup.client(server)().status == status
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "failure",
    [reply(status=502), reply(status=503), reply(status=504), reply(status=429), raw(), raw(reset=True)],
)
def test_what_passes_is_tried_again(serve: Serve, setup: Setup, failure: Reply) -> None:
    server = serve(in_turn(failure, failure, reply(b"at last")))
    assert setup.client(server)().body == b"at last"
    assert setup.pauses == [0.2, 0.4]
    assert setup.sample("upstream_retries_total") == 2


@pytest.mark.parametrize(
    ("failure", "attempts", "error"),
    [
        (reply(status=503), 3, RuntimeUnavailable),
        (reply(status=429), 3, RateLimited),
        (raw(), 3, RuntimeUnavailable),
        (reply(status=500), 1, RuntimeUnavailable),
        (reply(status=507), 1, RuntimeUnavailable),
        (reply(status=302), 1, BadGateway),
        (raw(b"nonsense\r\n\r\n"), 1, BadGateway),
        (silence, 1, RuntimeTimeout),
    ],
)
def test_what_stays_is_given_up(
    serve: Serve, setup: Setup, failure: Reply, attempts: int, error: type[ServiceError]
) -> None:
    server = serve(in_turn(failure))
    with pytest.raises(error):
        setup.client(server)(seconds=1 if failure is silence else 30)
    eventually(lambda: len(server.requests) >= attempts)  # what is silent may be slow to listen, too
    assert len(server.requests) == attempts


def test_a_server_that_is_not_there_is_tried_again(setup: Setup) -> None:
    with pytest.raises(RuntimeUnavailable):
        setup.client("http://127.0.0.1:1")()
    assert len(setup.pauses) == 2


def test_waits_as_long_as_the_runtime_asks(serve: Serve, setup: Setup) -> None:
    server = serve(in_turn(reply(status=503, headers={"Retry-After": "2"}), reply()))
    assert setup.client(server)().status == 200
    assert setup.pauses == [2.1]


@pytest.mark.parametrize("status", [429, 503])
def test_does_not_wait_beyond_the_deadline(serve: Serve, setup: Setup, status: int) -> None:
    server = serve(in_turn(reply(status=status, headers={"Retry-After": "30"})))
    with pytest.raises((RateLimited, RuntimeUnavailable)) as raised:
        setup.client(server)()
    assert isinstance(raised.value, RateLimited | RuntimeUnavailable)
    assert raised.value.retry_after == 30
    assert (setup.pauses, len(server.requests)) == ([], 1)


def test_does_not_ask_while_a_rate_limit_lasts(serve: Serve, setup: Setup) -> None:
    """A caller's own limit is no other's."""
    server = serve(in_turn(reply(status=429, headers={"Retry-After": "3600"}), reply()))
    get = setup.client(server)
    for _ in range(3):
        with pytest.raises(RateLimited) as raised:
            get()
        assert 3590 < (raised.value.retry_after or 0) <= 3600
    assert len(server.requests) == 1
    assert get(caller_token="mine").status == 200


# --- credentials


def test_sends_the_service_s_token_or_the_caller_s(serve: Serve, setup: Setup) -> None:
    server = serve(in_turn(reply()))
    get = setup.client(server, tokens=Tokens())
    get()
    get(caller_token="mine")
    setup.client(server)()
    assert [request.headers.get("authorization") for request in server.requests] == ["Bearer t0", "Bearer mine", None]


def by_token(*good: str) -> Callable[[Request], Reply]:
    return lambda request: reply(status=200 if request.headers["authorization"] in good else 401)


def test_a_refused_token_is_replaced_at_once(serve: Serve, setup: Setup) -> None:
    server, tokens = serve(by_token("Bearer t1")), Tokens()
    assert setup.client(server, tokens=tokens)().status == 200
    assert (tokens.refused, setup.pauses, len(server.requests)) == (["Bearer t0"], [], 2)


@pytest.mark.parametrize(("last", "asked"), [(9, 2), (0, 1)])
def test_a_replacement_that_is_refused_too_ends_it(serve: Serve, setup: Setup, last: int, asked: int) -> None:
    """And where there is no other token the same is not sent again."""
    server = serve(by_token())
    with pytest.raises(RuntimeRefuses):
        setup.client(server, tokens=Tokens(last))()
    assert len(server.requests) == asked


@pytest.mark.parametrize("status", [401, 403])
def test_a_caller_who_is_refused(serve: Serve, setup: Setup, status: int) -> None:
    server, tokens = serve(in_turn(reply(status=status))), Tokens()
    with pytest.raises(RuntimeForbids):
        setup.client(server, tokens=tokens)(caller_token="mine")
    assert (len(server.requests), tokens.refused) == (1, [])


@pytest.mark.parametrize(
    ("asked", "with_token", "hint"),
    [
        ('Basic realm="mlflow"', True, ": it accepts credentials of the scheme Basic, not Bearer"),
        ('Basic realm="mlflow"', False, ": it accepts credentials of the scheme Basic, none are sent"),
        ('Negotiate, digest realm="a, Bearer b", nonce="c"', True, "of the scheme Negotiate or Digest, not Bearer"),
        ('bearer realm="x", error="invalid_token"', True, ""),
        ("<html>", True, ""),
    ],
)
def test_a_server_that_takes_other_credentials_is_said_to(
    serve: Serve, setup: Setup, asked: str, with_token: bool, hint: str
) -> None:
    server = serve(in_turn(reply(status=401, headers={"WWW-Authenticate": asked})))
    with pytest.raises(RuntimeForbids if with_token else RuntimeRefuses) as caught:
        setup.client(server)(caller_token="mine" if with_token else None)
    said = caught.value.detail
    assert said.endswith(hint) if hint else ("credentials of" not in said)


def test_a_resource_group_that_is_refused_to_the_service(serve: Serve, setup: Setup) -> None:
    """It is the service that may not read there, whoever asked; another token would not help."""
    server, tokens = serve(in_turn(reply(status=403))), Tokens()
    with pytest.raises(RuntimeRefuses):
        setup.client(server, tokens=tokens)()
    assert (len(server.requests), tokens.refused) == (1, [])


# --- the circuit


def test_a_runtime_that_fails_is_left_alone_and_found_again(
    serve: Serve, setup: Setup, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "service.runtimes")
    now = [100.0]
    healthy = threading.Event()
    server = serve(lambda _: reply() if healthy.is_set() else reply(status=500))
    get = setup.client(server, tolerance=Tolerance(failures=3), clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(RuntimeUnavailable):
            get()
    with pytest.raises(RuntimeUnavailable) as raised:
        get()
    assert (len(server.requests), raised.value.retry_after) == (3, 1)
    assert setup.sample("circuit_state") == 2
    healthy.set()
    now[0] += 1
    assert get().status == 200
    assert setup.sample("circuit_state") == 0
    events = [record.__dict__ for record in caplog.records]
    assert [(event["event"], event["state"]) for event in events] == [
        ("circuit", "open"),
        ("circuit", "half-open"),
        ("circuit", "closed"),
    ]


@pytest.mark.parametrize("answer", [reply(status=404), reply(status=429), raw(b"nonsense\r\n\r\n")])
def test_a_runtime_that_answers_is_not_left_alone(serve: Serve, setup: Setup, answer: Reply) -> None:
    server = serve(in_turn(answer))
    get = setup.client(server, tolerance=Tolerance(failures=1))
    for _ in range(3):
        try:
            get()
        except (RateLimited, BadGateway):
            continue
    assert setup.sample("circuit_state") == 0


def test_an_open_circuit_is_not_waited_for(serve: Serve, setup: Setup) -> None:
    server = serve(in_turn(silence))
    get = setup.client(server, tolerance=Tolerance(failures=1, cooldown=60), telling=0)
    with pytest.raises(RuntimeTimeout):
        get(seconds=0.3)
    asked = len(server.requests)
    with pytest.raises(RuntimeUnavailable):
        get(seconds=HANG_GUARD)
    assert len(server.requests) == asked
    assert setup.pauses == []


# --- concurrency


def test_refuses_more_than_can_be_under_way(serve: Serve, setup: Setup) -> None:
    release = threading.Event()
    asked = threading.Semaphore(0)

    def script(request: Request) -> bytes:
        asked.release()
        release.wait(HANG_GUARD)
        return reply()

    get = setup.client(serve(script), places=2)
    with ThreadPoolExecutor(2) as threads:
        under_way = [threads.submit(get, seconds=HANG_GUARD) for _ in range(2)]
        for _ in under_way:
            assert asked.acquire(timeout=HANG_GUARD)
        with pytest.raises(Overloaded):
            get()
        release.set()
        assert [one.result().status for one in under_way] == [200, 200]
    assert get().status == 200
