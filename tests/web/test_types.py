"""The page's scripts, checked as TypeScript checks them, against the types of the committed OpenAPI document."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests import npm
from tests.document import COMMITTED

pytestmark = pytest.mark.toolchain
STATIC = Path(__file__).parents[2] / "service" / "web" / "static"


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, check=False, cwd=directory, capture_output=True, text=True, timeout=180)


@pytest.fixture(scope="module")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("types") / "workshop"
    shutil.copytree(Path(__file__).parent / "types", directory, ignore=shutil.ignore_patterns("node_modules"))
    npm.install(directory, "checking the page's types")
    made = run(directory, "node", "node_modules/openapi-typescript/bin/cli.js", str(COMMITTED), "--output", "api.d.ts")
    assert made.returncode == 0, made.stderr
    return directory


def test_the_scripts_have_the_types_that_they_say(workshop: Path) -> None:
    """All of them have; the checker does see what is wrong, in a script that names a member the API has not."""
    shutil.copytree(STATIC, workshop / "static")
    odd = workshop / "static" / "odd.js"
    odd.write_text("/** @param {Run} run */\nexport const odd = (run) => run.noSuchMember;\n")
    found = run(
        workshop, "node", "node_modules/typescript/bin/tsc", "--project", ".", "--pretty", "false"
    ).stdout.splitlines()
    assert [line for line in found if "odd.js" not in line] == []
    assert len(found) == 1
    assert "noSuchMember" in found[0]
