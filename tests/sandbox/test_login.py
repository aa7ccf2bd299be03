"""The sandbox's login form and code flow, as a page uses them."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

import jwt
import pytest

from service.sandbox.authorization_codes import challenge_of

VERIFIER = "a-verifier-of-forty-three-characters-or-more"
BACK = "http://127.0.0.1:8000/ui/"
ASKED = {
    "response_type": "code",
    "client_id": "page",
    "redirect_uri": BACK,
    "state": 's&"<1>',
    "code_challenge": challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def code(api: Any, **chosen: Any) -> str:
    answer = api.session.post(f"{api.url}/oauth/authorize", data=ASKED | chosen, allow_redirects=False, timeout=30)
    assert answer.status_code == 303, answer.text
    location = urlsplit(answer.headers["Location"])
    assert location._replace(query="").geturl() == BACK
    given = parse_qs(location.query)
    assert given["state"] == [ASKED["state"]]
    return given["code"][0]


def token(api: Any, code: str, **other: str) -> Any:
    form = {"grant_type": "authorization_code", "client_id": "page", "redirect_uri": BACK, "code": code}
    return api.session.post(f"{api.url}/oauth/token", data=form | {"code_verifier": VERIFIER} | other, timeout=30)


def test_what_is_chosen_is_in_the_token(api: Any) -> None:
    chosen = {
        "subject": "ada",
        "role": ["scenario_metric_viewer", "no_such"],
        "groups": "default, research",
        "zone": "Asia/Tokyo",
    }
    answer = token(api, code(api, **chosen))
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "no-store"
    claims = jwt.decode(answer.json()["access_token"], options={"verify_signature": False})
    assert (claims["sub"], claims["roles"], claims["zoneinfo"]) == ("ada", ["scenario_metric_viewer"], "Asia/Tokyo")
    assert claims["xs.user.attributes"] == {"allowed_all_resourcegroups": ["default", "research"]}


def test_a_code_is_good_once_and_for_its_asker_alone(api: Any) -> None:
    once = code(api)
    assert token(api, once).status_code == 200
    assert token(api, once).json()["error"] == "invalid_grant"
    for other in ({"code_verifier": "x" * 43}, {"redirect_uri": BACK + "x"}, {"client_id": "another"}):
        assert token(api, code(api), **other).json()["error"] == "invalid_grant"


@pytest.mark.parametrize(
    "wrong",
    [
        {"redirect_uri": "https://elsewhere.example/"},
        {"redirect_uri": "javascript:alert(1)"},
        {"client_id": "another"},
        {"response_type": "token"},
        {"code_challenge_method": "plain"},
        {"code_challenge": "short"},
    ],
)
def test_only_a_valid_request_is_redirected(api: Any, wrong: dict[str, str]) -> None:
    for ask in (api.session.get, api.session.post):
        sent = {"params": ASKED | wrong} if ask == api.session.get else {"data": ASKED | wrong}
        answer = ask(f"{api.url}/oauth/authorize", allow_redirects=False, timeout=30, **sent)
        assert answer.status_code == 400
        assert answer.json()["error"]["target"] in wrong


def test_the_form_shows_what_it_was_given_as_text(api: Any) -> None:
    answer = api.session.get(f"{api.url}/oauth/authorize", params=ASKED, timeout=30)
    assert 'value="s&amp;&#34;&lt;1&gt;"' in answer.text
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
