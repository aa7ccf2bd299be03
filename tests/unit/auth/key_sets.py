"""What the issuer of the tests publishes: good keys, and keys that no token may be verified with."""

from __future__ import annotations

import json
from collections.abc import Iterator

from tests.unit.auth.forge import (
    b64,
    ec_key,
    ed_key,
    jwk,
    number,
    okp,
    rsa_key,
)

Bad = Iterator[tuple[str, str]]
"""Bad tokens: a name, and the ``Authorization`` field."""


def key_set() -> bytes:
    good, curve = rsa_key("rsa-1"), ec_key("ec-1")
    keys = [
        jwk(good, "rsa-1", alg="RS256"),
        jwk(curve, "ec-1", alg="ES256"),
        jwk(rsa_key("e3", exponent=3), "rsa-e3"),
        jwk(rsa_key("weak", bits=1024), "weak"),
        jwk(rsa_key("rsa-2"), "for-encryption", use="enc"),
        jwk(rsa_key("rsa-2"), "for-signing", key_ops=["sign"]),
        jwk(rsa_key("rsa-2"), "for-rs512", alg="RS512"),
        jwk(rsa_key("rsa-2"), "for-oaep", alg="RSA-OAEP-256"),
        jwk(rsa_key("rsa-2"), "private", d=number(rsa_key("rsa-2").private_numbers().d)),
        jwk(ec_key("p384", "P-384"), "p384"),
        jwk(ec_key("k1", "secp256k1"), "secp256k1"),
        jwk(ed_key("ed-1"), "ed-1", alg="EdDSA"),
        jwk(ed_key("ed-448", "Ed448"), "ed-448"),
        okp(bytes([1, *bytes(31)]), "ed-small"),
        okp(ed_key("ed-1").public_key().public_bytes_raw(), "x25519", crv="X25519"),
        {"kty": "oct", "kid": "shared", "k": b64(b"s" * 32), "alg": "HS256"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        "not a key",
    ]
    return json.dumps({"keys": keys}).encode()


def bearer(text: str) -> str:
    return f"Bearer {text}"
