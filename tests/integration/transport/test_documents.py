from __future__ import annotations

import gzip

import pytest

from service.domain.errors import BadGateway, RateLimited, RuntimeTimeout, RuntimeTrouble, RuntimeUnavailable
from service.runtimes.transport import HttpTransport, fetch_document
from tests.integration.transport.conftest import Serve
from tests.integration.transport.servers import Reply, raw, reply, silence
from tests.rows import each_row


def test_gives_a_document(serve: Serve, transport: HttpTransport) -> None:
    server = serve(lambda _: reply(b'{"keys": []}'))
    assert fetch_document(transport)(f"{server.url}/keys", 5, 1000) == b'{"keys": []}'


@each_row(
    "answer, error",
    [
        (reply(status=204, body=b""), BadGateway),
        (reply(status=302), BadGateway),
        (reply(status=404), BadGateway),
        (reply(status=429), RateLimited),
        (reply(status=500), RuntimeUnavailable),
        (reply(b"a" * 1001), BadGateway),
        (reply(gzip.compress(b"a" * 1001), headers={"Content-Encoding": "gzip"}), BadGateway),
        (raw(), RuntimeUnavailable),
        (silence, RuntimeTimeout),
    ],
)
def test_anything_else_is_trouble(
    serve: Serve, transport: HttpTransport, answer: Reply, error: type[RuntimeTrouble]
) -> None:
    server = serve(lambda _: answer)
    with pytest.raises(error):
        fetch_document(transport)(server.url, 0.4, 1000)
