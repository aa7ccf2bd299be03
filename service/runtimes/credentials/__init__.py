"""The service's credentials for a runtime (``transport.TokenSource``)."""

from service.runtimes.credentials.client_credentials import ClientCredentials, NoCredentials, Timing
from service.runtimes.credentials.fixed import FixedCredentials
from service.runtimes.credentials.token_endpoint import TokenEndpoint

__all__ = ["ClientCredentials", "FixedCredentials", "NoCredentials", "Timing", "TokenEndpoint"]
