"""Key sets and keys: one bad key spoils no other, and each key verifies only what it is for."""

from __future__ import annotations

import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from service.auth import unsafe_edwards_keys
from service.auth.verification_keys import read_key_set, read_pem
from testing.effort import effort
from tests.rows import each_row
from tests.unit.auth.forge import GONE, b64, ec_key, ed_key, jwk, number, okp, pem, rsa_key

GOOD = jwk(rsa_key("rsa-1"), "good", alg="RS256")
ALL_RSA = {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
RSA, EC = rsa_key("rsa-2"), ec_key("ec-1")
RAW = ed_key("ed-1").public_key().public_bytes_raw()
RAW448 = ed_key("ed-448", "Ed448").public_key().public_bytes_raw()
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
    "Ed25519 for agreement": okp(RAW, "k", crv="X25519"),
    "Ed25519 of another curve": okp(RAW, "k", crv="Ed448"),
    "Ed25519 without a curve": okp(RAW, "k", crv=GONE),
    "Ed25519 in lower case": okp(RAW, "k", crv="ed25519"),
    "Ed25519 as elliptic": okp(RAW, "k", kty="EC"),
    "Ed25519 without a key": okp(RAW, "k", x=GONE),
    "Ed25519 of another type": okp(RAW, "k", x=[1]),
    "Ed25519 too short": okp(RAW[:-1], "k"),
    "Ed25519 too long": okp(RAW + b"\0", "k"),
    "Ed25519 private": okp(RAW, "k", d=b64(bytes(32))),
    "Ed25519 for encryption": okp(RAW, "k", use="enc"),
    "Ed25519 for RS256": okp(RAW, "k", alg="RS256"),
    "Ed25519 for ES256": okp(RAW, "k", alg="ES256"),
    "Ed25519 not reduced": okp((2**255 - 19 + 3).to_bytes(32, "little"), "k"),
    "Ed448 not reduced": okp((2**448 - 1).to_bytes(57, "little"), "k", crv="Ed448"),
    "Ed448 beyond its bits": okp((RAW448[:-1] + b"\x01"), "k", crv="Ed448"),
    "1024 bits": jwk(rsa_key("weak", bits=1024), "k"),
    "2047 bits": jwk(RSA, "k", n=number(2**2046 + 1)),
    "8193 bits": jwk(RSA, "k", n=number(2**8192 + 1)),
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
    "large exponent": jwk(RSA, "k", e=number(2**32 + 1)),
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
    "kid a list": {**jwk(RSA, "k"), "kid": []},
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


@each_row("name", BAD_KEYS)
def test_a_bad_key_is_left_out_and_spoils_no_other(name: str) -> None:
    for document in (key_set(BAD_KEYS[name], GOOD), key_set(GOOD, BAD_KEYS[name])):
        assert [key.key_id for key in read_key_set(document)] == ["good"]
    with pytest.raises(ValueError, match=r"^no usable key$"):
        read_key_set(key_set(BAD_KEYS[name]))


def test_all_bad_keys_together_spoil_nothing() -> None:
    assert [key.key_id for key in read_key_set(key_set(*BAD_KEYS.values(), GOOD))] == ["good"]


@each_row(
    "key, algorithms",
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
        (jwk(RSA, "k", e=number(2**32 - 1)), ALL_RSA),
        (jwk(RSA, "k", n=number(2**2047 + 1)), ALL_RSA),
        (jwk(RSA, "k", n=number(2**8191 + 1)), ALL_RSA),
        (jwk(EC, "k"), {"ES256"}),
        (jwk(EC, "k", alg="ES256"), {"ES256"}),
        (jwk(ec_key("p384", "P-384"), "k"), {"ES384"}),
        (jwk(ec_key("p521", "P-521"), "k"), {"ES512"}),
        (jwk(ed_key("ed-1"), "k"), {"EdDSA"}),
        (jwk(ed_key("ed-1"), "k", alg="EdDSA"), {"EdDSA"}),
        (jwk(ed_key("ed-448", "Ed448"), None), {"EdDSA"}),
        ({**jwk(RSA, "k"), "kid": None}, ALL_RSA),
    ],
)
def test_a_key_is_for_its_own_algorithms(key: dict[str, Any], algorithms: set[str]) -> None:
    (found,) = read_key_set(key_set(key))
    assert found.algorithms == algorithms
    assert found.key_id == key.get("kid")


NO_SET, NO_KEY = "^not a JWK set$", "^no usable key$"


@each_row(
    "document, reason",
    [
        (b"", None),
        (b"\xff\xfe", None),
        (b"<html>", None),
        (b"null", NO_SET),
        (b"[]", NO_SET),
        (b'{"keys":null}', NO_SET),
        (b'{"keys":{}}', NO_SET),
        (b'{"key":[]}', NO_SET),
        (b'"keys"', NO_SET),
        (json.dumps(GOOD).encode(), NO_SET),
        (b'{"keys":[]}', NO_KEY),
        (b"[" * 100_000, "^too deep$"),
        (b'{"keys":' + b"[" * 100_000, "^too deep$"),
    ],
)
def test_what_is_no_key_set(document: bytes, reason: str | None) -> None:
    with pytest.raises(ValueError, match=reason):
        read_key_set(document)


def test_no_more_than_a_hundred_keys_are_read() -> None:
    assert len(read_key_set(key_set(*[jwk(EC, str(number)) for number in range(150)]))) == 100


PEM = pem(RSA).decode()


@each_row(
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


AGREEMENT = x25519.X25519PrivateKey.generate().public_key()
SMALL_ORDER = ed25519.Ed25519PublicKey.from_public_bytes(bytes([1, *bytes(31)]))


def public_pem(key: x25519.X25519PublicKey | ed25519.Ed25519PublicKey) -> str:
    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@each_row(
    "text, reason",
    [
        ("", None),
        ("key", None),
        (PEM[:200], None),
        ("\xe9", None),
        (RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(), None),
        (pem(rsa_key("weak", bits=1024)).decode(), "^the key is too weak$"),
        (public_pem(SMALL_ORDER), "^the key is too weak$"),
        (public_pem(AGREEMENT), "^neither an RSA nor an elliptic or Edwards curve key$"),
    ],
)
def test_what_is_no_pem_key_for_signatures_is_refused_and_why(text: str, reason: str | None) -> None:
    with pytest.raises(ValueError, match=reason):
        read_pem(text)


def test_a_pem_key_on_an_edwards_curve() -> None:
    assert read_pem(pem(ed_key("ed-1")).decode()).algorithms == {"EdDSA"}


Curve = tuple[int, int, int, int, int]
"""Of ``a x² + y² = 1 + d x² y²`` the prime, ``a`` and ``d``, and its cofactor; the bytes of an encoded point."""
CURVE_25519: Curve = (2**255 - 19, -1, -121665 * pow(121666, -1, 2**255 - 19), 8, 32)
CURVE_448: Curve = (2**448 - 2**224 - 1, 1, -39081, 4, 57)


@pytest.mark.parametrize("curve", [CURVE_25519, CURVE_448])
def test_no_key_of_small_order_and_no_other_is_refused(curve: Curve) -> None:
    """Every point that the cofactor takes to (0, 1), found by taking any point to the power of the large order."""
    *_, cofactor, size = curve
    load = ed25519.Ed25519PublicKey if size == 32 else ed448.Ed448PublicKey
    small = {point for y in range(2, 12) if (point := torsion(y, curve)) is not None}
    small |= {(x, y) for (x, y) in [add(p, q, curve) for p in small for q in small]}
    assert len({times(cofactor, point, curve) for point in small}) == 1
    assert len(small) == cofactor
    for x, y in small:
        encoded = bytearray(y.to_bytes(size, "little"))
        encoded[-1] |= (x & 1) << 7
        for sign in (0, 0x80):
            encoded[-1] ^= sign
            assert not unsafe_edwards_keys.is_sound(load.from_public_bytes(bytes(encoded)))
    for name in range(effort(3, 20)):
        assert unsafe_edwards_keys.is_sound(ed_key(f"any-{name}", "Ed25519" if size == 32 else "Ed448").public_key())


def torsion(y: int, curve: Curve) -> tuple[int, int] | None:
    """The point at ``y``, if there is one, times the order of the large subgroup."""
    prime, a, d, _, size = curve
    square = (1 - y * y) * pow(a - d * y * y, -1, prime) % prime
    root = pow(square, (prime + 3) // 8, prime) if prime % 8 == 5 else pow(square, (prime + 1) // 4, prime)
    if root * root % prime != square:
        root = root * pow(2, (prime - 1) // 4, prime) % prime if prime % 8 == 5 else root
    if root * root % prime != square:
        return None
    order = 2**252 + 27742317777372353535851937790883648493
    if size == 57:
        order = 2**446 - 13818066809895115352007386748515426880336692474882178609894547503885
    return times(order, (root, y), curve)


def add(p: tuple[int, int], q: tuple[int, int], curve: Curve) -> tuple[int, int]:
    prime, a, d, *_ = curve
    (x1, y1), (x2, y2) = p, q
    both = d * x1 * x2 * y1 * y2
    x = (x1 * y2 + y1 * x2) * pow(1 + both, -1, prime) % prime
    return x, (y1 * y2 - a * x1 * x2) * pow(1 - both, -1, prime) % prime


def times(factor: int, point: tuple[int, int], curve: Curve) -> tuple[int, int]:
    result = (0, 1)
    while factor:
        if factor & 1:
            result = add(result, point, curve)
        point, factor = add(point, point, curve), factor >> 1
    return result
