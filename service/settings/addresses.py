"""Parsers of URLs, origins and hosts. Their faults never repeat the text: a URL may carry a password."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from service.caching.redis.url import validate_url

_HOST = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_.-]*[A-Za-z0-9_.])?", re.ASCII)
_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?(:[0-9]{1,5})?", re.ASCII)
_RELATIVE = re.compile(r"(\.\./)*[\w.~%-]+(/[\w.~%-]+)*/?(\?[\w.~%=&/-]*)?", re.ASCII)
_DEFAULT_PORTS = {"http": 80, "https": 443}


def http_url(text: str) -> str:
    """``http://`` or ``https://``, host, optional port and path; nothing else."""
    if _split(text).query or "?" in text:
        raise ValueError("must be a URL without a query")
    return text


def http_url_with_query(text: str) -> str:
    """Like ``http_url``, with a query allowed."""
    _split(text)
    return text


def reference(text: str) -> str:
    """An absolute URL, or a path relative to the service's root, without a slash in front (RFC 3986, 4.2)."""
    if "://" in text:
        return http_url_with_query(text)
    if not _RELATIVE.fullmatch(text):
        raise ValueError("must be a URL, or a path like do/logout relative to the service's root")
    return text


def runtime_url(text: str) -> str:
    """The runtime's base URL, ``/v2`` added where it is missing."""
    return _ending_in("/v2", http_url(text))


def token_url(text: str) -> str:
    """The token endpoint, ``/oauth/token`` added where it is missing."""
    return _ending_in("/oauth/token", http_url(text))


def origin(text: str) -> str:
    """A web origin as browsers send it: ``scheme://host[:port]``, lower case, without a default port."""
    if text == "*":
        raise ValueError("must name an origin: * would let every web site read answers with its visitors' tokens")
    parts = _split(text.lower())
    if parts.path or "?" in text:
        raise ValueError("must be scheme://host[:port] only, without a path or a closing slash")
    host = parts.netloc.partition("]")[0] + "]" if "[" in parts.netloc else parts.netloc.partition(":")[0]
    port = "" if parts.port in {None, _DEFAULT_PORTS[parts.scheme]} else f":{parts.port}"
    return f"{parts.scheme}://{host}{port}"


def domain(text: str) -> str:
    """A host name that may be part of a key set's URL."""
    if not _DOMAIN.fullmatch(text):
        raise ValueError("must be a host name")
    return text


def bind_host(text: str) -> str:
    """An address or name to listen on; an IPv6 address gets its brackets."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if text.isprintable() and " " not in text and _is_ipv6(bare):
        return f"[{bare}]"
    if not _HOST.fullmatch(text):
        raise ValueError("must be an address or a host name")
    return text


def redis_url(text: str) -> str:
    """By the grammar in ``caching.redis.url``."""
    validate_url(text)
    return text


def _split(text: str) -> SplitResult:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be a URL that begins with https:// or http://")
    if not text.isascii() or not text.isprintable() or any(sign in text for sign in ' "<>\\^`{|}'):
        raise ValueError("must be a URL of ASCII characters, all others encoded")
    if "#" in text:
        raise ValueError("must be a URL without a fragment")
    try:
        parts = urlsplit(text)
        sound = parts.port != 0 and _is_host(parts)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError("must be a URL with a host, an optional port, and no user or password")
    return parts


def _is_host(parts: SplitResult) -> bool:
    if "@" in parts.netloc or parts.netloc.endswith(":") or parts.hostname is None:
        return False
    return _is_ipv6(parts.hostname) if "[" in parts.netloc else _HOST.fullmatch(parts.hostname) is not None


def _is_ipv6(text: str) -> bool:
    try:
        return ipaddress.ip_address(text).version == 6
    except ValueError:
        return False


def _ending_in(end: str, url: str) -> str:
    url = url.rstrip("/")
    return url if urlsplit(url).path.endswith(end) else url + end
