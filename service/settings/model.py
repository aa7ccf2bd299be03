"""The model of the settings: frozen, validated before, without secrets in ``repr``."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from enum import StrEnum

from service.auth import algorithms
from service.auth.issuers import ROLE_COLLECTIONS
from service.auth.tokens import LONGEST
from service.domain.runtime import DEFAULT_CONNECTION, RuntimeKind
from service.telemetry.trace_options import TraceAttribute
from service.web.security import SignInMode


class RuntimeAuth(StrEnum):
    """The credentials for the runtime."""

    SERVICE = "service"
    FORWARD = "forward"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class RuntimeSettings:
    """A runtime and the service's credentials there; times are in seconds.

    The ``base_url`` of an AI API ends in ``/v2``; that of an MLflow server is its tracking URI. A client of an AI API
    has an id and a secret or certificate, for the token endpoint; one of MLflow a user name and password, or a token.
    ``certificate`` and ``private_key`` are PEM text or paths. ``ca_file`` names authorities in place of the system's.
    """

    base_url: str
    kind: RuntimeKind = RuntimeKind.AI_API
    auth: RuntimeAuth = RuntimeAuth.SERVICE
    resource_group: str = "default"
    client_id: str | None = None
    client_secret: str | None = field(default=None, repr=False)
    token_url: str | None = None
    certificate: str | None = field(default=None, repr=False)
    private_key: str | None = field(default=None, repr=False)
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    token: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    insecure_tls: bool = False
    timeout: float = 10.0
    connect_timeout: float = 3.0
    concurrency: int = 64
    max_body_bytes: int = 512 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """A runtime with its name, and who may use it: callers of the ``tenants``, or all where that is ``None``.

    ``fresh_running`` and ``fresh_finished`` are in seconds, and the service's own where ``None``.
    """

    name: str
    runtime: RuntimeSettings
    description: str = ""
    default: bool = False
    tenants: tuple[str, ...] | None = None
    fresh_running: float | None = None
    fresh_finished: float | None = None


@dataclass(frozen=True, slots=True)
class XsuaaBinding:
    """An XSUAA service binding (``VCAP_SERVICES.xsuaa[].credentials``), as far as tokens are concerned."""

    client_id: str
    xsappname: str
    url: str
    uaadomain: str
    verification_key: str | None = None
    identity_zone_id: str | None = None


@dataclass(frozen=True, slots=True)
class IdentityBinding:
    """An Identity Authentication binding (``VCAP_SERVICES.identity[].credentials``)."""

    client_id: str
    url: str
    domains: tuple[str, ...] = ()
    app_tid: str | None = None


@dataclass(frozen=True, slots=True)
class AuthSettings:
    """Trusted issuers, and the rules for their tokens."""

    issuers: tuple[str, ...] = ()
    audiences: tuple[str, ...] = ()
    jwks_urls: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = algorithms.USUAL
    leeway: float = 60.0
    max_token_bytes: int = LONGEST
    scope_prefix: str = ""
    tenant_claim: str | None = None
    roles_claim: str = "roles"
    role_collections_claim: str = ROLE_COLLECTIONS
    role_catalogue: str | None = None
    require_resource_groups: bool = False
    xsuaa: tuple[XsuaaBinding, ...] = ()
    identity: tuple[IdentityBinding, ...] = ()


@dataclass(frozen=True, slots=True)
class CacheSettings:
    """The lifetimes of answers in seconds, and where they are stored."""

    redis_url: str | None = field(default=None, repr=False)
    redis_source: str = "REDIS_URL"
    """The setting that named the URL, for messages."""
    secret: str | None = field(default=None, repr=False)
    cursor_secret: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False, compare=False)
    """The key that signs cursors where there is no ``secret``, made at the start and shared by its workers."""
    fresh_running: float = 5.0
    fresh_finished: float = 300.0
    stale_while_revalidate: float = 30.0
    stale_if_error: float = 86400.0
    remember_absence: float = 5.0
    min_refresh: float = 1.0
    representation_bytes: int = 128 * 1024 * 1024
    memory_bytes: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Settings of the HTTP server."""

    host: str = "0.0.0.0"  # noqa: S104 - a container's port is published by its platform
    port: int = 8000
    workers: int = 1
    threads: int = 4
    min_send_rate: int = 16 * 1024
    events_most: int = 500
    events_comment: float = 15
    log_level: str = "INFO"


@dataclass(frozen=True, slots=True)
class PageSettings:
    """The page for people at ``/ui/``, and how its readers sign in. ``issuer``: the first trusted one where unset."""

    served: bool = True
    sign_in: SignInMode = SignInMode.TOKEN
    issuer: str | None = None
    client_id: str | None = None
    scope: str = "openid"
    sign_out_url: str | None = None


class TraceProtocol(StrEnum):
    """The protocol of traces; the only one that needs no compiled library."""

    HTTP = "http/protobuf"


class TraceExporter(StrEnum):
    """Where traces go."""

    OTLP = "otlp"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class TracingSettings:
    """Whether and where traces are sent. Other ``OTEL_*`` variables are read by OpenTelemetry itself."""

    endpoint: str | None = None
    traces_endpoint: str | None = None
    protocol: TraceProtocol = TraceProtocol.HTTP
    traces_protocol: TraceProtocol = TraceProtocol.HTTP
    exporter: TraceExporter = TraceExporter.OTLP
    disabled: bool = False
    attributes: tuple[TraceAttribute, ...] = ()

    @property
    def wanted(self) -> bool:
        named = self.endpoint is not None or self.traces_endpoint is not None
        return named and self.exporter is TraceExporter.OTLP and not self.disabled


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings of the service. ``runtime`` is that of the default connection."""

    runtime: RuntimeSettings
    auth: AuthSettings
    cache: CacheSettings = CacheSettings()
    server: ServerSettings = ServerSettings()
    page: PageSettings = PageSettings()
    tracing: TracingSettings = TracingSettings()
    cors_origins: tuple[str, ...] = ()
    default_time_zone: str = "UTC"
    connections_file: str | None = None
    connections: tuple[ConnectionSettings, ...] = ()
    """The connections of the file; empty where the variables name the only runtime."""

    @property
    def named(self) -> tuple[ConnectionSettings, ...]:
        """All connections; without a file, the runtime of the variables."""
        return self.connections or (ConnectionSettings(DEFAULT_CONNECTION, self.runtime, default=True),)
