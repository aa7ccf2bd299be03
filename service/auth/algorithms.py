"""The signature algorithms that may be accepted (RFC 7518, 3.1; RFC 8037, 3.1), by the kind of key that each needs.

All of them have a public key: HMAC would turn an issuer's public key into a secret.
"""

from __future__ import annotations

RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ELLIPTIC_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
"""Each with the curve that it needs."""
EDWARDS = "EdDSA"
"""With Ed25519 or Ed448, as the key has it."""
SIGNATURE_ALGORITHMS = (*RSA, *ELLIPTIC_CURVES, EDWARDS)
USUAL = ("RS256", "ES256")
"""Those that are accepted where nothing else is configured."""
