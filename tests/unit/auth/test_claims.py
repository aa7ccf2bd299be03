"""What claims grant: paths, scopes, roles, role collections, resource groups, tenants, zones."""

from __future__ import annotations

from typing import Any

import pytest

from service.auth.claim_paths import find
from service.auth.issuers import Reading
from service.domain.access import Principal
from service.domain.errors import InvalidToken
from tests.rows import each_row
from tests.unit.auth.forge import GONE, ISSUER, claims, header, token
from tests.unit.auth.key_sets import key_set
from tests.unit.auth.worlds import KEYS_URL, Library, holds, oidc, verifier

METRICS, RUNS, ALL = "scenarios.metrics.read", "scenarios.executions.read", "allow_all_resourcegroups"
GROUPS = "allowed_all_resourcegroups"
LIBRARY = Library({KEYS_URL: key_set()})


def principal(changes: dict[str, Any], **reading: Any) -> Principal:
    return holds(verifier(oidc(reading=Reading(**reading)), LIBRARY), token(header(), claims(**changes)))


@each_row(
    "path, found",
    [
        ("roles", ["r"]),
        ("realm_access.roles", ["k"]),
        ("/realm_access/roles", ["k"]),
        ("xs.system.attributes", {"xs.rolecollections": ["c"]}),
        ("xs.system.attributes.xs.rolecollections", ["c"]),
        ("/xs.system.attributes/xs.rolecollections", ["c"]),
        ("resource_access.my.app.roles", ["deep"]),
        ("/a~1b/c~0d", ["escaped"]),
        ("https://example/roles", ["url"]),
        ("dotted.name", "literal"),
        ("fork.in.the.road", ["taken"]),
        ("i.d", "short"),
        ("bare.", "of no name"),
        ("missing", None),
        ("roles.x", None),
        ("/roles/0", None),
        ("realm_access.", None),
        (".roles", None),
        ("/", None),
    ],
)
def test_claims_are_found(path: str, found: Any) -> None:
    tree: dict[str, Any] = {
        "roles": ["r"],
        "realm_access": {"roles": ["k"]},
        "xs.system.attributes": {"xs.rolecollections": ["c"]},
        "resource_access": {"my.app": {"roles": ["deep"]}},
        "a/b": {"c~d": ["escaped"]},
        "https://example/roles": ["url"],
        "dotted.name": "literal",
        "dotted": {"name": "path"},
        "fork.in": {"another": 1},
        "i": {"d": "short"},
        "bare": {"": "of no name"},
        "fork": {"in.the": {"road": ["taken"]}},
    }
    assert find(tree, path) == found


@each_row(
    "changes, reading, scopes",
    [
        ({"scope": f"openid {METRICS}"}, {}, {"openid", METRICS}),
        ({"scope": [METRICS, RUNS]}, {}, {METRICS, RUNS}),
        ({"scope": GONE, "scp": f"{METRICS} {RUNS}"}, {}, {METRICS, RUNS}),
        ({"scope": METRICS, "scp": [RUNS]}, {}, {METRICS, RUNS}),
        ({"scope": f"a.{METRICS} {RUNS}"}, {"scope_prefix": "a."}, {METRICS}),
        ({"scope": ["a.", "a"]}, {"scope_prefix": "a."}, set()),
        ({"scope": f"a\t{METRICS}"}, {}, {f"a\t{METRICS}"}),
        ({"scope": 1, "scp": {METRICS: 1}}, {}, set()),
        ({"scope": GONE, "roles": ["scenario_metric_viewer"]}, {}, {METRICS}),
        ({"scope": GONE, "roles": "scenario_job_viewer"}, {}, {RUNS}),
        ({"scope": GONE, "roles": ["p.scenario_job_viewer"]}, {"scope_prefix": "p."}, {RUNS}),
        ({"scope": GONE, "roles": ["scenario_job_viewer"]}, {"scope_prefix": "p."}, {RUNS}),
        ({"scope": GONE, "roles": ["o.scenario_job_viewer", METRICS]}, {"scope_prefix": "p."}, set()),
        ({"scope": GONE, "roles": [1, None, ["scenario_job_viewer"], {}]}, {}, set()),
        ({"scope": GONE, "roles": {"scenario_job_viewer": True}}, {}, set()),
        ({"scope": GONE, "realm_access": {"roles": ["scenario_job_viewer"]}}, {}, set()),
        ({"scope": GONE, "realm_access": {"roles": ["scenario_job_viewer"]}}, {"roles": "realm_access.roles"}, {RUNS}),
        ({"scope": GONE, "groups": ["scenario_job_viewer"]}, {}, set()),
        ({"scope": GONE, "groups": ["scenario_job_viewer"]}, {"roles": "groups"}, {RUNS}),
        ({"scope": GONE, "groups": ["ailaunchpad_genai_manager"]}, {}, set()),
        (
            {"scope": GONE, "groups": "ailaunchpad_genai_manager"},
            {"role_collections": "groups"},
            {METRICS, RUNS, "scenarios.executions.logs.read", "scenarios.artifacts.read"},
        ),
    ],
)
def test_scopes_roles_and_collections_add_up(
    changes: dict[str, Any], reading: dict[str, Any], scopes: set[str]
) -> None:
    assert principal(changes, **reading).scopes == scopes


NO_NAMES: tuple[Any, ...] = (None, 1, True, {}, {"a": 1}, [1], [None], [["a"]])
NO_CONTEXTS: tuple[Any, ...] = (None, "a", [], 1)
RESTRICTED: list[tuple[dict[str, Any], frozenset[str] | None]] = [
    ({}, None),
    ({"xs.user.attributes": {GROUPS: ["a", "b"]}}, frozenset({"a", "b"})),
    ({"xs.user.attributes": {GROUPS: "a"}}, frozenset({"a"})),
    ({"xs.user.attributes": {GROUPS: []}}, None),
    ({"xs.user.attributes": {}}, None),
    ({"xs.user.attributes": {"another": ["a"]}}, None),
    ({"ext_cxt": {"xs.user.attributes": {GROUPS: ["a"]}}}, frozenset({"a"})),
    ({"ext_cxt": {}}, None),
    ({"xs.user.attributes": {}, "ext_cxt": {"xs.user.attributes": {GROUPS: ["a"]}}}, frozenset({"a"})),
    (
        {"xs.user.attributes": {GROUPS: ["a", "b"]}, "ext_cxt": {"xs.user.attributes": {GROUPS: ["b", "c"]}}},
        frozenset({"b"}),
    ),
    ({"ext_attr": {"xs.user.attributes": {GROUPS: ["a"]}}}, None),
    ({"scope": ALL, "xs.user.attributes": {GROUPS: ["a"]}}, frozenset({"a"})),
    ({"scope": ALL}, None),
    *(({"xs.user.attributes": {GROUPS: value}}, frozenset()) for value in NO_NAMES),
    *(({"xs.user.attributes": value}, frozenset()) for value in (None, "a", ["a"], 1, False)),
    *(({"ext_cxt": value}, frozenset()) for value in NO_CONTEXTS),
    ({"ext_cxt": {"xs.user.attributes": "a"}}, frozenset()),
    ({"xs.user.attributes": {GROUPS: ["a", 1]}}, frozenset({"a"})),
]


@each_row("changes, groups", RESTRICTED)
def test_resource_groups(changes: dict[str, Any], groups: frozenset[str] | None) -> None:
    assert principal(changes).resource_groups == groups


@each_row("changes, groups", RESTRICTED)
def test_resource_groups_where_the_restriction_is_obligatory(
    changes: dict[str, Any], groups: frozenset[str] | None
) -> None:
    unrestricted = None if changes.get("scope") == ALL else frozenset[str]()
    expected = unrestricted if groups is None else groups
    assert principal(changes, require_resource_groups=True).resource_groups == expected


def test_the_scope_for_all_groups_may_come_from_a_role() -> None:
    given = {"scope": GONE, "roles": ["allow_all_resourcegroups"]}
    assert principal(given, require_resource_groups=True).may_use("any")
    assert not principal({}, require_resource_groups=True).may_use("default")


def test_the_tenant() -> None:
    assert principal({}).tenant == ISSUER
    assert principal({"tid": "t"}, tenant="tid").tenant == "t"
    assert principal({"org": {"id": "t"}}, tenant="org.id").tenant == "t"
    assert principal({"org": {"id": "t"}}, tenant="/org/id").tenant == "t"
    assert principal({"tid": "t" * 512}, tenant="tid").tenant == "t" * 512
    for wrong in ({}, {"tid": ""}, {"tid": 1}, {"tid": None}, {"tid": ["t"]}, {"tid": "t" * 513}):
        with pytest.raises(InvalidToken, match=r"^the token names no tenant$"):
            principal(wrong, tenant="tid")


def test_the_time_zone_is_passed_on_as_it_is() -> None:
    assert principal({"zoneinfo": "Europe/Berlin"}).zone == "Europe/Berlin"
    assert principal({}).zone is None
    assert principal({"zoneinfo": 1}).zone is None
