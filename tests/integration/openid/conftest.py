"""A certified OpenID provider that others wrote (npm ``oidc-provider``), as a process of its own."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests import npm

SOURCES = Path(__file__).parent / "provider"


@dataclass
class Provider:
    """A running provider; ``token`` asks it for an access token as one of its clients, ``ada`` and ``bob``."""

    issuer: str
    process: subprocess.Popen[str]

    @property
    def port(self) -> str:
        return self.issuer.rpartition(":")[2]

    def token(self, client: str = "ada", scope: str | None = "scenarios.metrics.read") -> str:
        form = {"grant_type": "client_credentials", **({} if scope is None else {"scope": scope})}
        answer = requests.post(f"{self.issuer}/token", data=form, auth=(client, "secret"), timeout=20)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def end(self) -> None:
        self.process.kill()
        self.process.wait(20)


Start = Callable[..., Any]


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The provider's package, outside the tree; without Node.js or a package registry its tests are skipped."""
    directory = tmp_path_factory.mktemp("provider") / "installed"
    shutil.copytree(SOURCES, directory, ignore=shutil.ignore_patterns("node_modules"))
    npm.install(directory, "an OpenID provider written elsewhere")
    return directory


@pytest.fixture
def start(installed: Path) -> Start:
    """Start a provider with these private keys, the first of which signs; ``port`` is where an earlier one was."""

    @contextmanager
    def starting(*keys: dict[str, Any], port: str = "0") -> Iterator[Provider]:
        process = subprocess.Popen(
            ["node", "provider.js", port],
            cwd=installed,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with process.stdin as standard_input:
                json.dump({"keys": keys}, standard_input)
            with process.stdout as standard_output:
                issuer = standard_output.readline().strip()
                assert issuer.startswith("http://127.0.0.1:"), "the provider did not start"
                yield Provider(issuer, process)
        finally:
            process.kill()
            process.wait(20)

    return starting


def rsa_jwk(kid: str) -> dict[str, Any]:
    private = rsa.generate_private_key(65537, 2048)
    return _signing(RSAAlgorithm.to_jwk(private, as_dict=True), kid, "RS256")


def ec_jwk(kid: str) -> dict[str, Any]:
    private = ec.generate_private_key(ec.SECP256R1())
    return _signing(ECAlgorithm.to_jwk(private, as_dict=True), kid, "ES256")


def ed_jwk(kid: str) -> dict[str, Any]:
    private = ed25519.Ed25519PrivateKey.generate()
    return _signing(OKPAlgorithm.to_jwk(private, as_dict=True), kid, "EdDSA")


def _signing(key: dict[str, Any], kid: str, algorithm: str) -> dict[str, Any]:
    """Without ``key_ops``, which the provider would publish: those of a private key say that it only signs."""
    return {name: value for name, value in key.items() if name != "key_ops"} | {
        "kid": kid, "alg": algorithm, "use": "sig"
    }  # fmt: skip
