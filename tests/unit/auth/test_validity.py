"""The validity period of a token, to the second, and what is said of one outside it."""

from typing import Any

import pytest

from service.auth.validity import check_times
from service.domain.errors import InvalidToken
from tests.rows import each_row

NOW = 1000.0
LATEST = 253_402_300_799


@each_row(
    "claims",
    [
        {"exp": 991},
        {"exp": 990.5},
        {"exp": LATEST},
        {"exp": 2000, "nbf": 1010, "iat": 1010},
        {"exp": 2000, "nbf": 0, "iat": 0},
    ],
)
def test_valid(claims: dict[str, Any]) -> None:
    check_times(claims, NOW, leeway=10)


@each_row(
    "claims, detail",
    [
        ({}, "the token does not say when it expires"),
        ({"exp": 990}, "the token has expired"),
        ({"exp": 0}, "the token has expired"),
        ({"exp": 2000, "nbf": 1010.5}, "the token is not valid yet"),
        ({"exp": 2000, "nbf": LATEST}, "the token is not valid yet"),
        ({"exp": 2000, "iat": 1010.5}, "the token was issued in the future"),
        ({"exp": LATEST + 1}, "the token's exp is not a time"),
        ({"exp": True}, "the token's exp is not a time"),
        ({"exp": 2000, "nbf": "1"}, "the token's nbf is not a time"),
        ({"exp": 2000, "iat": -1}, "the token's iat is not a time"),
    ],
)
def test_invalid(claims: dict[str, Any], detail: str) -> None:
    with pytest.raises(InvalidToken, match=f"^{detail}$"):
        check_times(claims, NOW, leeway=10)
