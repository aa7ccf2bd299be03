"""Tokens of the runtime, the token endpoint, and resource groups kept apart."""

from __future__ import annotations

from typing import Any

import pytest

from service.sandbox.app import parts_of
from tests.rows import each_row

RESEARCH_RUN = "0be5d3f7-e948-4a60-8217-3c9af0d71b1a"
DEFAULT_RUN = "5b0f6d52-3a57-4c0e-9d0b-6f1f4f2b8a11"
GRANT = {"grant_type": "client_credentials"}
CLIENT = {"client_id": "sandbox-client", "client_secret": "sandbox-secret"}


def token(api: Any, **options: Any) -> Any:
    return api.session.post(f"{api.url}/oauth/token", timeout=30, **options)


@pytest.mark.parametrize("options", [{"data": GRANT | CLIENT}, {"data": GRANT, "auth": tuple(CLIENT.values())}])
def test_a_token_by_form_and_by_basic(api: Any, options: dict[str, Any]) -> None:
    answer = token(api, **options)
    body = answer.json()
    assert (answer.status_code, body["token_type"]) == (200, "bearer")
    assert body["expires_in"] > 0
    assert answer.headers["Cache-Control"] == "no-store"
    headers = {"Authorization": f"Bearer {body['access_token']}"}
    assert api.session.get(f"{api.url}/v2/lm/meta", headers=headers, timeout=30).status_code == 200


@each_row(
    "options, status, error",
    [
        ({"data": CLIENT}, 400, "invalid_request"),
        ({"data": GRANT | CLIENT | {"client_id": ["sandbox-client", "x"]}}, 400, "invalid_request"),
        ({"data": CLIENT | {"grant_type": "password"}}, 400, "unsupported_grant_type"),
        ({"data": GRANT}, 401, "invalid_client"),
        ({"data": GRANT | CLIENT | {"client_secret": "wrong"}}, 401, "invalid_client"),
        ({"data": GRANT, "auth": ("sandbox-client", "wrong")}, 401, "invalid_client"),
        ({"data": GRANT, "auth": ("ünknown", "ß")}, 401, "invalid_client"),
    ],
)
def test_refusals_of_the_token_endpoint(api: Any, options: dict[str, Any], status: int, error: str) -> None:
    if "auth" in options:
        options["auth"] = tuple(part.encode() for part in options["auth"])
    answer = token(api, **options)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert ("WWW-Authenticate" in answer.headers) == (status == 401)


def test_the_address_of_the_issuer_gives_tokens_too(api: Any) -> None:
    assert api.session.post(f"{api.url}/", data=GRANT | CLIENT, timeout=30).json()["token_type"] == "bearer"


def test_the_token_endpoint_takes_posts_only(api: Any) -> None:
    assert api.session.get(f"{api.url}/oauth/token", timeout=30).status_code == 405


def test_requests_without_a_good_token(api: Any) -> None:
    issuer = parts_of(api.app).issuer
    user, late = issuer.mint(roles=["scenario_metric_viewer"]), issuer.mint(audience="ai-api", lifetime=-1)
    good = api.token()
    bad = [None, "", "Bearer", "Basic abc", "Bearer abc", f"Bearer {user}", f"Bearer {late}", f"Bearer {good[:-4]}AAAA"]
    for value in bad:
        for path in ("/meta", "/metrics?executionIds=abcd", "/executions", "/no-such"):
            answer = api.session.get(
                f"{api.url}/v2/lm{path}",
                headers={"AI-Resource-Group": "default"} | ({"Authorization": value} if value is not None else {}),
                timeout=30,
            )
            api.assert_error(answer, 401)
            assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_users_token_for_the_runtime_opens_it(api: Any) -> None:
    user = parts_of(api.app).issuer.mint(audience=["metric-resource", "ai-api"])
    assert api.call("GET", "/executions", headers={"Authorization": f"bearer {user}"}).status_code == 200


def test_the_resource_group_must_be_named_except_for_meta(api: Any) -> None:
    for path in ("/metrics", "/executions", "/executions/$count", "/configurations", "/artifacts", "/scenarios"):
        api.assert_error(api.call("GET", path, headers={"AI-Resource-Group": None}), 400, "AI-Resource-Group")
    assert api.call("GET", "/meta", headers={"AI-Resource-Group": None}).status_code == 200


@each_row("group", ["abc", "a" * 65, "a/../b", "with space"])
def test_what_is_no_resource_group(api: Any, group: str) -> None:
    api.assert_error(api.call("GET", "/executions", headers={"AI-Resource-Group": group}), 400, "AI-Resource-Group")


def test_groups_do_not_see_each_other(api: Any) -> None:
    research = {"AI-Resource-Group": "research"}
    for mine, other, headers in ((DEFAULT_RUN, RESEARCH_RUN, {}), (RESEARCH_RUN, DEFAULT_RUN, research)):
        assert api.call("GET", f"/executions/{mine}", headers=headers).status_code == 200
        api.assert_error(api.call("GET", f"/executions/{other}", headers=headers), 404)
        wanted = {"executionIds": f"{mine},{other}"}
        found = api.call("GET", "/metrics", params=wanted, headers=headers).json()["resources"]
        assert [resource["executionId"] for resource in found] == [mine]
        body = {"executionId": other, "metrics": [{"name": "m", "value": 1}]}
        api.assert_error(api.call("PATCH", "/metrics", json=body, headers=headers), 400)
        api.assert_error(api.call("DELETE", "/metrics", params={"executionId": other}, headers=headers), 404)
        api.assert_error(api.call("DELETE", f"/executions/{other}", headers=headers), 404)
        listed = api.call("GET", "/executions", headers=headers).json()["resources"]
        assert other not in [execution["id"] for execution in listed]


def test_a_group_that_nobody_used_is_empty(api: Any) -> None:
    assert api.call("GET", "/executions", headers={"AI-Resource-Group": "brand-new"}).json()["count"] == 0


def test_the_callers_request_id_comes_back(api: Any) -> None:
    answer = api.call("GET", "/executions/none-such", headers={"X-Request-ID": "my-request"})
    assert api.assert_error(answer, 404)["requestId"] == "my-request"
