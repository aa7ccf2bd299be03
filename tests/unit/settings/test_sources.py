"""The runtime's credentials: their sources, their order, their forms, and what may be missing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from service.settings import RuntimeSettings, SettingsError, read_settings
from tests.rows import each_row

FaultsOf = Callable[[dict[str, str]], dict[str, str]]

PEM = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"
KEY = "-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n"
TOKENS = {"JWT_ISSUER": "https://issuer.example", "JWT_AUDIENCE": "metric-resource"}


def service_key(name: str, **others: Any) -> dict[str, Any]:
    return {
        "clientid": name,
        "clientsecret": f"secret-of-{name}",
        "url": f"https://{name}.auth.example",
        "serviceurls": {"AI_API_URL": f"https://{name}.api.example"},
        **others,
    }


def variables(name: str) -> dict[str, str]:
    return {
        "AICORE_CLIENT_ID": name,
        "AICORE_CLIENT_SECRET": f"secret-of-{name}",
        "AICORE_AUTH_URL": f"https://{name}.auth.example/oauth/token",
        "AICORE_BASE_URL": f"https://{name}.api.example/v2/",
    }


def bound(*keys: Any) -> dict[str, str]:
    return {"VCAP_SERVICES": json.dumps({"aicore": [{"label": "aicore", "credentials": key} for key in keys]})}


def runtime(environment: dict[str, str]) -> RuntimeSettings:
    return read_settings(TOKENS | environment).runtime


def write(path: Path, document: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


@pytest.fixture
def everywhere(tmp_path: Path) -> dict[str, str]:
    """Credentials in every source."""
    write(tmp_path / ".aicore" / "config.json", variables("file"))
    key = {"AICORE_SERVICE_KEY": json.dumps(service_key("key"))}
    return key | variables("variables") | {"HOME": str(tmp_path)} | bound(service_key("bound"), service_key("second"))


def test_order_of_sources(everywhere: dict[str, str]) -> None:
    found = []
    for gone in ([], ["AICORE_SERVICE_KEY"], [*variables("")], ["HOME"]):
        everywhere = {name: text for name, text in everywhere.items() if name not in gone}
        taken = runtime(everywhere)
        name = taken.client_id
        assert taken.client_secret == f"secret-of-{name}"
        assert taken.token_url == f"https://{name}.auth.example/oauth/token"
        assert taken.base_url == f"https://{name}.api.example/v2"
        found.append(name)
    assert found == ["key", "variables", "file", "bound"]


def test_all_parts_come_from_the_first_source_that_has_any(faults_of: FaultsOf) -> None:
    key = {"AICORE_SERVICE_KEY": json.dumps({"clientid": "key"})}
    assert faults_of(TOKENS | variables("variables") | key) == {"AICORE_SERVICE_KEY": "url is missing"}
    only_base = {"AICORE_BASE_URL": "https://api.example"} | bound(service_key("bound"))
    assert faults_of(TOKENS | only_base).keys() == {"AICORE_CLIENT_ID", "AICORE_CLIENT_SECRET", "AICORE_AUTH_URL"}


def test_a_source_without_any_part_is_passed_over() -> None:
    assert runtime({"AICORE_SERVICE_KEY": "{}"} | variables("variables")).client_id == "variables"


def test_every_fault_of_a_source_is_reported() -> None:
    with pytest.raises(SettingsError) as raised:
        runtime(bound({"clientid": "bound", "serviceurls": {}, "certificate": "x"}))
    assert str(raised.value).splitlines() == [
        "VCAP_SERVICES: aicore[0].credentials.serviceurls.AI_API_URL is missing",
        "VCAP_SERVICES: aicore[0].credentials.certificate must be in PEM format: -----BEGIN …",
        "VCAP_SERVICES: aicore[0].credentials.key is missing",
        "VCAP_SERVICES: aicore[0].credentials.url is missing",
    ]


@pytest.mark.parametrize(
    ("document", "client"),
    [
        (variables("file"), "file"),
        (service_key("key"), "key"),
        ({"AICORE_SERVICE_KEY": json.dumps(service_key("text")), **variables("file")}, "text"),
        ({"AICORE_SERVICE_KEY": service_key("object")}, "object"),
    ],
)
def test_forms_of_the_file(tmp_path: Path, document: object, client: str) -> None:
    path = write(tmp_path / "credentials.json", document)
    assert runtime({"AICORE_CONFIG": str(path)}).client_id == client


@pytest.mark.parametrize("wrapped", [True, False], ids=["wrapped", "bare"])
def test_a_service_key_is_bare_or_as_cf_prints_it(tmp_path: Path, wrapped: bool) -> None:
    """``cf service-key`` from version 8 on prints it wrapped in ``credentials``; with a name in front it is the same."""

    def key(name: str) -> dict[str, Any]:
        return {"credentials": service_key(name)} if wrapped else service_key(name)

    assert runtime({"AICORE_SERVICE_KEY": json.dumps(key("variable"))}).client_id == "variable"
    for number, document in enumerate(
        (key("file"), {"AICORE_SERVICE_KEY": key("file")}, {"AICORE_SERVICE_KEY": json.dumps(key("file"))})
    ):
        path = write(tmp_path / f"{number}.json", document)
        taken = runtime({"AICORE_CONFIG": str(path)})
        assert (taken.client_id, taken.client_secret) == ("file", "secret-of-file")


@each_row(
    "key, detail",
    [
        ({"credentials": {"clientid": "key"}}, "credentials.url is missing"),
        ({"credentials": {"clientid": []}}, "credentials.clientid must be a string"),
        ({"credentials": None, **service_key("bare")}, "credentials must be an object"),
        ({"credentials": "text"}, "credentials must be an object"),
        ({"credentials": [service_key("listed")]}, "credentials must be an object"),
    ],
)
def test_a_wrapped_key_that_is_none(faults_of: FaultsOf, key: dict[str, Any], detail: str) -> None:
    assert faults_of(TOKENS | {"AICORE_SERVICE_KEY": json.dumps(key)}) == {"AICORE_SERVICE_KEY": detail}


def test_a_wrapped_key_is_not_mixed_with_what_stands_beside_it() -> None:
    key = {"credentials": service_key("inner"), **service_key("outer")}
    assert runtime({"AICORE_SERVICE_KEY": json.dumps(key)}).client_id == "inner"


def test_place_of_the_file(tmp_path: Path) -> None:
    write(tmp_path / "config.json", variables("default"))
    write(tmp_path / "config_other.json", variables("other"))
    write(tmp_path / "named", variables("named"))
    home = {"AICORE_HOME": str(tmp_path), "HOME": "/nowhere"}
    assert runtime(home).client_id == "default"
    assert runtime(home | {"AICORE_PROFILE": "default"}).client_id == "default"
    assert runtime(home | {"AICORE_PROFILE": "other"}).client_id == "other"
    assert runtime(home | {"AICORE_PROFILE": "other", "AICORE_CONFIG": str(tmp_path / "named")}).client_id == "named"


@pytest.mark.parametrize(
    ("environment", "variable", "detail"),
    [
        ({"AICORE_CONFIG": "/nowhere"}, "AICORE_CONFIG", "leads to no file"),
        ({"AICORE_CONFIG": "\x00"}, "AICORE_CONFIG", "leads to no file"),
        ({"AICORE_HOME": "{}", "AICORE_PROFILE": "gone"}, "AICORE_PROFILE", "leads to no file"),
        (
            {"AICORE_HOME": "{}", "AICORE_PROFILE": "../x"},
            "AICORE_PROFILE",
            "must be the name of a profile, not a path",
        ),
        ({"AICORE_CONFIG": "{}/list"}, "AICORE_CONFIG", "leads to a file that is not a JSON object"),
        ({"AICORE_CONFIG": "{}/broken"}, "AICORE_CONFIG", "leads to a file that is not valid JSON"),
        ({"AICORE_CONFIG": "{}/binary"}, "AICORE_CONFIG", "leads to a file that is not text in UTF-8"),
        ({"AICORE_CONFIG": "{}/types"}, "AICORE_CONFIG", "its file's AICORE_CLIENT_ID must be a string"),
        ({"AICORE_CONFIG": "{}/key"}, "AICORE_CONFIG", "its file's AICORE_SERVICE_KEY is not valid JSON"),
    ],
)
def test_files_that_are_no_use(
    tmp_path: Path, faults_of: FaultsOf, environment: dict[str, str], variable: str, detail: str
) -> None:
    write(tmp_path / "list", [])
    write(tmp_path / "types", {"AICORE_CLIENT_ID": 5})
    write(tmp_path / "key", {"AICORE_SERVICE_KEY": "x"})
    (tmp_path / "broken").write_text("[" * 100_000)
    (tmp_path / "binary").write_bytes(b"\xff")
    placed = {name: text.replace("{}", str(tmp_path)) for name, text in environment.items()}
    assert faults_of(TOKENS | placed) == {variable: detail}


def test_a_file_is_not_read_when_nothing_is_sought_in_it() -> None:
    sufficient = variables("variables") | {"AICORE_RESOURCE_GROUP": "group"}
    assert runtime(sufficient | {"AICORE_CONFIG": "/nowhere"}).client_id == "variables"


def test_resource_group_is_looked_up_by_itself(tmp_path: Path, faults_of: FaultsOf) -> None:
    path = write(tmp_path / "config.json", {"AICORE_RESOURCE_GROUP": "from-file"})
    environment = variables("variables") | {"AICORE_CONFIG": str(path)}
    assert runtime(environment).resource_group == "from-file"
    assert runtime(environment | {"AICORE_RESOURCE_GROUP": "from-variable"}).resource_group == "from-variable"
    assert runtime(variables("variables")).resource_group == "default"
    for bad in ("abc", "a" * 65, "gröup", "a b c", "four\n"):
        assert faults_of(TOKENS | environment | {"AICORE_RESOURCE_GROUP": bad}).keys() == {"AICORE_RESOURCE_GROUP"}


@each_row(
    "given, completed",
    [
        ("https://api.example", "https://api.example/v2"),
        ("https://api.example/", "https://api.example/v2"),
        ("https://api.example/v2/", "https://api.example/v2"),
        ("http://127.0.0.1:9000/some/path", "http://127.0.0.1:9000/some/path/v2"),
        ("https://api.example/notv2", "https://api.example/notv2/v2"),
    ],
)
def test_base_url(given: str, completed: str) -> None:
    assert runtime(variables("v") | {"AICORE_BASE_URL": given}).base_url == completed


@each_row("given", ["https://auth.example", "https://auth.example/", "https://auth.example/oauth/token"])
def test_token_url(given: str) -> None:
    taken = runtime(variables("v") | {"AICORE_AUTH_URL": given})
    assert taken.token_url == "https://auth.example/oauth/token"


@each_row("missing", list(variables("")))
def test_what_is_missing_is_named(faults_of: FaultsOf, missing: str) -> None:
    assert faults_of(TOKENS | variables("v") | {missing: ""}).keys() == {missing}


@each_row(
    "variable, text",
    [
        ("AICORE_BASE_URL", "api.example"),
        ("AICORE_BASE_URL", "https://u:p@api.example"),
        ("AICORE_AUTH_URL", "https://auth.example?x=1"),
        ("AICORE_CLIENT_ID", "a b"),
        ("AICORE_CLIENT_SECRET", "from-a-file\n"),
        ("AICORE_CLIENT_SECRET", "\ud800"),
        ("AICORE_SERVICE_KEY", "not json"),
        ("AICORE_SERVICE_KEY", "[]"),
        ("AICORE_SERVICE_KEY", '{"clientid": []}'),
    ],
)
def test_what_is_wrong_is_named(faults_of: FaultsOf, variable: str, text: str) -> None:
    assert faults_of(TOKENS | variables("v") | {variable: text}).keys() == {variable}


def by_certificate(**parts: str) -> dict[str, str]:
    kept = {name: text for name, text in variables("v").items() if name != "AICORE_CLIENT_SECRET"}
    return kept | {f"AICORE_{part.upper()}": text for part, text in parts.items()}


def test_certificate_from_files(tmp_path: Path) -> None:
    certificate, key = tmp_path / "tls.crt", tmp_path / "tls.key"
    certificate.write_text(PEM)
    key.write_text(KEY)
    taken = runtime(
        by_certificate(cert_file_path=str(certificate), key_file_path=str(key), cert_url="https://cert.example")
    )
    assert (taken.certificate, taken.private_key, taken.client_secret) == (PEM, KEY, None)
    assert taken.token_url == "https://cert.example/oauth/token"


def test_certificate_as_text() -> None:
    taken = runtime(by_certificate(cert_str=PEM.replace("\n", "\\n"), key_str=KEY))
    assert (taken.certificate, taken.private_key) == (PEM, KEY)
    assert taken.token_url == "https://v.auth.example/oauth/token"


def test_certificate_in_a_service_key() -> None:
    key = service_key("x509", certificate=PEM, key=KEY, certurl="https://cert.example")
    del key["clientsecret"]
    taken = runtime({"AICORE_SERVICE_KEY": json.dumps(key)})
    assert (taken.certificate, taken.token_url) == (PEM, "https://cert.example/oauth/token")


def test_a_secret_goes_before_a_certificate() -> None:
    taken = runtime(variables("v") | by_certificate(cert_str=PEM, cert_url="https://cert.example"))
    assert (taken.client_secret, taken.certificate) == ("secret-of-v", None)
    assert taken.token_url == "https://v.auth.example/oauth/token"


@each_row(
    "parts, variable",
    [
        ({"cert_str": PEM}, "AICORE_KEY_STR"),
        ({"key_str": KEY}, "AICORE_CERT_STR"),
        ({"cert_str": "AAAA", "key_str": KEY}, "AICORE_CERT_STR"),
        ({"cert_str": PEM, "key_file_path": "/nowhere"}, "AICORE_KEY_FILE_PATH"),
        ({"cert_file_path": "/dev/null", "key_str": KEY}, "AICORE_CERT_FILE_PATH"),
        ({"cert_str": PEM, "key_str": KEY, "cert_url": "cert.example"}, "AICORE_CERT_URL"),
    ],
)
def test_half_a_certificate(faults_of: FaultsOf, parts: dict[str, str], variable: str) -> None:
    assert faults_of(TOKENS | by_certificate(**parts)).keys() == {variable}


@pytest.mark.parametrize("auth", ["forward", "none"])
def test_without_credentials_of_its_own(faults_of: FaultsOf, auth: str) -> None:
    mode = {"RUNTIME_AUTH": auth}
    taken = runtime(mode | {"AICORE_SERVICE_KEY": json.dumps(service_key("key"))})
    assert (taken.base_url, taken.client_id, taken.client_secret) == ("https://key.api.example/v2", None, None)
    assert runtime(mode | {"AICORE_BASE_URL": "https://api.example"}).base_url == "https://api.example/v2"
    assert faults_of(TOKENS | mode).keys() == {"AICORE_BASE_URL"}
