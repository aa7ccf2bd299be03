"""The real environment is a mapping, and no ``dict``."""

import os
from types import MappingProxyType

from service.settings import read_settings

COMPLETE = {
    "AICORE_BASE_URL": "https://api.example.com",
    "AICORE_AUTH_URL": "https://auth.example.com",
    "AICORE_CLIENT_ID": "client",
    "AICORE_CLIENT_SECRET": "secret",
    "JWT_ISSUER": "https://login.example.com",
    "JWT_AUDIENCE": "metric-resource",
}


def test_any_mapping_is_read_as_a_dict_is() -> None:
    assert read_settings(MappingProxyType(COMPLETE)) == read_settings(COMPLETE)


def test_the_process_environment_is_read(monkeypatch) -> None:
    for name in list(os.environ):
        if name.startswith(("AICORE_", "JWT_", "VCAP_")):
            monkeypatch.delenv(name)
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    assert read_settings(os.environ).runtime.base_url == "https://api.example.com/v2"
