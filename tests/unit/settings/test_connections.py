"""``CONNECTIONS``: named runtimes out of a TOML file, and every fault of it by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.domain.runtime import RuntimeKind
from service.settings import ConnectionSettings, RuntimeAuth, Settings, SettingsError, read_settings
from tests.rows import each_row

TRUSTED = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "a"}
SECRETS = {"SAP_SECRET": "of the client", "TRACKING_PASSWORD": "of the account", "TOKEN": "t0ken"}
SAP = """
[sap]
description = "SAP AI Core"
base_url = "https://ai.example"
auth_url = "https://auth.example"
client_id = "c"
client_secret_env = "SAP_SECRET"
resource_group = "team-a"
"""
TRACKING = """
[tracking]
kind = "mlflow"
tracking_uri = "https://mlflow.example/"
username = "u"
password_env = "TRACKING_PASSWORD"
tenants = ["t1", "t2"]
timeout = 30
fresh_running = 0
fresh_finished = 600.5
"""
DEFAULT = "default = true\n"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path


def read(directory: Path, text: str, **variables: str) -> Settings:
    (directory / "connections.toml").write_text(text)
    return read_settings({**TRUSTED, **SECRETS, "CONNECTIONS": str(directory / "connections.toml"), **variables})


def faults(directory: Path, text: str, **variables: str) -> list[str]:
    with pytest.raises(SettingsError) as raised:
        read(directory, text, **variables)
    return [str(fault) for fault in raised.value.faults]


def test_connections_of_both_kinds(directory: Path) -> None:
    settings = read(
        directory,
        SAP + DEFAULT + TRACKING + 'resource_group = "ml"\n',
        RUNTIME_CONCURRENCY="7",
        AICORE_BASE_URL="no URL",
    )
    sap, tracking = settings.named
    assert (sap.name, sap.description, sap.default, sap.tenants) == ("sap", "SAP AI Core", True, None)
    assert (sap.runtime.kind, sap.runtime.auth) == (RuntimeKind.AI_API, RuntimeAuth.SERVICE)
    assert (sap.runtime.base_url, sap.runtime.token_url) == (
        "https://ai.example/v2",
        "https://auth.example/oauth/token",
    )
    assert (sap.runtime.client_id, sap.runtime.client_secret) == ("c", "of the client")
    assert (sap.runtime.resource_group, sap.runtime.concurrency) == ("team-a", 7)
    assert settings.runtime is sap.runtime
    assert (tracking.runtime.base_url, tracking.runtime.username) == ("https://mlflow.example", "u")
    assert tracking.runtime.resource_group == "ml"
    assert (tracking.runtime.password, tracking.runtime.timeout) == ("of the account", 30.0)
    assert (tracking.tenants, tracking.fresh_running, tracking.fresh_finished) == (("t1", "t2"), 0.0, 600.5)
    assert all(secret not in repr(settings) for secret in SECRETS.values())


def test_the_only_connection_is_the_default(directory: Path) -> None:
    assert [each.default for each in read(directory, SAP).named] == [True]


def test_without_a_file_the_variables_are_the_connection_default() -> None:
    settings = read_settings({**TRUSTED, "RUNTIME_KIND": "mlflow", "MLFLOW_TRACKING_URI": "http://m"})
    assert settings.named == (ConnectionSettings("default", settings.runtime, default=True),)


def test_secrets_and_certificates_of_files_beside_it(directory: Path) -> None:
    (directory / "secret").write_text("of a file\n")
    (directory / "ca.pem").write_text("-----BEGIN CERTIFICATE-----")
    sap = SAP.replace('client_secret_env = "SAP_SECRET"', 'client_secret_file = "secret"')
    tracking = '[t]\nkind = "mlflow"\ntracking_uri = "https://m"\ntoken_env = "TOKEN"\nca_file = "ca.pem"\n'
    one, other = read(directory, sap + DEFAULT + tracking).named
    assert one.runtime.client_secret == "of a file"
    assert (other.runtime.token, other.runtime.ca_file) == ("t0ken", str(directory / "ca.pem"))


def test_in_the_callers_name_no_credentials_are_needed(directory: Path) -> None:
    (only,) = read(directory, '[a]\nbase_url = "https://ai.example"\nauth = "forward"\n').named
    assert (only.runtime.auth, only.runtime.client_id) == (RuntimeAuth.FORWARD, None)


@each_row(
    "text, fault",
    [
        ("", "leads to a file without a connection"),
        ("a = 1", "a must be in a table [name]"),
        ("[a", "leads to a file that is not TOML: at end of document"),
        ("['a b']", "must be a name of letters"),
        (SAP + TRACKING, "one of the connections must have default = true"),
        (SAP + DEFAULT + TRACKING + DEFAULT, "only one connection can have default = true, not sap, tracking"),
        ("[a]\n", "[a] base_url is missing"),
        ("[a]\n", "[a] client_id is missing"),
        ("[a]\n", "[a] auth_url is missing"),
        ("[a]\n", "[a] client_secret_env is missing"),
        ('[a]\nkind = "mlflow"\n', "[a] tracking_uri is missing"),
        ('[a]\nkind = "vertex"\n', "[a] kind must be one of ai_api, mlflow"),
        (SAP + 'base_uri = "x"\n', "[sap] base_uri is unknown; did you mean base_url?"),
        (SAP + 'client_secret = "in the file"\n', "[sap] client_secret must not be in the file"),
        (TRACKING + 'password = "in the file"\n', "[tracking] password must not be in the file"),
        (TRACKING + 'base_url = "x"\n', "[tracking] base_url is unknown"),
        (SAP.replace("SAP_SECRET", "NOWHERE"), "[sap] client_secret_env names an environment variable that is not set"),
        (SAP + 'client_secret_file = "x"\n', "[sap] client_secret_env and client_secret_file exclude each other"),
        (SAP + 'certificate_file = "connections.toml"\n', "[sap] certificate_file and key_file belong together"),
        (SAP + "tenants = []\n", "[sap] tenants must be a list of tenants"),
        (SAP + 'tenants = "t"\n', "[sap] tenants must be a list of tenants"),
        (SAP + 'default = "true"\n', "[sap] default must be true or false"),
        (SAP.replace("team-a", "dev"), "[sap] resource_group must be 4 to 64 characters"),
        (TRACKING + 'resource_group = "d"\n', "[tracking] resource_group must be 2 to 64 characters"),
        (SAP + "timeout = 0\n", "[sap] timeout must be a number of seconds above 0, up to 300"),
        (SAP + 'timeout = "1"\n', "[sap] timeout must be a number of seconds"),
        (SAP + "fresh_running = -1\n", "[sap] fresh_running must be a number of seconds from 0"),
        (SAP + "fresh_running = nan\n", "[sap] fresh_running must be a number of seconds from 0"),
        (TRACKING.replace('username = "u"\n', ""), "[tracking] username and password_env or password_file belong"),
        (
            TRACKING + "insecure_tls = true\nca_file = 'connections.toml'\n",
            "[tracking] insecure_tls and ca_file exclude",
        ),
        (TRACKING.replace("https:", "ftp:"), "[tracking] tracking_uri must be the URL of a tracking server"),
    ],
)
def test_what_is_wrong_is_named(directory: Path, text: str, fault: str) -> None:
    found = faults(directory, text)
    assert any(fault in line for line in found), found
    assert all(line.startswith("CONNECTIONS: ") and 'in the file"' not in line for line in found)


def test_every_fault_of_every_table_is_reported(directory: Path) -> None:
    found = faults(directory, '[a]\nkind = "x"\n[b]\ntimeout = 0\n')
    assert {line.split("]")[0] for line in found} >= {"CONNECTIONS: [a", "CONNECTIONS: [b"}


def test_of_a_kind_that_is_misspelt_nothing_is_said_to_lack_what_another_kind_needs(directory: Path) -> None:
    found = faults(directory, TRACKING.replace('"mlflow"', '"mlflov"') + 'colour = "red"\n')
    assert [line.partition("] ")[2].partition(" ")[0] for line in found] == ["kind", "colour"], found


def test_a_file_that_is_not_there() -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings({**TRUSTED, "CONNECTIONS": "/nowhere.toml"})
    assert str(raised.value) == "CONNECTIONS: leads to no file"


def test_a_kind_beside_a_file_does_nothing_and_is_refused(directory: Path) -> None:
    assert any(line.startswith("RUNTIME_KIND: does nothing") for line in faults(directory, SAP, RUNTIME_KIND="mlflow"))
