"""What is fetched to discover keys, in which time, and which documents are refused and why."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from service.auth.discovery import discovered_keys
from service.auth.key_rings import FETCH_BYTES, FETCH_SECONDS
from testing.clocks import Clock
from tests.rows import each_row

ISSUER = "https://issuer.example"
HEADERS = {"x-app_tid": "t"}
ANOTHERS = "the discovery document is another issuer's"
NOWHERE = "the discovery document names no usable key set"


class Server:
    """Answers with ``document`` first and with keys then, each after ``takes`` seconds; notes what is asked."""

    def __init__(self, document: Any, takes: float = 0) -> None:
        self.asked: list[tuple[str, float, int, Mapping[str, str]]] = []
        self.clock = Clock()
        self._document = document
        self._takes = takes

    def fetch(self, url: str, seconds: float, size: int, headers: Mapping[str, str]) -> bytes:
        self.asked.append((url, seconds, size, headers))
        self.clock.pass_(self._takes)
        return json.dumps(self._document).encode() if len(self.asked) == 1 else b"keys"

    def keys(self, issuer: str = ISSUER) -> bytes:
        return discovered_keys(issuer, self.fetch, HEADERS, clock=self.clock)


@each_row("takes, left", [(0, FETCH_SECONDS), (2, FETCH_SECONDS - 2), (4.5, 0.5), (7, 0.1)])
def test_both_are_fetched_in_the_time_of_one(takes: float, left: float) -> None:
    server = Server({"issuer": ISSUER, "jwks_uri": "https://keys.example/k?a=b"}, takes)
    assert server.keys() == b"keys"
    assert server.asked == [
        (f"{ISSUER}/.well-known/openid-configuration", FETCH_SECONDS, FETCH_BYTES, HEADERS),
        ("https://keys.example/k?a=b", left, FETCH_BYTES, HEADERS),
    ]


@each_row(
    "issuer, document",
    [
        ("https://issuer.example/", "https://issuer.example/.well-known/openid-configuration"),
        ("https://issuer.example/a/", "https://issuer.example/a/.well-known/openid-configuration"),
        ("http://issuer.example", "http://issuer.example/.well-known/openid-configuration"),
    ],
)
def test_where_the_document_is(issuer: str, document: str) -> None:
    location = f"{issuer.partition(':')[0]}://keys.example"
    server = Server({"issuer": issuer, "jwks_uri": location})
    assert server.keys(issuer) == b"keys"
    assert [url for url, *_ in server.asked] == [document, location]


@each_row(
    "document, why",
    [
        ({}, ANOTHERS),
        ({"issuer": f"{ISSUER}/", "jwks_uri": "https://keys.example"}, ANOTHERS),
        *(
            ({"issuer": ISSUER, "jwks_uri": location}, NOWHERE)
            for location in (
                None,
                1,
                ["https://keys.example"],
                "",
                "/keys",
                "http://keys.example",
                "ftp://keys.example",
            )
        ),
    ],
)
def test_refused(document: Any, why: str) -> None:
    server = Server(document)
    with pytest.raises(ValueError, match=f"^{why}$"):
        server.keys()
    assert len(server.asked) == 1
