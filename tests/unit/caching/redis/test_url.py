"""The grammar of ``REDIS_URL``, by example; and that no fault repeats what might be a password."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.caching.redis.url import SCHEMES, Address, Credentials, Form, parse_url, validate_url
from tests.rows import each_row


@each_row(
    "url, form, addresses, db",
    [
        ("redis://cache", Form.SINGLE, [("cache", 6379)], 0),
        ("redis://cache:7000/3", Form.SINGLE, [("cache", 7000)], 3),
        ("redis://cache/?db=4", Form.SINGLE, [("cache", 6379)], 4),
        ("redis://[::1]:7000", Form.SINGLE, [("::1", 7000)], 0),
        ("redis://[fe80::1%25eth0]", Form.SINGLE, [("fe80::1%eth0", 6379)], 0),
        ("rediss://cache/", Form.SINGLE, [("cache", 6379)], 0),
        ("unix:///run/redis.sock?db=2", Form.SOCKET, [], 2),
        ("redis+cluster://a,b:7001,[::2]:7002", Form.CLUSTER, [("a", 6379), ("b", 7001), ("::2", 7002)], 0),
        ("rediss+cluster://a/0", Form.CLUSTER, [("a", 6379)], 0),
        ("redis+sentinel://a,b:1/cache", Form.SENTINEL, [("a", 26379), ("b", 1)], 0),
        ("rediss+sentinel://a/cache/7", Form.SENTINEL, [("a", 26379)], 7),
    ],
)
def test_forms(url: str, form: Form, addresses: list[tuple[str, int]], db: int) -> None:
    parsed = parse_url(url)
    assert (parsed.form, list(parsed.addresses), parsed.db) == (form, [Address(*one) for one in addresses], db)
    assert (parsed.tls is not None) is url.startswith(("rediss", "valkeys"))


def test_valkey_is_another_name_of_redis_in_every_form() -> None:
    of_redis = [scheme for scheme in SCHEMES if scheme.startswith("redis")]
    assert len(of_redis) == 6
    assert len(SCHEMES) == 13
    for scheme in of_redis:
        rest = "://u:p@a:1/service" if scheme.endswith("sentinel") else "://u:p@a:1"
        assert parse_url(scheme.replace("redis", "valkey") + rest) == parse_url(scheme + rest)


@each_row(
    "userinfo, username, password",
    [
        ("", None, None),
        ("@", None, None),
        (":secret@", None, "secret"),
        ("user:secret@", "user", "secret"),
        ("user@", "user", None),
        ("us%40er:s%2Fe%3Fc%23r%25et@", "us@er", "s/e?c#r%et"),
        ("user:a:b@c@", "user", "a:b@c"),
    ],
)
def test_user_info(userinfo: str, username: str | None, password: str | None) -> None:
    for url in (f"redis://{userinfo}h", f"unix://{userinfo}/s", f"redis+cluster://{userinfo}h,i"):
        assert parse_url(url).credentials == Credentials(username, password)


def test_socket_path_service_and_sentinel_user() -> None:
    assert parse_url("unix://u:p@/run/a%20b.sock").path == "/run/a b.sock"
    sentinel = parse_url("redis+sentinel://:p@h/my%2Fcache?sentinel_username=s&sentinel_password=q%26")
    assert (sentinel.service, sentinel.sentinel_credentials) == ("my/cache", Credentials("s", "q&"))


def test_tls_options(tmp_path: Path) -> None:
    pem = tmp_path / "ca.pem"
    pem.touch()
    tls = parse_url(f"rediss://h?ssl_ca_certs={pem}&ssl_certfile={pem}&ssl_keyfile={pem}").tls
    assert tls is not None
    assert (tls.ca_certs, tls.certfile, tls.keyfile) == (str(pem),) * 3
    assert (tls.check_hostname, tls.verify) == (True, True)
    loose = parse_url("rediss://h?ssl_check_hostname=false&ssl_cert_reqs=none").tls
    assert loose is not None
    assert (loose.check_hostname, loose.verify) == (False, False)


@each_row(
    "url, says",
    [
        ("", "must begin with"),
        ("cache:6379", "must begin with"),
        ("http://:SECRET@cache", "must begin with"),
        ("REDIS://cache", "must begin with"),
        ("redis+tls://cache", "must begin with"),
        ("redis://", "a host must be"),
        ("redis://:SECRET@", "a host must be"),
        ("redis://a,b", "several hosts"),
        ("redis://a:0", "1–65535"),
        ("redis://a:65536", "1–65535"),
        ("redis://user:SECRET/X@cache", "%2F"),
        ("redis://:SECRET?x@cache", "a host must be|option"),
        ("redis://:SECRET#x@cache", "%23"),
        ("redis://a:b:c", "a host must be"),
        ("redis://::1", "a host must be"),
        ("redis://[::1", "a host must be"),
        ("redis://a/SECRET", "database must be a number"),
        ("redis://a/-1", "database must be a number"),
        ("redis://a/1?db=1", "twice"),
        ("redis://a?db=x", "database must be a number"),
        ("redis://a?SECRET=1", "does not know"),
        ("redis://a?ssl_ca_certs=/x", "does not know"),
        ("redis://a?db=1&db=2", "given twice"),
        ("rediss://a?ssl_ca_certs=/SECRET/none", "ssl_ca_certs names no file"),
        ("rediss://a?ssl_cert_reqs=SECRET", "required or none"),
        ("rediss://a?ssl_check_hostname=SECRET", "true or false"),
        ("rediss://a?ssl_keyfile=/dev/null", "names no file"),
        ("unix://run/redis.sock", "absolute"),
        ("unix://", "path"),
        ("unix:///", "path"),
        ("redis+cluster://a,,b", "a host must be"),
        ("redis+cluster://a/1", "database 0"),
        ("redis+sentinel://a", "name the service"),
        ("redis+sentinel://a//0", "name the service"),
        ("redis+sentinel://a/s/x", "database must be a number"),
    ],
)
def test_faults_name_themselves_and_not_the_url(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        validate_url(url)
    assert "SECRET" not in str(caught.value)


@given(
    scheme=st.sampled_from(sorted(SCHEMES)),
    before=st.text(alphabet="ab:/?#@,[]&=%0"),
    after=st.text(alphabet="ab:/?#@,[]&=%0"),
)
def test_no_fault_repeats_a_password_wherever_it_stands(scheme: str, before: str, after: str) -> None:
    assert "SECRET" not in fault_of(f"{scheme}://{before}SECRET{after}")


def fault_of(url: str) -> str:
    try:
        validate_url(url)
    except ValueError as error:
        return str(error)
    return ""


def test_what_was_parsed_does_not_show_the_password() -> None:
    assert "SECRET" not in repr(parse_url("redis+sentinel://u:SECRET@h/s?sentinel_password=SECRET"))
