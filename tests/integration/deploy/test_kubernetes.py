"""The chart and the kustomize base, by helm, kubectl and Kubernetes' schemas; no cluster is asked."""

from __future__ import annotations

import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from service.app import close, create_app
from service.settings import AuthSettings, RuntimeAuth, RuntimeSettings, Settings
from service.settings.table import TABLE
from testing import deployment
from tests.rows import each_row

DEPLOY = Path(__file__).parents[3] / "deploy"
CHART = DEPLOY / "helm" / "metric-resource"
CASES = sorted((CHART / "ci").glob("*.yaml"))
HELM, KUBECTL = deployment.program("helm"), deployment.program("kubectl")
DIGEST = "sha256:" + "0" * 64
INSIDE = {"metrics", "readyz"}

pytestmark = pytest.mark.skipif(HELM is None, reason="helm is not installed: python -m testing.deployment")


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


def template(*options: str) -> list[dict[str, Any]]:
    done = run(str(HELM), "template", "metric-resource", str(CHART), *options)
    assert done.returncode == 0, done.stderr
    return [document for document in yaml.safe_load_all(done.stdout) if document]


def of_kind(documents: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    return [document for document in documents if document["kind"] == kind]


@pytest.fixture(scope="session")
def validate() -> Callable[[dict[str, Any]], None]:
    """Kubernetes' own schemas, by kubernetes-validate: raises for members that they do not know, too."""
    place = deployment.directory() / "schemas"
    sys.path.append(str(place))
    try:
        library = importlib.import_module("kubernetes_validate")
    finally:
        sys.path.remove(str(place))
    return lambda document: library.validate(document, library.latest_version(), strict=True)


@pytest.mark.parametrize(
    "case",
    [CASES[0], *(pytest.param(case, marks=pytest.mark.slow) for case in CASES[1:])],
    ids=lambda path: path.stem,
)
def test_the_chart_holds_by_lint_and_by_kubernetes_schemas(case: Path, validate: Callable[..., None]) -> None:
    linted = run(str(HELM), "lint", "--strict", str(CHART), "--values", str(case))
    assert linted.returncode == 0, linted.stdout + linted.stderr
    documents = template("--values", str(case))
    assert of_kind(documents, "Deployment")
    for document in documents:
        if document["kind"] != "ServiceMonitor":  # not Kubernetes' own
            validate(document)


def test_files_come_from_an_existing_secret() -> None:
    [deployed] = of_kind(template("--values", str(CHART / "ci" / "production.yaml")), "Deployment")
    pod = deployed["spec"]["template"]["spec"]
    assert {"name": "files", "mountPath": "/etc/metric-resource", "readOnly": True} in pod["containers"][0][
        "volumeMounts"
    ]
    assert {"name": "files", "secret": {"secretName": "metric-resource-files"}} in pod["volumes"]


def test_there_are_five_sets_of_values() -> None:
    assert len(CASES) == 5


@each_row("case", CASES)
def test_pods_are_restricted_and_have_time_to_end(case: Path) -> None:
    values = yaml.safe_load(case.read_text())
    documents = template("--values", str(case))
    for deployed in of_kind(documents, "Deployment"):
        pod = deployed["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            confined = container["securityContext"]
            assert confined["readOnlyRootFilesystem"] is True
            assert confined["allowPrivilegeEscalation"] is False
            assert confined["capabilities"] == {"drop": ["ALL"]}
            assert "@sha256:" in container["image"]
            assert container["resources"]["requests"]
            assert container["resources"]["limits"]["memory"]
    [service] = [made for made in of_kind(documents, "Deployment") if made["metadata"]["name"] == "metric-resource"]
    pod = service["spec"]["template"]["spec"]
    [container] = pod["containers"]
    assert container["startupProbe"]["httpGet"]["path"] == container["livenessProbe"]["httpGet"]["path"] == "/livez"
    assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
    # what docs/operations.md says of SIGTERM, after preStop
    before = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert pod["terminationGracePeriodSeconds"] > before + values.get("runtimeTimeout", 10) + 20
    assert ("replicas" in service["spec"]) != bool(of_kind(documents, "HorizontalPodAutoscaler"))


@each_row("case", CASES)
def test_what_is_about_pods_is_about_those_that_it_names(case: Path) -> None:
    documents = template("--values", str(case))
    pods = {made["metadata"]["name"]: made["spec"]["template"] for made in of_kind(documents, "Deployment")}

    def chosen(labels: dict[str, str]) -> list[str]:
        return [name for name, pod in pods.items() if labels.items() <= pod["metadata"]["labels"].items()]

    for made in documents:
        name, spec = made["metadata"]["name"], made.get("spec", {})
        if made["kind"] == "Service":
            assert chosen(spec["selector"]) == [name]
            (container,) = pods[name]["spec"]["containers"]
            assert {port["targetPort"] for port in spec["ports"]} <= {port["name"] for port in container["ports"]}
        elif made["kind"] == "HorizontalPodAutoscaler":
            assert spec["scaleTargetRef"]["name"] in pods
        elif made["kind"] in {"Deployment", "PodDisruptionBudget"}:
            assert chosen(spec["selector"]["matchLabels"]) == [name]
        elif made["kind"] == "NetworkPolicy":
            assert chosen(spec["podSelector"]["matchLabels"]) == [name]
    for name, pod in pods.items():
        for spread in pod["spec"].get("topologySpreadConstraints", ()):
            assert chosen(spread["labelSelector"]["matchLabels"]) == [name]
    values = yaml.safe_load(case.read_text())
    kinds = {made["kind"] for made in documents}
    for kind, name, default in (
        ("PodDisruptionBudget", "podDisruptionBudget", True),
        ("NetworkPolicy", "networkPolicy", True),
        ("HorizontalPodAutoscaler", "autoscaling", False),
        ("ServiceMonitor", "serviceMonitor", False),
        ("Ingress", "ingress", False),
    ):
        assert (kind in kinds) is values.get(name, {}).get("enabled", default), kind


def test_the_values_that_the_readme_gives_make_three_replicas_below_a_prefix(tmp_path: Path) -> None:
    readme = (DEPLOY / "README.md").read_text()
    (given,) = [block for block in re.findall(r"```yaml\n(.*?)```", readme, re.DOTALL) if "# my-values.yaml" in block]
    values = tmp_path / "my-values.yaml"
    values.write_text(given.replace("sha256:…", DIGEST))
    documents = template("--values", str(values))
    [deployed], [ingress] = of_kind(documents, "Deployment"), of_kind(documents, "Ingress")
    assert deployed["spec"]["replicas"] == 3
    [rule] = ingress["spec"]["rules"]
    assert (rule["host"], ingress["spec"]["tls"]) == (
        "ai.example",
        [{"secretName": "ai-example-tls", "hosts": ["ai.example"]}],
    )
    assert all(path["path"].startswith("/metrics-api/") for path in rule["http"]["paths"])
    secrets = [
        source["secretRef"]["name"] for source in deployed["spec"]["template"]["spec"]["containers"][0]["envFrom"][1:]
    ]
    assert secrets == ["metric-resource"]


def test_a_pod_is_replaced_when_its_configuration_changes() -> None:
    def checksum(*options: str) -> str:
        [made] = of_kind(template("--set", f"image.digest={DIGEST}", *options), "Deployment")
        return made["spec"]["template"]["metadata"]["annotations"]["checksum/config"]

    assert checksum() == checksum()
    assert checksum() != checksum("--set-string", "env.JWT_LEEWAY=5")


def test_the_ingress_leads_to_each_resource_below_the_prefix_but_not_to_what_is_for_inside() -> None:
    documents = template("--values", str(CHART / "ci" / "prefix.yaml"))
    [ingress] = of_kind(documents, "Ingress")
    [rule] = ingress["spec"]["rules"]
    paths = rule["http"]["paths"]
    assert {path["pathType"] for path in paths} == {"Prefix"}
    app = create_app(Settings(RuntimeSettings("http://127.0.0.1:9/v2", auth=RuntimeAuth.FORWARD), AuthSettings()))
    close(app)
    resources = {rule.rule.split("/")[1] for rule in app.url_map.iter_rules()}
    assert resources >= INSIDE
    assert {path["path"] for path in paths} == {f"/metrics-api/{name}" for name in resources - INSIDE}
    [configured] = of_kind(documents, "ConfigMap")
    assert configured["data"]["SCRIPT_NAME"] == "/metrics-api"
    [deployed] = of_kind(documents, "Deployment")
    assert deployed["spec"]["replicas"] == 3


@each_row(
    "options, named",
    [
        ([], "digest"),
        (["--set", "image.digest=latest"], "digest"),
        (["--set", f"image.digest={DIGEST},image.tag=latest"], "tag"),
        (["--set", f"image.digest={DIGEST},replica=3"], "replica"),
        (["--set", f"image.digest={DIGEST},env.LOG_LEVEL=1"], "LOG_LEVEL"),
        (["--set", f"image.digest={DIGEST},runtimeTimeout=301"], "runtimeTimeout"),
        (["--set", f"image.digest={DIGEST},pathPrefix=metrics/"], "pathPrefix"),
        (["--set", f"image.digest={DIGEST},valkey.enabled=true"], "valkey"),
    ],
)
def test_wrong_values_are_refused_by_name(options: list[str], named: str) -> None:
    done = run(str(HELM), "template", "metric-resource", str(CHART), *options)
    assert done.returncode != 0
    assert named in done.stderr


@pytest.mark.slow
def test_secrets_are_refused_among_the_variables() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    refused = set(schema["properties"]["env"]["propertyNames"]["not"]["enum"])
    assert refused >= {variable.name for variable in TABLE if variable.secret}
    for name in refused:
        done = run(
            str(HELM), "template", "x", str(CHART), "--set", f"image.digest={DIGEST}", "--set-string", f"env.{name}=1"
        )
        assert done.returncode != 0, name
    assert not of_kind(template("--values", str(CHART / "ci" / "production.yaml")), "Secret")


def _closed(schema: Any) -> bool:
    """Whether every object of the schema that lists its members refuses others."""
    if isinstance(schema, list):
        return all(map(_closed, schema))
    if not isinstance(schema, dict):
        return True
    lists = schema.get("type") == "object" and "properties" in schema
    return not (lists and schema.get("additionalProperties") is not False) and all(map(_closed, schema.values()))


def test_the_schema_of_values_knows_all_that_there_are_and_refuses_others() -> None:
    schema = json.loads((CHART / "values.schema.json").read_text())
    assert _closed(schema)
    assert set(schema["properties"]) - {"global"} == set(yaml.safe_load((CHART / "values.yaml").read_text()))


def test_the_kustomize_base_is_the_chart(validate: Callable[..., None], tmp_path: Path) -> None:
    made = template("--values", str(DEPLOY / "kustomize" / "values.yaml"))
    base = DEPLOY / "kustomize" / "base"
    assert list(yaml.safe_load_all((base / "resources.yaml").read_text())) == made, (
        "make it anew: .ci/kubernetes --write"
    )
    digest = "sha256:" + "a" * 64
    overlay = tmp_path / "overlay"
    overlay.mkdir()
    (tmp_path / "base").symlink_to(base)
    image = {"name": "metric-resource-service", "newName": "images.example/service", "digest": digest}
    (overlay / "kustomization.yaml").write_text(yaml.safe_dump({"resources": ["../base"], "images": [image]}))
    for place in (base, overlay):
        done = run(str(KUBECTL), "kustomize", str(place))
        assert done.returncode == 0, done.stderr
        documents = list(yaml.safe_load_all(done.stdout))
        assert sorted(document["kind"] for document in documents) == sorted(document["kind"] for document in made)
        for document in documents:
            validate(document)
    assert f"images.example/service@{digest}" in done.stdout
