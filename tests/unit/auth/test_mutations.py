"""A good token with anything changed is no good token: thousands of random changes, of text and of meaning."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.auth.tokens import Token, parse
from service.domain.errors import InvalidToken, Unauthenticated
from testing.effort import effort
from tests.rows import each_row
from tests.unit.auth import forge
from tests.unit.auth.forge import claims, compact, header, token
from tests.unit.auth.key_sets import key_set
from tests.unit.auth.worlds import KEYS_URL, Library, holds, oidc, verifier

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n\0\xe9%"
ISSUER = Library({KEYS_URL: key_set()})
Change = Callable[[random.Random, str], str]


def replaced(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + dice.choice(ALPHABET) + text[at + 1 :]


def inserted(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text) + 1)
    return text[:at] + dice.choice(ALPHABET) + text[at:]


def removed(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + text[at + dice.randint(1, 5) :]


def swapped(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text) - 1)
    return text[:at] + text[at + 1] + text[at] + text[at + 2 :]


def repeated(dice: random.Random, text: str) -> str:
    start = dice.randrange(len(text))
    end = start + dice.randint(1, 40)
    return text[:end] + text[start:]


def bit_flipped(dice: random.Random, text: str) -> str:
    parts = text.split(".")
    which = dice.randrange(3)
    data = bytearray(base64.urlsafe_b64decode(parts[which] + "=="))
    data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    return ".".join([*parts[:which], forge.b64(bytes(data)), *parts[which + 1 :]])


def case_changed(dice: random.Random, text: str) -> str:
    at = dice.randrange(len(text))
    return text[:at] + text[at].swapcase() + text[at + 1 :]


CHANGES: tuple[Change, ...] = (replaced, inserted, removed, swapped, repeated, bit_flipped, case_changed)


@each_row("good", [token(header(), claims()), forge.es256()])
@each_row("change", CHANGES)
def test_no_random_change_holds(change: Change, good: str) -> None:
    dice, checked = random.Random(f"{change.__name__}{len(good)}"), verifier(oidc(), ISSUER)
    holds(checked, good)
    tried = 0
    while tried < effort(40, 200):
        changed = change(dice, good)
        if changed.lstrip(" ") == good:
            continue
        tried += 1
        with pytest.raises(Unauthenticated):
            checked.verify(f"Bearer {changed}")
    assert holds(checked, good).subject == "ada"


@given(
    st.dictionaries(st.text(max_size=8), st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists)),
    st.sampled_from(["header", "payload"]),
)
def test_no_change_of_meaning_holds_under_the_old_signature(changes: dict[str, Any], where: str) -> None:
    head, payload, end = token(header(), claims()).split(".")
    base = header() if where == "header" else claims()
    changed = {**base, **changes}
    if changed == base and json.dumps(changed) == json.dumps(base):
        return
    other = forge.b64(json.dumps(changed, separators=(",", ":")).encode())
    text = f"{other}.{payload}.{end}" if where == "header" else f"{head}.{other}.{end}"
    with pytest.raises(InvalidToken):
        holds(verifier(oidc(), ISSUER), text)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_.-]{1,80}", fullmatch=True))
def test_no_text_is_a_token_or_an_accident(text: str) -> None:
    checked = verifier(oidc(), ISSUER)
    for authorization in (text, f"Bearer {text}"):
        with pytest.raises(Unauthenticated):
            checked.verify(authorization)


@given(st.binary(max_size=200), st.binary(max_size=200), st.binary(max_size=80))
def test_any_three_parts_are_parsed_or_refused(head: bytes, payload: bytes, end: bytes) -> None:
    try:
        parsed = parse(".".join(map(forge.b64, (head, payload, end))))
    except InvalidToken:
        return
    assert isinstance(parsed, Token)


NAMES = [*claims(), "nbf", "scp", "roles", "xs.user.attributes", "ext_cxt", "zoneinfo", "xs.system.attributes"]
INNER = st.sampled_from(["allowed_all_resourcegroups", "xs.rolecollections", "xs.user.attributes", "a"])
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
SHAPES = st.recursive(
    st.none() | st.booleans() | FLOATS | st.integers() | st.text("ab.", max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(INNER, inner, max_size=3),
)


@given(st.dictionaries(st.sampled_from(NAMES), SHAPES))
def test_well_signed_claims_of_any_shape_hold_or_are_refused_but_break_nothing(changes: dict[str, Any]) -> None:
    checked = verifier(oidc(), ISSUER)
    try:
        principal = holds(checked, token(header(), compact({**claims(), **changes})))
    except InvalidToken:
        return
    assert principal.resource_groups is None or isinstance(principal.resource_groups, frozenset)
