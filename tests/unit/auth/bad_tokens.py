"""The catalogue of tokens that must not hold, by name: forged, broken, stale, and meant for others.

``key_set`` is what the issuer publishes meanwhile: good keys, and keys that no token may be verified with.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

from cryptography.hazmat.primitives.serialization import PublicFormat

from tests.unit.auth.forge import (
    AUDIENCE,
    GONE,
    ISSUER,
    NOW,
    b64,
    claims,
    compact,
    der,
    ec_key,
    es256,
    header,
    jwk,
    number,
    padding_forgery,
    pem,
    rsa_key,
    signature,
    token,
    with_signature,
)

Bad = Iterator[tuple[str, str]]
P256_ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
ATTACKER = "https://attacker.example"
NOT_NAMES: tuple[Any, ...] = (None, 7, True, [], {}, ["x"], "")


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
        {"kty": "oct", "kid": "shared", "k": b64(b"s" * 32), "alg": "HS256"},
        {"kty": "RSA", "kid": "broken", "n": "!", "e": "AQAB"},
        "not a key",
    ]
    return json.dumps({"keys": keys}).encode()


def catalogue() -> dict[str, str]:
    """All by name, each another token."""
    sources = (confusion, unsigned, psychic, padded, keys, embedded, members_of_header, types_of_header)
    sources += (form, encodings, json_text, times, names, cuts, credentials)
    found: dict[str, str] = {}
    for source in sources:
        for name, authorization in source():
            full = f"{source.__name__}: {name}"
            assert full not in found, full
            found[full] = authorization
    return found


def bearer(text: str) -> str:
    return f"Bearer {text}"


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
        ("zeros", 0, 0), ("r zero", 0, 1), ("s zero", 1, 0), ("ones", 1, 1), ("order", order, order),
        ("r order", order, 1), ("s order", 1, order), ("past order", order + 1, order + 1), ("full", 2**256 - 1, 2**256 - 1),
    ):  # fmt: skip
        yield name, bearer(with_signature(head, claims(), r.to_bytes(32, "big") + s.to_bytes(32, "big")))
    right = signature(f"{b64(compact(head))}.{b64(compact(claims()))}".encode(), ec_key("ec-1"), "ES256")
    for name, given in (
        ("r only", right[:32]), ("short by one", right[:-1]), ("long by one", right + b"\0"), ("doubled", right * 2),
        ("zeros before", b"\0" + right), ("swapped", right[32:] + right[:32]), ("96 bytes", right + b"\0" * 32),
        ("DER zeros", bytes.fromhex("3006020100020100")), ("one byte", b"\0"),
    ):  # fmt: skip
        yield name, bearer(with_signature(head, claims(), given))
    yield "past order by what was signed", bearer(with_signature(head, claims(), _beyond(right)))
    yield "zeros for RS256", bearer(with_signature(header(), claims(), bytes(256)))
    yield "ones for RS256", bearer(with_signature(header(), claims(), bytes(255) + b"\1"))


def _beyond(right: bytes) -> bytes:
    """The same signature with ``s + n``, where it fits."""
    s = int.from_bytes(right[32:], "big") + P256_ORDER
    return right[:32] + s.to_bytes(33, "big")


def padded() -> Bad:
    """PKCS #1 v1.5 padding that only looks right."""
    head = header(kid="rsa-e3")
    signed = f"{b64(compact(head))}.{b64(compact(claims()))}".encode()
    yield "cube root with rubbish behind", bearer(with_signature(head, claims(), padding_forgery(signed)))
    key = rsa_key("rsa-1").private_numbers()
    digest, prefix = None, bytes.fromhex("3031300d060960864801650304020105000420")
    signed = f"{b64(compact(header()))}.{b64(compact(claims()))}".encode()
    digest = hashlib.sha256(signed).digest()
    no_null = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20"
    blocks = {
        "block type 2": _block(b"\x00\x02", prefix + digest), "block type 0": _block(b"\x00\x00", prefix + digest),
        "no algorithm": _block(b"\x00\x01", digest), "without NULL": _block(b"\x00\x01", no_null + digest),
        "short padding": b"\x00\x01\xff\xff\x00" + prefix + digest + bytes(256 - 5 - 51),
        "rubbish in the middle": _block(b"\x00\x01", prefix + digest).replace(b"\xff\xff\xff\x00", b"\xff\x7f\xff\x00", 1),
        "SHA-1's name": _block(b"\x00\x01", bytes.fromhex("3021300906052b0e03021a05000414") + digest[:20]),
        "hash cut": _block(b"\x00\x01", prefix + digest[:-1]), "zero byte first": _block(b"\x00\x01", b"\0" + prefix + digest),
    }  # fmt: skip
    for name, block in blocks.items():
        forged = pow(int.from_bytes(block, "big"), key.d, key.public_numbers.n)
        yield name, bearer(with_signature(header(), claims(), forged.to_bytes(256, "big")))
    right = pow(int.from_bytes(_block(b"\x00\x01", prefix + digest), "big"), key.d, key.public_numbers.n)
    yield "zero bytes before", bearer(with_signature(header(), claims(), right.to_bytes(257, "big")))
    yield "zero bytes behind", bearer(with_signature(header(), claims(), right.to_bytes(256, "big") + b"\0"))
    past = (right + key.public_numbers.n).to_bytes(257, "big")
    yield "past the modulus", bearer(with_signature(header(), claims(), past))


def _block(start: bytes, end: bytes) -> bytes:
    return start + b"\xff" * (256 - len(start) - 1 - len(end)) + b"\x00" + end


def keys() -> Bad:
    """Keys that are another's, unknown, weak, or for something else."""
    for kid in ("for-encryption", "for-signing", "for-oaep", "private", "for-rs512"):
        yield kid, bearer(token(header(kid=kid), claims(), rsa_key("rsa-2")))
    yield "1024 bits", bearer(token(header(kid="weak"), claims(), rsa_key("weak", bits=1024)))
    yield "another's key", bearer(token(header(), claims(), rsa_key("rsa-2")))
    yield "another's key, no kid", bearer(token(header(kid=GONE), claims(), rsa_key("rsa-2")))
    yield "no kid where two keys would do", bearer(token(header(kid=GONE), claims()))
    injections = ("RSA-1", "rsa-1 ", " rsa-1", "rsa", "rsa-1\0", "rsa-1\n", "", "0", "*", "../rsa-1", "../../../dev/null",
                  "/dev/null", "file:///dev/null", "rsa-1' OR '1'='1", "' UNION SELECT 'key", "| true", "$(true)", "rsa-1/ec-1",
                  "http://attacker.example/k", "rsa-1,ec-1", "k" * 4000, "\u202ersa-1", "rsa\u20111", "%72sa-1")  # fmt: skip
    for kid in injections:
        yield f"kid {kid[:40]!r}", bearer(token(header(kid=kid), claims()))
    for kid in (None, 1, True, ["rsa-1"], {"kid": "rsa-1"}, 1.5):
        yield f"kid {kid!r}", bearer(token(header(kid=kid), claims()))
    yield "empty secret for kid /dev/null", bearer(token(header(alg="HS256", kid="/dev/null"), claims(), b"", "HS256"))


def embedded() -> Bad:
    """Keys that the token brings itself, or says where to get (RFC 8725, 3.10)."""
    own = rsa_key("attacker")
    certificate = base64.b64encode(der(own)).decode()
    for name, extra in (
        ("jwk", {"jwk": jwk(own, "rsa-1")}), ("x5c", {"x5c": [certificate]}), ("jku", {"jku": f"{ATTACKER}/keys"}),
        ("x5u", {"x5u": f"{ATTACKER}/certificate"}), ("x5t", {"x5t": b64(hashlib.sha1(der(own)).digest())}),
        ("x5t#S256", {"x5t#S256": b64(hashlib.sha256(der(own)).digest())}), ("jku to file", {"jku": "file:///etc/keys"}),
        ("jku that begins like ours", {"jku": f"{ISSUER}@attacker.example/keys"}),
        ("all", {"jwk": jwk(own, "rsa-1"), "jku": f"{ATTACKER}/keys", "x5u": ATTACKER, "x5c": [certificate]}),
    ):  # fmt: skip
        yield name, bearer(token(header(**extra), claims(), own))
        yield f"{name}, own kid", bearer(token(header(kid="attacker", **extra), claims(), own))
        yield f"{name}, no kid", bearer(token(header(kid=GONE, **extra), claims(), own))
    curve = ec_key("attacker")
    brought = header(alg="ES256", kid="ec-1", jwk=jwk(curve, "ec-1"))
    yield "jwk on a curve", bearer(token(brought, claims(), curve, "ES256"))
    yield "jwk in the payload", bearer(token(header(kid="attacker"), claims(jwk=jwk(own, "attacker")), own))


def members_of_header() -> Bad:
    """Well signed, with a header that asks for something this service does not do."""
    for name, value in (
        ("crit", ["exp"]), ("crit", []), ("crit", ["b64"]), ("crit", None), ("crit", "exp"), ("b64", False), ("b64", True),
        ("zip", "DEF"), ("enc", "A256GCM"), ("enc", None), ("cty", "JWT"), ("cty", "json"), ("cty", ""), ("epk", {}),
        ("p2c", 2147483647), ("p2s", "c2FsdA"), ("iv", "AA"), ("tag", "AA"), ("apu", "AA"), ("apv", "AA"),
    ):  # fmt: skip
        yield f"{name} {value!r}", bearer(token(header(**{name: value}), claims()))
    yield "b64 as crit says", bearer(token(header(b64=False, crit=["b64"]), claims()))
    yield "crit of a made-up member", bearer(token(header(crit=["x"], x=1), claims()))


def types_of_header() -> Bad:
    for kind in ("JWE", "JOSE", "jose+json", "id_token", "dpop+jwt", "logout+jwt", "secevent+jwt", "application/jwt+x", "",
                 "at+jwt ", " JWT", "rt+jwt", "token-introspection+jwt", "jwt;a=b", None, 1, True, ["JWT"], {}):  # fmt: skip
        yield f"typ {kind!r}", bearer(token(header(typ=kind), claims()))
    for algorithm in (
        None,
        1,
        True,
        ["RS256"],
        {"alg": "RS256"},
        "rs256",
        "RS256 ",
        "RS 256",
        "RSA",
        "RS256\0",
        "SHA256",
    ):
        yield f"alg {algorithm!r}", bearer(token(header(alg=algorithm), claims()))
    for kind in ("RSA-OAEP", "dir", "A128KW", "EdDSA", "Ed25519", "PBES2-HS256+A128KW", "ECDH-ES"):
        yield f"alg {kind!r} of others", bearer(token(header(alg=kind), claims()))


def form() -> Bad:
    """Not three parts, or not the right three."""
    good = token(header(), claims())
    head, payload, end = good.split(".")
    part = b64(b"x" * 16)
    jwe = b64(compact({"alg": "RSA-OAEP", "enc": "A256GCM"}))
    for name, text in (
        ("five parts of a JWE", f"{jwe}.{part}.{part}.{part}.{part}"), ("five parts, ours in front", f"{good}.{part}.{part}"),
        ("dir", f"{b64(compact({'alg': 'dir', 'enc': 'A128GCM'}))}..{part}.{part}.{part}"),
        ("four parts", f"{good}.{part}"), ("four parts, last empty", f"{good}."), ("dot in front", f".{good}"),
        ("two dots", f"{head}..{end}"), ("dots only", ".."), ("more dots", "...."), ("a dot", "."), ("one part", head),
        ("two parts", f"{head}.{payload}"), ("no header", f".{payload}.{end}"), ("nothing but a word", "token"),
        ("parts in another order", f"{payload}.{head}.{end}"), ("header twice", f"{head}.{head}.{end}"),
        ("payload in the clear", f"{head}.{compact(claims()).decode()}.{end}"), ("nested", b64(good.encode())),
        ("JSON serialization", json.dumps({"protected": head, "payload": payload, "signature": end})),
        ("two tokens", f"{good},{good}"), ("two with space", f"{good} {good}"), ("two in a row", good + good),
        ("an empty object", f"{head}.{b64(b'{}')}.{end}"), ("detached payload", f"{head}..{end}"[::-1][::-1] + "."),
        ("too long", token(header(), claims(x="x" * 16_000))), ("far too long", "a" * 1_000_000),
        ("too long in the header", token(header(x="x" * 16_000), claims())), ("many dots", "." * 10_000),
        ("token of 16 KiB and one byte", f"{good}{'A' * (16 * 1024 + 1 - len(good))}"),
    ):  # fmt: skip
        yield name, bearer(text)
    yield "a well signed token inside", bearer(token(header(), good.encode()))


def encodings() -> Bad:
    """Base64 that lax decoders take (RFC 7515, 2; RFC 4648, 3)."""
    good = token(header(), claims())
    parts = good.split(".")
    for at, name in enumerate(("header", "payload", "signature")):
        for what, change in (
            ("padding", lambda part: part + "="), ("two of padding", lambda part: part + "=="),
            ("a space behind", lambda part: part + " "), ("a space in front", lambda part: " " + part),
            ("a line end", lambda part: part + "\n"), ("a line end inside", lambda part: part[:8] + "\r\n" + part[8:]),
            ("a tab inside", lambda part: part[:8] + "\t" + part[8:]), ("a NUL", lambda part: part + "\0"),
            ("an alphabet of old", lambda part: part[:4] + "+/" + part[6:]), ("a comment", lambda part: part[:4] + "!" + part[4:]),
            ("percent", lambda part: part[:4] + "%41" + part[4:]), ("loose bits", loosened), ("one letter more", lambda part: part + "A"),
            ("another alphabet", lambda part: "\uff21" + part[1:]), ("latin", lambda part: part[:4] + "\xe9" + part[4:]),
            ("backwards", lambda part: part[::-1]), ("twice", lambda part: part + part), ("in lower case", str.lower),
        ):  # fmt: skip
            changed = change(parts[at])
            if changed != parts[at] and (at, what) != (0, "a space in front"):
                yield f"{what} in the {name}", bearer(".".join([*parts[:at], changed, *parts[at + 1 :]]))


def loosened(part: str) -> str:
    """The same bytes in another last letter, or what comes nearest to it."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]


def json_text() -> Bad:
    """Well signed, over JSON that readers may disagree about (RFC 8725, 3.7; RFC 7519, 4)."""
    plain = compact(claims()).decode()
    head = compact(header()).decode()
    for name, text in (
        ("a claim twice", plain[:-1] + ',"sub":"eve"}'), ("a claim twice alike", plain[:-1] + ',"sub":"ada"}'),
        ("exp twice", plain[:-1] + ',"exp":9999999999}'), ("twice by escape", plain[:-1] + ',"s\\u0075b":"eve"}'),
        ("twice below", plain[:-1] + ',"x":{"a":1,"a":2}}'), ("twice far below", plain[:-1] + ',"x":[[{"a":1,"a":2}]]}'),
        ("NaN", plain[:-1] + ',"x":NaN}'), ("Infinity", plain[:-1] + ',"x":Infinity}'), ("-Infinity", plain[:-1] + ',"x":-Infinity}'),
        ("1e999", plain[:-1] + ',"x":1e999}'), ("comma behind", plain[:-1] + ",}"), ("comment", plain[:-1] + "/**/}"),
        ("single quotes", plain.replace('"', "'")), ("text behind", plain + "x"), ("object behind", plain + "{}"),
        ("cut", plain[:-1]), ("array", f"[{plain}]"), ("string", json.dumps(plain)), ("number", "1"), ("null", "null"),
        ("true", "true"), ("nothing", " "), ("leading zeros", plain[:-1] + ',"x":01}'), ("plus", plain[:-1] + ',"x":+1}'),
        ("control character", plain[:-1] + ',"x":"\n"}'), ("lone surrogate", plain[:-1] + ',"x":"\\ud800"}'),
        ("lone surrogate as name", plain[:-1] + ',"\\udfff":1}'), ("byte order mark", "\ufeff" + plain),
        ("deep", plain[:-1] + ',"x":' + "[" * 40 + "]" * 40 + "}"), ("very deep", plain[:-1] + ',"x":' + "[" * 5000 + "]" * 5000 + "}"),
        ("deep objects", plain[:-1] + ',"x":' + '{"a":' * 1200 + "1" + "}" * 1201), ("hex", plain[:-1] + ',"x":0x1}'),
        ("a number of 5000 digits", plain[:-1] + ',"x":' + "9" * 5000 + "}"), ("open brackets", "[" * 9000),
    ):  # fmt: skip
        yield f"payload: {name}", bearer(token(header(), text.encode()))
    for name, data in (
        ("latin-1", plain.replace("ada", "\xe4da").encode("latin-1")), ("overlong", plain.encode()[:-1] + b',"x":"\xc0\xaf"}'),
        ("UTF-16", plain.encode("utf-16")), ("UTF-32", plain.encode("utf-32")), ("UTF-16 LE", plain.encode("utf-16-le")),
        ("surrogate in UTF-8", plain.encode()[:-1] + b',"x":"\xed\xa0\x80"}'), ("NUL behind", plain.encode() + b"\0"),
    ):  # fmt: skip
        yield f"payload: {name}", bearer(token(header(), data))
    for name, text in (
        ("alg twice", head[:-1] + ',"alg":"none"}'), ("alg twice alike", head[:-1] + ',"alg":"RS256"}'),
        ("kid twice", head[:-1] + ',"kid":"ec-1"}'), ("twice by escape", head[:-1] + ',"\\u0061lg":"HS256"}'),
        ("array", f"[{head}]"), ("string", json.dumps(head)), ("null", "null"), ("cut", head[:-1]), ("text behind", head + "}"),
        ("byte order mark", "\ufeff" + head), ("NaN", head[:-1] + ',"x":NaN}'), ("deep", head[:-1] + ',"x":' + "[" * 3000 + "]" * 3000 + "}"),
    ):  # fmt: skip
        yield f"header: {name}", bearer(token(text.encode(), claims()))
    yield "header: UTF-16", bearer(token(head.encode("utf-16"), claims()))


def times() -> Bad:
    for name in ("exp", "nbf", "iat"):
        for value in (
            None,
            "",
            str(NOW),
            "9999999999",
            True,
            False,
            [],
            [NOW],
            {},
            -1,
            -NOW,
            2**63,
            10**400,
            NOW * 1000,
            1e300,
            "soon",
        ):
            yield f"{name} {str(value)[:24]!r} {type(value).__name__}", bearer(token(header(), claims(**{name: value})))
    for name, late in (("by an hour", 3600), ("just now", 60), ("a moment past the leeway", 60.001), ("in 1970", NOW)):
        yield f"expired {name}", bearer(token(header(), claims(exp=NOW - late)))
    for name, early in (("a moment past the leeway", 60.001), ("by an hour", 3600), ("in 9999", 253402300799 - NOW)):
        yield f"not yet, {name}", bearer(token(header(), claims(nbf=NOW + early)))
        yield f"issued later, {name}", bearer(token(header(), claims(iat=NOW + early)))
    yield "no exp", bearer(token(header(), claims(exp=GONE)))
    yield "exp in another place", bearer(token(header(), claims(exp=GONE, x={"exp": NOW + 60})))
    yield "exp zero", bearer(token(header(), claims(exp=0)))


def names() -> Bad:
    """Well signed, by or for somebody else, or for nobody."""
    others = (f"{ISSUER}/", ISSUER.upper(), f"{ISSUER} ", f" {ISSUER}", f"{ISSUER}.attacker.example", "http://issuer.example",
              "issuer.example", f"{ISSUER}:443", f"{ISSUER}#", f"{ISSUER}?", f"{ISSUER}/realm", "https://issuer.exampl\u0435",
              f"{ISSUER}\0", ATTACKER, f"https://user@{ISSUER[8:]}", f"{ATTACKER}/{ISSUER}", "https://issuer.example.")  # fmt: skip
    for issuer in (*others, *NOT_NAMES, [ISSUER], {ISSUER: 1}):
        yield f"iss {issuer!r}", bearer(token(header(), claims(iss=issuer)))
    wrong = (AUDIENCE.upper(), f"{AUDIENCE} ", f" {AUDIENCE}", f"{AUDIENCE}s", AUDIENCE[:-1], f"x{AUDIENCE}", f"{AUDIENCE}.x", "*",
             f"{AUDIENCE},x", f"x {AUDIENCE}", f"{AUDIENCE}\0", "another", [AUDIENCE, 1], [AUDIENCE, None], [[AUDIENCE]],
             ["another"], {AUDIENCE: True}, [f"{AUDIENCE}s", "x"], [AUDIENCE, {}])  # fmt: skip
    for audience in (*wrong, *NOT_NAMES):
        yield f"aud {audience!r}", bearer(token(header(), claims(aud=audience)))
    for subject in (*NOT_NAMES, "s" * 600):
        yield f"sub {str(subject)[:24]!r} {type(subject).__name__}", bearer(token(header(), claims(sub=subject)))
    for name in ("iss", "aud", "sub"):
        yield f"no {name}", bearer(token(header(), claims(**{name: GONE})))
    yield "no claims", bearer(token(header(), {}))
    yield "azp for aud", bearer(token(header(), claims(aud=GONE, azp=AUDIENCE, client_id=AUDIENCE)))
    yield "names in the header", bearer(token(header(iss=ISSUER, aud=AUDIENCE, sub="ada", exp=NOW + 60), {}))


def cuts() -> Bad:
    good = token(header(), claims())
    for keep in range(1, len(good), max(1, len(good) // 60)):
        yield f"first {keep}", bearer(good[:keep])
    for drop in range(1, 40):
        yield f"without the first {drop}", bearer(good[drop:])
    yield "without the last", bearer(good[:-1])


def credentials() -> Bad:
    """A good token, in a field that is not good."""
    good = token(header(), claims())
    for name, text in (
        ("two fields", f"Bearer {good},Bearer {good}"), ("two fields with a space", f"Bearer {good}, Bearer {good}"),
        ("another scheme behind", f"Bearer {good}, Basic YTpi"), ("another scheme in front", f"Basic YTpi, Bearer {good}"),
        ("no scheme", good), ("scheme alone", "Bearer"), ("scheme and space", "Bearer "), ("scheme and spaces", "Bearer    "),
        ("scheme twice", f"Bearer Bearer {good}"), ("no space", f"Bearer{good}"), ("tab", f"Bearer\t{good}"),
        ("line end", f"Bearer {good}\n"), ("line end in front", f"\nBearer {good}"), ("colon", f"Bearer: {good}"),
        ("equals", f"Bearer={good}"), ("quotes", f'Bearer "{good}"'), ("parameter", f"Bearer token={good}"),
        ("comma behind", f"Bearer {good},"), ("semicolon behind", f"Bearer {good};"), ("word behind", f"Bearer {good} x"),
        ("space behind", f"Bearer {good} "), ("space in front", f" Bearer {good}"), ("spaces within", f"Bearer  . {good}"),
        ("Basic", f"Basic {good}"), ("DPoP", f"DPoP {good}"), ("Token", f"Token {good}"), ("JWT", f"JWT {good}"),
        ("no-break space", f"Bearer\xa0{good}"), ("other letters", f"Be\u0430rer {good}"), ("NUL", f"Bearer {good}\0"),
        ("field name", f"Authorization: Bearer {good}"), ("comma", ","), ("empty", ""), ("spaces", "   "), ("latin", "\xff\xfe"),
    ):  # fmt: skip
        yield name, text
