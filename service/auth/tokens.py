"""Parses tokens strictly, before anything in them is trusted (RFC 7515, 7519, 8725)."""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any, NoReturn

import msgspec

from service.auth.strict_json import read_object
from service.domain.errors import InvalidToken, Unauthenticated

LONGEST = 16 * 1024
"""The longest token by default, in bytes, checked before parsing."""
_SCHEME = "Bearer "
_CREDENTIALS = re.compile(r"(?P<scheme>[!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(?P<rest>.*))?", re.ASCII | re.DOTALL)
_PART = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_TYPES = frozenset({"jwt", "at+jwt", "application/at+jwt"})
_REFUSED_MEMBERS = ("crit", "b64", "enc", "zip", "cty", "epk", "apu", "apv", "iv", "tag", "p2c", "p2s")


class Token(msgspec.Struct, frozen=True):
    """A token that is well-formed, but not verified yet. Of its header's references to keys, only ``kid`` is used."""

    encoded: str
    algorithm: str
    key_id: str | None
    claims: dict[str, Any]


def longest_field(longest: int) -> int:
    """Characters of an ``Authorization`` field that carries a token of ``longest`` bytes."""
    return len(_SCHEME) + longest


def bearer(authorization: str | None, longest: int = LONGEST) -> str:
    """The token in an ``Authorization`` field (RFC 6750, 2.1); one of more than ``longest`` bytes is refused unread.

    Raises ``Unauthenticated`` where there is none or another scheme, ``InvalidToken`` for text that cannot be a token.
    Several fields arrive joined by commas, which no token contains.
    """
    if authorization is None or not authorization.strip(" "):
        raise Unauthenticated("this resource needs a bearer token")
    if len(authorization) > longest_field(longest):
        raise InvalidToken(f"the token is longer than {longest} bytes")
    match = _CREDENTIALS.fullmatch(authorization)
    if match is None:
        raise InvalidToken("the Authorization field is malformed")
    if match["scheme"].lower() != "bearer":
        raise Unauthenticated("this resource needs a bearer token")
    return match["rest"] or _refuse("there is no token after 'Bearer'")


def parse(encoded: str) -> Token:
    """Parse a compact JWS. Raises ``InvalidToken`` for any deviation from its form."""
    parts = encoded.split(".")
    if len(parts) != 3:
        _refuse("the token is not a signed JSON Web Token")
    header, claims, _ = (_decoded(part) for part in parts)
    algorithm, key_id = _read_header(_object(header, "header"))
    return Token(encoded, algorithm, key_id, _object(claims, "payload"))


def _read_header(header: dict[str, Any]) -> tuple[str, str | None]:
    if not header.keys().isdisjoint(_REFUSED_MEMBERS):
        _refuse("the token's header has a member that is not accepted")
    algorithm, key_id, kind = header.get("alg"), header.get("kid"), header.get("typ", "JWT")
    if not isinstance(algorithm, str):
        _refuse("the token's header names no algorithm")
    if "kid" in header and not isinstance(key_id, str):
        _refuse("the token's key id is not a string")
    if not isinstance(kind, str) or kind.lower() not in _TYPES:
        _refuse("the token is of another type than an access token")
    return algorithm, key_id


def _decoded(part: str) -> bytes:
    """Base64url without padding, white space or loose bits (RFC 7515, 2; RFC 4648, 3.5)."""
    if not _PART.fullmatch(part):
        _refuse("the token is not base64url")
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error:
        _refuse("the token is not base64url")
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode("ascii"):
        _refuse("the token is not base64url")
    return decoded


def _object(encoded: bytes, name: str) -> dict[str, Any]:
    try:
        return read_object(encoded)
    except ValueError:
        _refuse(f"the token's {name} is not a strict JSON object")


def _refuse(detail: str) -> NoReturn:
    raise InvalidToken(detail)
