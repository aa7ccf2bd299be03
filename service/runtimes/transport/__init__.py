"""Exchanges with HTTP servers: the only place that uses ``requests``.

``HttpTransport`` makes one exchange, bounded in time and size; ``ResilientClient`` adds credentials, retries and limits
for a runtime; ``fetch_document`` fetches key sets and discovery documents.
"""

from service.runtimes.transport.circuit import Circuit
from service.runtimes.transport.concurrency_limit import ConcurrencyLimit
from service.runtimes.transport.document_fetch import fetch_document
from service.runtimes.transport.http_transport import Answer, HttpTransport
from service.runtimes.transport.resilient import ResilientClient, TokenSource
from service.runtimes.transport.retries import Retries
from service.runtimes.transport.tls import ClientCertificate, Trust

__all__ = [
    "Answer",
    "Circuit",
    "ClientCertificate",
    "ConcurrencyLimit",
    "HttpTransport",
    "ResilientClient",
    "Retries",
    "TokenSource",
    "Trust",
    "fetch_document",
]
