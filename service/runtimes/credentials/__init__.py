"""With which credentials the service asks a runtime (``transport.TokenSource``)."""

from service.runtimes.credentials.client_credentials import ClientCredentials, Timing
from service.runtimes.credentials.none import NoCredentials
from service.runtimes.credentials.token_endpoint import TokenEndpoint

__all__ = ["ClientCredentials", "NoCredentials", "Timing", "TokenEndpoint"]
