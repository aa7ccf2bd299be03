"""Keys over real HTTP: rotation, garbage, silence, floods, and an issuer that is not there."""

from __future__ import annotations

import threading
from itertools import count
from typing import Any

import pytest

from service.auth.verifier import Verifier
from service.domain.errors import InvalidToken, KeysUnavailable
from testing.clocks import Clock
from testing.effort import effort
from testing.waiting import eventually
from tests.unit.auth.conftest import FIRST, no_fetch_is_under_way
from tests.unit.auth.forge import GONE, ISSUER, NOW, b64, claims, header, jwk, rsa_key, token, with_signature
from tests.unit.auth.issuer_server import IssuerServer, fetch
from tests.unit.auth.worlds import holds, oidc, verifier, xsuaa

GOOD = token(header(), claims())
BOTH = {"keys": [jwk(rsa_key("rsa-1"), "rsa-1"), jwk(rsa_key("rsa-2"), "rsa-2")]}
ROTATED = token(header(kid="rsa-2"), claims(), rsa_key("rsa-2"))


def fresh(number: int, **changes: Any) -> str:
    """A good token that was never seen before."""
    return token(header(), claims(jti=str(number), **changes))


NO_SIGNATURE = bytes(256)
"""Of tokens whose key nobody has: making a real one takes longer than all else."""


def unknown(number: int) -> str:
    return with_signature(header(kid=f"unknown-{number}"), claims(jti=str(number)), NO_SIGNATURE)


def test_keys_are_fetched_once(checked: Verifier, server: IssuerServer) -> None:
    for number in range(20):
        assert holds(checked, fresh(number)).subject == "ada"
    assert server.asked == ["/keys"]


def test_a_new_key_works_within_fifteen_seconds(checked: Verifier, server: IssuerServer, clock: Clock) -> None:
    holds(checked, GOOD)
    server.give("/keys", BOTH)
    clock.pass_(10)
    assert holds(checked, ROTATED).subject == "ada"
    assert holds(checked, fresh(1)).subject == "ada"


def test_a_new_key_works_in_the_middle_of_a_flood(checked: Verifier, server: IssuerServer, clock: Clock) -> None:
    holds(checked, GOOD)
    for number in range(100):
        with pytest.raises(InvalidToken):
            holds(checked, unknown(number))
        clock.pass_(0.05)
    server.give("/keys", BOTH)
    clock.pass_(10)
    assert holds(checked, ROTATED).subject == "ada"


def test_a_key_that_is_withdrawn_stops_working(checked: Verifier, server: IssuerServer, clock: Clock) -> None:
    holds(checked, GOOD)
    server.give("/keys", {"keys": [jwk(rsa_key("rsa-2"), "rsa-2")]})
    clock.pass_(301)
    holds(checked, fresh(1))
    eventually(lambda: len(server.asked) == 2)
    numbers = count(2)  # a token that still held once is remembered
    eventually(lambda: refused(checked, fresh(next(numbers))))
    assert refused(checked, GOOD)


def refused(checked: Verifier, text: str) -> bool:
    try:
        holds(checked, text)
    except InvalidToken:
        return True
    return False


def test_a_flood_of_unknown_keys_causes_a_handful_of_fetches(
    checked: Verifier, server: IssuerServer, clock: Clock
) -> None:
    holds(checked, GOOD)
    for number in range(150):
        with pytest.raises(InvalidToken, match="no key with"):
            holds(checked, unknown(number))
        clock.pass_(0.2)
    assert len(server.asked) <= 5


def test_a_token_for_a_key_of_another_kind_causes_no_fetch(
    checked: Verifier, server: IssuerServer, clock: Clock
) -> None:
    holds(checked, GOOD)
    clock.pass_(60)
    with pytest.raises(InvalidToken):
        holds(checked, token(header(alg="ES256"), claims()))
    assert len(server.asked) == 1


GARBAGE: dict[str, tuple[int, bytes, dict[str, str]]] = {
    "not found": (404, b"", {}),
    "no leave": (403, b"{}", {}),
    "error": (500, b"oops", {}),
    "busy": (503, b"", {"Retry-After": "1"}),
    "nothing": (200, b"", {}),
    "a page": (200, b"<html></html>", {"Content-Type": "text/html"}),
    "no keys": (200, b'{"keys":[]}', {}),
    "other JSON": (200, b'{"a":1}', {}),
    "only bad keys": (200, b'{"keys":[1,{"kty":"RSA"}]}', {}),
    "not UTF-8": (200, b"\xff\xfe\x00", {}),
    "deep": (200, b"[" * 200_000, {}),
    "too large": (200, b'{"keys":[' + b" " * 600_000 + b"]}", {}),
    "cut short": (200, b'{"keys":[', {"Content-Length": "5000"}),
    "a redirect": (302, b"", {"Location": "/elsewhere"}),
    "a redirect for good": (301, b"", {"Location": "/elsewhere"}),
}


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_changes_nothing_for_known_keys(name: str, server: IssuerServer, clock: Clock) -> None:
    checked = verifier(
        oidc(jwks_url=f"{server.url}/keys"), lambda url, _, most, headers: fetch(url, 1.0, most), clock=clock
    )
    holds(checked, GOOD)
    server.give("/elsewhere", BOTH)
    server.routes["/keys"] = lambda: GARBAGE[name]
    clock.pass_(3000)
    assert holds(checked, fresh(1)).subject == "ada"
    eventually(lambda: len(server.asked) == 2)
    assert holds(checked, fresh(2)).subject == "ada"
    with pytest.raises(InvalidToken):
        holds(checked, ROTATED)
    server.give("/keys", BOTH)
    clock.pass_(10)
    eventually(lambda: not refused(checked, ROTATED))
    assert "/elsewhere" not in server.asked


@pytest.mark.parametrize("name", GARBAGE)
def test_garbage_from_the_start_is_nobodys_fault(name: str, server: IssuerServer, clock: Clock) -> None:
    checked = verifier(
        oidc(jwks_url=f"{server.url}/keys"), lambda url, _, most, headers: fetch(url, 1.0, most), clock=clock
    )
    server.routes["/keys"] = lambda: GARBAGE[name]
    for number in range(20):
        with pytest.raises(KeysUnavailable):
            holds(checked, fresh(number))
    assert server.asked == ["/keys"]
    assert checked.keys_loaded() == {ISSUER: False}
    server.give("/keys", FIRST)
    clock.pass_(10)
    assert holds(checked, GOOD).subject == "ada"
    assert checked.keys_loaded() == {ISSUER: True}


def test_an_issuer_that_is_not_there(clock: Clock) -> None:
    with IssuerServer().serving() as gone:
        url = f"{gone.url}/keys"
    checked = verifier(oidc(jwks_url=url), fetch, clock=clock)
    with pytest.raises(KeysUnavailable) as trouble:
        holds(checked, GOOD)
    assert "127.0.0.1" not in trouble.value.detail


def test_a_slow_fetch_holds_up_nobody_who_needs_it_not(checked: Verifier, server: IssuerServer, clock: Clock) -> None:
    holds(checked, GOOD)
    go = server.hold("/keys", BOTH)
    clock.pass_(20)
    waiting = threading.Thread(target=lambda: refused(checked, ROTATED))
    waiting.start()
    eventually(lambda: len(server.asked) == 2)
    for number in range(50):
        assert holds(checked, fresh(number)).subject == "ada"
    assert waiting.is_alive()
    go.set()
    waiting.join()
    assert holds(checked, ROTATED).subject == "ada"


def test_many_wait_for_the_first_keys_and_one_fetch_serves_them(server: IssuerServer, clock: Clock) -> None:
    go, seen = server.hold("/keys", FIRST), []
    checked = verifier(oidc(jwks_url=f"{server.url}/keys"), fetch, clock=clock)
    threads = [
        threading.Thread(target=lambda number=number: seen.append(holds(checked, fresh(number))))
        for number in range(12)
    ]
    for thread in threads:
        thread.start()
    eventually(lambda: len(server.asked) == 1)
    go.set()
    for thread in threads:
        thread.join()
    assert len(seen) == 12
    assert server.asked == ["/keys"]


def test_in_the_background_keys_are_loaded_and_loaded_again(server: IssuerServer) -> None:
    server.routes.clear()
    checked = verifier(oidc(jwks_url=f"{server.url}/keys"), fetch, clock=Clock(NOW))
    assert server.asked == []
    checked.start()
    checked.start()
    eventually(lambda: server.asked == ["/keys"])
    assert checked.keys_loaded() == {ISSUER: False}
    (refresher,) = [thread for thread in threading.enumerate() if thread.name == "key-refresher"]
    assert refresher.daemon, "it holds up no process that ends"
    checked.close()
    checked.close()
    assert not any(thread.name == "key-refresher" for thread in threading.enumerate())


def test_the_background_has_keys_ready_before_the_first_token(server: IssuerServer, checked: Verifier) -> None:
    checked.start()
    eventually(lambda: checked.keys_loaded() == {ISSUER: True})
    checked.close()
    server.routes.clear()
    assert holds(checked, GOOD).subject == "ada"


def test_the_background_looks_often_until_all_keys_are_there_and_seldom_then(server: IssuerServer) -> None:
    ours, others = (
        oidc(jwks_url=f"{server.url}/keys"),
        oidc(issuer="https://other.example", jwks_url=f"{server.url}/others"),
    )
    checked = verifier([ours, others], fetch)
    assert checked.refresh() == 0.5
    eventually(lambda: checked.keys_loaded()[ISSUER])
    assert checked.refresh() == 0.5, "one is not loaded"
    checked = verifier(ours, fetch)
    checked.refresh()
    eventually(lambda: checked.keys_loaded() == {ISSUER: True})
    assert checked.refresh() == 30


def test_discovery(server: IssuerServer, clock: Clock) -> None:
    server.give("/.well-known/openid-configuration", {"issuer": server.url, "jwks_uri": f"{server.url}/keys"})
    checked = verifier(oidc(issuer=server.url, jwks_url=None), fetch, clock=clock)
    assert holds(checked, token(header(), claims(iss=server.url))).issuer == server.url
    assert server.asked == ["/.well-known/openid-configuration", "/keys"]


@pytest.mark.parametrize(
    "document",
    [
        {"issuer": "https://attacker.example"},
        {"issuer": "{url}/"},
        {"issuer": ["{url}"]},
        {"issuer": GONE},
        {"jwks_uri": GONE},
        {"jwks_uri": 1},
        {"jwks_uri": ""},
        {"jwks_uri": "/keys"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": "ftp://127.0.0.1/keys"},
        {"jwks_uri": "{url}@127.0.0.1/keys"},
        # pytest escapes an id of ``ids`` again where a process collects twice, as that of `make mutants` does
        pytest.param({"jwks_uri": "{url}/keys\r\nX: y"}, id="a line break"),
        {"jwks_uri": "{url}/keys#fragment", "issuer": "x"},
    ],
    ids=str,
)
def test_discovery_documents_that_do_not_count(document: dict[str, Any], server: IssuerServer, clock: Clock) -> None:
    full = {"issuer": server.url, "jwks_uri": f"{server.url}/keys", **document}
    filled = {
        name: value.replace("{url}", server.url) if isinstance(value, str) else value
        for name, value in full.items()
        if value is not GONE
    }
    server.give("/.well-known/openid-configuration", filled)
    checked = verifier(oidc(issuer=server.url, jwks_url=None), fetch, clock=clock)
    with pytest.raises(KeysUnavailable):
        holds(checked, token(header(), claims(iss=server.url)))
    assert "/keys" not in server.asked


def test_an_issuer_with_a_path_and_a_slash(server: IssuerServer, clock: Clock) -> None:
    issuer = f"{server.url}/realms/a/"
    server.give("/realms/a/.well-known/openid-configuration", {"issuer": issuer, "jwks_uri": f"{server.url}/keys"})
    checked = verifier(oidc(issuer=issuer, jwks_url=None), fetch, clock=clock)
    assert holds(checked, token(header(), claims(iss=issuer))).issuer == issuer


class Zones:
    """An XSUAA server and tokens of its zones."""

    def __init__(self, server: IssuerServer, clock: Clock, **binding: Any) -> None:
        self.server = server
        self.issuer = f"http://acme.{server.host}/oauth/token"
        trusted = xsuaa(scheme="http", hosts=(server.host,), issuer=self.issuer, **binding)
        self.checked = verifier(trusted, fetch, clock=clock)

    def open(self, zone: str) -> None:
        self.server.give(f"/token_keys?zid={zone}", FIRST)

    def token(self, zone: str, **changes: Any) -> str:
        return token(header(), self._claims(zone, **changes))

    def forged(self, zone: str) -> str:
        """One that nobody has signed."""
        return with_signature(header(), self._claims(zone), NO_SIGNATURE)

    def _claims(self, zone: str, **changes: Any) -> dict[str, Any]:
        return claims(iss=self.issuer, zid=zone, aud="launchpad!t1", jti=b64(zone.encode()), **changes)


def test_a_flood_of_zones_causes_a_handful_of_fetches(server: IssuerServer, clock: Clock) -> None:
    zones = Zones(server, clock)
    zones.open("home")
    holds(zones.checked, zones.token("home"))
    for number in range(effort(60, 1000)):
        with pytest.raises(InvalidToken):
            holds(zones.checked, zones.forged(f"zone-{number}"))
        assert holds(zones.checked, zones.token("home", number=number)).tenant == "home"
    assert len(server.asked) <= 6


def test_a_flood_of_zones_from_the_start_is_refused_as_well(server: IssuerServer, clock: Clock) -> None:
    zones = Zones(server, clock)
    for number in range(100):
        with pytest.raises(InvalidToken):
            holds(zones.checked, zones.forged(f"zone-{number}"))
    assert len(server.asked) <= 5
    zones.open("home")
    clock.pass_(15)
    assert holds(zones.checked, zones.token("home")).tenant == "home"


def test_the_same_few_zones_again_and_again(server: IssuerServer, clock: Clock) -> None:
    zones = Zones(server, clock)
    zones.open("home")
    holds(zones.checked, zones.token("home"))
    for number in range(150):
        with pytest.raises(InvalidToken):
            holds(zones.checked, zones.forged(f"zone-{number % 5}"))
        clock.pass_(0.04)
    assert len(server.asked) <= 30


def test_many_good_zones_open_one_after_the_other(server: IssuerServer, clock: Clock) -> None:
    zones = Zones(server, clock)
    for number in range(60):
        zones.open(f"zone-{number}")
        assert holds(zones.checked, zones.token(f"zone-{number}")).tenant == f"zone-{number}"
    for number in range(60):
        holds(zones.checked, zones.token(f"zone-{number}", again=True))
    assert len(server.asked) == 60


def test_a_flood_drives_out_no_zone_that_is_in_use(server: IssuerServer, clock: Clock) -> None:
    zones = Zones(server, clock)
    zones.open("home")
    holds(zones.checked, zones.token("home"))
    for number in range(250):
        zones.open(f"zone-{number}")
        with pytest.raises(InvalidToken):
            holds(zones.checked, zones.forged(f"zone-{number}"))
        clock.pass_(3)
    zones.server.routes.clear()
    assert holds(zones.checked, zones.token("home", again=True)).tenant == "home"


def test_a_zone_that_cannot_be_asked_is_unavailable_only_where_no_other_answered(clock: Clock) -> None:
    with IssuerServer().serving() as gone:
        zones = Zones(gone, clock)
    with pytest.raises(KeysUnavailable):
        holds(zones.checked, zones.token("home"))


def test_the_zone_of_the_binding_is_loaded_ahead(server: IssuerServer, clock: Clock) -> None:
    zones = Zones(server, clock, zone="home")
    zones.open("home")
    zones.checked.start()
    eventually(lambda: all(zones.checked.keys_loaded().values()))
    zones.checked.close()
    assert server.asked == ["/token_keys?zid=home"]


def test_the_log_says_once_that_keys_are_gone_and_once_that_they_are_back(
    checked: Verifier, server: IssuerServer, clock: Clock, keys_log: pytest.LogCaptureFixture
) -> None:
    holds(checked, GOOD)
    for status in (500, 500, 500, 200, 200):
        server.give("/keys", FIRST, status=status)
        clock.pass_(400)
        before = len(server.asked)
        holds(checked, fresh(int(clock.now), exp=clock.now + 60))
        eventually(lambda before=before: len(server.asked) > before and no_fetch_is_under_way())
    states = [record.__dict__["state"] for record in keys_log.records]
    assert states == ["loaded", "failed", "loaded"]
    assert {record.__dict__["event"] for record in keys_log.records} == {"keys"}
