"""Builds the client of an AI runtime: transport, credentials, retries, adapter."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from urllib.parse import urlsplit

from service.concurrency.fan_out import FanOut
from service.domain.errors import RuntimeTimeout, ServiceError
from service.domain.runtime import AIRuntime, RuntimeKind
from service.runtimes.ai_api.client import AIAPIRuntime
from service.runtimes.credentials import ClientCredentials, FixedCredentials, NoCredentials, TokenEndpoint
from service.runtimes.http_client import HTTPAnswer
from service.runtimes.transport import (
    Circuit,
    ClientCertificate,
    ConcurrencyLimit,
    HttpTransport,
    ResilientClient,
    Retries,
    TokenSource,
    Trust,
)
from service.settings import RuntimeAuth, RuntimeSettings
from service.telemetry.prometheus import Telemetry

_TOKEN_BYTES = 1024 * 1024
_TELLING = 2.0
"""Seconds after which a timeout counts as the runtime's failure: longer than fetches of the fast partition may take."""


def new_fan_out(threads: int) -> FanOut[ServiceError]:
    """Concurrent calls of a runtime: its errors are results, and a late call is a ``RuntimeTimeout``."""
    return FanOut(threads, ServiceError, RuntimeTimeout)


def build_runtime(asked: RuntimeSettings, telemetry: Telemetry) -> tuple[AIRuntime, Callable[[], None]]:
    """The adapter of the configured AI runtime over one resilient client, and a function that closes its connections.

    A server without TLS is a process of MLflow's own, or a Service of Kubernetes, which distribute the calls of one
    read by connection, so connections are not kept. With TLS a connection costs more, and a proxy distributes requests.
    """
    is_mlflow = asked.kind is RuntimeKind.MLFLOW
    adapter, fault = _adapter(asked.kind)
    certificate = None
    if asked.certificate is not None and asked.private_key is not None:
        certificate = ClientCertificate(asked.certificate, asked.private_key)
    transport = HttpTransport(
        connect_timeout=asked.connect_timeout,
        max_body_bytes=asked.max_body_bytes,
        pool_size=2 * asked.concurrency,
        keeps_connections=not (is_mlflow and urlsplit(asked.base_url).scheme == "http"),
        client_certificate=certificate if is_mlflow else None,
        trust=Trust(asked.ca_file, asked.insecure_tls),
        telemetry=telemetry,
    )
    token_transport = HttpTransport(
        connect_timeout=asked.connect_timeout,
        max_body_bytes=_TOKEN_BYTES,
        pool_size=1,
        client_certificate=certificate,
        telemetry=telemetry,
    )
    retries = Retries()
    client = ResilientClient(
        transport,
        base_url=asked.base_url,
        tokens=_tokens(asked, token_transport, retries, telemetry),
        circuit=Circuit(telling=min(_TELLING, asked.timeout / 2), telemetry=telemetry),
        limit=ConcurrencyLimit(2 * asked.concurrency, telemetry=telemetry),
        retries=retries,
        telemetry=telemetry,
        fault=fault,
    )
    fan_out = new_fan_out(2 * asked.concurrency)

    def close() -> None:
        for part in (fan_out, transport, token_transport):
            part.close()

    return adapter(client, identity=_identity(asked), fan_out=fan_out), close


def _adapter(kind: RuntimeKind) -> tuple[Callable[..., AIRuntime], Callable[[HTTPAnswer], str | None] | None]:
    """The adapter, and ``fault`` of ``ResilientClient``."""
    if kind is RuntimeKind.AI_API:
        return AIAPIRuntime, None
    from service.runtimes.mlflow.client import MLflowRuntime  # noqa: PLC0415 - few services need it
    from service.runtimes.mlflow.error_codes import fault  # noqa: PLC0415

    return MLflowRuntime, fault


def _identity(asked: RuntimeSettings) -> str:
    """The server and the account: stored answers are shared only by readers of the same."""
    account = asked.client_id or asked.username or ""
    if not account and asked.token is not None:
        account = hashlib.blake2b(asked.token.encode(), digest_size=16).hexdigest()
    return f"{asked.base_url} {account}"


def _tokens(asked: RuntimeSettings, transport: HttpTransport, retries: Retries, telemetry: Telemetry) -> TokenSource:
    if asked.auth is RuntimeAuth.SERVICE and asked.username is not None and asked.password is not None:
        return FixedCredentials.basic(asked.username, asked.password)
    if asked.auth is RuntimeAuth.SERVICE and asked.token is not None:
        return FixedCredentials.bearer(asked.token)
    if asked.auth is not RuntimeAuth.SERVICE or asked.client_id is None or asked.token_url is None:
        return NoCredentials()
    return ClientCredentials(
        TokenEndpoint(
            asked.token_url,
            asked.client_id,
            asked.client_secret,
            transport=transport,
            retries=retries,
            telemetry=telemetry,
        )
    )
