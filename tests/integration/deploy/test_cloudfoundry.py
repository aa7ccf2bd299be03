"""The Cloud Foundry files agree with the service and with each other; no platform is asked."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml

from service.app import close, create_app
from service.settings import AuthSettings, RuntimeAuth, RuntimeSettings, Settings
from service.settings.table import TABLE

ROOT = Path(__file__).parents[3]
FILES = ROOT / "deploy" / "cloudfoundry"
SECURITY: dict[str, Any] = json.loads((FILES / "xs-security.json").read_text())
ROUTER: dict[str, Any] = json.loads((FILES / "approuter" / "xs-app.json").read_text())
MTA: dict[str, Any] = yaml.safe_load((FILES / "mta.yaml").read_text())
OWN = "$XSAPPNAME."
SCOPES = {
    "scenarios.metrics.read",
    "scenarios.executions.read",
    "scenarios.executions.logs.read",
    "allow_all_resourcegroups",
}


def test_role_templates_grant_what_the_services_catalogue_says() -> None:
    roles = tomllib.loads((ROOT / "service" / "auth" / "catalogue.toml").read_text())["roles"]
    assert {scope["name"] for scope in SECURITY["scopes"]} == {OWN + scope for scope in SCOPES}
    templates = {made["name"]: set(made["scope-references"]) for made in SECURITY["role-templates"]}
    granting = {name: SCOPES & set(scopes) for name, scopes in roles.items() if SCOPES & set(scopes)}
    assert templates == {name: {OWN + scope for scope in scopes} for name, scopes in granting.items()}


def test_resource_groups_are_an_attribute_of_the_one_role_that_has_them() -> None:
    [attribute] = SECURITY["attributes"]
    assert attribute["name"] == "allowed_all_resourcegroups"
    assert attribute["valueRequired"] is False
    having = {
        made["name"]: made["attribute-references"]
        for made in SECURITY["role-templates"]
        if "attribute-references" in made
    }
    assert having == {"allow_all_resourcegroups": [{"name": attribute["name"]}]}


def test_role_collections_are_made_of_templates_and_let_see_runs_and_metrics() -> None:
    templates = {OWN + made["name"]: set(made["scope-references"]) for made in SECURITY["role-templates"]}
    for collection in SECURITY["role-collections"]:
        granted = set.union(*(templates[name] for name in collection["role-template-references"]))
        assert granted >= {OWN + "scenarios.metrics.read", OWN + "scenarios.executions.read"}


def test_the_approuter_leads_to_each_resource_but_not_to_what_is_for_inside() -> None:
    app = create_app(Settings(RuntimeSettings("http://127.0.0.1:9/v2", auth=RuntimeAuth.FORWARD), AuthSettings()))
    close(app)

    def is_routed(path: str) -> bool:
        return any(re.search(route["source"], path) for route in ROUTER["routes"])

    resources = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert {name for name in resources if not is_routed(f"/{name}")} == {"metrics", "readyz"}
    assert is_routed("/runs/a/metric-resource?timezone=UTC")
    assert not any(map(is_routed, ("/metrics?x", "/readyz/", "//metrics", "/runs-of-others", "/")))
    methods = {method for rule in app.url_map.iter_rules() for method in rule.methods or ()} - {"OPTIONS"}
    for route in ROUTER["routes"]:
        assert route["authenticationType"] == "xsuaa"
        assert route["csrfProtection"] is False
        assert set(route["httpMethods"]) == methods == {"GET", "HEAD"}  # reads alone need no such protection


def test_logins_lead_back_to_the_approuter_and_nowhere_else() -> None:
    """A host that the pattern leaves open would be sent the code of somebody's login (RFC 9700, 4.1)."""
    [approuter] = [module["name"] for module in MTA["modules"] if module["type"].startswith("approuter")]
    host = f"https://*-{approuter}.cfapps.*.hana.ondemand.com"  # the route that a deployment gives it by default
    back = ("/login/callback", ROUTER["logout"]["logoutPage"])
    assert SECURITY["oauth2-configuration"]["redirect-uris"] == [host + path for path in back]


def test_modules_name_what_there_is() -> None:
    modules = {module["name"]: module for module in MTA["modules"]}
    provided = {made["name"] for module in MTA["modules"] for made in module.get("provides", ())}
    resources = {made["name"]: made for made in MTA["resources"]}
    for module in MTA["modules"]:
        assert {needed["name"] for needed in module["requires"]} <= provided | set(resources)
    [destination] = [made for made in modules["metric-resource-approuter"]["requires"] if made.get("group")]
    assert destination["properties"]["forwardAuthToken"] is True
    assert {route["destination"] for route in ROUTER["routes"]} == {destination["properties"]["name"]}
    assert (FILES / resources["metric-resource-xsuaa"]["parameters"]["path"]).is_file()
    [alone] = yaml.safe_load((FILES / "manifest.yml").read_text())["applications"]
    assert set(alone["services"]) == set(resources)
    variables = {variable.name: variable for variable in TABLE}
    for set_, health in (
        (alone["env"], alone),
        (modules["metric-resource"]["properties"], modules["metric-resource"]["parameters"]),
    ):
        for name, value in set_.items():
            variables[name].parse(value)
        assert (health["health-check-http-endpoint"], health["readiness-health-check-http-endpoint"]) == (
            "/livez",
            "/readyz",
        )
        assert health["readiness-health-check-invocation-timeout"] >= 3, (
            "of which it takes one where a runtime is silent"
        )
    assert modules["metric-resource"]["properties"]["UI_SIGN_OUT_URL"] == ROUTER["logout"][
        "logoutEndpoint"
    ].removeprefix("/")
