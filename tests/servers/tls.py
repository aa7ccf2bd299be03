"""TLS in front of a server that has none, with an authority of its own: a proxy that ends the encryption."""

from __future__ import annotations

import contextlib
import datetime
import ipaddress
import select
import socket
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.odd import Manners, odd_server


@dataclass(frozen=True)
class Issued:
    """PEM files."""

    certificate: Path
    key: Path


class Authority:
    """Signs certificates; ``certificate`` is the file to trust."""

    def __init__(self, directory: Path, name: str = "test authority") -> None:
        self._directory = directory
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate = directory / f"{name}.pem"
        usage = x509.KeyUsage(*[False] * 5, key_cert_sign=True, crl_sign=True, encipher_only=False, decipher_only=False)
        built = self._builder(self._name, self._key).add_extension(x509.BasicConstraints(True, None), critical=True)
        self._write(self.certificate, built.add_extension(usage, critical=True))

    def issue(self, host: str) -> Issued:
        """A certificate for a name or an IP address."""
        key = ec.generate_private_key(ec.SECP256R1())
        issued = Issued(self._directory / f"{host}.pem", self._directory / f"{host}.key")
        self._write(issued.certificate, self._builder(x509.Name([]), key).add_extension(_names(host), critical=True))
        pem = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        issued.key.write_bytes(key.private_bytes(*pem))
        return issued

    def _builder(self, subject: x509.Name, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
        now = datetime.datetime.now(datetime.UTC)
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(hours=1))
        )

    def _write(self, path: Path, builder: x509.CertificateBuilder) -> None:
        path.write_bytes(builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))


def _names(host: str) -> x509.SubjectAlternativeName:
    try:
        return x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(host))])
    except ValueError:
        return x509.SubjectAlternativeName([x509.DNSName(host)])


@contextlib.contextmanager
def tls_front(port: int, issued: Issued, clients: Authority | None = None) -> Iterator[int]:
    """The port of a TLS server that passes everything on to ``port``; with ``clients`` it asks for a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    if clients is not None:
        context.load_verify_locations(clients.certificate)
        context.verify_mode = ssl.CERT_REQUIRED
    with odd_server(_passing_on(port, context)) as front:
        yield front


def _passing_on(port: int, context: ssl.SSLContext) -> Manners:
    def manners(connection: socket.socket, over: threading.Event) -> None:
        connection.settimeout(5)
        with (
            context.wrap_socket(connection, server_side=True) as outer,
            socket.create_connection(("127.0.0.1", port)) as inner,
        ):
            while not over.is_set() and _shovel(outer, inner):
                pass

    return manners


def _shovel(outer: ssl.SSLSocket, inner: socket.socket) -> bool:
    """Pass on what is there within a moment; whether both ends are still open."""
    ready = [outer] if outer.pending() else select.select([outer, inner], [], [], 0.05)[0]
    for source in ready:
        data = source.recv(65536)
        if not data:
            return False
        (inner if source is outer else outer).sendall(data)
    return True
