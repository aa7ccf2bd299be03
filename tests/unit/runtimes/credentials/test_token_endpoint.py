from __future__ import annotations

from service.runtimes.credentials.token_endpoint import grant_of
from tests.rows import each_row


@each_row(
    "expires_in, lifetime",
    [
        ("3600", 3600),
        ('"3600"', 3600),
        ("59.5", 59.5),
        ("0", 1),
        ("-1", 1),
        ("1e300", 86400),
        ("1e9", 86400),
        ('"inf"', 86400),
        ('"nan"', 300),
        ('"soon"', 300),
        ("null", 300),
        ("true", 300),
        ("{}", 300),
        ("1" + "0" * 400, 300),
    ],
)
def test_a_lifetime_makes_sense_or_is_assumed(expires_in: str, lifetime: float) -> None:
    grant = grant_of(b'{"access_token": "t", "token_type": "Bearer", "expires_in": %b}' % expires_in.encode())
    assert grant.lifetime == lifetime


def test_type_and_lifetime_may_be_missing_and_more_be_there() -> None:
    grant = grant_of(b'{"access_token": "t", "scope": "a b", "jti": "x"}')
    assert (grant.authorization, grant.lifetime) == ("Bearer t", 300)
    assert "Bearer t" not in repr(grant)
