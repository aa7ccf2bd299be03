"""Any mapping gives settings or a ``SettingsError``, and no secret of it is ever repeated."""

import json
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.settings import Settings, SettingsError, describe, read_settings
from service.settings.sources import PARTS, PLACES, RESOURCE_GROUP, SERVICE_KEY
from service.settings.table import TABLE
from tests.rows import each_row

CANARY = "cAnArY-0123456789"
NAMES = [*(variable.name for variable in TABLE), *PARTS.values(), *PLACES, RESOURCE_GROUP, SERVICE_KEY, "VCAP_SERVICES"]
TEXTS = st.one_of(
    st.text(max_size=40),
    st.from_regex(r"https?://[a-z]{1,9}(:[0-9]{1,6})?(/[a-z0-9]*)?(,https://[a-z]+)?", fullmatch=True),
    st.from_regex(r"[0-9]{1,5}(\.[0-9])?", fullmatch=True),
    st.sampled_from(["service", "forward", "none", "true", "RS256", "UTC", "*", "{}", "[]", "-----BEGIN X"]),
)
WITHOUT_SECRET = {
    "AICORE_BASE_URL": "https://api.example",
    "AICORE_AUTH_URL": "https://auth.example",
    "AICORE_CLIENT_ID": "client",
    "JWT_ISSUER": "https://issuer.example",
    "JWT_AUDIENCE": "metric-resource",
}
COMPLETE = WITHOUT_SECRET | {"AICORE_CLIENT_SECRET": CANARY}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["xsuaa", "identity", "aicore", "credentials", "clientid", "url", "uaadomain", "domains", "serviceurls"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


def outcome(environment: dict[str, str]) -> Settings | SettingsError:
    try:
        return read_settings(environment)
    except SettingsError as error:
        return error


def text_of(found: Settings | SettingsError) -> str:
    """All that anyone gets to read."""
    if isinstance(found, SettingsError):
        assert found.faults
        assert len(str(found).splitlines()) == len(found.faults)
        return f"{found} {found!r}"
    shown = describe(found)
    assert all(value.isprintable() for _, value in shown)
    return f"{found} {found!r} {shown}"


@given(st.dictionaries(st.sampled_from(NAMES) | st.text(max_size=20), TEXTS | JSON.map(json.dumps)))
def test_any_mapping(environment: dict[str, str]) -> None:
    assert text_of(outcome(environment))


@given(st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=2))
def test_any_change_of_a_complete_mapping(environment: dict[str, str]) -> None:
    assert text_of(outcome(COMPLETE | environment))


@given(JSON.map(json.dumps), st.sampled_from(["VCAP_SERVICES", SERVICE_KEY]))
def test_any_json(complete_text: str, name: str) -> None:
    assert text_of(outcome({name: complete_text, "RUNTIME_AUTH": "service"}))


AROUND = st.sampled_from(
    ["{}", "{}\n", " {}", "x{}x", '{{"clientsecret": "{}"', '"{}"', "redis://:{}@h", "https://u:{}@h"]
)


@pytest.mark.parametrize(
    "name",
    [
        "AICORE_CLIENT_SECRET",
        "AICORE_CERT_STR",
        "AICORE_KEY_STR",
        SERVICE_KEY,
        "VCAP_SERVICES",
        "CACHE_SECRET",
        "REDIS_URL",
    ],
)
@given(form=AROUND)
def test_secrets_are_not_shown(name: str, form: str) -> None:
    for environment in ({}, WITHOUT_SECRET, COMPLETE):
        assert CANARY not in text_of(outcome(environment | {name: form.format(CANARY)}))


@each_row("name", ["AICORE_BASE_URL", "AICORE_AUTH_URL", "JWT_ISSUER", "JWT_JWKS_URL", "CORS_ORIGINS"])
def test_passwords_in_urls_are_not_shown(complete: dict[str, str], name: str) -> None:
    found = outcome(complete | {name: f"https://user:{CANARY}@host.example"})
    assert isinstance(found, SettingsError)
    assert CANARY not in text_of(found)


def test_secrets_in_members_are_not_shown() -> None:
    members = dict.fromkeys(["clientid", "clientsecret", "url", "certurl", "certificate", "key"], f"{CANARY} \n")
    for key in (members, members | {"clientsecret": [CANARY]}, members | {"serviceurls": CANARY}):
        services = {label: [{"credentials": key}] for label in ("aicore", "xsuaa", "identity")}
        assert CANARY not in text_of(outcome({"VCAP_SERVICES": json.dumps(services)}))
        assert CANARY not in text_of(outcome({SERVICE_KEY: json.dumps(key)}))


def test_no_secret_hangs_on_to_the_error() -> None:
    found = outcome({SERVICE_KEY: f'{{"clientsecret": "{CANARY}"'})
    assert isinstance(found, SettingsError)
    assert (found.__cause__, found.__context__) == (None, None)


def test_the_error_can_be_pickled() -> None:
    found = outcome({})
    assert isinstance(found, SettingsError)
    assert pickle.loads(pickle.dumps(found)).faults == found.faults


def test_description(complete: dict[str, str]) -> None:
    environment = complete | {"CACHE_SECRET": "32 letters, and none to be known", "REDIS_URL": "redis://:pw@host"}
    shown = describe(read_settings(environment))
    assert [name for name, value in shown if value == "***"] == ["AICORE_CLIENT_SECRET", "CACHE_SECRET", "REDIS_URL"]
    assert dict(shown)["AICORE_AUTH_URL"] == "https://auth.example/oauth/token"
    assert {variable.name for variable in TABLE} <= dict(shown).keys()
