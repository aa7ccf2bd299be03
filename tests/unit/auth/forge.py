"""Tokens and keys made byte by byte, with nothing but base64, JSON and primitives: good ones and any other."""

from __future__ import annotations

import base64
import functools
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

ISSUER = "https://issuer.example"
AUDIENCE = "metric-resource"
NOW = 1_800_000_000


class _Gone:
    def __repr__(self) -> str:
        return "nothing"


GONE = _Gone()
"""Stands for a member that is left out."""

Edwards = ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | Edwards
_HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
_CURVES = {"P-256": ec.SECP256R1(), "P-384": ec.SECP384R1(), "P-521": ec.SECP521R1(), "secp256k1": ec.SECP256K1()}


@functools.cache
def rsa_key(name: str, bits: int = 2048, exponent: int = 65537) -> rsa.RSAPrivateKey:
    """One key for each name, the same throughout a process."""
    return rsa.generate_private_key(exponent, bits)


@functools.cache
def ec_key(name: str, curve: str = "P-256") -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(_CURVES[curve])


@functools.cache
def ed_key(name: str, curve: str = "Ed25519") -> Edwards:
    made = ed25519.Ed25519PrivateKey if curve == "Ed25519" else ed448.Ed448PrivateKey
    return made.generate()


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def compact(document: Mapping[str, Any] | bytes) -> bytes:
    if isinstance(document, bytes):
        return document
    return json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()


def members(base: Mapping[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in {**base, **changes}.items() if value is not GONE}


def header(**changes: Any) -> dict[str, Any]:
    return members({"alg": "RS256", "typ": "JWT", "kid": "rsa-1"}, changes)


def claims(**changes: Any) -> dict[str, Any]:
    base = {"iss": ISSUER, "aud": AUDIENCE, "sub": "ada", "exp": NOW + 3600, "iat": NOW - 5}
    return members({**base, "scope": "scenarios.metrics.read"}, changes)


def signature(signed: bytes, key: Key | bytes, algorithm: str) -> bytes:
    if isinstance(key, Edwards):
        return key.sign(signed)
    digest = _HASHES[algorithm[2:]]
    if isinstance(key, bytes):
        return hmac.new(key, signed, f"sha{algorithm[2:]}").digest()
    if isinstance(key, rsa.RSAPrivateKey):
        pss = padding.PSS(padding.MGF1(digest), digest.digest_size)
        return key.sign(signed, pss if algorithm.startswith("PS") else padding.PKCS1v15(), digest)
    size = (key.curve.key_size + 7) // 8
    r, s = decode_dss_signature(key.sign(signed, ec.ECDSA(digest)))
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


def token(
    head: Mapping[str, Any] | bytes,
    payload: Mapping[str, Any] | bytes,
    key: Key | bytes | None = None,
    algorithm: str = "RS256",
) -> str:
    """A compact JWS over exactly these bytes."""
    signed = f"{b64(compact(head))}.{b64(compact(payload))}"
    return f"{signed}.{b64(signature(signed.encode(), rsa_key('rsa-1') if key is None else key, algorithm))}"


def with_signature(head: Mapping[str, Any], payload: Mapping[str, Any], given: bytes) -> str:
    return f"{b64(compact(head))}.{b64(compact(payload))}.{b64(given)}"


def es256(payload: Mapping[str, Any] | None = None, **head: Any) -> str:
    return token(header(**{"alg": "ES256", "kid": "ec-1", **head}), payload or claims(), ec_key("ec-1"), "ES256")


def eddsa(payload: Mapping[str, Any] | None = None, **head: Any) -> str:
    return token(header(**{"alg": "EdDSA", "kid": "ed-1", **head}), payload or claims(), ed_key("ed-1"), "EdDSA")


def okp(raw: bytes, kid: str | None, **changes: Any) -> dict[str, Any]:
    """An octet key pair's public part as a JWK (RFC 8037, 2), be it a key or not."""
    base = {"kty": "OKP", "use": "sig", "crv": "Ed25519", "x": b64(raw), "kid": GONE if kid is None else kid}
    return members(base, changes)


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def jwk(key: Key, kid: str | None, **changes: Any) -> dict[str, Any]:
    """The public key as a JWK (RFC 7518, 6)."""
    if isinstance(key, Edwards):
        curve = "Ed25519" if isinstance(key, ed25519.Ed25519PrivateKey) else "Ed448"
        return okp(key.public_key().public_bytes_raw(), kid, **{"crv": curve, **changes})
    if isinstance(key, rsa.RSAPrivateKey):
        public = key.public_key().public_numbers()
        base = {"kty": "RSA", "use": "sig", "n": number(public.n), "e": number(public.e)}
    else:
        point, size = key.public_key().public_numbers(), (key.curve.key_size + 7) // 8
        curve = next(name for name, known in _CURVES.items() if known.name == key.curve.name)
        coordinates = {"x": b64(point.x.to_bytes(size, "big")), "y": b64(point.y.to_bytes(size, "big"))}
        base = {"kty": "EC", "use": "sig", "crv": curve, **coordinates}
    return members({**base, "kid": GONE if kid is None else kid}, changes)


def pem(key: Key, form: PublicFormat = PublicFormat.SubjectPublicKeyInfo) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, form)


def der(key: Key) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def padding_forgery(signed: bytes) -> bytes:
    """A signature for a key with exponent 3, made without it (Bleichenbacher 2006).

    A cube root whose cube begins like PKCS #1 padding with the right hash and ends in anything. A verifier that looks
    only at the beginning takes it.
    """
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    block = b"\x00\x01\xff\xff\xff\xff\xff\xff\xff\xff\x00" + prefix + hashlib.sha256(signed).digest()
    target = int.from_bytes(block + b"\xff" * (256 - len(block)), "big")
    return cube_root(target).to_bytes(256, "big")


def cube_root(value: int) -> int:
    low, high = 0, 1 << (value.bit_length() // 3 + 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if middle**3 <= value else (low, middle - 1)
    return low
