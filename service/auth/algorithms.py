"""The signature algorithms that may be accepted (RFC 7518, 3.1; RFC 8037, 3.1), by type of key.

All are asymmetric: with HMAC, an issuer's public key could be used as the secret.
"""

from __future__ import annotations

RSA = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
ELLIPTIC_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
"""The curve of each algorithm."""
EDWARDS = "EdDSA"
"""With Ed25519 or Ed448, according to the key."""
SIGNATURE_ALGORITHMS = (*RSA, *ELLIPTIC_CURVES, EDWARDS)
USUAL = ("RS256", "ES256")
"""The algorithms that are accepted by default."""
