"""Well signed tokens of another time, by or for somebody else."""

from __future__ import annotations

from typing import Any

from tests.unit.auth.forge import (
    AUDIENCE,
    GONE,
    ISSUER,
    NOW,
    claims,
    header,
    token,
)
from tests.unit.auth.key_sets import Bad, bearer

ATTACKER = "https://attacker.example"
NOT_NAMES: tuple[Any, ...] = (None, 7, True, [], {}, ["x"], "")


def times() -> Bad:
    odd: tuple[Any, ...] = (
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
    )
    for name in ("exp", "nbf", "iat"):
        for value in odd:
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
    others = (
        f"{ISSUER}/",
        ISSUER.upper(),
        f"{ISSUER} ",
        f" {ISSUER}",
        f"{ISSUER}.attacker.example",
        "http://issuer.example",
        "issuer.example",
        f"{ISSUER}:443",
        f"{ISSUER}#",
        f"{ISSUER}?",
        f"{ISSUER}/realm",
        "https://issuer.exampl\u0435",
        f"{ISSUER}\0",
        ATTACKER,
        f"https://user@{ISSUER[8:]}",
        f"{ATTACKER}/{ISSUER}",
        "https://issuer.example.",
    )
    for issuer in (*others, *NOT_NAMES, [ISSUER], {ISSUER: 1}):
        yield f"iss {issuer!r}", bearer(token(header(), claims(iss=issuer)))
    wrong = (
        AUDIENCE.upper(),
        f"{AUDIENCE} ",
        f" {AUDIENCE}",
        f"{AUDIENCE}s",
        AUDIENCE[:-1],
        f"x{AUDIENCE}",
        f"{AUDIENCE}.x",
        "*",
        f"{AUDIENCE},x",
        f"x {AUDIENCE}",
        f"{AUDIENCE}\0",
        "another",
        [AUDIENCE, 1],
        [AUDIENCE, None],
        [[AUDIENCE]],
        ["another"],
        {AUDIENCE: True},
        [f"{AUDIENCE}s", "x"],
        [AUDIENCE, {}],
    )
    for audience in (*wrong, *NOT_NAMES):
        yield f"aud {audience!r}", bearer(token(header(), claims(aud=audience)))
    for subject in (*NOT_NAMES, "s" * 600):
        yield f"sub {str(subject)[:24]!r} {type(subject).__name__}", bearer(token(header(), claims(sub=subject)))
    for name in ("iss", "aud", "sub"):
        yield f"no {name}", bearer(token(header(), claims(**{name: GONE})))
    yield "no claims", bearer(token(header(), {}))
    yield "azp for aud", bearer(token(header(), claims(aud=GONE, azp=AUDIENCE, client_id=AUDIENCE)))
    yield "names in the header", bearer(token(header(iss=ISSUER, aud=AUDIENCE, sub="ada", exp=NOW + 60), {}))
