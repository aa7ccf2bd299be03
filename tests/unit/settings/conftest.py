"""A configuration that is complete, for tests to change one thing of."""

from collections.abc import Callable, Mapping

import pytest

from service.settings import SettingsError, read_settings


@pytest.fixture
def complete() -> dict[str, str]:
    return {
        "AICORE_BASE_URL": "https://api.example",
        "AICORE_AUTH_URL": "https://auth.example",
        "AICORE_CLIENT_ID": "client",
        "AICORE_CLIENT_SECRET": "s3cret",
        "JWT_ISSUER": "https://issuer.example",
        "JWT_AUDIENCE": "metric-resource",
    }


def _faults_of(environment: Mapping[str, str]) -> dict[str, str]:
    try:
        read_settings(environment)
    except SettingsError as error:
        return {fault.variable: fault.detail for fault in error.faults}
    return {}


@pytest.fixture
def faults_of() -> Callable[[Mapping[str, str]], dict[str, str]]:
    """The faults of a configuration: variable and detail; of several for one variable, the last."""
    return _faults_of
