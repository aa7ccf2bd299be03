"""Edwards keys at the ends of their fields, with either sign; all points of small order are in ``verification_keys``."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

from service.auth.unsafe_edwards_keys import EdwardsKey, is_sound

FIELDS = {"Ed25519": (2**255 - 19, 32), "Ed448": (2**448 - 2**224 - 1, 57)}


def key(y: int, size: int, sign: int) -> EdwardsKey:
    encoded = bytearray(y.to_bytes(size, "little"))
    encoded[-1] |= sign << 7
    load = ed25519.Ed25519PublicKey if size == 32 else ed448.Ed448PublicKey
    return load.from_public_bytes(bytes(encoded))


@pytest.mark.parametrize("curve", FIELDS)
def test_the_ends_of_the_field(curve: str) -> None:
    prime, size = FIELDS[curve]
    for sign in (0, 1):
        for y in (0, 1, prime - 1, prime, prime + 1, prime + 2):
            assert not is_sound(key(y, size, sign)), (y, sign)
        for y in (2, 3, prime - 2):
            assert is_sound(key(y, size, sign)), (y, sign)
