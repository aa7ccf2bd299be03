"""``/oauth/authorize``: a login form, so that a page can sign in by code flow with PKCE (RFC 6749, 4.1; RFC 7636).

There is no password: anybody who reaches the sandbox may sign in as anybody.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Blueprint, Response, redirect, render_template_string, request
from werkzeug.wrappers import Response as Answer

from service.sandbox.authorization_codes import Login
from service.sandbox.errors import BadRequest
from service.sandbox.issuer import PAGE_CLIENT
from service.sandbox.parts import parts

blueprint = Blueprint("login", __name__)

_ROLES = ("scenario_metric_viewer", "scenario_job_viewer", "scenario_execution_viewer", "viewer")
_CHECKED = _ROLES[:3]
_CHALLENGE = re.compile(r"[\w-]{43}", re.ASCII)
_GROUP = re.compile(r"[\w.-]{4,64}", re.ASCII)
_KEPT = ("response_type", "client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'"
_FORM = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>Sign in to the sandbox</title>
<style>
  :root { color-scheme: light dark; font: 15px/1.5 system-ui, Arial, sans-serif; }
  main { max-width: 30rem; margin: 8vh auto; padding: 0 1rem; }
  fieldset, label.field { display: block; margin: 0 0 1rem; border: 0; padding: 0; }
  label { display: block; padding: 2px 0; }
  input[type=text] { display: block; width: 100%; box-sizing: border-box; font: inherit; padding: 4px 8px; }
  legend { font-weight: 600; padding: 0; } button { font: inherit; padding: 6px 16px; }
</style></head>
<body><main>
<h1>Sign in to the sandbox</h1>
<p>Any name will do: there is no password.</p>
<form method="post">
  {% for name, value in kept %}<input type="hidden" name="{{ name }}" value="{{ value }}">{% endfor %}
  <label class="field">Name <input type="text" name="subject" value="demo-user" required maxlength="100"></label>
  <fieldset><legend>Roles</legend>
  {% for role in roles %}
  <label><input type="checkbox" name="role" value="{{ role }}" {{ "checked" if role in checked }}> {{ role }}</label>
  {% endfor %}
  </fieldset>
  <label class="field">Resource groups, separated by commas; none for all <input type="text" name="groups"></label>
  <label class="field">Time zone <input type="text" name="zone" placeholder="Europe/Berlin"></label>
  <button>Sign in</button>
</form>
</main></body></html>
"""


@blueprint.get("/oauth/authorize")
def form() -> Response:
    _check(request.args)
    kept = [(name, request.args[name]) for name in _KEPT if name in request.args]
    answer = Response(render_template_string(_FORM, kept=kept, roles=_ROLES, checked=_CHECKED))
    answer.headers["Content-Security-Policy"] = _POLICY
    answer.headers["Cache-Control"] = "no-store"
    return answer


@blueprint.post("/oauth/authorize")
def choose() -> Answer:
    chosen = request.form
    _check(chosen)
    groups = tuple(group for group in re.split(r"[\s,]+", chosen.get("groups", "")) if group)
    if not all(map(_GROUP.fullmatch, groups)):
        raise BadRequest("a resource group has 4 to 64 letters, digits, _, . or -", "groups")
    code = parts().codes.give(
        Login(
            chosen["redirect_uri"],
            chosen["code_challenge"],
            chosen.get("subject") or "demo-user",
            tuple(role for role in chosen.getlist("role") if role in _ROLES),
            groups,
            chosen.get("zone", "").strip() or None,
        )
    )
    return redirect(_with_query(chosen["redirect_uri"], {"code": code, "state": chosen.get("state", "")}), 303)


def _check(given: Mapping[str, str]) -> None:
    """Raises ``BadRequest``: only a valid request is redirected."""
    uri = urlsplit(given.get("redirect_uri", ""))
    if uri.scheme not in {"http", "https"} or uri.hostname not in _LOOPBACK or uri.fragment:
        raise BadRequest("must be an address of this machine", "redirect_uri")
    if given.get("client_id") != PAGE_CLIENT:
        raise BadRequest(f"must be {PAGE_CLIENT}", "client_id")
    if given.get("response_type") != "code":
        raise BadRequest("must be code", "response_type")
    if given.get("code_challenge_method") != "S256":
        raise BadRequest("must be S256", "code_challenge_method")
    if not _CHALLENGE.fullmatch(given.get("code_challenge", "")):
        raise BadRequest("must be an S256 code challenge", "code_challenge")


def _with_query(url: str, added: Mapping[str, str]) -> str:
    split = urlsplit(url)
    return urlunsplit(split._replace(query=urlencode([*parse_qsl(split.query), *added.items()])))
