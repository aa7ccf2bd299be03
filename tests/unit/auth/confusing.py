"""Well signed tokens with a header or JSON that readers may disagree about."""

from __future__ import annotations

import json
from typing import Any

from tests.unit.auth.forge import (
    claims,
    compact,
    header,
    token,
)
from tests.unit.auth.key_sets import Bad, bearer


def members_of_header() -> Bad:
    """Well signed, with a header that asks for something this service does not do."""
    for name, value in (
        ("crit", ["exp"]),
        ("crit", []),
        ("crit", ["b64"]),
        ("crit", None),
        ("crit", "exp"),
        ("b64", False),
        ("b64", True),
        ("zip", "DEF"),
        ("enc", "A256GCM"),
        ("enc", None),
        ("cty", "JWT"),
        ("cty", "json"),
        ("cty", ""),
        ("epk", {}),
        ("p2c", 2147483647),
        ("p2s", "c2FsdA"),
        ("iv", "AA"),
        ("tag", "AA"),
        ("apu", "AA"),
        ("apv", "AA"),
    ):
        yield f"{name} {value!r}", bearer(token(header(**{name: value}), claims()))
    yield "b64 as crit says", bearer(token(header(b64=False, crit=["b64"]), claims()))
    yield "crit of a made-up member", bearer(token(header(crit=["x"], x=1), claims()))


def types_of_header() -> Bad:
    kinds: tuple[Any, ...] = (
        "JWE",
        "JOSE",
        "jose+json",
        "id_token",
        "dpop+jwt",
        "logout+jwt",
        "secevent+jwt",
        "application/jwt+x",
        "",
        "at+jwt ",
        " JWT",
        "rt+jwt",
        "token-introspection+jwt",
        "jwt;a=b",
        None,
        1,
        True,
        ["JWT"],
        {},
    )
    for kind in kinds:
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


def json_text() -> Bad:
    """Well signed, over JSON that readers may disagree about (RFC 8725, 3.7; RFC 7519, 4)."""
    plain = compact(claims()).decode()
    head = compact(header()).decode()
    for name, text in (
        ("a claim twice", plain[:-1] + ',"sub":"eve"}'),
        ("a claim twice alike", plain[:-1] + ',"sub":"ada"}'),
        ("exp twice", plain[:-1] + ',"exp":9999999999}'),
        ("twice by escape", plain[:-1] + ',"s\\u0075b":"eve"}'),
        ("twice below", plain[:-1] + ',"x":{"a":1,"a":2}}'),
        ("twice far below", plain[:-1] + ',"x":[[{"a":1,"a":2}]]}'),
        ("NaN", plain[:-1] + ',"x":NaN}'),
        ("Infinity", plain[:-1] + ',"x":Infinity}'),
        ("-Infinity", plain[:-1] + ',"x":-Infinity}'),
        ("1e999", plain[:-1] + ',"x":1e999}'),
        ("comma behind", plain[:-1] + ",}"),
        ("comment", plain[:-1] + "/**/}"),
        ("single quotes", plain.replace('"', "'")),
        ("text behind", plain + "x"),
        ("object behind", plain + "{}"),
        ("cut", plain[:-1]),
        ("array", f"[{plain}]"),
        ("string", json.dumps(plain)),
        ("number", "1"),
        ("null", "null"),
        ("true", "true"),
        ("nothing", " "),
        ("leading zeros", plain[:-1] + ',"x":01}'),
        ("plus", plain[:-1] + ',"x":+1}'),
        ("control character", plain[:-1] + ',"x":"\n"}'),
        ("lone surrogate", plain[:-1] + ',"x":"\\ud800"}'),
        ("lone surrogate as name", plain[:-1] + ',"\\udfff":1}'),
        ("byte order mark", "\ufeff" + plain),
        ("deep", plain[:-1] + ',"x":' + "[" * 40 + "]" * 40 + "}"),
        ("very deep", plain[:-1] + ',"x":' + "[" * 5000 + "]" * 5000 + "}"),
        ("deep objects", plain[:-1] + ',"x":' + '{"a":' * 1200 + "1" + "}" * 1201),
        ("hex", plain[:-1] + ',"x":0x1}'),
        ("a number of 5000 digits", plain[:-1] + ',"x":' + "9" * 5000 + "}"),
        ("open brackets", "[" * 9000),
    ):
        yield f"payload: {name}", bearer(token(header(), text.encode()))
    for name, data in (
        ("latin-1", plain.replace("ada", "\xe4da").encode("latin-1")),
        ("overlong", plain.encode()[:-1] + b',"x":"\xc0\xaf"}'),
        ("UTF-16", plain.encode("utf-16")),
        ("UTF-32", plain.encode("utf-32")),
        ("UTF-16 LE", plain.encode("utf-16-le")),
        ("surrogate in UTF-8", plain.encode()[:-1] + b',"x":"\xed\xa0\x80"}'),
        ("NUL behind", plain.encode() + b"\0"),
    ):
        yield f"payload: {name}", bearer(token(header(), data))
    for name, text in (
        ("alg twice", head[:-1] + ',"alg":"none"}'),
        ("alg twice alike", head[:-1] + ',"alg":"RS256"}'),
        ("kid twice", head[:-1] + ',"kid":"ec-1"}'),
        ("twice by escape", head[:-1] + ',"\\u0061lg":"HS256"}'),
        ("array", f"[{head}]"),
        ("string", json.dumps(head)),
        ("null", "null"),
        ("cut", head[:-1]),
        ("text behind", head + "}"),
        ("byte order mark", "\ufeff" + head),
        ("NaN", head[:-1] + ',"x":NaN}'),
        ("deep", head[:-1] + ',"x":' + "[" * 3000 + "]" * 3000 + "}"),
    ):
        yield f"header: {name}", bearer(token(text.encode(), claims()))
    yield "header: UTF-16", bearer(token(head.encode("utf-16"), claims()))
