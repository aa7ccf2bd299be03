"""The issuer's two signing keys, made at first use and kept in the data directory, readable by their owner only."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

_RSA_BITS = 3072
_THUMBPRINT_MEMBERS = {"RSA": ("e", "kty", "n"), "EC": ("crv", "kty", "x", "y")}

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


class Algorithm(StrEnum):
    RS256 = "RS256"
    ES256 = "ES256"


@dataclass(frozen=True, slots=True)
class Key:
    """A private key and its public half as a JSON Web Key."""

    algorithm: Algorithm
    private: PrivateKey
    public: dict[str, Any]

    @property
    def id(self) -> str:
        return str(self.public["kid"])


def load(data_dir: Path) -> dict[Algorithm, Key]:
    """The keys in ``data_dir``; ``FileNotFoundError`` where they have not been made."""
    return {algorithm: _read(algorithm, _path(data_dir, algorithm)) for algorithm in Algorithm}


def make(data_dir: Path) -> None:
    """Make the keys that ``data_dir`` lacks; several processes may do so at once."""
    for algorithm in Algorithm:
        path = _path(data_dir, algorithm)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not path.exists():
            _keep(_new(algorithm), path)


def _path(data_dir: Path, algorithm: Algorithm) -> Path:
    return data_dir / "keys" / f"{algorithm}.pem"


def _read(algorithm: Algorithm, path: Path) -> Key:
    private = load_pem_private_key(path.read_bytes(), password=None)
    if not isinstance(private, PrivateKey):
        raise TypeError(f"{path} holds no key for {algorithm}")
    return Key(algorithm, private, _public(algorithm, private))


def _new(algorithm: Algorithm) -> PrivateKey:
    if algorithm is Algorithm.ES256:
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=_RSA_BITS)


def _keep(key: PrivateKey, path: Path) -> None:
    """Write the key whole or not at all; whoever comes first wins, so that everyone reads the same key."""
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(pem)
        _claim(draft, path)
    finally:
        draft.unlink()


def _claim(draft: Path, path: Path) -> None:
    try:
        path.hardlink_to(draft)
    except FileExistsError:
        return


def _public(algorithm: Algorithm, private: PrivateKey) -> dict[str, Any]:
    public = private.public_key()
    jwk = (
        RSAAlgorithm.to_jwk(public, as_dict=True)
        if isinstance(public, rsa.RSAPublicKey)
        else ECAlgorithm.to_jwk(public, as_dict=True)
    )
    jwk.pop("key_ops", None)
    return {**jwk, "use": "sig", "alg": str(algorithm), "kid": _thumbprint(jwk)}


def _thumbprint(jwk: dict[str, Any]) -> str:
    """The key's RFC 7638 thumbprint."""
    members = {name: jwk[name] for name in _THUMBPRINT_MEMBERS[jwk["kty"]]}
    digest = hashlib.sha256(json.dumps(members, separators=(",", ":"), sort_keys=True).encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
