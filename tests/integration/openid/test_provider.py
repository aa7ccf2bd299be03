"""An independent opinion: access tokens (RFC 9068) of a certified OpenID provider that nobody here wrote."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jwt
import pytest
from flask.testing import FlaskClient

from service.app import close, create_app
from service.settings import AuthSettings, RuntimeAuth, RuntimeSettings, Settings
from testing.waiting import eventually
from tests.integration.openid.conftest import Start, ec_jwk, ed_jwk, rsa_jwk
from tests.servers.scripted_runtime import scripted_runtime

pytestmark = pytest.mark.slow

TAGS = "/runs/run1/tags"
Get = Callable[..., Any]


@contextmanager
def trusting(issuer: str, audience: str = "metric-resource", **changes: Any) -> Iterator[Get]:
    """A service that knows of the provider nothing but its name."""
    with scripted_runtime() as runtime:
        auth = AuthSettings(issuers=(issuer,), audiences=(audience,), **changes)
        app = create_app(Settings(RuntimeSettings(runtime.url, auth=RuntimeAuth.NONE), auth))
        client: FlaskClient = app.test_client()
        try:
            yield lambda token, path=TAGS: client.get(path, headers={"Authorization": f"Bearer {token}"})
        finally:
            close(app)


@pytest.mark.parametrize("key", [rsa_jwk, ec_jwk])
def test_its_access_tokens_are_read_end_to_end(start: Start, key: Callable[[str], dict[str, Any]]) -> None:
    with start(key("first")) as provider, trusting(provider.issuer) as get:
        token = provider.token()
        assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
        answer = get(token, "/runs/run1/metric-resource")
        assert (answer.status_code, json.loads(answer.data)["timezone"]) == (200, "Europe/Berlin")


def test_its_edwards_keys_count_where_they_are_configured_and_only_there(start: Start) -> None:
    with start(ed_jwk("first")) as provider:
        token = provider.token()
        assert jwt.get_unverified_header(token)["alg"] == "EdDSA"
        with trusting(provider.issuer, algorithms=("RS256", "EdDSA")) as get:
            assert get(token, "/runs/run1/metric-resource").status_code == 200
            assert get(token[:-6] + "AAAAAA").status_code == 401
        with trusting(provider.issuer) as get:
            assert get(token).status_code == 401


def test_what_its_tokens_do_not_grant_is_refused(start: Start) -> None:
    with start(rsa_jwk("first")) as provider, trusting(provider.issuer) as get:
        for scope in (None, "scenarios.executions.read"):
            assert get(provider.token(scope=scope)).status_code == 403
        both = provider.token(scope="scenarios.executions.read scenarios.metrics.read")
        assert get(both).status_code == 200
        assert get(both[:-6] + "AAAAAA").status_code == 401
    with start(rsa_jwk("first")) as provider, trusting(provider.issuer, audience="another") as get:
        assert get(provider.token()).status_code == 401


def test_another_provider_with_the_same_key_id_is_not_believed(start: Start) -> None:
    with start(rsa_jwk("first")) as ours, start(rsa_jwk("first")) as theirs, trusting(ours.issuer) as get:
        assert get(theirs.token()).status_code == 401
        assert get(ours.token()).status_code == 200


def test_a_new_key_works_and_the_old_one_beside_it(start: Start) -> None:
    old, new = rsa_jwk("old"), ec_jwk("new")
    with start(old) as provider, trusting(provider.issuer) as get:
        before, unseen = provider.token(), provider.token("bob")
        assert get(before).status_code == 200
        provider.end()
        with start(new, old, port=provider.port) as rotated:
            after = rotated.token()
            assert jwt.get_unverified_header(after)["kid"] == "new"
            eventually(lambda: get(after).status_code == 200)
            assert [get(token).status_code for token in (before, unseen)] == [200, 200]


def test_keys_that_are_known_hold_while_the_provider_is_down(start: Start) -> None:
    with start(rsa_jwk("first")) as provider, trusting(provider.issuer) as get:
        first, unseen = provider.token(), provider.token("bob")
        assert get(first).status_code == 200
        provider.end()
        assert get(unseen).status_code == 200
