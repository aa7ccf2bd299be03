"""The guard: no rule, no answer; a rule is applied before anything else is looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import cast

import pytest
from flask import Flask

from service.api.http import guards
from service.api.http.context import current_request
from service.domain.access import AccessRule, Grants, Principal, Scope, TokenVerifier
from service.domain.errors import Forbidden, Unauthenticated
from tests.rows import each_row

GRANTS = {
    Scope.METRICS_READ: Grants(("viewer", "reader"), ("viewers", "all")),
    Scope.EXECUTIONS_READ: Grants(("operator", "viewer"), ("all",)),
}


class Verifier:
    """Takes a token for the names of its scopes; notes what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str | None] = []

    def verify(self, authorization: str | None) -> Principal:
        self.asked.append(authorization)
        if authorization is None:
            raise Unauthenticated("there is no token")
        return Principal("ada", "t", "i", frozenset(authorization.split()), None, 1e12, "token")

    def known(self, authorization: str | None) -> Principal | None:
        return None


class Directory:
    def granting(self, scope: str) -> Grants:
        return GRANTS[Scope(scope)]


def served(view: Callable[[], str], verifier: Verifier) -> Flask:
    app = Flask(__name__)
    app.config["PROPAGATE_EXCEPTIONS"] = True
    app.add_url_rule("/", "view", view, methods=["GET", "POST"])
    guards.register(app, cast(TokenVerifier, verifier), Directory())
    return app


def new_view() -> Callable[[], str]:
    """A view of its own for each test: a rule is an attribute of it."""

    def view() -> str:
        caller = current_request().principal
        return "nobody" if caller is None else caller.subject

    return view


def test_a_route_without_a_rule_refuses_everybody_and_is_found_before_it_starts() -> None:
    verifier = Verifier()
    app = served(new_view(), verifier)
    assert guards.without_rule(app) == ["static", "view"]
    with pytest.raises(Forbidden):
        app.test_client().get("/", headers={"Authorization": Scope.METRICS_READ})
    assert verifier.asked == []


def test_an_open_route_asks_for_no_token_and_knows_no_caller() -> None:
    verifier = Verifier()
    app = served(guards.open_to_everyone(new_view()), verifier)
    assert guards.without_rule(app) == ["static"]
    assert guards.rule_of(app, "view") == AccessRule(token=False)
    assert app.test_client().get("/", headers={"Authorization": "x"}).text == "nobody"
    assert verifier.asked == []


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_guarded_route_has_its_caller_verified_once(method: str) -> None:
    verifier = Verifier()
    app = served(guards.requires(Scope.METRICS_READ)(new_view()), verifier)
    answer = app.test_client().open("/", method=method, headers={"Authorization": Scope.METRICS_READ})
    assert (answer.status_code, answer.text) == (200, "ada" if method == "GET" else "")
    assert verifier.asked == [Scope.METRICS_READ]
    with pytest.raises(Unauthenticated):
        app.test_client().open("/", method=method)


@each_row(
    "carried, missing, roles, collections",
    [
        ("", (Scope.METRICS_READ, Scope.EXECUTIONS_READ), ("viewer",), ("all",)),
        (Scope.METRICS_READ, (Scope.EXECUTIONS_READ,), ("operator", "viewer"), ("all",)),
        (Scope.EXECUTIONS_READ, (Scope.METRICS_READ,), ("viewer", "reader"), ("viewers", "all")),
    ],
)
def test_a_refusal_names_what_is_missing_and_what_grants_all_of_it(
    carried: str, missing: tuple[Scope, ...], roles: tuple[str, ...], collections: tuple[str, ...]
) -> None:
    app = served(guards.requires(Scope.METRICS_READ, Scope.EXECUTIONS_READ)(new_view()), Verifier())
    with pytest.raises(Forbidden) as refused:
        app.test_client().get("/", headers={"Authorization": carried})
    assert refused.value.scope == " ".join(missing)
    assert (refused.value.roles, refused.value.role_collections) == (roles, collections)
    said = f"scope {missing[0]} is" if len(missing) == 1 else f"scopes {missing[0]} and {missing[1]} are"
    grant = "it" if len(missing) == 1 else "them all"
    assert str(refused.value) == f"the {said} missing; the roles and role collections listed here grant {grant}"


def test_a_query_may_need_further_scopes() -> None:
    def by_query(query: Mapping[str, str]) -> list[Scope]:
        return [Scope.EXECUTIONS_READ] if "status" in query else []

    app = served(guards.requires(Scope.METRICS_READ, also=by_query)(new_view()), Verifier())
    headers = {"Authorization": Scope.METRICS_READ}
    assert app.test_client().get("/", headers=headers).text == "ada"
    with pytest.raises(Forbidden) as refused:
        app.test_client().get("/?status=DEAD", headers=headers)
    assert refused.value.scope == Scope.EXECUTIONS_READ
