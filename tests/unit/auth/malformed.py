"""Tokens whose form is not that of a compact JWS, to the letter."""

from __future__ import annotations

import json

from tests.unit.auth.forge import (
    b64,
    claims,
    compact,
    header,
    token,
)
from tests.unit.auth.key_sets import Bad, bearer


def form() -> Bad:
    """Not three parts, or not the right three."""
    good = token(header(), claims())
    head, payload, end = good.split(".")
    part = b64(b"x" * 16)
    jwe = b64(compact({"alg": "RSA-OAEP", "enc": "A256GCM"}))
    for name, text in (
        ("five parts of a JWE", f"{jwe}.{part}.{part}.{part}.{part}"),
        ("five parts, ours in front", f"{good}.{part}.{part}"),
        ("dir", f"{b64(compact({'alg': 'dir', 'enc': 'A128GCM'}))}..{part}.{part}.{part}"),
        ("four parts", f"{good}.{part}"),
        ("four parts, last empty", f"{good}."),
        ("dot in front", f".{good}"),
        ("two dots", f"{head}..{end}"),
        ("dots only", ".."),
        ("more dots", "...."),
        ("a dot", "."),
        ("one part", head),
        ("two parts", f"{head}.{payload}"),
        ("no header", f".{payload}.{end}"),
        ("nothing but a word", "token"),
        ("parts in another order", f"{payload}.{head}.{end}"),
        ("header twice", f"{head}.{head}.{end}"),
        ("payload in the clear", f"{head}.{compact(claims()).decode()}.{end}"),
        ("nested", b64(good.encode())),
        ("JSON serialization", json.dumps({"protected": head, "payload": payload, "signature": end})),
        ("two tokens", f"{good},{good}"),
        ("two with space", f"{good} {good}"),
        ("two in a row", good + good),
        ("an empty object", f"{head}.{b64(b'{}')}.{end}"),
        ("detached payload", f"{head}..{end}"[::-1][::-1] + "."),
        ("too long", token(header(), claims(x="x" * 16_000))),
        ("far too long", "a" * 1_000_000),
        ("too long in the header", token(header(x="x" * 16_000), claims())),
        ("many dots", "." * 10_000),
        ("token of 16 KiB and one byte", f"{good}{'A' * (16 * 1024 + 1 - len(good))}"),
    ):
        yield name, bearer(text)
    yield "a well signed token inside", bearer(token(header(), good.encode()))


def encodings() -> Bad:
    """Base64 that lax decoders take (RFC 7515, 2; RFC 4648, 3)."""
    good = token(header(), claims())
    parts = good.split(".")
    for at, name in enumerate(("header", "payload", "signature")):
        for what, change in (
            ("padding", lambda part: part + "="),
            ("two of padding", lambda part: part + "=="),
            ("a space behind", lambda part: part + " "),
            ("a space in front", lambda part: " " + part),
            ("a line end", lambda part: part + "\n"),
            ("a line end inside", lambda part: part[:8] + "\r\n" + part[8:]),
            ("a tab inside", lambda part: part[:8] + "\t" + part[8:]),
            ("a NUL", lambda part: part + "\0"),
            ("an alphabet of old", lambda part: part[:4] + "+/" + part[6:]),
            ("a comment", lambda part: part[:4] + "!" + part[4:]),
            ("percent", lambda part: part[:4] + "%41" + part[4:]),
            ("loose bits", loosened),
            ("one letter more", lambda part: part + "A"),
            ("another alphabet", lambda part: "\uff21" + part[1:]),
            ("latin", lambda part: part[:4] + "\xe9" + part[4:]),
            ("backwards", lambda part: part[::-1]),
            ("twice", lambda part: part + part),
            ("in lower case", str.lower),
        ):
            changed = change(parts[at])
            if changed != parts[at] and (at, what) != (0, "a space in front"):
                yield f"{what} in the {name}", bearer(".".join([*parts[:at], changed, *parts[at + 1 :]]))


def loosened(part: str) -> str:
    """The same bytes in another last letter, or what comes nearest to it."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    return part[:-1] + alphabet[alphabet.index(part[-1]) ^ 1]


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
    yield from (
        ("two fields", f"Bearer {good},Bearer {good}"),
        ("two fields with a space", f"Bearer {good}, Bearer {good}"),
        ("another scheme behind", f"Bearer {good}, Basic YTpi"),
        ("another scheme in front", f"Basic YTpi, Bearer {good}"),
        ("no scheme", good),
        ("scheme alone", "Bearer"),
        ("scheme and space", "Bearer "),
        ("scheme and spaces", "Bearer    "),
        ("scheme twice", f"Bearer Bearer {good}"),
        ("no space", f"Bearer{good}"),
        ("tab", f"Bearer\t{good}"),
        ("line end", f"Bearer {good}\n"),
        ("line end in front", f"\nBearer {good}"),
        ("colon", f"Bearer: {good}"),
        ("equals", f"Bearer={good}"),
        ("quotes", f'Bearer "{good}"'),
        ("parameter", f"Bearer token={good}"),
        ("comma behind", f"Bearer {good},"),
        ("semicolon behind", f"Bearer {good};"),
        ("word behind", f"Bearer {good} x"),
        ("space behind", f"Bearer {good} "),
        ("space in front", f" Bearer {good}"),
        ("spaces within", f"Bearer  . {good}"),
        ("Basic", f"Basic {good}"),
        ("DPoP", f"DPoP {good}"),
        ("Token", f"Token {good}"),
        ("JWT", f"JWT {good}"),
        ("no-break space", f"Bearer\xa0{good}"),
        ("other letters", f"Be\u0430rer {good}"),
        ("NUL", f"Bearer {good}\0"),
        ("field name", f"Authorization: Bearer {good}"),
        ("comma", ","),
        ("empty", ""),
        ("spaces", "   "),
        ("latin", "\xff\xfe"),
    )
