"""The effective configuration, for display."""

from __future__ import annotations

from collections.abc import Iterator

from service.domain.runtime import RuntimeKind
from service.settings import mlflow
from service.settings.model import (
    AuthSettings,
    CacheSettings,
    PageSettings,
    RuntimeSettings,
    ServerSettings,
    Settings,
    TracingSettings,
)
from service.settings.table import TABLE, Section, written

_HIDDEN = "***"


def describe(settings: Settings) -> list[tuple[str, str]]:
    """Each variable with its effective value, secrets replaced by ``***``; ``none`` for what is not set.

    Credentials are listed under the ``AICORE_*`` or ``MLFLOW_*`` variable that could set them, whatever their source.
    """
    return [*_credentials(settings.runtime), *_table(settings), *_bindings(settings.auth)]


def _credentials(runtime: RuntimeSettings) -> Iterator[tuple[str, str]]:
    if runtime.kind is RuntimeKind.MLFLOW:
        yield mlflow.URI, runtime.base_url
        yield "AICORE_RESOURCE_GROUP", runtime.resource_group
        yield mlflow.USERNAME, written(runtime.username)
        yield mlflow.PASSWORD, _hidden(runtime.password)
        yield mlflow.TOKEN, _hidden(runtime.token)
        yield mlflow.AUTHORITIES, written(runtime.ca_file)
        yield mlflow.INSECURE, written(runtime.insecure_tls)
        yield mlflow.CERTIFICATE, written(runtime.certificate)
        return
    by_certificate = runtime.certificate is not None
    yield "AICORE_BASE_URL", runtime.base_url
    yield "AICORE_RESOURCE_GROUP", runtime.resource_group
    yield "AICORE_CLIENT_ID", written(runtime.client_id)
    yield "AICORE_CERT_URL" if by_certificate else "AICORE_AUTH_URL", written(runtime.token_url)
    yield "AICORE_CLIENT_SECRET", _hidden(runtime.client_secret)
    yield "AICORE_CERT_STR", _hidden(runtime.certificate)
    yield "AICORE_KEY_STR", _hidden(runtime.private_key)


def _table(settings: Settings) -> Iterator[tuple[str, str]]:
    sections: dict[Section, object] = {
        RuntimeSettings: settings.runtime,
        AuthSettings: settings.auth,
        CacheSettings: settings.cache,
        ServerSettings: settings.server,
        PageSettings: settings.page,
        TracingSettings: settings.tracing,
        Settings: settings,
    }
    for variable in TABLE:
        value = getattr(sections[variable.section], variable.field)
        unset = value is None and variable.default_text is not None
        shown = variable.default if unset else written(value)
        yield variable.name, _hidden(value) if variable.secret else shown


def _bindings(auth: AuthSettings) -> Iterator[tuple[str, str]]:
    for number, xsuaa in enumerate(auth.xsuaa):
        yield f"VCAP_SERVICES.xsuaa[{number}]", f"{xsuaa.xsappname} at {xsuaa.url}"
    for number, identity in enumerate(auth.identity):
        yield f"VCAP_SERVICES.identity[{number}]", f"{identity.client_id} at {identity.url}"


def _hidden(value: str | None) -> str:
    return "none" if value is None else _HIDDEN
