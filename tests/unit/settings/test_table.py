"""The simple variables: what is accepted, as what, and what is refused."""

from collections.abc import Callable
from pathlib import Path

from service.domain.runtime import RuntimeKind
from service.settings import RuntimeAuth, Settings, available_cores, read_settings
from service.settings.model import TraceExporter, TraceProtocol
from service.settings.table import TABLE
from service.telemetry.trace_options import TraceAttribute
from service.web.security import SignInMode
from tests.rows import each_row

GOOD = [
    ("RUNTIME_KIND", "ai_api", RuntimeKind.AI_API),
    ("RUNTIME_AUTH", "forward", RuntimeAuth.FORWARD),
    ("RUNTIME_TIMEOUT", "0.5", 0.5),
    ("RUNTIME_TIMEOUT", "300", 300.0),
    ("RUNTIME_CONNECT_TIMEOUT", "1.25", 1.25),
    ("RUNTIME_CONCURRENCY", "1", 1),
    ("RUNTIME_MAX_BODY_BYTES", "1000000", 1_000_000),
    ("JWT_ISSUER", "http://127.0.0.1:9000/", ("http://127.0.0.1:9000/",)),
    ("JWT_ISSUER", "https://a.example, https://b.example/x", ("https://a.example", "https://b.example/x")),
    ("JWT_ISSUER", "https://[::1]:8443/a%20b", ("https://[::1]:8443/a%20b",)),
    ("JWT_AUDIENCE", "sb-app!b1,other", ("sb-app!b1", "other")),
    ("JWT_JWKS_URL", "https://a.example/keys?zid=1", ("https://a.example/keys?zid=1",)),
    ("JWT_ALGORITHMS", "PS512, ES384", ("PS512", "ES384")),
    ("JWT_ALGORITHMS", "EdDSA", ("EdDSA",)),
    ("JWT_LEEWAY", "0", 0.0),
    ("JWT_MAX_BYTES", "256", 256),
    ("JWT_MAX_BYTES", "65536", 65536),
    ("JWT_SCOPE_PREFIX", "ailaunchpad!b1.", "ailaunchpad!b1."),
    ("JWT_TENANT_CLAIM", "zid", "zid"),
    ("JWT_ROLES_CLAIM", "realm_access.roles", "realm_access.roles"),
    ("JWT_ROLES_CLAIM", "/https:~1~1ns~1roles", "/https:~1~1ns~1roles"),
    ("JWT_ROLE_COLLECTIONS_CLAIM", "/a.b/c", "/a.b/c"),
    ("REQUIRE_RESOURCE_GROUPS", "true", True),
    ("REQUIRE_RESOURCE_GROUPS", "NO", False),
    ("CACHE_FRESH_RUNNING", "0", 0.0),
    ("CACHE_FRESH_FINISHED", "600", 600.0),
    ("CACHE_STALE_WHILE_REVALIDATE", "1.5", 1.5),
    ("CACHE_STALE_IF_ERROR", "0", 0.0),
    ("CACHE_REMEMBER_ABSENCE", "2", 2.0),
    ("CACHE_MIN_REFRESH", "0.5", 0.5),
    ("CACHE_SECRET", "32 letters, and none to be known", "32 letters, and none to be known"),
    ("REDIS_URL", "rediss+cluster://a,b", "rediss+cluster://a,b"),
    ("REDIS_URL", "valkeys+sentinel://a,b/cache", "valkeys+sentinel://a,b/cache"),
    ("MEMORY_CACHE_BYTES", "0", 0),
    ("REPRESENTATION_CACHE_BYTES", "007", 7),
    ("CORS_ORIGINS", "https://a.example,http://b.example:8080", ("https://a.example", "http://b.example:8080")),
    ("CORS_ORIGINS", "HTTPS://A.example:443, http://[::1]:80", ("https://a.example", "http://[::1]")),
    ("DEFAULT_TIME_ZONE", "Europe/Berlin", "Europe/Berlin"),
    ("DEFAULT_TIME_ZONE", "-03:30", "-03:30"),
    ("HOST", "127.0.0.1", "127.0.0.1"),
    ("HOST", "::", "[::]"),
    ("HOST", "[::1]", "[::1]"),
    ("HOST", "localhost", "localhost"),
    ("PORT", "65535", 65535),
    ("WEB_CONCURRENCY", "3", 3),
    ("WEB_THREADS", "4", 4),
    ("WEB_MIN_SEND_RATE", "16384", 16384),
    ("EVENTS_MOST", "0", 0),
    ("EVENTS_COMMENT", "1.5", 1.5),
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://collector.example:4318", "https://collector.example:4318"),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://c.example/v1/traces", "http://c.example/v1/traces"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf", TraceProtocol.HTTP),
    ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf", TraceProtocol.HTTP),
    ("OTEL_TRACES_EXPORTER", "none", TraceExporter.NONE),
    ("OTEL_SDK_DISABLED", "true", True),
    ("TRACES_ATTRIBUTES", "url.path,url.full", (TraceAttribute.URL_PATH, TraceAttribute.URL_FULL)),
    ("LOG_LEVEL", "debug", "DEBUG"),
    ("UI", "false", False),
    ("UI_SIGN_IN", "session", SignInMode.SESSION),
    ("UI_ISSUER", "https://a.example/realms/x", "https://a.example/realms/x"),
    ("UI_CLIENT_ID", "sb-page!b1", "sb-page!b1"),
    ("UI_SCOPE", "openid profile", "openid profile"),
    ("UI_SIGN_OUT_URL", "do/logout", "do/logout"),
    ("UI_SIGN_OUT_URL", "../logout?to=/x", "../logout?to=/x"),
    ("UI_SIGN_OUT_URL", "https://a.example/logout?a=b", "https://a.example/logout?a=b"),
]

BAD = {
    "CONNECTIONS": ["/nowhere.toml"],
    "RUNTIME_KIND": ["MLflow", "ai-api", "none"],
    "RUNTIME_AUTH": ["Service", "basic", " none"],
    "RUNTIME_TIMEOUT": [
        "0",
        "0.0",
        "-1",
        "301",
        "nan",
        "inf",
        "1e1",
        "1_0",
        " 1",
        "1 ",
        " ",
        "+1",
        ".5",
        "1.",
        "１",
        "1,5",
    ],
    "RUNTIME_CONNECT_TIMEOUT": ["0", "ten"],
    "RUNTIME_CONCURRENCY": ["0", "1.5", "-1", "9" * 5000],
    "RUNTIME_MAX_BODY_BYTES": ["0", "512MiB", "1_000"],
    "JWT_ISSUER": [
        "issuer.example",
        "ftp://a.example",
        "https://",
        "https://a.example#x",
        "https://a.example?x=1",
        "https://a.example?",
        "https://user:pass@a.example",
        "https://a.example:99999",
        "https://a.example:0",
        "https://a.example:",
        "https://[::1",
        "https://[1.2.3.4]",
        "https://a.b\n",
        "https://ex\u00e4mple",
        "https://a.example,",
        ",https://a.example",
        "https://a.example,https://a.example",
        "https://a b",
        "https://a\\b",
        " ",
    ],
    "JWT_AUDIENCE": ["a b", ",", "a,,b", "a\x00"],
    "JWT_JWKS_URL": ["file:///keys", "https://a.example/keys#1", "https://a.example,https://b.example"],
    "JWT_ALGORITHMS": ["HS256", "none", "RS256,HS512", "rs256", "RS256,RS256", "eddsa", "Ed25519"],
    "JWT_LEEWAY": ["301", "-1", "NaN"],
    "JWT_MAX_BYTES": ["255", "65537", "16k"],
    "JWT_SCOPE_PREFIX": ["a b", " "],
    "JWT_TENANT_CLAIM": ["a..b", ".a", "/", "/a//b", "/a~2", "a b"],
    "JWT_ROLES_CLAIM": ["a/b", "a."],
    "JWT_ROLE_COLLECTIONS_CLAIM": ["/a/"],
    "ROLE_CATALOGUE": ["/nowhere/roles.toml", "/", "\x00", "\ud800"],
    "REQUIRE_RESOURCE_GROUPS": ["maybe", "2", " true"],
    "CACHE_FRESH_RUNNING": ["-1", "forever"],
    "CACHE_FRESH_FINISHED": ["99999999"],
    "CACHE_STALE_WHILE_REVALIDATE": ["infinity"],
    "CACHE_STALE_IF_ERROR": ["1d"],
    "CACHE_REMEMBER_ABSENCE": ["301"],
    "CACHE_MIN_REFRESH": ["301", "-1"],
    "CACHE_SECRET": ["31 letters, and none to be known"[:31], "a secret of sufficient length from a file\n"],
    "REDIS_URL": [
        "http://a",
        "redis:a",
        "a:6379",
        "redis://a ",
        "valkey://",
        "valkeyss://a",
        "redis://a/x",
        "redis://:a#b@c",
    ],
    "MEMORY_CACHE_BYTES": ["-1"],
    "REPRESENTATION_CACHE_BYTES": ["1k"],
    "CORS_ORIGINS": [
        "*",
        "null",
        "https://a.example/",
        "https://a.example/x",
        "https://a.example?",
        "a.example",
        "https://*.a.example",
        "https://u@a.example",
    ],
    "DEFAULT_TIME_ZONE": ["Berlin", "europe/berlin", "+24:00", "../etc", "utc", " UTC"],
    "HOST": ["a b", "http://a", "a:80", "[::", "::1%x\ny"],
    "PORT": ["0", "65536", "http", "80.0"],
    "WEB_CONCURRENCY": ["0", "auto"],
    "WEB_THREADS": ["0"],
    "WEB_MIN_SEND_RATE": ["-1", "16 kB"],
    "EVENTS_MOST": ["-1", "many"],
    "EVENTS_COMMENT": ["0", "61", "often"],
    "OTEL_EXPORTER_OTLP_ENDPOINT": ["collector:4318", "https://a.example?x"],
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": ["grpc://a.example"],
    "OTEL_EXPORTER_OTLP_PROTOCOL": ["grpc", "http/json"],
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": ["grpc"],
    "OTEL_TRACES_EXPORTER": ["console", "otlp,console"],
    "OTEL_SDK_DISABLED": ["maybe"],
    "TRACES_ATTRIBUTES": ["url.query", "url.path,", "url.path,url.path"],
    "LOG_LEVEL": ["verbose", "10"],
    "UI": ["maybe", "2"],
    "UI_SIGN_IN": ["basic", "OIDC", "token,oidc"],
    "UI_ISSUER": ["a.example", "https://a.example?x", "javascript:alert(1)"],
    "UI_CLIENT_ID": ["a b", "a\n"],
    "UI_SCOPE": ["openid  profile", " openid", "a\tb"],
    "UI_SIGN_OUT_URL": ["javascript:alert(1)", "//a.example", "/logout", "a b", "https://u:p@a.example"],
}


def value_of(settings: Settings, name: str) -> object:
    variable = next(variable for variable in TABLE if variable.name == name)
    sections = (
        settings.runtime,
        settings.auth,
        settings.cache,
        settings.server,
        settings.page,
        settings.tracing,
        settings,
    )
    return getattr(next(one for one in sections if type(one) is variable.section), variable.field)


@each_row("name, text, value", GOOD)
def test_accepted(complete: dict[str, str], name: str, text: str, value: object) -> None:
    assert value_of(read_settings(complete | {name: text}), name) == value


@each_row("name, text", [(name, text) for name, texts in BAD.items() for text in texts])
def test_refused(
    complete: dict[str, str], faults_of: Callable[[dict[str, str]], dict[str, str]], name: str, text: str
) -> None:
    assert list(faults_of(complete | {name: text})) == [name]


def test_the_cases_cover_the_table() -> None:
    names = {variable.name for variable in TABLE}
    assert names == BAD.keys()
    assert names - {name for name, *_ in GOOD} == {"ROLE_CATALOGUE", "CONNECTIONS"}


@each_row("name", [variable.name for variable in TABLE if not variable.name.startswith("JWT_")])
def test_empty_counts_as_unset(complete: dict[str, str], name: str) -> None:
    assert read_settings(complete | {name: ""}) == read_settings(complete)


def test_defaults_are_those_of_the_model_but_for_the_workers(complete: dict[str, str]) -> None:
    settings = read_settings(complete)
    assert settings.server.workers == available_cores() >= 1
    assert (settings.cors_origins, settings.default_time_zone, settings.runtime.resource_group) == (
        (),
        "UTC",
        "default",
    )


def test_role_catalogue_must_be_there(complete: dict[str, str], tmp_path: Path) -> None:
    catalogue = tmp_path / "roles.toml"
    catalogue.write_text("")
    assert read_settings(complete | {"ROLE_CATALOGUE": str(catalogue)}).auth.role_catalogue == str(catalogue)


@each_row(
    "name, meant",
    [
        ("JWT_ISSUERS", "JWT_ISSUER"),
        ("JWT_JWKS_URI", "JWT_JWKS_URL"),
        ("JWT_ALGORITHM", "JWT_ALGORITHMS"),
        ("CACHE_FRESH_RUNING", "CACHE_FRESH_RUNNING"),
        ("CACHE_STALE_ON_ERROR", "CACHE_STALE_IF_ERROR"),
        ("RUNTIME_TIME_OUT", "RUNTIME_TIMEOUT"),
        ("CORS_ORIGIN", "CORS_ORIGINS"),
        ("ROLE_CATALOG", "ROLE_CATALOGUE"),
        ("REQUIRE_RESOURCE_GROUP", "REQUIRE_RESOURCE_GROUPS"),
        ("DEFAULT_TIMEZONE", "DEFAULT_TIME_ZONE"),
        ("TRACES_ATTRIBUTE", "TRACES_ATTRIBUTES"),
    ],
)
def test_misspelt_names(
    complete: dict[str, str], faults_of: Callable[..., dict[str, str]], name: str, meant: str
) -> None:
    assert faults_of(complete | {name: "x"}) == {name: f"is unknown; did you mean {meant}?"}
    assert not faults_of(complete | {name: ""})


@each_row(
    "name",
    [
        "CACHE_PORT",
        "CACHE_SERVICE_HOST",
        "CACHE_SERVICE_PORT",
        "CACHE_PORT_6379_TCP_ADDR",
        "CACHE_DIRECTORY",
        "RUNTIME_DIRECTORY",
        "RUNTIME_PORT",
        "RUNTIME_SERVICE_HOST",
        "JWT_SECRET",
        "JWT_SECRET_KEY",
        "ROLE_NAME",
        "AICORE_CLIENT_IDS",
        "XDG_CACHE_HOME",
        "JWT_ISSUER=\n",
    ],
)
def test_names_that_platforms_and_others_use(
    complete: dict[str, str], faults_of: Callable[..., dict[str, str]], name: str
) -> None:
    assert not faults_of(complete | {name: "x"})
