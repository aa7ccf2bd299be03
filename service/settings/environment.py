"""Reads the settings from environment variables, and reports all faults together."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from service.domain.runtime import RuntimeKind
from service.domain.zones import is_time_zone
from service.settings import connections as connection_file
from service.settings import mlflow, parsers
from service.settings.aicore import AICore
from service.settings.bindings import REDIS_BINDING, Bindings
from service.settings.model import (
    AuthSettings,
    CacheSettings,
    ConnectionSettings,
    PageSettings,
    RuntimeAuth,
    RuntimeSettings,
    ServerSettings,
    Settings,
    TracingSettings,
)
from service.settings.setting_faults import SettingFault, SettingsError
from service.settings.table import TABLE, Parser, Section
from service.web.security import SignInMode

Values = Mapping[Section, dict[str, Any]]


def read_settings(
    environment: Mapping[str, str],
    *,
    is_zone: Callable[[str], bool] = is_time_zone,
) -> Settings:
    """The settings in ``environment``; an empty variable counts as not set.

    Only files named by variables are read beside them. Raises ``SettingsError`` with all faults.
    """
    faults: list[SettingFault] = []
    with_zones = {"DEFAULT_TIME_ZONE": parsers.time_zone(is_zone)}
    values = _simple(environment, with_zones, faults)
    bindings = Bindings(environment, faults)
    connections = _connections(environment, values[RuntimeSettings], faults)
    runtime = next((one.runtime for one in connections if one.default), None)
    if not environment.get(connection_file.VARIABLE):
        runtime = _runtime(environment, values[RuntimeSettings], bindings, faults)
    auth = _auth(environment, values[AuthSettings], bindings, faults)
    cache = _cache(environment, values[CacheSettings], bindings)
    page = _page(values[PageSettings], auth, faults)
    faults.extend(misspelt(environment, {variable.name for variable in TABLE}))
    if faults or runtime is None:
        raise SettingsError(faults)
    values[ServerSettings].setdefault("workers", available_cores())
    server = ServerSettings(**values[ServerSettings])
    tracing = TracingSettings(**values[TracingSettings])
    return Settings(runtime, auth, cache, server, page, tracing, connections=connections, **values[Settings])


def available_cores() -> int:
    """The processor cores that this process may use."""
    count: Callable[[], int | None] | None = getattr(os, "process_cpu_count", None)
    if count is not None:
        return count() or 1
    affinity: Callable[[int], set[int]] | None = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


def _simple(environment: Mapping[str, str], parsers: Mapping[str, Parser], faults: list[SettingFault]) -> Values:
    """The values of the table's variables that are set and valid, by section and field."""
    values: defaultdict[Section, dict[str, Any]] = defaultdict(dict)
    for variable in TABLE:
        text = environment.get(variable.name)
        if not text:
            continue
        try:
            value = parsers.get(variable.name, variable.parse)(text)
        except ValueError as error:
            faults.append(SettingFault(variable.name, str(error)))
        else:
            values[variable.section][variable.field] = value
    return values


def _runtime(
    environment: Mapping[str, str], simple: Mapping[str, Any], bindings: Bindings, faults: list[SettingFault]
) -> RuntimeSettings:
    """The runtime of the variables. With the caller's token, or none, the service uses no credentials of its own, even
    where some are configured. An MLflow server as the only runtime needs no ``RUNTIME_KIND``."""
    auth = simple.get("auth", None if environment.get("RUNTIME_AUTH") else RuntimeAuth.SERVICE)
    as_client = auth is RuntimeAuth.SERVICE
    aicore = AICore(environment, bindings, faults)
    is_open = not environment.get("RUNTIME_KIND") and bool(environment.get(mlflow.URI))
    is_mlflow = simple.get("kind") is RuntimeKind.MLFLOW or (is_open and not aicore.is_there())
    group = aicore.resource_group(RuntimeKind.MLFLOW if is_mlflow else RuntimeKind.AI_API)
    found: dict[str, Any] = {"base_url": ""} if group is None else {"base_url": "", "resource_group": group}
    if is_mlflow:
        found |= mlflow.connection(environment, faults, as_client=as_client)
        return RuntimeSettings(**{**simple, **found, "kind": RuntimeKind.MLFLOW})
    return RuntimeSettings(**{**found, **aicore.connection(as_client=as_client)}, **simple)


def _connections(
    environment: Mapping[str, str], simple: Mapping[str, Any], faults: list[SettingFault]
) -> tuple[ConnectionSettings, ...]:
    path = environment.get(connection_file.VARIABLE)
    if not path:
        return ()
    if environment.get("RUNTIME_KIND"):
        faults.append(SettingFault("RUNTIME_KIND", "does nothing with CONNECTIONS: each table has its own kind"))
    common = {field: value for field, value in simple.items() if field != "kind"}
    return connection_file.read_connections(path, environment, common, faults)


def _cache(environment: Mapping[str, str], simple: Mapping[str, Any], bindings: Bindings) -> CacheSettings:
    """The cache; a binding is used only where no URL is set, even an invalid one."""
    bound = None if environment.get("REDIS_URL") else bindings.redis_url()
    if bound is None:
        return CacheSettings(**simple)
    return CacheSettings(**simple, redis_url=bound, redis_source=REDIS_BINDING)


def _auth(
    environment: Mapping[str, str], simple: Mapping[str, Any], bindings: Bindings, faults: list[SettingFault]
) -> AuthSettings:
    auth = AuthSettings(**simple, xsuaa=bindings.xsuaa(), identity=bindings.identity())
    faults.extend(check(auth, environment, bindings, {fault.variable for fault in faults}))
    return auth


def _page(simple: Mapping[str, Any], auth: AuthSettings, faults: list[SettingFault]) -> PageSettings:
    page = PageSettings(**simple)
    if page.sign_in is not SignInMode.OIDC:
        return page
    issuer = page.issuer or next(iter(auth.issuers), None)
    missing = {"UI_CLIENT_ID": page.client_id, "UI_ISSUER": issuer}
    wrong = {fault.variable for fault in faults}
    faults += [
        SettingFault(name, "is missing; UI_SIGN_IN=oidc needs it")
        for name, value in missing.items()
        if value is None and name not in wrong
    ]
    return replace(page, issuer=issuer)


_NO_ISSUER = "is missing, and VCAP_SERVICES has neither an xsuaa nor an identity binding: no token could be valid"
_NO_AUDIENCE = "is missing; with JWT_ISSUER it must name the audience of the tokens"
_OF_ISSUER = ("JWT_AUDIENCE", "JWT_JWKS_URL")


def check(
    auth: AuthSettings, environment: Mapping[str, str], bindings: Bindings, faulty: Collection[str]
) -> Iterator[SettingFault]:
    """Faults in combinations of variables that are valid by themselves; those in ``faulty`` are skipped."""
    given = {name for name in ("JWT_ISSUER", *_OF_ISSUER) if environment.get(name)}
    bound = bool(auth.xsuaa or auth.identity)
    nothing = "JWT_ISSUER" not in given and not bound and bindings.sound("xsuaa", "identity")
    if nothing:
        yield SettingFault("JWT_ISSUER", _NO_ISSUER)
    if "JWT_AUDIENCE" not in given and ("JWT_ISSUER" in given or nothing):
        yield SettingFault("JWT_AUDIENCE", _NO_AUDIENCE)
    if "JWT_ISSUER" not in given and bound:
        yield from (SettingFault(name, "does nothing without JWT_ISSUER") for name in _OF_ISSUER if name in given)
    if given >= {"JWT_ISSUER", "JWT_JWKS_URL"} and not {"JWT_ISSUER", "JWT_JWKS_URL"} & set(faulty):
        yield from _count(len(auth.jwks_urls), len(auth.issuers))


def _count(urls: int, issuers: int) -> Iterator[SettingFault]:
    if urls != issuers:
        yield SettingFault("JWT_JWKS_URL", f"must have one URL for each issuer: {issuers}, not {urls}")


_PREFIXES = ("JWT_", "CACHE_", "RUNTIME_", "CORS_", "ROLE_", "REQUIRE_", "DEFAULT_", "TRACES_")
_CLOSE = 0.65
"""The similarity of names after the prefix, such that ``CACHE_PORT`` and ``RUNTIME_DIRECTORY`` of platforms pass."""


def misspelt(environment: Mapping[str, str], known: Collection[str]) -> Iterator[SettingFault]:
    """A fault for each unknown variable that is set and resembles a known one."""
    for name in sorted(environment.keys() - set(known)):
        likeness = _likeness(name, known) if environment[name] and name.isidentifier() else None
        if likeness is not None:
            yield SettingFault(name, f"is unknown; did you mean {likeness}?")


def _likeness(name: str, known: Collection[str]) -> str | None:
    prefix = next(filter(name.startswith, _PREFIXES), None)
    if prefix is None:
        return None
    endings = [other.removeprefix(prefix) for other in known if other.startswith(prefix)]
    close = get_close_matches(name.removeprefix(prefix), endings, 1, _CLOSE)
    return prefix + close[0] if close else None
