"""The decision of access: every scope of the rule, and the resource group where the answer belongs to one."""

from __future__ import annotations

import pytest

from service.domain.access import AccessRule, Principal, Scope, allows
from tests.rows import each_row

BOTH = (Scope.METRICS_READ, Scope.EXECUTIONS_READ)


def principal(*scopes: Scope, groups: frozenset[str] | None = None) -> Principal:
    return Principal("ada", "t", "i", frozenset(scopes), groups, 1e12, "token")


@each_row(
    "carried, needed, allowed",
    [
        ((), (), True),
        ((), BOTH[:1], False),
        (BOTH[:1], BOTH[:1], True),
        (BOTH[:1], BOTH, False),
        (BOTH[1:], BOTH, False),
        (BOTH, BOTH, True),
        ((*BOTH, Scope.LOGS_READ), BOTH, True),
        ((Scope.ALL_RESOURCE_GROUPS,), BOTH[:1], False),
    ],
)
def test_every_scope_of_the_rule_is_needed(
    carried: tuple[Scope, ...], needed: tuple[Scope, ...], allowed: bool
) -> None:
    rule = AccessRule(token=True, scopes=needed)
    assert allows(principal(*carried), rule, None) is allowed
    assert allows(principal(*carried), rule, "a") is allowed


@each_row(
    "groups, asked, allowed",
    [
        (None, None, True),
        (None, "a", True),
        (frozenset({"a"}), None, True),
        (frozenset({"a"}), "a", True),
        (frozenset({"a", "b"}), "b", True),
        (frozenset({"a"}), "b", False),
        (frozenset({"a"}), "A", False),
        (frozenset({"a"}), "", False),
        (frozenset(), "a", False),
        (frozenset(), None, True),
    ],
)
def test_a_caller_with_groups_may_use_these_only(
    groups: frozenset[str] | None, asked: str | None, allowed: bool
) -> None:
    assert allows(principal(*BOTH, groups=groups), AccessRule(token=True, scopes=BOTH), asked) is allowed
    assert not allows(principal(groups=groups), AccessRule(token=True, scopes=BOTH), asked)


def test_a_principal_does_not_show_its_token() -> None:
    assert "token" not in repr(principal())


@pytest.mark.parametrize("scope", BOTH)
def test_a_principal_has_the_scopes_it_carries(scope: Scope) -> None:
    assert principal(scope).has(scope)
    assert not principal(*set(BOTH) - {scope}).has(scope)
