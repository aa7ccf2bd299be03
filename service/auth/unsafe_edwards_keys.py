"""Edwards-curve keys that OpenSSL loads and that are unsafe (RFC 8032, 5.1.3 and 5.2.3; RFC 8725, 3.4)."""

from __future__ import annotations

from cryptography.hazmat.primitives.asymmetric import ed448, ed25519

EdwardsKey = ed25519.Ed25519PublicKey | ed448.Ed448PublicKey

_P25519 = 2**255 - 19
_P448 = 2**448 - 2**224 - 1
_ORDER_8 = 0x05FC536D880238B13933C6D305ACDFD5F098EFF289F4C345B027B2C28F95E826
_SMALL_25519 = frozenset({0, 1, _P25519 - 1, _ORDER_8, _P25519 - _ORDER_8})
_SMALL_448 = frozenset({0, 1, _P448 - 1})
"""The y-coordinates of the points of small order: with such a key, signatures can be forged."""


def is_sound(key: EdwardsKey) -> bool:
    """Whether the key is encoded canonically and not of small order. It may still be off the curve, in which case no
    signature verifies."""
    encoded = int.from_bytes(key.public_bytes_raw(), "little")
    if isinstance(key, ed25519.Ed25519PublicKey):
        y, prime, small = encoded % 2**255, _P25519, _SMALL_25519
    else:
        y, prime, small = encoded % 2**455, _P448, _SMALL_448
    return y < prime and y not in small
