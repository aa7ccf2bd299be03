"""The response cache by itself: how many answers it records."""

from __future__ import annotations

from typing import Any, cast

from service.api.http.response_cache import ResponseCache
from service.api.http.responses import CACHE_METADATA, CacheMetadata
from service.domain.access import AccessRule, Principal, Scope
from service.domain.reading import Provenance, Source
from service.telemetry.metrics import Telemetry

CALLER = Principal("ada", "t", "i", frozenset({Scope.METRICS_READ}), None, 1e12, "token")
RULE = AccessRule(token=True, scopes=(Scope.METRICS_READ,))


class Application:
    """Counts the requests that reach it; each answer can be replayed."""

    def __init__(self) -> None:
        self.reached = 0

    def __call__(self, environ: dict[str, Any], start_response: Any) -> list[bytes]:
        self.reached += 1
        environ[CACHE_METADATA] = CacheMetadata("default", "key", b"digest", "tag", RULE, "default", "/route")
        start_response("200 OK", [("Content-Type", "application/json")])
        return [b"{}"]


class Recorded:
    def made(self, tag: str) -> tuple[bytes, ...]:
        return (b"{}",)

    def cache_control(self, provenance: Provenance) -> str:
        return "private"


class Verifier:
    def known(self, authorization: str | None) -> Principal | None:
        return CALLER


def test_no_more_answers_are_recorded_than_there_is_room_for() -> None:
    application = Application()
    cache = ResponseCache(
        application,
        verifier=cast(Any, Verifier()),
        answers=cast(Any, Recorded()),
        fresh_entry=lambda connection, key, digest: Provenance(Source.STORED, 1.0, 2.0, 3.0),
        telemetry=Telemetry(),
        forwards_token=False,
        most=3,
    )

    def ask(number: int) -> None:
        cache({"REQUEST_METHOD": "GET", "PATH_INFO": f"/{number}", "QUERY_STRING": ""}, cast(Any, lambda *_: None))

    for number in (1, 2, 3, 1, 2, 3):
        ask(number)
    assert application.reached == 3
    ask(4)
    ask(1)
    assert application.reached == 5, "the one that was not used for longest had to go"
    ask(3)
    ask(4)
    assert application.reached == 5
