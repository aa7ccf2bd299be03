"""The form of a token, checked to the letter before anything in it is believed (RFC 7515, 7519, 8725)."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NoReturn

from service.domain.errors import InvalidToken, Unauthenticated

LONGEST = 16 * 1024
_CREDENTIALS = re.compile(r"(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(?P<rest>.*))?", re.ASCII | re.DOTALL)
_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt", "application/jwt"})
_REFUSED_MEMBERS = ("crit", "b64", "enc", "zip", "cty", "epk", "p2c", "p2s")
_DEEPEST = 32


@dataclass(frozen=True, slots=True)
class Token:
    """A token that is well-formed, and not verified yet."""

    encoded: str
    algorithm: str
    key_id: str | None
    claims: dict[str, Any]


def bearer(authorization: str | None) -> str:
    """The token in an ``Authorization`` field (RFC 6750, 2.1).

    Raises ``Unauthenticated`` where there is none or another scheme, ``InvalidToken`` for a token that cannot be one.
    """
    if authorization is None or not authorization.strip():
        raise Unauthenticated("this resource needs a bearer token")
    if len(authorization) > LONGEST + len("Bearer "):
        raise InvalidToken(f"the token is longer than {LONGEST} bytes")
    match = _CREDENTIALS.fullmatch(authorization.strip(" "))
    if match is None:
        raise InvalidToken("the Authorization field is malformed")
    if match["scheme"].lower() != "bearer":
        raise Unauthenticated("this resource needs a bearer token")
    return match["rest"] or _refuse("there is no token behind 'Bearer'")


def parse(encoded: str) -> Token:
    """Take a compact JWS apart. Raises ``InvalidToken`` for all that deviates from the form."""
    parts = encoded.split(".")
    if len(parts) != 3:
        _refuse("the token is not a signed JSON Web Token")
    header, claims = _json(_decoded(parts[0]), "header"), _json(_decoded(parts[1]), "payload")
    _decoded(parts[2])
    _check_header(header)
    return Token(encoded, header["alg"], header.get("kid"), claims)


def _check_header(header: dict[str, Any]) -> None:
    if any(member in header for member in _REFUSED_MEMBERS):
        _refuse("the token's header has a member that is not accepted")
    if not isinstance(header.get("alg"), str):
        _refuse("the token's header names no algorithm")
    if "kid" in header and not isinstance(header["kid"], str):
        _refuse("the token's key id is not a string")
    kind = header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        _refuse("the token is of another type than an access token")


def _decoded(part: str) -> bytes:
    """Base64url without padding, white space or loose bits (RFC 7515, 2; RFC 4648, 3.5)."""
    if not _PART.fullmatch(part) or len(part) % 4 == 1:
        _refuse("the token is not base64url")
    try:
        decoded = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except binascii.Error:
        _refuse("the token is not base64url")
    if base64.urlsafe_b64encode(decoded).rstrip(b"=").decode("ascii") != part:
        _refuse("the token is not base64url")
    return decoded


def _json(encoded: bytes, name: str) -> dict[str, Any]:
    try:
        decoded = json.loads(encoded.decode("utf-8"), object_pairs_hook=_unique, parse_constant=_no_constant)
        json.dumps(decoded, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        _refuse(f"the token's {name} is not strict JSON")
    if not isinstance(decoded, dict) or _depth(decoded) > _DEEPEST:
        _refuse(f"the token's {name} is not a JSON object")
    return decoded


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise ValueError("duplicate member")
        members[name] = value
    return members


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)


def _depth(value: Any) -> int:
    deepest, level = 0, [value]
    while level and deepest <= _DEEPEST:
        deepest += 1
        level = [inner for outer in level for inner in _inner(outer)]
    return deepest


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()


def _refuse(detail: str) -> NoReturn:
    raise InvalidToken(detail)
