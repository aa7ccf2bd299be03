"""``VCAP_SERVICES``, and how it goes together with the variables about tokens."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.caching.redis.url import Credentials, parse_url
from service.settings import AuthSettings, IdentityBinding, SettingsError, XsuaaBinding, read_settings, risks
from tests.rows import each_row

FaultsOf = Callable[[dict[str, str]], dict[str, str]]

RUNTIME = {"RUNTIME_AUTH": "none", "AICORE_BASE_URL": "https://api.example"}
XSUAA = {
    "clientid": "sb-app!b1",
    "clientsecret": "never kept",
    "url": "https://tenant.auth.example",
    "uaadomain": "auth.example",
    "xsappname": "app!b1",
    "verificationkey": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
    "identityzoneid": "zone",
}
IDENTITY = {"clientid": "id", "url": "https://ias.example", "domains": ["a.example", "b.example"], "app_tid": "tenant"}


def vcap(**services: Any) -> dict[str, str]:
    document = {label: [{"credentials": one} for one in found] for label, found in services.items()}
    return RUNTIME | {"VCAP_SERVICES": json.dumps(document)}


def auth(environment: dict[str, str]) -> AuthSettings:
    return read_settings(environment).auth


def test_bindings_are_picked_up() -> None:
    found = auth(vcap(xsuaa=[XSUAA, XSUAA | {"clientid": "other"}], identity=[IDENTITY], redis=[{}]))
    assert [one.client_id for one in found.xsuaa] == ["sb-app!b1", "other"]
    assert found.xsuaa[0] == XsuaaBinding(
        "sb-app!b1", "app!b1", "https://tenant.auth.example", "auth.example", XSUAA["verificationkey"], "zone"
    )
    assert found.identity == (IdentityBinding("id", "https://ias.example", ("a.example", "b.example"), "tenant"),)
    assert "never kept" not in repr(found)


def test_what_a_binding_may_lack() -> None:
    needed = {name: XSUAA[name] for name in ("clientid", "url", "uaadomain", "xsappname")}
    found = auth(
        vcap(xsuaa=[needed], identity=[{"clientid": "id", "url": "https://ias.example", "domain": "c.example"}])
    )
    assert (found.xsuaa[0].verification_key, found.xsuaa[0].identity_zone_id) == (None, None)
    assert (found.identity[0].domains, found.identity[0].app_tid) == (("c.example",), None)
    assert auth(vcap(identity=[{"clientid": "id", "url": "https://ias.example"}])).identity[0].domains == ()


@each_row(
    "services, detail",
    [
        ({"xsuaa": [XSUAA | {"uaadomain": ""}]}, "xsuaa[0].credentials.uaadomain is missing"),
        ({"xsuaa": [XSUAA, XSUAA | {"clientid": 5}]}, "xsuaa[1].credentials.clientid must be a string"),
        ({"xsuaa": [XSUAA | {"uaadomain": "a.example/x"}]}, "xsuaa[0].credentials.uaadomain must be a host name"),
        ({"xsuaa": [XSUAA | {"uaadomain": "u@a.example"}]}, "xsuaa[0].credentials.uaadomain must be a host name"),
        (
            {"xsuaa": [XSUAA | {"identityzoneid": "a/b"}]},
            "xsuaa[0].credentials.identityzoneid must be 1 to 64 letters, digits, _ or -",
        ),
        (
            {"identity": [IDENTITY | {"app_tid": "a,b"}]},
            "identity[0].credentials.app_tid must be 1 to 128 letters, digits or one of _ . : | ! -",
        ),
        (
            {"identity": [IDENTITY | {"clientid": "a,b"}]},
            "identity[0].credentials.clientid must be 1 to 128 letters, digits or one of _ . : | ! -",
        ),
        ({"xsuaa": [None]}, "xsuaa[0].credentials must be an object"),
        ({"identity": [IDENTITY | {"domains": ["a/b"]}]}, "identity[0].credentials.domains.0 must be a host name"),
        ({"identity": [IDENTITY | {"domains": [1]}]}, "identity[0].credentials.domains.0 must be a string"),
        ({"identity": [IDENTITY | {"domains": {}}]}, "identity[0].credentials.domains.0 must be a string"),
    ],
)
def test_faulty_bindings(faults_of: FaultsOf, services: dict[str, Any], detail: str) -> None:
    assert faults_of(vcap(**services)) == {"VCAP_SERVICES": detail}


@each_row(
    "text, detail",
    [
        ("{", "is not valid JSON"),
        ("[]", "is not a JSON object"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"xsuaa": {}}', "xsuaa must be a list"),
        ('{"xsuaa": ["x"]}', "xsuaa[0].credentials must be an object"),
    ],
)
def test_malformed_is_one_fault(text: str, detail: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(RUNTIME | {"VCAP_SERVICES": text})
    assert str(raised.value) == f"VCAP_SERVICES: {detail}"


def test_malformed_hides_no_fault_but_those_it_may_explain() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({"VCAP_SERVICES": "{", "PORT": "x"})
    assert [fault.variable for fault in raised.value.faults] == ["PORT", "VCAP_SERVICES"]


def test_who_is_trusted_must_be_said(faults_of: FaultsOf) -> None:
    assert faults_of(RUNTIME).keys() == {"JWT_ISSUER", "JWT_AUDIENCE"}
    assert faults_of(RUNTIME | {"JWT_AUDIENCE": "a"}).keys() == {"JWT_ISSUER"}
    assert faults_of(RUNTIME | {"JWT_ISSUER": "https://i.example"}).keys() == {"JWT_AUDIENCE"}
    assert faults_of(vcap(xsuaa=[XSUAA]) | {"JWT_ISSUER": "https://i.example"}).keys() == {"JWT_AUDIENCE"}


def test_what_does_nothing_is_a_fault(faults_of: FaultsOf) -> None:
    both = {"JWT_AUDIENCE": "a", "JWT_JWKS_URL": "https://i.example/keys"}
    assert faults_of(vcap(identity=[IDENTITY]) | both) == dict.fromkeys(both, "does nothing without JWT_ISSUER")


def test_one_key_set_for_each_issuer(faults_of: FaultsOf) -> None:
    two = RUNTIME | {"JWT_ISSUER": "https://a.example,https://b.example", "JWT_AUDIENCE": "a"}
    assert faults_of(two | {"JWT_JWKS_URL": "https://k.example"}) == {
        "JWT_JWKS_URL": "must have one URL for each issuer: 2, not 1"
    }
    keys = auth(two | {"JWT_JWKS_URL": "https://k.example,https://k.example"}).jwks_urls
    assert keys == ("https://k.example", "https://k.example")
    assert faults_of(two | {"JWT_ISSUER": "x", "JWT_JWKS_URL": "https://k.example"}).keys() == {"JWT_ISSUER"}


def test_issuers_beside_a_binding() -> None:
    found = auth(vcap(xsuaa=[XSUAA]) | {"JWT_ISSUER": "https://i.example", "JWT_AUDIENCE": "a"})
    assert (found.issuers, len(found.xsuaa)) == (("https://i.example",), 1)


REDIS = {
    "cluster_mode": False,
    "hostname": "master.cache.example",
    "password": "pass",
    "port": 3283,
    "tls": True,
    "uri": "rediss://no-user-name-for-redis:pass@master.cache.example:3283",
}
"""As a ``redis-cache`` binding of SAP BTP is."""


def redis_url(*credentials: Any, **environment: str) -> str | None:
    bound = {"VCAP_SERVICES": json.dumps({"redis-cache": [{"credentials": one} for one in credentials]})}
    trusted = {"JWT_ISSUER": "https://i.example", "JWT_AUDIENCE": "a"}
    return read_settings(RUNTIME | bound | trusted | environment).cache.redis_url


@each_row(
    "changes, url",
    [
        ({}, "rediss://:pass@master.cache.example:3283"),
        ({"port": "3283"}, "rediss://:pass@master.cache.example:3283"),
        ({"cluster_mode": True}, "rediss+cluster://:pass@master.cache.example:3283"),
        ({"tls": False, "uri": "redis://x:pass@other.example"}, "redis://:pass@master.cache.example:3283"),
        ({"tls": None, "uri": None}, "redis://:pass@master.cache.example:3283"),
        ({"tls": False}, "rediss://:pass@master.cache.example:3283"),
        ({"hostname": "::1"}, "rediss://:pass@[::1]:3283"),
        ({"port": None}, "rediss://:pass@master.cache.example"),
        ({"password": "a/b@c#d%2F?:&é"}, "rediss://:a%2Fb%40c%23d%252F%3F%3A%26%C3%A9@master.cache.example:3283"),
        ({"password": None, "uri": "rediss://u:p%2Fq@h:1"}, "rediss://:p%2Fq@master.cache.example:3283"),
        ({"hostname": None, "password": None, "uri": "rediss://u:a/b@c@h:1/0"}, "rediss://:a%2Fb%40c@h:1/0"),
        ({"hostname": None, "password": "p/q", "uri": "redis://h:1"}, "rediss://:p%2Fq@h:1"),
    ],
)
def test_a_redis_binding(changes: dict[str, Any], url: str) -> None:
    assert redis_url(REDIS | changes) == url


def test_the_first_redis_binding_counts_where_no_url_is_given() -> None:
    assert redis_url(REDIS, {"hostname": "second"}) == "rediss://:pass@master.cache.example:3283"
    assert redis_url(REDIS, REDIS_URL="valkey://mine") == "valkey://mine"
    assert redis_url({}, REDIS_URL="valkey://mine") == "valkey://mine"
    assert redis_url() is None


@given(st.text(min_size=1).filter(lambda text: text == text.strip()))
def test_any_password_of_a_redis_binding_arrives(password: str) -> None:
    try:
        url = redis_url(REDIS | {"password": password, "uri": f"rediss://no-user-name-for-redis:{password}@h:1"})
    except SettingsError:
        with pytest.raises(UnicodeEncodeError):
            password.encode()
        return
    assert url is not None
    assert parse_url(url).credentials == Credentials(None, password)


@each_row(
    "credentials, detail",
    [
        ({}, "redis-cache[0].credentials.hostname is missing"),
        ({"uri": "master.example"}, "redis-cache[0].credentials.hostname is missing"),
        (REDIS | {"hostname": "a/b"}, "redis-cache[0].credentials.hostname must be an address or a host name"),
        (REDIS | {"hostname": ["a"]}, "redis-cache[0].credentials.hostname must be a string"),
        (REDIS | {"port": 0}, "redis-cache[0].credentials.port must be a whole number from 1 to 65535, not '0'"),
        (REDIS | {"port": True}, "redis-cache[0].credentials.port must be a string"),
        (REDIS | {"password": 5}, "redis-cache[0].credentials.password must be a string"),
        (REDIS | {"tls": "yes"}, "redis-cache[0].credentials.tls must be true or false"),
        (REDIS | {"cluster_mode": 1}, "redis-cache[0].credentials.cluster_mode must be true or false"),
        (
            {"uri": "redis://u:p@a,b"},
            "redis-cache[0].credentials it names several hosts; only +cluster and +sentinel take several",
        ),
        ("text", "redis-cache[0].credentials must be an object"),
    ],
)
def test_faulty_redis_bindings(faults_of: FaultsOf, credentials: Any, detail: str) -> None:
    trusted = {"JWT_ISSUER": "https://i.example", "JWT_AUDIENCE": "a"}
    bound = {"VCAP_SERVICES": json.dumps({"redis-cache": [{"credentials": credentials}]})}
    assert faults_of(RUNTIME | trusted | bound) == {"VCAP_SERVICES": detail}


def test_redis_without_a_secret_is_a_risk_however_it_is_given(complete: dict[str, str]) -> None:
    bound = {"VCAP_SERVICES": json.dumps({"redis-cache": [{"credentials": REDIS}]})}
    for given_by in ({"REDIS_URL": "redis://a"}, bound):
        (risk,) = risks(read_settings(complete | given_by))
        assert str(risk).startswith("CACHE_SECRET: is not set: whoever can write to Redis can forge answers")
        assert not list(risks(read_settings(complete | given_by | {"CACHE_SECRET": "x" * 32})))
    assert not list(risks(read_settings(complete)))
