"""Who may use a route. Every route states its access rule; without one the service does not start.

The rule is applied before anything else: before parameters are read, and before the store, an entity tag or the
existence of a run is checked.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from flask import Flask, request

from service.api.http.context import current_request
from service.domain.access import AccessRule, GrantDirectory, Principal, Scope, TokenVerifier, allows
from service.domain.errors import Forbidden

View = TypeVar("View", bound=Callable[..., Any])
Also = Callable[[Mapping[str, str]], Sequence[Scope]]
"""Further scopes that a request needs because of its query parameters."""
_ATTRIBUTE = "access_rule"
_ALSO = "access_rule_by_query"
READ_ONLY = frozenset({"GET", "HEAD"})


def requires(*scopes: Scope, also: Also | None = None) -> Callable[[View], View]:
    """The route requires a valid token with all of ``scopes``, and those that ``also`` derives from the query."""
    return _ruled(AccessRule(token=True, scopes=scopes), also)


def open_to_everyone(view: View) -> View:
    """The route requires no token."""
    return _ruled(AccessRule(token=False))(view)


def rule_of(app: Flask, endpoint: str) -> AccessRule | None:
    """The rule of a route; ``None`` where it states none."""
    rule: AccessRule | None = getattr(app.view_functions[endpoint], _ATTRIBUTE, None)
    return rule


def register(app: Flask, verifier: TokenVerifier, grants: GrantDirectory) -> None:
    """Check the caller of every request against the rule of its route."""

    @app.before_request
    def check() -> None:
        if request.endpoint is None or request.method not in READ_ONLY:
            return
        rule = rule_of(app, request.endpoint)
        if rule is None:
            raise Forbidden("this route states no access rule")
        current = current_request()
        also: Also | None = getattr(app.view_functions[request.endpoint], _ALSO, None)
        if also is not None and (more := also(request.args)):
            rule = AccessRule(rule.token, (*rule.scopes, *more))
        current.access_rule = rule
        if rule.token:
            current.principal = principal = verifier.verify(request.headers.get("Authorization"))
            if not allows(principal, rule, None):
                raise _refusal(principal, rule, grants)


def without_rule(app: Flask) -> list[str]:
    """The endpoints that state no rule."""
    return [endpoint for endpoint in app.view_functions if rule_of(app, endpoint) is None]


def _refusal(principal: Principal, rule: AccessRule, grants: GrantDirectory) -> Forbidden:
    """The error for missing scopes, with the roles and role collections that grant all of them."""
    missing = [scope for scope in rule.scopes if not principal.has(scope)]
    known = [grants.granting(scope) for scope in missing]
    said = f"scope {missing[0]} is" if len(missing) == 1 else f"scopes {' and '.join(missing)} are"
    each = "it" if len(missing) == 1 else "them all"
    return Forbidden(
        f"the {said} missing; the roles and role collections listed here grant {each}",
        scope=" ".join(missing),
        roles=_in_all([grant.roles for grant in known]),
        role_collections=_in_all([grant.role_collections for grant in known]),
    )


def _in_all(lists: Sequence[Sequence[str]]) -> list[str]:
    return [name for name in lists[0] if all(name in names for names in lists)]


def _ruled(rule: AccessRule, also: Also | None = None) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _ATTRIBUTE, rule)
        setattr(view, _ALSO, also)
        return view

    return mark
