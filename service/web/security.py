"""The page's Content Security Policy (Level 3), and how its users sign in."""

from __future__ import annotations

from enum import StrEnum
from urllib.parse import urlsplit

import msgspec


class SignInMode(StrEnum):
    """The source of the page's token."""

    TOKEN = "token"  # noqa: S105 - a mode's name
    SESSION = "session"
    OIDC = "oidc"


class SignIn(msgspec.Struct, frozen=True):
    """How users sign in. ``issuer``, ``client_id`` and ``scope`` are of an OpenID provider, for the mode ``oidc``.

    ``sign_out_url`` is the target after signing out, relative to the service's root or absolute.
    """

    mode: SignInMode = SignInMode.TOKEN
    issuer: str | None = None
    client_id: str | None = None
    scope: str = "openid"
    sign_out_url: str | None = None

    def members(self) -> dict[str, str]:
        """The members of the page's configuration, without unset ones."""
        members = {
            "mode": self.mode,
            "signOutUrl": self.sign_out_url,
            **({"issuer": self.issuer, "clientId": self.client_id, "scope": self.scope} if self._is_oidc else {}),
        }
        return {name: value for name, value in members.items() if value is not None}

    def headers(self) -> dict[str, str]:
        """The policy of the page: only its own scripts, styles and connections, and no markup from text."""
        issuer = f" {_origin(self.issuer)}" if self._is_oidc and self.issuer is not None else ""
        policy = (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            f"connect-src 'self'{issuer}",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        )
        return {"Content-Security-Policy": "; ".join(policy), "Cross-Origin-Opener-Policy": "same-origin"}

    @property
    def _is_oidc(self) -> bool:
        return self.mode is SignInMode.OIDC


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
