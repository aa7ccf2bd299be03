"""The OpenID issuer's documents: discovery and keys."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, Response

from service.sandbox.keys import Algorithm
from service.sandbox.parts import parts

blueprint = Blueprint("openid", __name__)


@blueprint.after_request
def for_any_page(response: Response) -> Response:
    """These documents are public: pages of any origin may read them."""
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


@blueprint.get("/.well-known/openid-configuration")
@blueprint.get("/.well-known/oauth-authorization-server")
def discovery() -> dict[str, Any]:
    url = parts().issuer.url
    return {
        "issuer": url,
        "jwks_uri": f"{url}/.well-known/jwks.json",
        "token_endpoint": f"{url}/oauth/token",
        "authorization_endpoint": f"{url}/oauth/authorize",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "grant_types_supported": ["client_credentials", "authorization_code"],
        "response_types_supported": ["code"],
        "code_challenge_methods_supported": ["S256"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": [str(algorithm) for algorithm in Algorithm],
        "claims_supported": ["iss", "sub", "aud", "exp", "iat", "jti", "roles", "scope", "zoneinfo"],
    }


@blueprint.get("/.well-known/jwks.json")
def key_set() -> dict[str, Any]:
    return parts().issuer.key_set()
