"""Tokens that somebody made who has no key, or not the right one."""

from __future__ import annotations

import base64
import hashlib

from cryptography.hazmat.primitives.serialization import PublicFormat

from tests.unit.auth.forge import (
    GONE,
    ISSUER,
    b64,
    claims,
    compact,
    der,
    ec_key,
    ed_key,
    eddsa,
    es256,
    header,
    jwk,
    number,
    pem,
    rsa_key,
    signature,
    token,
    with_signature,
)
from tests.unit.auth.key_sets import Bad, bearer, key_set

P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ED25519_ORDER = 2**252 + 27742317777372353535851937790883648493
ATTACKER = "https://attacker.example"


def confusion() -> Bad:
    """A public key used as a shared secret (RFC 8725, 2.1)."""
    key = rsa_key("rsa-1")
    shapes = {"jwk": compact(jwk(key, "rsa-1", alg="RS256")), "der": der(key), "modulus": number(65537).encode()}
    spki, pkcs = pem(key), pem(key, PublicFormat.PKCS1)
    shapes |= {"pem": spki, "pem without end": spki.strip(), "pkcs1": pkcs, "pkcs1 without end": pkcs.strip()}
    shapes |= {
        "crlf pem": spki.replace(b"\n", b"\r\n"),
        "ec pem": pem(ec_key("ec-1")),
        "empty": b"",
        "key set": key_set(),
    }
    for name, secret in shapes.items():
        for algorithm in ("HS256", "HS384", "HS512"):
            yield f"{algorithm} with {name}", bearer(token(header(alg=algorithm), claims(), secret, algorithm))
    yield "shared key of the set", bearer(token(header(alg="HS256", kid="shared"), claims(), b"s" * 32, "HS256"))
    yield "RS256 said, HS256 done", bearer(token(header(), claims(), spki, "HS256"))
    yield "ES256 said of the RSA key", bearer(token(header(alg="ES256"), claims()))
    yield "RS256 said of the EC key", bearer(token(header(kid="ec-1"), claims(), ec_key("ec-1"), "ES256"))
    yield "ES256 with the RSA key's id", bearer(es256(kid="rsa-1"))
    yield "RS256 with the EC key's id", bearer(token(header(kid="ec-1"), claims()))
    for algorithm in ("RS384", "RS512", "PS256", "PS384", "PS512"):
        yield f"{algorithm} not accepted", bearer(token(header(alg=algorithm), claims(), None, algorithm))
        yield f"RS256 said, {algorithm} done", bearer(token(header(), claims(), None, algorithm))
    yield (
        "ES384 not accepted",
        bearer(token(header(alg="ES384", kid="p384"), claims(), ec_key("p384", "P-384"), "ES384")),
    )
    yield "ES256K", bearer(token(header(alg="ES256K", kid="secp256k1"), claims(), ec_key("k1", "secp256k1"), "ES256"))
    for kid, curve in (("p384", "P-384"), ("k1", "secp256k1")):
        yield f"ES256 on {curve}", bearer(token(header(alg="ES256", kid=kid), claims(), ec_key(kid, curve), "ES256"))


def unsigned() -> Bad:
    good = token(header(), claims()).rsplit(".", 1)[1]
    for name in ("none", "None", "NONE", "nOnE", "", "null", "none ", "n\u043ene"):
        head = header(alg=name)
        yield f"alg {name!r}, empty signature", bearer(f"{b64(compact(head))}.{b64(compact(claims()))}.")
        yield f"alg {name!r}, no third part", bearer(f"{b64(compact(head))}.{b64(compact(claims()))}")
        yield f"alg {name!r}, another's signature", bearer(f"{b64(compact(head))}.{b64(compact(claims()))}.{good}")
    yield "RS256, empty signature", bearer(with_signature(header(), claims(), b""))
    yield "no alg", bearer(token(header(alg=GONE), claims()))


def psychic() -> Bad:
    """Signatures that a sloppy ECDSA takes for any message (CVE-2022-21449), and their neighbours."""
    head, order = header(alg="ES256", kid="ec-1"), P256_ORDER
    for name, r, s in (
        ("zeros", 0, 0),
        ("r zero", 0, 1),
        ("s zero", 1, 0),
        ("ones", 1, 1),
        ("order", order, order),
        ("r order", order, 1),
        ("s order", 1, order),
        ("past order", order + 1, order + 1),
        ("full", 2**256 - 1, 2**256 - 1),
    ):
        yield name, bearer(with_signature(head, claims(), r.to_bytes(32, "big") + s.to_bytes(32, "big")))
    right = signature(f"{b64(compact(head))}.{b64(compact(claims()))}".encode(), ec_key("ec-1"), "ES256")
    for name, given in (
        ("r only", right[:32]),
        ("short by one", right[:-1]),
        ("long by one", right + b"\0"),
        ("doubled", right * 2),
        ("zeros before", b"\0" + right),
        ("swapped", right[32:] + right[:32]),
        ("96 bytes", right + b"\0" * 32),
        ("DER zeros", bytes.fromhex("3006020100020100")),
        ("one byte", b"\0"),
    ):
        yield name, bearer(with_signature(head, claims(), given))
    yield "past order by what was signed", bearer(with_signature(head, claims(), _beyond(right)))
    yield "zeros for RS256", bearer(with_signature(header(), claims(), bytes(256)))
    yield "ones for RS256", bearer(with_signature(header(), claims(), bytes(255) + b"\1"))


def _beyond(right: bytes) -> bytes:
    """The same signature with ``s + n``, where it fits."""
    s = int.from_bytes(right[32:], "big") + P256_ORDER
    return right[:32] + s.to_bytes(33, "big")


def edwards() -> Bad:
    """The same with Edwards curves (RFC 8032, RFC 8037): other keys' algorithms, and signatures that lax readers take."""
    key = ed_key("ed-1")
    raw, head = key.public_key().public_bytes_raw(), header(alg="EdDSA", kid="ed-1")
    for name, secret in (("raw key", raw), ("pem", pem(key)), ("der", der(key)), ("jwk", compact(jwk(key, "ed-1")))):
        for algorithm in ("HS256", "HS512"):
            yield (
                f"{algorithm} with {name}",
                bearer(token(header(alg=algorithm, kid="ed-1"), claims(), secret, algorithm)),
            )
        yield f"EdDSA said, HS256 with {name}", bearer(token(head, claims(), secret, "HS256"))
    for name in ("RS256", "ES256", "PS256", "EdDsa", "eddsa", "EDDSA", "Ed25519", "Ed448", "EdDSA ", "none"):
        yield f"{name} said of the Edwards key", bearer(eddsa(alg=name))
    for kid in ("rsa-1", "ec-1", "ed-448", "shared", "x25519", "ed-small", "unknown"):
        yield f"EdDSA with the key id {kid}", bearer(eddsa(kid=kid))
    yield "EdDSA said of the RSA key", bearer(token(header(alg="EdDSA"), claims()))
    yield "EdDSA said of the EC key", bearer(token(header(alg="EdDSA", kid="ec-1"), claims(), ec_key("ec-1"), "ES256"))
    yield "another's key", bearer(token(head, claims(), ed_key("attacker"), "EdDSA"))
    yield "the other curve", bearer(token(head, claims(), ed_key("ed-448", "Ed448"), "EdDSA"))
    yield "another's key in the header", bearer(eddsa(jwk=jwk(ed_key("attacker"), "ed-1"), kid="attacker"))
    yield "no kid where two keys would do", bearer(eddsa(kid=GONE))
    right = key.sign(f"{b64(compact(head))}.{b64(compact(claims()))}".encode())
    identity = bytes([1, *bytes(31)])
    for name, given in (
        ("zeros", bytes(64)),
        ("identity and zero", identity + bytes(32)),
        ("s zero", right[:32] + bytes(32)),
        ("R zero", bytes(32) + right[32:]),
        (
            "s plus the order",
            right[:32] + (int.from_bytes(right[32:], "little") + ED25519_ORDER).to_bytes(32, "little"),
        ),
        ("short by one", right[:-1]),
        ("long by one", right + b"\0"),
        ("doubled", right * 2),
        ("swapped", right[32:] + right[:32]),
        ("as long as Ed448's", right + bytes(50)),
        ("full", b"\xff" * 64),
    ):
        yield name, bearer(with_signature(head, claims(), given))
    small = header(alg="EdDSA", kid="ed-small")
    yield "for a key of small order", bearer(with_signature(small, claims(), identity + bytes(32)))


def keys() -> Bad:
    """Keys that are another's, unknown, weak, or for something else."""
    for kid in ("for-encryption", "for-signing", "for-oaep", "private", "for-rs512"):
        yield kid, bearer(token(header(kid=kid), claims(), rsa_key("rsa-2")))
    yield "1024 bits", bearer(token(header(kid="weak"), claims(), rsa_key("weak", bits=1024)))
    yield "another's key", bearer(token(header(), claims(), rsa_key("rsa-2")))
    yield "another's key, no kid", bearer(token(header(kid=GONE), claims(), rsa_key("rsa-2")))
    yield "no kid where two keys would do", bearer(token(header(kid=GONE), claims()))
    injections = (
        "RSA-1",
        "rsa-1 ",
        " rsa-1",
        "rsa",
        "rsa-1\0",
        "rsa-1\n",
        "",
        "0",
        "*",
        "../rsa-1",
        "../../../dev/null",
        "/dev/null",
        "file:///dev/null",
        "rsa-1' OR '1'='1",
        "' UNION SELECT 'key",
        "| true",
        "$(true)",
        "rsa-1/ec-1",
        "http://attacker.example/k",
        "rsa-1,ec-1",
        "k" * 4000,
        "\u202ersa-1",
        "rsa\u20111",
        "%72sa-1",
    )
    for kid in injections:
        yield f"kid {kid[:40]!r}", bearer(token(header(kid=kid), claims()))
    for odd in (None, 1, True, ["rsa-1"], {"kid": "rsa-1"}, 1.5):
        yield f"kid {odd!r}", bearer(token(header(kid=odd), claims()))
    yield "empty secret for kid /dev/null", bearer(token(header(alg="HS256", kid="/dev/null"), claims(), b"", "HS256"))


def embedded() -> Bad:
    """Keys that the token brings itself, or says where to get (RFC 8725, 3.10)."""
    own = rsa_key("attacker")
    certificate = base64.b64encode(der(own)).decode()
    for name, extra in (
        ("jwk", {"jwk": jwk(own, "rsa-1")}),
        ("x5c", {"x5c": [certificate]}),
        ("jku", {"jku": f"{ATTACKER}/keys"}),
        ("x5u", {"x5u": f"{ATTACKER}/certificate"}),
        ("x5t", {"x5t": b64(hashlib.sha1(der(own)).digest())}),
        ("x5t#S256", {"x5t#S256": b64(hashlib.sha256(der(own)).digest())}),
        ("jku to file", {"jku": "file:///etc/keys"}),
        ("jku that begins like ours", {"jku": f"{ISSUER}@attacker.example/keys"}),
        ("all", {"jwk": jwk(own, "rsa-1"), "jku": f"{ATTACKER}/keys", "x5u": ATTACKER, "x5c": [certificate]}),
    ):
        yield name, bearer(token(header(**extra), claims(), own))
        yield f"{name}, own kid", bearer(token(header(kid="attacker", **extra), claims(), own))
        yield f"{name}, no kid", bearer(token(header(kid=GONE, **extra), claims(), own))
    curve = ec_key("attacker")
    brought = header(alg="ES256", kid="ec-1", jwk=jwk(curve, "ec-1"))
    yield "jwk on a curve", bearer(token(brought, claims(), curve, "ES256"))
    yield "jwk in the payload", bearer(token(header(kid="attacker"), claims(jwk=jwk(own, "attacker")), own))
