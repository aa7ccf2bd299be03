"""Finds an issuer's keys by its discovery document (OpenID Connect Discovery 1.0, 4)."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping

from service.auth.key_rings import FETCH_BYTES, FETCH_SECONDS, Fetch
from service.auth.strict_json import read_object

_LOCATION = re.compile(r"(?P<scheme>https?)://[A-Za-z0-9.\-\[\]:_]+(?:[/?][!-~]*)?", re.ASCII)


def discovered_keys(
    issuer: str, fetch: Fetch, headers: Mapping[str, str], *, clock: Callable[[], float] = time.monotonic
) -> bytes:
    """The key set that the issuer's discovery document points to; both are fetched with ``headers``, within
    five seconds.

    Raises ``ValueError`` where the document's issuer is not exactly this one, or its keys are at a less secure URL.
    """
    deadline = clock() + FETCH_SECONDS
    document = read_object(fetch(discovery_url(issuer), FETCH_SECONDS, FETCH_BYTES, headers))
    if document.get("issuer") != issuer:
        raise ValueError("the discovery document is another issuer's")
    location = _location(document.get("jwks_uri"), issuer)
    return fetch(location, max(0.1, deadline - clock()), FETCH_BYTES, headers)


def discovery_url(issuer: str) -> str:
    return f"{issuer.removesuffix('/')}/.well-known/openid-configuration"


def _location(value: object, issuer: str) -> str:
    """``jwks_uri``, if it is a plain URL: ``https``, or ``http`` where the issuer itself is."""
    found = _LOCATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or not (found["scheme"] == "https" or issuer.startswith("http://")):
        raise ValueError("the discovery document names no usable key set")
    return found[0]
