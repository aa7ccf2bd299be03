"""Every way to a server that ``REDIS_URL`` can say."""

from pathlib import Path

import pytest

from service.caching.protocol import Replacement
from service.caching.redis.cache import RedisCache
from service.domain.errors import CacheUnavailable
from tests.integration.redis.conftest import Connect
from tests.servers.tls import Authority, tls_front
from tests.servers.valkey import ValkeyServer, running


def works(cache: RedisCache) -> bool:
    cache.ping()
    cache.set_many({"{k}1": b"1", "{k}2": b"2"}, 60)
    assert cache.acquire_many({"{k}1": "{k}lock"}, "me", 60) == {"{k}1": (True, b"1")}
    held = cache.extend("{k}lock", "me", 60)
    cache.release("{k}lock", "me")
    cache.replace_many({"{k}3": Replacement(b"3", 60, {"{k}4": b"4"}, "{k}lock", "me")})
    return held and cache.get_many([f"{{k}}{n}" for n in range(1, 5)]) == {f"{{k}}{n}": b"%d" % n for n in range(1, 5)}


def test_socket_and_database(server: ValkeyServer, connect: Connect) -> None:
    assert works(connect(f"{server.socket_url}?db=3"))
    assert connect(f"{server.url}/3").get("{k}1") == b"1"
    assert connect(f"{server.url}/4").get("{k}1") is None


def test_connections_bear_a_name_and_are_kept(server: ValkeyServer, cache: RedisCache) -> None:
    for _ in range(10):
        cache.get("k")
    assert str(server.ask("CLIENT", "LIST")).count("name=metric-resource") == 1


def test_every_key_ends(server: ValkeyServer, cache: RedisCache) -> None:
    works(cache)
    assert cache.acquire("{k}lock", "me", 60)
    keys = server.ask("KEYS", "*")
    assert isinstance(keys, list)
    assert len(keys) == 5
    assert all(0 < int(str(server.ask("PTTL", key))) <= 60_000 for key in keys)


def test_password(tmp_path: Path, connect: Connect) -> None:
    with running(tmp_path / "locked", "--requirepass", "p@ss/word") as server:
        assert works(connect(f"redis://:p%40ss%2Fword@127.0.0.1:{server.port}"))
        with pytest.raises(CacheUnavailable):
            connect(server.url).get("k")
        with pytest.raises(CacheUnavailable) as caught:
            connect(f"redis://:SECRET@127.0.0.1:{server.port}").get("k")
    assert "SECRET" not in str(caught.value)


def test_acl_user_with_no_more_than_is_needed(server: ValkeyServer, connect: Connect) -> None:
    needed = ["+mget", "+set", "+del", "+get", "+pexpire", "+pttl", "+eval", "+evalsha", "+ping"]
    server.ask("ACL", "SETUSER", "svc", "on", ">secret", "~{k}*", "-@all", *needed)
    assert works(connect(f"redis://svc:secret@127.0.0.1:{server.port}"))


def test_tls(server: ValkeyServer, connect: Connect, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    with tls_front(server.port, authority.issue("127.0.0.1")) as port:
        assert works(connect(f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority.certificate}"))
        assert works(connect(f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none"))


def test_tls_trusts_no_stranger(server: ValkeyServer, connect: Connect, tmp_path: Path) -> None:
    known, stranger = Authority(tmp_path, "known"), Authority(tmp_path, "stranger")
    with tls_front(server.port, stranger.issue("127.0.0.1")) as port, pytest.raises(CacheUnavailable, match="verify"):
        connect(f"rediss://127.0.0.1:{port}?ssl_ca_certs={known.certificate}").get("k")
    with tls_front(server.port, known.issue("elsewhere.example")) as port:
        with pytest.raises(CacheUnavailable, match="not valid for"):
            connect(f"rediss://127.0.0.1:{port}?ssl_ca_certs={known.certificate}").get("k")
        assert works(connect(f"rediss://127.0.0.1:{port}?ssl_ca_certs={known.certificate}&ssl_check_hostname=false"))


def test_tls_with_a_certificate_of_our_own(server: ValkeyServer, connect: Connect, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    ours = authority.issue("client.example")
    with tls_front(server.port, authority.issue("127.0.0.1"), clients=authority) as port:
        url = f"rediss://127.0.0.1:{port}?ssl_ca_certs={authority.certificate}"
        assert works(connect(f"{url}&ssl_certfile={ours.certificate}&ssl_keyfile={ours.key}"))
        with pytest.raises(CacheUnavailable):
            connect(url).get("k")
