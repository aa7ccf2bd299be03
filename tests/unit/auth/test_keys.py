"""Key sets and keys: one bad key spoils no other, and each key verifies only what it is for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from service.auth.keys import read_key_set, read_pem
from tests.unit.auth.forge import GONE, b64, ec_key, jwk, number, pem, rsa_key

GOOD = jwk(rsa_key("rsa-1"), "good", alg="RS256")
ALL_RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
RSA, EC = rsa_key("rsa-2"), ec_key("ec-1")
EVEN = number(RSA.public_key().public_numbers().n - 1)
BAD_KEYS: dict[str, Any] = {
    "null": None,
    "text": "key",
    "list": [],
    "empty": {},
    "no kty": jwk(RSA, "k", kty=GONE),
    "kty unknown": jwk(RSA, "k", kty="XYZ"),
    "kty of another type": jwk(RSA, "k", kty=["RSA"]),
    "kty in lower case": jwk(RSA, "k", kty="rsa"),
    "shared key": {"kty": "oct", "kid": "k", "k": b64(b"x" * 32)},
    "Ed25519": {"kty": "OKP", "kid": "k", "crv": "Ed25519", "x": b64(b"x" * 32)},
    "1024 bits": jwk(rsa_key("weak", bits=1024), "k"),
    "2047 bits": jwk(RSA, "k", n=number(2**2046 + 1)),
    "9000 bits": jwk(RSA, "k", n=number(2**9000 + 1)),
    "a million bits": jwk(RSA, "k", n=b64(b"\xff" * 125_000)),
    "even modulus": jwk(RSA, "k", n=EVEN),
    "no modulus": jwk(RSA, "k", n=GONE),
    "empty modulus": jwk(RSA, "k", n=""),
    "modulus of another type": jwk(RSA, "k", n=5),
    "modulus not base64": jwk(RSA, "k", n="!!!"),
    "no exponent": jwk(RSA, "k", e=GONE),
    "exponent one": jwk(RSA, "k", e=number(1)),
    "exponent two": jwk(RSA, "k", e=number(2)),
    "exponent zero": jwk(RSA, "k", e="AA"),
    "even exponent": jwk(RSA, "k", e=number(65536)),
    "huge exponent": jwk(RSA, "k", e=number(2**33 + 1)),
    "private": jwk(RSA, "k", d=number(RSA.private_numbers().d)),
    "private without sense": jwk(RSA, "k", d=None),
    "for encryption": jwk(RSA, "k", use="enc"),
    "use unknown": jwk(RSA, "k", use="SIG"),
    "use null": jwk(RSA, "k", use=None),
    "only signs": jwk(RSA, "k", key_ops=["sign"]),
    "operations of another type": jwk(RSA, "k", key_ops="verify"),
    "no operations": jwk(RSA, "k", key_ops=[]),
    "alg of another type": jwk(RSA, "k", alg=1),
    "alg null": jwk(RSA, "k", alg=[]),
    "alg of a shared key": jwk(RSA, "k", alg="HS256"),
    "alg none": jwk(RSA, "k", alg="none"),
    "alg for encryption": jwk(RSA, "k", alg="RSA-OAEP"),
    "alg of another kind of key": jwk(RSA, "k", alg="ES256"),
    "kid of another type": {**jwk(RSA, "k"), "kid": 7},
    "kid null": {**jwk(RSA, "k"), "kid": None},
    "point not on its curve": jwk(EC, "k", x=b64(b"\1" * 32)),
    "point at zero": jwk(EC, "k", x=b64(bytes(32)), y=b64(bytes(32))),
    "short coordinate": jwk(EC, "k", x=b64(b"\1" * 31)),
    "no coordinate": jwk(EC, "k", y=GONE),
    "curve unknown": jwk(EC, "k", crv="P-257"),
    "curve of another": jwk(EC, "k", crv="P-384"),
    "no curve": jwk(EC, "k", crv=GONE),
    "curve of bitcoin": jwk(ec_key("k1", "secp256k1"), "k"),
    "curve of another alg": jwk(EC, "k", alg="ES384"),
    "RSA alg on a curve": jwk(EC, "k", alg="RS256"),
    "private on a curve": jwk(EC, "k", d=b64(b"x" * 32)),
}


def key_set(*keys: Any) -> bytes:
    return json.dumps({"keys": list(keys)}).encode()


@pytest.mark.parametrize("name", BAD_KEYS)
def test_a_bad_key_is_left_out_and_spoils_no_other(name: str) -> None:
    for document in (key_set(BAD_KEYS[name], GOOD), key_set(GOOD, BAD_KEYS[name])):
        assert [key.key_id for key in read_key_set(document)] == ["good"]
    with pytest.raises(ValueError, match="no usable key"):
        read_key_set(key_set(BAD_KEYS[name]))


def test_all_bad_keys_together_spoil_nothing() -> None:
    assert [key.key_id for key in read_key_set(key_set(*BAD_KEYS.values(), GOOD))] == ["good"]


@pytest.mark.parametrize(
    ("key", "algorithms"),
    [
        (jwk(RSA, "k"), ALL_RSA),
        (jwk(RSA, "k", alg="RS256"), {"RS256"}),
        (jwk(RSA, "k", alg="PS384"), {"PS384"}),
        (jwk(RSA, "k", alg=None), ALL_RSA),
        (jwk(RSA, "k", use=GONE, key_ops=["verify"]), ALL_RSA),
        (jwk(RSA, "k", key_ops=["sign", "verify"]), ALL_RSA),
        (jwk(RSA, None), ALL_RSA),
        (jwk(RSA, "k", x5c=["AA"], x5t="AA", x5u="https://x.example", value="pem", unknown={"a": [1]}), ALL_RSA),
        (jwk(rsa_key("e3", exponent=3), "k"), ALL_RSA),
        (jwk(EC, "k"), {"ES256"}),
        (jwk(EC, "k", alg="ES256"), {"ES256"}),
        (jwk(ec_key("p384", "P-384"), "k"), {"ES384"}),
        (jwk(ec_key("p521", "P-521"), "k"), {"ES512"}),
    ],
)
def test_a_key_is_for_its_own_algorithms(key: dict[str, Any], algorithms: set[str]) -> None:
    (found,) = read_key_set(key_set(key))
    assert found.algorithms == algorithms
    assert found.key_id == key.get("kid")


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'{"keys":null}',
        b'{"keys":{}}',
        b'{"keys":[]}',
        b'{"key":[]}',
        b"<html>",
        b'"keys"',
        b"[" * 100_000,
        b'{"keys":' + b"[" * 100_000,
        json.dumps(GOOD).encode(),
    ],
    ids=lambda document: str(document[:12]),
)
def test_what_is_no_key_set(document: bytes) -> None:
    with pytest.raises(ValueError):
        read_key_set(document)


def test_no_more_than_a_hundred_keys_are_read() -> None:
    assert len(read_key_set(key_set(*[jwk(EC, str(number)) for number in range(150)]))) == 100


PEM = pem(RSA).decode()


@pytest.mark.parametrize(
    "text",
    [
        PEM,
        PEM.strip(),
        PEM.replace("\n", "\\n"),
        PEM.replace("\n", ""),
        PEM.replace("\n", "\r\n"),
        f"  {PEM}\n\n",
        PEM.replace("-----BEGIN PUBLIC KEY-----\n", "").replace("\n-----END PUBLIC KEY-----", ""),
    ],
)
def test_a_pem_key_as_bindings_write_it(text: str) -> None:
    found = read_pem(text)
    assert found.key == RSA.public_key()
    assert found.algorithms == ALL_RSA


def test_pem_keys_that_are_none() -> None:
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    secret = RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
    others = [edwards.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode(), secret]
    for text in ("", "key", PEM[:200], "\xe9", pem(rsa_key("weak", bits=1024)).decode(), *others):
        with pytest.raises(ValueError):
            read_pem(text)
