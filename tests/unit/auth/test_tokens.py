"""What is said of text that is no token, before anything in it is trusted; ``malformed`` has many more of each kind."""

import base64
import json
from typing import Any

import pytest

from service.auth.tokens import LONGEST, Token, bearer, parse
from service.domain.errors import InvalidToken, Unauthenticated
from tests.rows import each_row

HEADER, CLAIMS = {"alg": "RS256", "kid": "k"}, {"sub": "ada"}


def text(part: Any) -> str:
    encoded = part if isinstance(part, bytes) else json.dumps(part).encode()
    return base64.urlsafe_b64encode(encoded).rstrip(b"=").decode()


def encoded(header: Any = HEADER, claims: Any = CLAIMS, signature: str = "AA") -> str:
    return f"{text(header)}.{text(claims)}.{signature}"


@each_row(
    "header, key_id",
    [
        (HEADER, "k"),
        ({"alg": "RS256"}, None),
        *(({**HEADER, "typ": kind}, "k") for kind in ("JWT", "jwt", "AT+JWT", "application/at+jwt")),
    ],
)
def test_a_token(header: dict[str, Any], key_id: str | None) -> None:
    for signature in ("AA", "AAAX"):
        token = encoded(header, signature=signature)
        assert parse(token) == Token(token, "RS256", key_id, CLAIMS)


TYPE = "the token is of another type than an access token"
MEMBER = "the token's header has a member that is not accepted"
BASE64 = "the token is not base64url"


@each_row(
    "token, detail",
    [
        ("a.b", "the token is not a signed JSON Web Token"),
        ("a.b.c.d", "the token is not a signed JSON Web Token"),
        (encoded(signature=""), BASE64),
        (encoded(signature="A"), BASE64),
        (encoded(signature="AB"), BASE64),
        (encoded(signature="A="), BASE64),
        (encoded(signature="+/+/"), BASE64),
        (encoded(header=[]), "the token's header is not a strict JSON object"),
        (encoded(claims=b"{"), "the token's payload is not a strict JSON object"),
        (encoded(header={"alg": 1}), "the token's header names no algorithm"),
        (encoded(header={}), "the token's header names no algorithm"),
        (encoded(header={**HEADER, "kid": None}), "the token's key id is not a string"),
        (encoded(header={**HEADER, "typ": "id"}), TYPE),
        (encoded(header={**HEADER, "typ": None}), TYPE),
        *(
            (encoded(header={**HEADER, name: None}), MEMBER)
            for name in ("crit", "b64", "enc", "zip", "cty", "epk", "apu", "apv", "iv", "tag", "p2c", "p2s")
        ),
    ],
)
def test_no_token(token: str, detail: str) -> None:
    with pytest.raises(InvalidToken, match=f"^{detail}$"):
        parse(token)


@each_row(
    "field, error, detail",
    [
        (None, Unauthenticated, "this resource needs a bearer token"),
        ("", Unauthenticated, "this resource needs a bearer token"),
        ("  ", Unauthenticated, "this resource needs a bearer token"),
        ("Basic YQ==", Unauthenticated, "this resource needs a bearer token"),
        ("\t", InvalidToken, "the Authorization field is malformed"),
        ("B\xe4rer x", InvalidToken, "the Authorization field is malformed"),
        ("Bearer", InvalidToken, "there is no token after 'Bearer'"),
        ("Bearer ", InvalidToken, "there is no token after 'Bearer'"),
        (f"Bearer {'x' * (LONGEST + 1)}", InvalidToken, f"the token is longer than {LONGEST} bytes"),
    ],
)
def test_no_credentials(field: str | None, error: type[Unauthenticated], detail: str) -> None:
    with pytest.raises(Unauthenticated, match=f"^{detail}$") as refused:
        bearer(field)
    assert type(refused.value) is error


@each_row("field", ["Bearer x.y.z", "bearer x.y.z", "BEARER   x.y.z"])
def test_a_token_is_taken_from_its_field(field: str) -> None:
    assert bearer(field) == "x.y.z"
    assert bearer(f"Bearer {'x' * LONGEST}") == "x" * LONGEST
