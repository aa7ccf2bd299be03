"""The service's token from a real endpoint: once for all, ahead of time, anew when refused, with patience."""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Callable
from itertools import count
from pathlib import Path
from urllib.parse import parse_qs

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import (
    BadGateway,
    RateLimited,
    RuntimeRefuses,
    RuntimeTimeout,
    RuntimeUnavailable,
    ServiceError,
)
from service.runtimes.credentials import ClientCredentials, NoCredentials, Timing, TokenEndpoint
from service.runtimes.transport import ClientCertificate, HttpTransport, Retries
from service.telemetry.prometheus import Telemetry
from testing.threads import together
from testing.waiting import eventually
from tests.integration.transport.conftest import Serve
from tests.integration.transport.servers import HANG_GUARD, Reply, Request, Server, raw, reply, silence
from tests.servers.tls import Authority, tls_front

Begin = Callable[..., ClientCredentials]


def grant(token: str = "t", **members: object) -> bytes:
    return reply(json.dumps({"access_token": token, "token_type": "bearer", "expires_in": 3600, **members}).encode())


def numbered(request: Request, numbers: count[int]) -> Reply:
    return grant(f"t{next(numbers)}")


@pytest.fixture
def begin(transport: HttpTransport, telemetry: Telemetry) -> Begin:
    def make(server: Server, *, clock: Callable[[], float] | None = None, **timing: float) -> ClientCredentials:
        endpoint = TokenEndpoint(
            f"{server.url}/oauth/token",
            "me",
            "s3cret",
            transport=transport,
            retries=Retries(sleep=lambda _: None),
            telemetry=telemetry,
        )
        return ClientCredentials(endpoint, timing=Timing(**timing), **({} if clock is None else {"clock": clock}))

    return make


def soon() -> Deadline:
    return Deadline.after(5)


def test_asks_as_rfc_6749_says_and_keeps_the_token(serve: Serve, begin: Begin) -> None:
    server = serve(lambda _: grant("abc.def-_~+/=="))
    tokens = begin(server)
    assert {tokens.authorization(soon()) for _ in range(3)} == {"Bearer abc.def-_~+/=="}
    (request,) = server.requests
    assert (request.method, request.target) == ("POST", "/oauth/token")
    assert parse_qs(request.body.decode()) == {
        "grant_type": ["client_credentials"],
        "client_id": ["me"],
        "client_secret": ["s3cret"],
    }


def test_mutual_tls_takes_the_place_of_the_secret(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, telemetry: Telemetry
) -> None:
    authority = Authority(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    issued, client = authority.issue("127.0.0.1"), authority.issue("client.example")
    server = serve(lambda _: grant())
    transport = HttpTransport(
        connect_timeout=5,
        max_body_bytes=1 << 20,
        pool_size=1,
        client_certificate=ClientCertificate(client.certificate.read_text(), client.key.read_text()),
        telemetry=telemetry,
    )
    with tls_front(server.port, issued, clients=authority) as port:
        url = f"https://127.0.0.1:{port}/oauth/token"
        endpoint = TokenEndpoint(url, "me", None, transport=transport, retries=Retries(), telemetry=telemetry)
        assert ClientCredentials(endpoint).authorization(soon()) == "Bearer t"
        transport.close()
    assert parse_qs(server.requests[0].body.decode()) == {"grant_type": ["client_credentials"], "client_id": ["me"]}


def test_one_request_serves_all_threads(serve: Serve, begin: Begin) -> None:
    server = serve(lambda _: grant())
    tokens = begin(server)
    assert set(together(*[lambda: tokens.authorization(soon())] * 16)) == {"Bearer t"}
    assert len(server.requests) == 1


def test_a_herd_that_is_refused_causes_one_request(serve: Serve, begin: Begin) -> None:
    numbers = count()
    server = serve(lambda request: numbered(request, numbers))
    tokens = begin(server)
    assert tokens.authorization(soon()) == "Bearer t0"

    def refused() -> str:
        tokens.invalidate("Bearer t0")
        return tokens.authorization(soon())

    assert set(together(*[refused] * 16)) == {"Bearer t1"}
    assert len(server.requests) == 2


def test_a_replacement_that_is_refused_at_once_is_kept(serve: Serve, begin: Begin) -> None:
    """Otherwise credentials that are no good would cost a token for each request."""
    numbers, now = count(), [0.0]
    server = serve(lambda request: numbered(request, numbers))
    tokens = begin(server, clock=lambda: now[0], settled=1)
    tokens.invalidate(tokens.authorization(soon()))
    assert tokens.authorization(soon()) == "Bearer t1"
    tokens.invalidate("Bearer t1")
    assert tokens.authorization(soon()) == "Bearer t1"
    now[0] = 2.0
    tokens.invalidate("Bearer t1")
    assert tokens.authorization(soon()) == "Bearer t2"


def test_is_refreshed_ahead_while_the_old_one_is_used(serve: Serve, begin: Begin) -> None:
    numbers, now, release = count(), [0.0], threading.Event()

    def script(request: Request) -> Reply:
        answer = numbered(request, numbers)
        assert len(server.requests) == 1 or release.wait(HANG_GUARD)
        return answer

    server = serve(script)
    tokens = begin(server, clock=lambda: now[0])
    assert tokens.authorization(soon()) == "Bearer t0"
    now[0] = 3600 - 119
    assert {tokens.authorization(soon()) for _ in range(5)} == {"Bearer t0"}
    release.set()
    eventually(lambda: tokens.authorization(soon()) == "Bearer t1")
    assert len(server.requests) == 2


def test_is_not_used_to_its_very_end(serve: Serve, begin: Begin) -> None:
    numbers, now = count(), [0.0]
    tokens = begin(serve(lambda request: numbered(request, numbers)), clock=lambda: now[0])
    tokens.authorization(soon())
    now[0] = 3600 - 9
    assert tokens.authorization(soon()) == "Bearer t1"


def test_a_failing_refresh_does_no_harm_while_the_old_one_is_good(serve: Serve, begin: Begin) -> None:
    now, healthy = [0.0], [True]
    server = serve(lambda _: grant() if healthy[0] else reply(status=500))
    tokens = begin(server, clock=lambda: now[0])
    tokens.authorization(soon())
    healthy[0], now[0] = False, 3500.0
    assert tokens.authorization(soon()) == "Bearer t"
    eventually(lambda: len(server.requests) == 4)
    assert tokens.authorization(soon()) == "Bearer t"


@pytest.mark.parametrize(
    ("answer", "error", "attempts"),
    [
        (reply(status=400), RuntimeRefuses, 1),
        (reply(status=401), RuntimeRefuses, 1),
        (reply(status=404), BadGateway, 1),
        (reply(status=302), BadGateway, 1),
        (reply(status=500), RuntimeUnavailable, 3),
        (reply(status=503), RuntimeUnavailable, 3),
        (reply(status=429), RateLimited, 3),
        (reply(status=429, headers={"Retry-After": "30"}), RateLimited, 1),
        (raw(), RuntimeUnavailable, 3),
        (reply(b"<html>"), BadGateway, 1),
        (reply(b"[]"), BadGateway, 1),
        (reply(b"{}"), BadGateway, 1),
        (reply(b'"' + b"a" * 300_000 + b'"'), BadGateway, 1),
        (grant("a\r\nX-Evil: 1"), BadGateway, 1),
        (grant("a b"), BadGateway, 1),
        (grant(""), BadGateway, 1),
        (grant(token_type="mac"), BadGateway, 1),
        (grant(token_type=1), BadGateway, 1),
        (reply(b'{"access_token": 5}'), BadGateway, 1),
    ],
)
def test_a_failing_endpoint_is_left_alone_for_a_while(
    serve: Serve, begin: Begin, answer: Reply, error: type[ServiceError], attempts: int
) -> None:
    now = [0.0]
    server = serve(lambda _: answer)
    tokens = begin(server, clock=lambda: now[0])
    for _ in range(5):
        with pytest.raises(error) as raised:
            tokens.authorization(soon())
        assert "s3cret" not in raised.value.detail
    assert len(server.requests) == attempts
    now[0] += 31
    with pytest.raises(error):
        tokens.authorization(soon())
    assert len(server.requests) == 2 * attempts


def test_recovers(serve: Serve, begin: Begin, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "service.runtimes")
    now, healthy = [0.0], [False]
    tokens = begin(serve(lambda _: grant() if healthy[0] else reply(status=401)), clock=lambda: now[0])
    for _ in range(3):
        with pytest.raises(RuntimeRefuses):
            tokens.authorization(soon())
        now[0] += 11
    healthy[0] = True
    assert tokens.authorization(soon()) == "Bearer t"
    assert [record.__dict__["state"] for record in caplog.records] == ["missing", "available"]
    assert "s3cret" not in caplog.text


def test_waits_no_longer_than_who_waits_may(serve: Serve, begin: Begin) -> None:
    """And one who cannot wait does not end it for the others."""
    release = threading.Event()

    def script(_: Request) -> Reply:
        release.wait(HANG_GUARD)
        return grant()

    server = serve(script)
    tokens = begin(server)
    with pytest.raises(RuntimeTimeout):
        tokens.authorization(Deadline.after(0.2))
    release.set()
    assert tokens.authorization(soon()) == "Bearer t"
    assert len(server.requests) == 1


def test_an_endpoint_that_is_silent_is_given_up(serve: Serve, begin: Begin) -> None:
    tokens = begin(serve(lambda _: silence), request=0.3)
    with pytest.raises(RuntimeTimeout):
        tokens.authorization(soon())


def test_no_credentials_are_none() -> None:
    none = NoCredentials()
    none.invalidate("Bearer x")
    assert none.authorization(soon()) is None
