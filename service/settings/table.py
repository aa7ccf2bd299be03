"""The table of the simple variables: parser, field and meaning of each.

The default of a variable is that of its field, so that it is stated once. The runtime's credentials
and the bindings of a platform are not simple: see ``aicore`` and ``bindings``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from typing import Any

from service.domain.runtime import RuntimeKind
from service.domain.zones import is_time_zone
from service.settings import addresses, parsers
from service.settings.model import (
    AuthSettings,
    CacheSettings,
    PageSettings,
    RuntimeAuth,
    RuntimeSettings,
    ServerSettings,
    Settings,
    TraceExporter,
    TraceProtocol,
    TracingSettings,
)
from service.settings.parsers import integer, seconds, switch
from service.telemetry.trace_options import TraceAttribute
from service.web.security import SignInMode

Section = (
    type[RuntimeSettings]
    | type[AuthSettings]
    | type[CacheSettings]
    | type[ServerSettings]
    | type[PageSettings]
    | type[TracingSettings]
    | type[Settings]
)
Parser = Callable[[str], Any]

_YEAR = 366 * 24 * 3600
_MOST_BYTES = 2**40


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable that is parsed by itself and sets one field. ``default_text`` is for defaults that are calculated."""

    name: str
    section: Section
    field: str
    parse: Parser
    meaning: str
    default_text: str | None = None
    secret: bool = False

    @property
    def default(self) -> str:
        """The default, as it would be written in the environment; ``none`` where there is none."""
        if self.default_text is not None:
            return self.default_text
        value = next(field.default for field in fields(self.section) if field.name == self.field)
        return written(None if value is MISSING else value)


def written(value: object) -> str:
    """A value as it is written in the environment; ``none`` for what is not set."""
    if value is None or value in ("", ()):
        return "none"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    return f"{value:.15g}" if isinstance(value, float) else str(value)


_R, _A, _C, _S, _P, _T = (
    RuntimeSettings,
    AuthSettings,
    CacheSettings,
    ServerSettings,
    PageSettings,
    TracingSettings,
)
_urls = parsers.listed(addresses.http_url_with_query, repeats=True)
_bytes = integer(0, _MOST_BYTES)

TABLE: tuple[Variable, ...] = (
    Variable("RUNTIME_KIND", _R, "kind", parsers.one_of(RuntimeKind), "API of the runtime"),
    Variable("RUNTIME_AUTH", _R, "auth", parsers.one_of(RuntimeAuth), "credentials for the runtime"),
    Variable(
        "RUNTIME_TIMEOUT", _R, "timeout", seconds(300, zero=False), "for all that one request reads from the runtime, s"
    ),
    Variable(
        "RUNTIME_CONNECT_TIMEOUT",
        _R,
        "connect_timeout",
        seconds(300, zero=False),
        "of that, for making a connection, s",
    ),
    Variable("RUNTIME_CONCURRENCY", _R, "concurrency", integer(1, 1024), "fetches at the same time, each worker"),
    Variable("RUNTIME_MAX_BODY_BYTES", _R, "max_body_bytes", integer(1, _MOST_BYTES), "largest answer, decompressed"),
    Variable("JWT_ISSUER", _A, "issuers", parsers.listed(addresses.http_url), "trusted issuers"),
    Variable("JWT_AUDIENCE", _A, "audiences", parsers.listed(parsers.word), "accepted audiences"),
    Variable("JWT_JWKS_URL", _A, "jwks_urls", _urls, "key set of each issuer"),
    Variable("JWT_ALGORITHMS", _A, "algorithms", parsers.listed(parsers.algorithm), "accepted signature algorithms"),
    Variable("JWT_LEEWAY", _A, "leeway", seconds(300), "clock skew allowed, s"),
    Variable("JWT_MAX_BYTES", _A, "max_token_bytes", integer(256, 64 * 1024), "longest token accepted, bytes"),
    Variable("JWT_SCOPE_PREFIX", _A, "scope_prefix", parsers.word, "prefix of the scopes in tokens"),
    Variable("JWT_TENANT_CLAIM", _A, "tenant_claim", parsers.claim_path, "claim that names the caller's tenant"),
    Variable("JWT_ROLES_CLAIM", _A, "roles_claim", parsers.claim_path, "claim that lists roles"),
    Variable(
        "JWT_ROLE_COLLECTIONS_CLAIM",
        _A,
        "role_collections_claim",
        parsers.claim_path,
        "claim that lists role collections",
    ),
    Variable("ROLE_CATALOGUE", _A, "role_catalogue", parsers.readable_file, "TOML file of roles and role collections"),
    Variable(
        "REQUIRE_RESOURCE_GROUPS", _A, "require_resource_groups", switch, "whether tokens must name resource groups"
    ),
    Variable("CACHE_FRESH_RUNNING", _C, "fresh_running", seconds(_YEAR), "freshness while a run may change, s"),
    Variable("CACHE_FRESH_FINISHED", _C, "fresh_finished", seconds(_YEAR), "freshness after a run has ended, s"),
    Variable("CACHE_STALE_WHILE_REVALIDATE", _C, "stale_while_revalidate", seconds(_YEAR), "stale while refreshed, s"),
    Variable("CACHE_STALE_IF_ERROR", _C, "stale_if_error", seconds(_YEAR), "stale in place of an error, s"),
    Variable(
        "CACHE_REMEMBER_ABSENCE", _C, "remember_absence", seconds(300), "how long an unknown run is remembered, s"
    ),
    Variable("CACHE_MIN_REFRESH", _C, "min_refresh", seconds(300), "between two fetches that clients force, s"),
    Variable("CACHE_SECRET", _C, "secret", parsers.secret, "authenticates what is kept in Redis", secret=True),
    Variable(
        "REDIS_URL",
        _C,
        "redis_url",
        lambda text: addresses.redis_url(parsers.unpadded(text)),
        "Redis or Valkey; without it answers are cached in the process",
        secret=True,
    ),
    Variable("MEMORY_CACHE_BYTES", _C, "memory_bytes", _bytes, "answers kept in the process without Redis"),
    Variable("REPRESENTATION_CACHE_BYTES", _C, "representation_bytes", _bytes, "ready answers kept in the process"),
    Variable("CONNECTIONS", Settings, "connections_file", parsers.readable_file, "TOML file of named runtimes"),
    Variable(
        "CORS_ORIGINS", Settings, "cors_origins", parsers.listed(addresses.origin), "origins whose pages may read"
    ),
    Variable("DEFAULT_TIME_ZONE", Settings, "default_time_zone", parsers.time_zone(is_time_zone), "zone of timestamps"),
    Variable("HOST", _S, "host", addresses.bind_host, "address to listen on"),
    Variable("PORT", _S, "port", integer(1, 65535), "port to listen on"),
    Variable("WEB_CONCURRENCY", _S, "workers", integer(1, 1024), "worker processes", default_text="one for each core"),
    Variable(
        "WEB_THREADS",
        _S,
        "threads",
        integer(1, 1024),
        "threads of each worker that work at once; waiting ones do not count",
    ),
    Variable(
        "WEB_MIN_SEND_RATE",
        _S,
        "min_send_rate",
        integer(0, 2**30),
        "the least bytes a second at which a client reads an answer that takes longer than a minute",
    ),
    Variable("EVENTS_MOST", _S, "events_most", integer(0, 100_000), "event streams of each worker, open at once"),
    Variable("EVENTS_COMMENT", _S, "events_comment", seconds(60, zero=False), "between comments on silent streams, s"),
    Variable("UI", _P, "served", switch, "whether the page for people is served"),
    Variable("UI_SIGN_IN", _P, "sign_in", parsers.one_of(SignInMode), "how readers of the page sign in"),
    Variable("UI_ISSUER", _P, "issuer", addresses.http_url, "OpenID provider that they sign in at"),
    Variable("UI_CLIENT_ID", _P, "client_id", parsers.word, "the page's client id there"),
    Variable("UI_SCOPE", _P, "scope", parsers.scopes, "scopes that the page asks for, separated by spaces"),
    Variable("UI_SIGN_OUT_URL", _P, "sign_out_url", addresses.reference, "where signing out leads"),
    Variable("OTEL_EXPORTER_OTLP_ENDPOINT", _T, "endpoint", addresses.http_url, "collector that traces are sent to"),
    Variable(
        "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", _T, "traces_endpoint", addresses.http_url, "the same, path included"
    ),
    Variable("OTEL_EXPORTER_OTLP_PROTOCOL", _T, "protocol", parsers.one_of(TraceProtocol), "how traces are sent"),
    Variable(
        "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL",
        _T,
        "traces_protocol",
        parsers.one_of(TraceProtocol),
        "how traces are sent",
    ),
    Variable("OTEL_TRACES_EXPORTER", _T, "exporter", parsers.one_of(TraceExporter), "where traces go"),
    Variable("OTEL_SDK_DISABLED", _T, "disabled", switch, "no traces whatever else is set"),
    Variable(
        "TRACES_ATTRIBUTES",
        _T,
        "attributes",
        parsers.listed(parsers.one_of(TraceAttribute)),
        "attributes of spans that name runs and resource groups",
    ),
    Variable("LOG_LEVEL", _S, "log_level", parsers.log_level, "least severe log line written"),
)
