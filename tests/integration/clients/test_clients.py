"""Clients generated from the OpenAPI document, compiled strictly, read the demo: the document is as good as its users."""

from __future__ import annotations

import json
import re
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from testing.effort import effort
from tests import npm
from tests.document import COMMITTED
from tests.integration.clients.conftest import FIRST, PATIENCE, SECOND, run

pytestmark = [pytest.mark.toolchain, pytest.mark.timeout(2 * PATIENCE)]
NOT_TRUSTED = re.compile(r"\bcast\(|\bas [A-Z{(]|\bany\b|\bAny\b|ts-ignore|ts-expect-error|type: ignore|!\.")


def check(found: Any) -> None:
    """What all clients read of the demo's runs."""
    assert found["points"] == 10_320
    assert found["greatest"] == pytest.approx(13.99, abs=5)
    assert found["series"] == [["Loss", 5, 40, "+09:00"]] * 2
    assert "hidden_units" in found["parameters"]
    assert (found["tab"], found["metrics"]) == (True, True)
    assert found["runs"][0] == 2
    assert found["log"] == ["+09:00", "+09:00"]
    assert found["groups"] == ["default", "research"]
    assert found["runs"][1] > 4
    assert found["compared"] == [FIRST, SECOND]
    assert found["missing"] == [["unheard-of", 404]]
    assert found["unknown"] == "urn:metric-resource:run-not-found"


@pytest.mark.parametrize("workshop", ["typescript"], indirect=True)
def test_a_typescript_client_reads_the_demo(workshop: Path, demo: Mapping[str, str]) -> None:
    npm.install(workshop, "the TypeScript client")
    assert not NOT_TRUSTED.findall((workshop / "read.ts").read_text())
    run(("npx", "openapi-typescript", str(COMMITTED), "--output", "schema.d.ts"), workshop)
    run(("npx", "tsc", "--project", "."), workshop)
    found = json.loads(run(("node", "built/read.js"), workshop, demo))
    check(found)
    assert (found["chart"], found["rows"]) == ("PNG", 1 + 165)


@pytest.mark.parametrize("workshop", ["python"], indirect=True)
def test_a_python_client_reads_the_demo(workshop: Path, demo: Mapping[str, str]) -> None:
    assert not NOT_TRUSTED.findall((workshop / "read.py").read_text())
    generate = (
        "-m",
        "openapi_python_client",
        "generate",
        "--fail-on-warning",
        "--config",
        "config.yml",
        "--meta",
        "none",
    )
    run((sys.executable, *generate, "--path", str(COMMITTED), "--output-path", "generated"), workshop)
    run((sys.executable, "-m", "mypy", "--strict", "generated", "read.py"), workshop)
    found = json.loads(run((sys.executable, "read.py"), workshop, demo))
    check(found)
    assert found["differing"] == ["learning_rate"]
    assert any(found["parsed"])


@pytest.mark.parametrize("workshop", ["openapi_generator"], indirect=True)
def test_a_client_of_openapi_generator_reads_the_demo(workshop: Path, demo: Mapping[str, str]) -> None:
    """Its clients write instants with an offset without a colon."""
    if shutil.which("java") is None:
        pytest.skip("openapi-generator needs java, which is not on the PATH; CI has it")
    generator = Path(sys.executable).with_name("openapi-generator-cli")
    if not generator.exists():
        pytest.skip("openapi-generator-cli, of the extra 'dev', is not installed")
    assert not NOT_TRUSTED.findall((workshop / "read.py").read_text())
    judged = run((str(generator), "validate", "--input-spec", str(COMMITTED)), workshop)
    assert "No validation issues detected" in judged
    made = (str(generator), "generate", "--generator-name", "python", "--input-spec", str(COMMITTED), "--output", ".")
    of_client = "apis,models,supportingFiles,apiTests=false,modelTests=false,apiDocs=false,modelDocs=false"
    said = run((*made, "--package-name", "generated", "--global-property", of_client), workshop)
    assert " ERROR " not in said
    run((sys.executable, "-m", "mypy", "--strict", "--follow-imports", "silent", "read.py"), workshop)
    found = json.loads(run((sys.executable, "read.py"), workshop, demo))
    check(found)
    assert found["zone"] == "+09:00"
    for expected, *given in found["between"]:
        assert given == [expected, expected]
        assert expected > 1


@pytest.mark.parametrize("workshop", ["schemathesis"], indirect=True)
def test_schemathesis_finds_nothing(workshop: Path, demo: Mapping[str, str]) -> None:
    """All of its checks, on good and bad requests made from the document, one by one and in sequences."""
    judge = (sys.executable, "-m", "schemathesis.cli", "run", "--checks", "all", "--no-color")
    # A sample is the same each time: what it finds is of the change that is judged.
    examples = effort(("--max-examples", "3", "--seed", "1"), ("--max-examples", "25"))
    authorization = ("--header", f"Authorization: Bearer {demo['TOKEN']}")
    # OpenAPI 3.1 says nothing of the events of a stream, and the stream of a running run does not end.
    documents = ("--exclude-path-regex", "/events$")
    said = run(
        (*judge, *examples, *documents, *authorization, f"{demo['SERVICE']}/openapi.json"),
        workshop,
        {"PYTHONPATH": str(workshop)},
    )
    assert "No issues found" in said
    phases = re.findall(r"(Examples|Coverage|Fuzzing|Stateful) \(in", said)
    assert set(phases) == {"Examples", "Coverage", "Fuzzing", "Stateful"}
