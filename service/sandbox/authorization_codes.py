"""Authorization codes: what somebody chose at the login form, until the page asks for its token (RFC 6749, 4.1)."""

from __future__ import annotations

import base64
import hmac
import secrets
import threading
import time
from dataclasses import dataclass, field
from hashlib import sha256

_SECONDS = 60
_MOST = 1000


@dataclass(frozen=True, slots=True)
class Login:
    """A sign-in: the user, the roles, and the ``challenge`` whose verifier gets the token."""

    redirect_uri: str
    challenge: str
    subject: str
    roles: tuple[str, ...] = ()
    resource_groups: tuple[str, ...] = ()
    zone: str | None = None
    at: float = field(default_factory=time.monotonic)


class Codes:
    """Authorization codes, each valid once, for a minute. Thread-safe."""

    def __init__(self) -> None:
        self._logins: dict[str, Login] = {}
        self._lock = threading.Lock()

    def give(self, login: Login) -> str:
        code = secrets.token_urlsafe(24)
        with self._lock:
            while len(self._logins) >= _MOST:
                del self._logins[next(iter(self._logins))]
            self._logins[code] = login
        return code

    def take(self, code: str, redirect_uri: str, verifier: str) -> Login | None:
        """The login of a code, which is used up; ``None`` where the code or the verifier is wrong."""
        with self._lock:
            login = self._logins.pop(code, None)
        if login is None or time.monotonic() - login.at > _SECONDS or login.redirect_uri != redirect_uri:
            return None
        return login if hmac.compare_digest(challenge_of(verifier), login.challenge) else None


def challenge_of(verifier: str) -> str:
    """The code challenge of a verifier, by the method ``S256`` (RFC 7636, 4.2)."""
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
