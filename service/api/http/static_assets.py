"""Static bodies, compressed as the client accepts it, each with an entity tag."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, lru_cache
from hashlib import blake2b

from flask import Response, request

from service.api.http import encodings
from service.api.http.responses import client_has

FOREVER = "public, max-age=31536000, immutable"
REVALIDATED = "no-cache"


class Asset:
    """A body of ``media_type``. Its encoded forms are made when first asked for."""

    def __init__(self, body: bytes, media_type: str) -> None:
        self._body = body
        self._media_type = media_type
        self._encoded: Callable[[str], tuple[bytes, str]] = lru_cache(maxsize=None)(self._encode)

    @cached_property
    def digest(self) -> str:
        return blake2b(self._body, digest_size=15).hexdigest()

    def response(self, cache_control: str) -> Response:
        """The answer to the request being served, ``304`` where its client has it."""
        body, coding = self._encoded(encodings.choose(request.headers.get("Accept-Encoding")))
        tag = f"{self.digest}-{coding}"
        if client_has(tag, request.headers.get("If-None-Match")):
            response = Response(status=304)
        else:
            response = Response(body, content_type=self._media_type)
            if coding != encodings.IDENTITY:
                response.headers["Content-Encoding"] = coding
        response.headers["Cache-Control"] = cache_control
        response.headers["Vary"] = "Accept-Encoding"
        response.set_etag(tag)
        return response

    def _encode(self, coding: str) -> tuple[bytes, str]:
        """The body in ``coding`` where that makes it smaller, which it does not for pictures, and its coding."""
        if coding != encodings.IDENTITY:
            encoded = b"".join(encodings.encode((self._body,), coding))
            if len(encoded) < len(self._body):
                return encoded, coding
        return self._body, encodings.IDENTITY
