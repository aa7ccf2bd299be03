"""Signatures with PKCS #1 v1.5 padding that only looks right."""

from __future__ import annotations

import hashlib

from tests.unit.auth.forge import (
    b64,
    claims,
    compact,
    header,
    padding_forgery,
    rsa_key,
    with_signature,
)
from tests.unit.auth.key_sets import Bad, bearer


def padded() -> Bad:
    """PKCS #1 v1.5 padding that only looks right."""
    head = header(kid="rsa-e3")
    signed = f"{b64(compact(head))}.{b64(compact(claims()))}".encode()
    yield "cube root with rubbish behind", bearer(with_signature(head, claims(), padding_forgery(signed)))
    key = rsa_key("rsa-1").private_numbers()
    prefix = bytes.fromhex("3031300d060960864801650304020105000420")
    signed = f"{b64(compact(header()))}.{b64(compact(claims()))}".encode()
    digest = hashlib.sha256(signed).digest()
    no_null = bytes.fromhex("302f300b0609608648016503040201") + b"\x04\x20"
    blocks = {
        "block type 2": _block(b"\x00\x02", prefix + digest),
        "block type 0": _block(b"\x00\x00", prefix + digest),
        "no algorithm": _block(b"\x00\x01", digest),
        "without NULL": _block(b"\x00\x01", no_null + digest),
        "short padding": b"\x00\x01\xff\xff\x00" + prefix + digest + bytes(256 - 5 - 51),
        "rubbish in the middle": _block(b"\x00\x01", prefix + digest).replace(
            b"\xff\xff\xff\x00", b"\xff\x7f\xff\x00", 1
        ),
        "SHA-1's name": _block(b"\x00\x01", bytes.fromhex("3021300906052b0e03021a05000414") + digest[:20]),
        "hash cut": _block(b"\x00\x01", prefix + digest[:-1]),
        "zero byte first": _block(b"\x00\x01", b"\0" + prefix + digest),
    }
    for name, block in blocks.items():
        forged = pow(int.from_bytes(block, "big"), key.d, key.public_numbers.n)
        yield name, bearer(with_signature(header(), claims(), forged.to_bytes(256, "big")))
    right = pow(int.from_bytes(_block(b"\x00\x01", prefix + digest), "big"), key.d, key.public_numbers.n)
    yield "zero bytes before", bearer(with_signature(header(), claims(), right.to_bytes(257, "big")))
    yield "zero bytes behind", bearer(with_signature(header(), claims(), right.to_bytes(256, "big") + b"\0"))
    past = (right + key.public_numbers.n).to_bytes(257, "big")
    yield "past the modulus", bearer(with_signature(header(), claims(), past))


def _block(start: bytes, end: bytes) -> bytes:
    return start + b"\xff" * (256 - len(start) - 1 - len(end)) + b"\x00" + end
