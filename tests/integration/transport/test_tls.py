"""TLS as it is, with an authority of its own."""

from __future__ import annotations

import contextlib
import ssl
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.concurrency.deadline import Deadline
from service.domain.errors import BadGateway, RuntimeTimeout, RuntimeTrouble, RuntimeUnavailable
from service.runtimes.transport import Answer, ClientCertificate, HttpTransport
from service.telemetry.prometheus import Telemetry
from tests.integration.transport.conftest import Serve
from tests.integration.transport.servers import HEAD_OK, listening, raw, reply, silence, trickle
from tests.servers.tls import Authority, Issued, tls_front


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def issued(authority: Authority) -> Issued:
    return authority.issue("127.0.0.1")


@pytest.fixture(scope="module")
def client(authority: Authority) -> Issued:
    return authority.issue("client.example")


@pytest.fixture(autouse=True)
def trusted(authority: Authority, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))


@contextlib.contextmanager
def secure(certificate: ClientCertificate | None = None, connect_timeout: float = 5) -> Iterator[HttpTransport]:
    transport = HttpTransport(
        connect_timeout=connect_timeout,
        max_body_bytes=1 << 23,
        pool_size=2,
        client_certificate=certificate,
        telemetry=Telemetry(),
    )
    with contextlib.closing(transport):
        yield transport


def get(transport: HttpTransport, port: int, host: str = "127.0.0.1", seconds: float = 5) -> Answer:
    url = f"https://{host}:{port}/x"
    return transport.exchange("GET", url, headers={}, deadline=Deadline.after(seconds), operation="test")


def test_reads_over_tls_and_uses_the_connection_again(serve: Serve, issued: Issued) -> None:
    server = serve(lambda _: reply(b"x" * 1_000_000))
    with tls_front(server.port, issued) as port, secure() as transport:
        for _ in range(3):
            assert len(get(transport, port).body) == 1_000_000
    assert server.connections == 1


def test_an_authority_that_is_not_trusted(serve: Serve, tmp_path: Path) -> None:
    server = serve(lambda _: reply())
    stranger = Authority(tmp_path, "stranger").issue("127.0.0.1")
    with tls_front(server.port, stranger) as port, secure() as transport, pytest.raises(BadGateway):
        get(transport, port)
    assert server.requests == []


def test_a_certificate_of_another_host(serve: Serve, authority: Authority) -> None:
    server = serve(lambda _: reply())
    other = authority.issue("other.example")
    with tls_front(server.port, other) as port, secure() as transport, pytest.raises(BadGateway):
        get(transport, port)
    assert server.requests == []


def test_a_server_without_tls() -> None:
    plain = raw(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with listening(plain) as port, secure() as transport, pytest.raises(BadGateway):
        get(transport, port)


@pytest.mark.parametrize("dumb", [silence, trickle(b"\x16\x03\x03\x40\x00")])
def test_a_handshake_does_not_outlive_its_time(dumb: object) -> None:
    with listening(dumb) as port:  # type: ignore[arg-type]
        with secure(connect_timeout=0.3) as transport, pytest.raises(RuntimeUnavailable):
            get(transport, port)
        with secure() as transport, pytest.raises(RuntimeTimeout):
            get(transport, port, seconds=0.3)


@pytest.mark.parametrize("slow", [silence, trickle(HEAD_OK), trickle(HEAD_OK + b"Content-Length: 99999\r\n\r\n")])
def test_a_byte_now_and_then_does_not_outlive_the_deadline(serve: Serve, issued: Issued, slow: object) -> None:
    server = serve(lambda _: slow)  # type: ignore[arg-type,return-value]
    with tls_front(server.port, issued) as port, secure() as transport, pytest.raises(RuntimeTimeout):
        get(transport, port, seconds=0.5)


def test_a_connection_cut_off_is_unavailable(serve: Serve, issued: Issued) -> None:
    server = serve(lambda _: raw(HEAD_OK + b"Content-Length: 10\r\n\r\n123"))
    with tls_front(server.port, issued) as port, secure() as transport, pytest.raises(RuntimeUnavailable):
        get(transport, port)


def test_shows_its_certificate_given_as_text_or_files(
    serve: Serve, authority: Authority, issued: Issued, client: Issued
) -> None:
    texts = (client.certificate.read_text(), client.key.read_text())
    in_one_line = tuple(text.replace("\n", "\\n") for text in texts)
    server = serve(lambda _: reply())
    with tls_front(server.port, issued, clients=authority) as port:
        for given in (texts, in_one_line, (str(client.certificate), str(client.key))):
            with secure(ClientCertificate(*given)) as transport:
                assert get(transport, port).status == 200
        with secure() as transport, pytest.raises(RuntimeTrouble):
            get(transport, port)
    assert len(server.requests) == 3


def test_leaves_no_file_behind(client: Issued, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    texts = (client.certificate.read_text(), client.key.read_text())
    ClientCertificate(*texts).load_into(ssl.create_default_context())
    with pytest.raises(ValueError):
        ClientCertificate(texts[0], texts[0]).load_into(ssl.create_default_context())
    assert list(tmp_path.iterdir()) == []


def test_shows_no_secret(client: Issued, tmp_path: Path) -> None:
    text = client.key.read_text()
    assert "BEGIN" not in repr(ClientCertificate(text, text))
    for certificate in (ClientCertificate(text, text), ClientCertificate(str(tmp_path / "none"), text)):
        with pytest.raises(ValueError) as raised:
            certificate.load_into(ssl.create_default_context())
        assert text.splitlines()[1] not in str(raised.value)
