"""The dashboard and the alert rules ask for metrics that the service exposes, by labels that these have."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from service.telemetry.exposition import exposition
from service.telemetry.prometheus import Telemetry
from tests.rows import each_row

ROOT = Path(__file__).parents[3]
MONITORING = ROOT / "deploy" / "monitoring"
RULES: list[dict[str, Any]] = yaml.safe_load((MONITORING / "alerts.yaml").read_text())["groups"][0]["rules"]
DASHBOARD: dict[str, Any] = json.loads((MONITORING / "grafana.json").read_text())
PANELS = {
    f"{panel['title']} {target['refId']}": target["expr"]
    for panel in DASHBOARD["panels"]
    for target in panel["targets"]
}
EXPRESSIONS = {rule["alert"]: rule["expr"] for rule in RULES} | PANELS
PROMTOOL = shutil.which("promtool")
FROM_PROMETHEUS = {"instance"}
SELECTOR = re.compile(r"(metric_resource_\w+)(?:\{([^}]*)\})?")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool is not installed (on Debian: prometheus)")


def _exposed() -> dict[str, set[str]]:
    """Each series that the service exposes, with its labels; after one of each event."""
    shared = Telemetry()
    telemetry = shared.of_connection("default")
    telemetry.request("GET", "/runs", 200, 0.1)
    telemetry.cache_outcome("hit")
    telemetry.cache_server_error()
    telemetry.upstream_exchange("metrics", "200", 0.1)
    telemetry.upstream_retry("metrics")
    telemetry.circuit_state(0)
    telemetry.fetch_began("slow")
    telemetry.flight_wait()
    telemetry.refusal("overloaded")
    telemetry.event_stream_began()
    telemetry.event_stream_ended("ended")
    families = text_string_to_metric_families(exposition(shared).decode())
    return {sample.name: set(sample.labels) for family in families for sample in family.samples}


EXPOSED = _exposed()
METRICS = {family.name + ("_total" if family.type == "counter" else "") for family in Telemetry().registry.collect()}
"""All of them, also those of which nothing has been counted yet."""


@each_row("expression", EXPRESSIONS.values())
def test_an_expression_uses_what_the_service_exposes(expression: str) -> None:
    selectors = SELECTOR.findall(expression)
    assert selectors
    for name, matchers in selectors:
        assert name in EXPOSED
        assert set(re.findall(r'(\w+)\s*(?:=~|!~|!=|=)\s*"', matchers)) <= EXPOSED[name] | FROM_PROMETHEUS
    grouped = {label for labels in re.findall(r"by \(([^)]*)\)", expression) for label in re.split(r",\s*", labels)}
    assert grouped <= set.union(*(EXPOSED[name] for name, _ in selectors)) | FROM_PROMETHEUS


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name.removesuffix("_bucket") for expression in PANELS.values() for name, _ in SELECTOR.findall(expression)}
    assert shown == METRICS


def test_every_metric_is_in_the_documentation() -> None:
    section = (ROOT / "docs" / "operations.md").read_text().partition("## What to watch")[2].partition("\n\n")[0]
    rows = (line.split("|")[1] for line in section.splitlines()[3:])
    documented = {name for row in rows for name in re.findall(r"`(\w+)", row)}
    assert documented == {name.removeprefix("metric_resource_") for name in METRICS}


def test_every_alert_is_in_the_runbook() -> None:
    documented = re.findall(r"^### (MetricResource\w+)$", (ROOT / "docs" / "operations.md").read_text(), re.M)
    assert documented == [rule["alert"] for rule in RULES]


@needs_promtool
def test_prometheus_reads_the_rules_and_the_expressions_of_the_panels(tmp_path: Path) -> None:
    of_panels = []
    for number, expression in enumerate(PANELS.values()):
        filled = expression.replace("$__rate_interval", "5m").replace("$instance", ".*")
        of_panels.append({"record": f"panel_{number}", "expr": filled})
    written = tmp_path / "panels.yaml"
    written.write_text(yaml.safe_dump({"groups": [{"name": "panels", "rules": of_panels}]}))
    for file in (MONITORING / "alerts.yaml", written):
        assert _promtool("check", "rules", str(file)) == (0, "")


@needs_promtool
def test_each_alert_fires_on_a_failing_service_and_none_on_one_that_does_well(tmp_path: Path) -> None:
    shutil.copy(MONITORING / "alerts.yaml", tmp_path / "alerts-under-test.yaml")
    cases = Path(__file__).with_name("alerts.yaml")
    tests = yaml.safe_load(cases.read_text())
    for outcome, alerts in (("quiet", 0), ("failing", 1)):
        [case] = [test for test in tests["tests"] if test["name"] == outcome]
        for check in case["alert_rule_test"]:
            assert len(check["exp_alerts"]) == alerts, check
        assert {check["alertname"] for check in case["alert_rule_test"]} == {rule["alert"] for rule in RULES}
    shutil.copy(cases, tmp_path / "tests.yaml")
    assert _promtool("test", "rules", str(tmp_path / "tests.yaml")) == (0, "")


def _promtool(*arguments: str) -> tuple[int, str]:
    """Its exit code, and what it says where that is not 0."""
    done = subprocess.run([str(PROMTOOL), *arguments], capture_output=True, text=True, check=False, timeout=60)
    return done.returncode, done.stdout + done.stderr if done.returncode else ""
