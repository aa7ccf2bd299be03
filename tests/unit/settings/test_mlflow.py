"""``MLFLOW_*``: an MLflow server as the runtime, by MLflow's own variables."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.domain.runtime import RuntimeKind
from service.settings import RuntimeSettings, SettingsError, describe, read_settings, risks
from tests.rows import each_row

TRUSTED = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "a"}
PEM = "-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----\n"
WITHOUT_KEY = str(Path(__file__).with_name("conftest.py"))
ACCOUNT = {"MLFLOW_TRACKING_USERNAME": "u", "MLFLOW_TRACKING_PASSWORD": "of the account"}


def read(**variables: str) -> RuntimeSettings:
    given = {"RUNTIME_KIND": "mlflow", "MLFLOW_TRACKING_URI": "https://mlflow.example/prefix/", **variables}
    return read_settings({**TRUSTED, **given}).runtime


def faults(**variables: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read(**variables)
    return [str(fault) for fault in raised.value.faults]


def test_three_variables_are_enough() -> None:
    assert len(TRUSTED) + 1 == 3
    assert read(RUNTIME_KIND="") == read() == RuntimeSettings("https://mlflow.example/prefix", RuntimeKind.MLFLOW)


@pytest.mark.parametrize(
    "ai_api",
    [{"AICORE_BASE_URL": "https://ai.example"}, {"VCAP_SERVICES": '{"aicore": [{"credentials": 1}]}'}],
    ids=["right", "wrong"],
)
def test_an_ai_api_that_is_there_goes_before_a_tracking_uri(ai_api: dict[str, str]) -> None:
    """Whoever works with MLflow has that variable, in front of which runtime ever the service is to stand."""
    assert not any("MLFLOW" in line for line in faults(**ai_api, RUNTIME_KIND=""))


def test_the_services_account_token_and_group() -> None:
    found = read(**ACCOUNT, MLFLOW_TRACKING_TOKEN="t0ken", AICORE_RESOURCE_GROUP="ml")
    assert (found.username, found.password, found.token) == ("u", "of the account", "t0ken")
    assert found.resource_group == "ml"
    assert "of the account" not in repr(found)


def test_in_the_callers_name_the_service_has_no_credentials() -> None:
    found = read(**ACCOUNT, RUNTIME_AUTH="forward")
    assert (found.username, found.password, found.token) == (None, None, None)


def test_certificates(tmp_path: Path) -> None:
    authorities, client = tmp_path / "ca.pem", tmp_path / "client.pem"
    authorities.write_text(PEM)
    client.write_text(PEM + KEY)
    found = read(MLFLOW_TRACKING_SERVER_CERT_PATH=str(authorities), MLFLOW_TRACKING_CLIENT_CERT_PATH=str(client))
    assert (found.ca_file, found.certificate, found.private_key) == (str(authorities), str(client), str(client))
    assert read(MLFLOW_TRACKING_INSECURE_TLS="true").insecure_tls


@each_row(
    "variables, fault",
    [
        ({"MLFLOW_TRACKING_URI": ""}, "MLFLOW_TRACKING_URI: is missing"),
        ({"MLFLOW_TRACKING_URI": "databricks"}, "MLFLOW_TRACKING_URI: must be the URL of a tracking server"),
        ({"MLFLOW_TRACKING_URI": "file:///runs"}, "MLFLOW_TRACKING_URI: must be the URL of a tracking server"),
        ({"MLFLOW_TRACKING_URI": "http://a:b@c"}, "MLFLOW_TRACKING_URI: must be a URL with a host"),
        ({"MLFLOW_TRACKING_USERNAME": "u"}, "MLFLOW_TRACKING_PASSWORD: is missing"),
        ({"MLFLOW_TRACKING_PASSWORD": "p"}, "MLFLOW_TRACKING_USERNAME: is missing"),
        ({**ACCOUNT, "MLFLOW_TRACKING_USERNAME": "a:b"}, "MLFLOW_TRACKING_USERNAME: must not contain a colon"),
        ({"MLFLOW_TRACKING_TOKEN": "a\nb"}, "MLFLOW_TRACKING_TOKEN: must be printable ASCII"),
        ({"MLFLOW_TRACKING_SERVER_CERT_PATH": "/nowhere"}, "MLFLOW_TRACKING_SERVER_CERT_PATH: leads to no file"),
        ({"MLFLOW_TRACKING_CLIENT_CERT_PATH": WITHOUT_KEY}, "MLFLOW_TRACKING_CLIENT_CERT_PATH: must lead to a PEM"),
        ({"MLFLOW_TRACKING_INSECURE_TLS": "x"}, "MLFLOW_TRACKING_INSECURE_TLS: must be true or false"),
        (
            {"MLFLOW_TRACKING_INSECURE_TLS": "1", "MLFLOW_TRACKING_SERVER_CERT_PATH": __file__},
            "MLFLOW_TRACKING_INSECURE_TLS: and MLFLOW_TRACKING_SERVER_CERT_PATH exclude each other",
        ),
        ({"RUNTIME_KIND": "vertex"}, "RUNTIME_KIND: must be one of ai_api, mlflow"),
    ],
)
def test_what_is_wrong_is_named(variables: dict[str, str], fault: str) -> None:
    assert any(line.startswith(fault) for line in faults(**variables)), faults(**variables)


def test_an_unchecked_certificate_is_a_risk() -> None:
    given = {**TRUSTED, "RUNTIME_KIND": "mlflow", "MLFLOW_TRACKING_URI": "https://m"}
    assert list(risks(read_settings(given))) == []
    (risk,) = risks(read_settings({**given, "MLFLOW_TRACKING_INSECURE_TLS": "true"}))
    assert risk.variable == "MLFLOW_TRACKING_INSECURE_TLS"


def test_the_effective_configuration_hides_the_password() -> None:
    shown = dict(
        describe(read_settings({**TRUSTED, "RUNTIME_KIND": "mlflow", "MLFLOW_TRACKING_URI": "http://m", **ACCOUNT}))
    )
    assert shown["MLFLOW_TRACKING_URI"] == "http://m"
    assert shown["MLFLOW_TRACKING_PASSWORD"] == "***"
