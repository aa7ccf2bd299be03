"""``/oauth/token``: access tokens for clients of the runtime, by client credentials (RFC 6749, section 4.4), and for
users of the service, by the code that ``/oauth/authorize`` gave a page.

``POST /`` does the same: some clients add ``/oauth/token`` to the address they are given, others ask it as it is.
"""

from __future__ import annotations

import hmac
from typing import Any
from urllib.parse import unquote_plus

from flask import Blueprint, Response, jsonify, request

from service.sandbox.issuer import CLIENT_SECONDS, PAGE_CLIENT
from service.sandbox.parts import Client, parts

blueprint = Blueprint("oauth", __name__)

_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache", "Access-Control-Allow-Origin": "*"}
_USER_SECONDS = 3600


@blueprint.post("/oauth/token")
@blueprint.post("/")
def token() -> Response:
    grant = request.form.get("grant_type")
    if grant is None:
        return _refusal(400, "invalid_request", "grant_type is missing")
    if _several():
        return _refusal(400, "invalid_request", "a parameter is given more than once")
    if grant == "authorization_code":
        return _of_user()
    if not _is_client(parts().client):
        return _refusal(401, "invalid_client", "unknown client, or the wrong secret")
    if grant != "client_credentials":
        return _refusal(400, "unsupported_grant_type", "only client_credentials and authorization_code are supported")
    return _answer(200, _granted(parts().client))


def _granted(client: Client) -> dict[str, Any]:
    return {
        "access_token": parts().issuer.mint_for_client(client.id),
        "token_type": "bearer",
        "expires_in": CLIENT_SECONDS,
    }


def _of_user() -> Response:
    """A public client shows by its code verifier that it asked for the code (RFC 7636, 4.5)."""
    given = request.form
    login = parts().codes.take(given.get("code", ""), given.get("redirect_uri", ""), given.get("code_verifier", ""))
    if given.get("client_id") != PAGE_CLIENT or login is None:
        return _refusal(400, "invalid_grant", "the code is not valid, or not any more")
    access_token = parts().issuer.mint(
        roles=login.roles,
        resource_groups=login.resource_groups,
        zone=login.zone,
        subject=login.subject,
        lifetime=_USER_SECONDS,
    )
    return _answer(200, {"access_token": access_token, "token_type": "bearer", "expires_in": _USER_SECONDS})


def _several() -> bool:
    return any(len(values) > 1 for _, values in request.form.lists())


def _is_client(client: Client) -> bool:
    given_id, given_secret = _given()
    known = hmac.compare_digest(given_id.encode(), client.id.encode())
    return hmac.compare_digest(given_secret.encode(), client.secret.encode()) and known


def _given() -> tuple[str, str]:
    """Id and secret, from HTTP Basic, where they are form-encoded (RFC 6749, section 2.3.1), or from the body."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return unquote_plus(basic.username or ""), unquote_plus(basic.password or "")
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _refusal(status: int, error: str, description: str) -> Response:
    answer = _answer(status, {"error": error, "error_description": description})
    if status == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="sandbox", charset="UTF-8"'
    return answer


def _answer(status: int, body: dict[str, Any]) -> Response:
    answer = jsonify(body)
    answer.status_code = status
    answer.headers.update(_NOT_KEPT)
    return answer
