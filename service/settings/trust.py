"""Whether the settings that make a token good go together."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from service.settings.bindings import Bindings
from service.settings.faults import SettingFault
from service.settings.model import AuthSettings

_NO_ISSUER = "is missing, and VCAP_SERVICES has neither an xsuaa nor an identity binding: no token could be good"
_NO_AUDIENCE = "is missing; with JWT_ISSUER it must say for whom tokens are made out"
_OF_ISSUER = ("JWT_AUDIENCE", "JWT_JWKS_URL")


def check(
    auth: AuthSettings, environment: Mapping[str, str], bindings: Bindings, faulty: Collection[str]
) -> Iterator[SettingFault]:
    """Faults of variables that each are right by themselves; those in ``faulty`` are not looked at again."""
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
