"""A sandbox that serves real HTTP, and a client that speaks the AI API's words to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask

from service.sandbox.app import parts_of
from service.sandbox.server import Options, running
from tests.servers.issuer_keys import with_keys

LIMIT = 16 * 1024 * 1024


@dataclass
class Api:
    """Requests to one sandbox, with a token and a resource group unless told otherwise."""

    app: Flask
    session: requests.Session
    group: str = "default"

    @property
    def url(self) -> str:
        return parts_of(self.app).public_url

    def token(self) -> str:
        form = {"grant_type": "client_credentials", "client_id": "sandbox-client", "client_secret": "sandbox-secret"}
        return str(self.session.post(f"{self.url}/oauth/token", data=form, timeout=30).json()["access_token"])

    @cached_property
    def _authorization(self) -> str:
        return f"Bearer {self.token()}"

    def call(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {"Authorization": self._authorization, "AI-Resource-Group": self.group}
        options["headers"] = {**headers, **options.get("headers", {})}
        return self.session.request(method, f"{self.url}/v2/lm{path}", timeout=30, **options)

    def get(self, path: str, **parameters: Any) -> requests.Response:
        return self.call("GET", path, params=parameters)

    def log(self, **resource: Any) -> requests.Response:
        return self.call("PATCH", "/metrics", json=resource)

    def log_text(self, text: str, content_type: str = "application/merge-patch+json") -> requests.Response:
        return self.call("PATCH", "/metrics", data=text.encode(), headers={"Content-Type": content_type})

    def configuration(self, name: str = "c", executable: str = "digits-network") -> str:
        body = {"name": name, "executableId": executable, "scenarioId": "digit-recognition"}
        return str(self.call("POST", "/configurations", json=body).json()["id"])

    def execution(self) -> str:
        body = {"configurationId": self.configuration()}
        return str(self.call("POST", "/executions", json=body).json()["id"])

    def resource(self, id_: str) -> dict[str, Any]:
        (found,) = self.get("/metrics", executionIds=id_).json()["resources"]
        return dict(found)

    def assert_error(self, answer: requests.Response, status: int, target: str | None = None) -> dict[str, Any]:
        """The error of an answer, which must have that status and the AI API's shape."""
        assert answer.status_code == status, answer.text
        error = answer.json()["error"]
        assert {"code", "message", "requestId"} <= set(error) <= {"code", "message", "requestId", "target"}
        assert error["requestId"] == answer.headers["X-Request-ID"]
        assert error.get("target") == target or target is None
        return dict(error)


@contextmanager
def served(data_dir: Path, **options: Any) -> Iterator[Api]:
    with running(Options(with_keys(data_dir), **options)) as app, requests.Session() as session:
        yield Api(app, session)


@pytest.fixture(scope="session")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    """A sandbox that all tests share: each makes the executions that it needs."""
    with served(tmp_path_factory.mktemp("sandbox")) as found:
        yield found


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Any]:
    """Starts sandboxes of one's own: ``serve(data_dir=…, **options)``."""
    with ExitStack() as ending:

        def start(data_dir: Path = tmp_path, **options: Any) -> Api:
            return ending.enter_context(served(data_dir, **options))

        yield start


@pytest.fixture(scope="session")
def serving() -> Any:
    """As a context: ``with serving(data_dir, **options) as api``."""
    return served
