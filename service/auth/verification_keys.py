"""Public keys, read from key sets (RFC 7517) or PEM, each only for the algorithms that suit it."""

from __future__ import annotations

import json
from typing import Any

import jwt
import msgspec
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from service.auth import unsafe_edwards_keys
from service.auth.algorithms import EDWARDS, ELLIPTIC_CURVES, RSA

PublicKey = rsa.RSAPublicKey | ec.EllipticCurvePublicKey | unsafe_edwards_keys.EdwardsKey

_LEAST_RSA_BITS, _MOST_RSA_BITS = 2048, 8192
_LEAST_EXPONENT, _MOST_EXPONENT = 3, 2**32
_READ_AS = {"RSA": "RS256", "EC": None, "OKP": EDWARDS}
"""The types of key that are read, and the algorithm by which PyJWT reads each, whatever the key itself states."""
_MOST_KEYS = 100


class VerificationKey(msgspec.Struct, frozen=True):
    """One public key, its id if it has one, and the algorithms it may verify."""

    key: PublicKey
    key_id: str | None
    algorithms: frozenset[str]


def read_key_set(document: bytes) -> tuple[VerificationKey, ...]:
    """The usable keys of a JWK set; invalid ones are skipped.

    Raises ``ValueError`` for anything but a key set with a usable key.
    """
    try:
        found = json.loads(document)
    except RecursionError:
        raise ValueError("too deep") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError("not a JWK set")
    keys = tuple(key for jwk in listed[:_MOST_KEYS] if (key := _read_key(jwk)) is not None)
    if not keys:
        raise ValueError("no usable key")
    return keys


def read_pem(pem: str) -> VerificationKey:
    """A PEM public key, its line ends perhaps written ``\\n`` or missing. Raises ``ValueError``."""
    text = pem.replace("\\n", "\n").strip()
    head, foot = "-----BEGIN PUBLIC KEY-----", "-----END PUBLIC KEY-----"
    body = text.removeprefix(head).removesuffix(foot)
    normal = f"{head}\n{''.join(body.split())}\n{foot}\n"
    key = load_pem_public_key(normal.encode("ascii"))
    if not isinstance(key, PublicKey):
        raise ValueError("neither an RSA nor an elliptic or Edwards curve key")
    algorithms = _algorithms(key, None)
    if not algorithms:
        raise ValueError("the key is too weak")
    return VerificationKey(key, None, algorithms)


def _read_key(jwk: Any) -> VerificationKey | None:
    """One key of a set; ``None`` where it is unusable. Some servers write ``"kid": null`` for no key id."""
    if not isinstance(jwk, dict) or not _for_verifying(jwk) or not isinstance(jwk.get("kid"), str | None):
        return None
    try:
        key = jwt.PyJWK(jwk, algorithm=_READ_AS[jwk["kty"]]).key
    except (jwt.PyJWTError, ValueError, TypeError, KeyError, UnsupportedAlgorithm, OverflowError, AttributeError):
        return None
    if not isinstance(key, PublicKey):
        return None
    algorithms = _algorithms(key, jwk.get("alg"))
    return VerificationKey(key, jwk.get("kid"), algorithms) if algorithms else None


def _for_verifying(jwk: dict[str, Any]) -> bool:
    if "d" in jwk or jwk.get("use", "sig") != "sig":
        return False
    operations = jwk.get("key_ops", ["verify"])
    return isinstance(operations, list) and "verify" in operations


def _algorithms(key: PublicKey, stated: Any) -> frozenset[str]:
    """The algorithms of a key: by its type, size and curve, and by its own ``alg`` where it states one."""
    if isinstance(key, rsa.RSAPublicKey):
        able = frozenset(RSA if _is_sound(key) else ())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        able = frozenset(name for name, curve in ELLIPTIC_CURVES.items() if key.curve.name == curve)
    else:
        able = frozenset({EDWARDS} if unsafe_edwards_keys.is_sound(key) else ())
    return able if stated is None else able & {stated} if isinstance(stated, str) else frozenset()


def _is_sound(key: rsa.RSAPublicKey) -> bool:
    """Whether the key is long enough (RFC 8725, 3.5), and its modulus and exponent are possible."""
    numbers = key.public_numbers()
    odd = numbers.n % 2 == 1 and numbers.e % 2 == 1
    sizes = _LEAST_RSA_BITS <= key.key_size <= _MOST_RSA_BITS and _LEAST_EXPONENT <= numbers.e < _MOST_EXPONENT
    return odd and sizes
