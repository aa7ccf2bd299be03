"""References to the service's own resources, relative to the URL of the request being served (RFC 3986, 4.2).

The service knows its own paths, but not the prefix that its clients see: a proxy may strip one, a server may mount the
service below ``SCRIPT_NAME``. A reference that goes up from the request's path to the service's root and down from
there is right in every case and needs no setting.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import request

_OF_A_PATH = "/:@!$&'()*+,=~"
"""Characters that are not encoded in a path (RFC 3986, 3.3), beside letters, digits and ``-._``; without the semicolon,
which Python's ``urljoin`` takes for the end of the path (RFC 1808)."""
_DOTS = frozenset({".", ".."})


def relative(path: str) -> str:
    """``path``, which begins with a slash at the service's root, relative to the request's URL."""
    reference = "../" * _depth() + quote(path[1:], safe=_OF_A_PATH)
    first = reference.partition("/")[0]
    return reference if first and ":" not in first else f"./{reference}"


def itself() -> str:
    """The request's own URL without its query; an empty reference where clients would resolve any other differently.

    That is the case for paths with empty or dot segments, for encoded slashes, for bytes that are no UTF-8, and for a
    request target without a path (RFC 9112, 3.2.3 and 3.2.4).
    """
    *above, last = request.path[1:].split("/")
    target = _target()
    odd = "" in above or not _DOTS.isdisjoint((*above, last)) or "\ufffd" in request.path or "%2f" in target.lower()
    return "" if odd or not (target.startswith("/") or "://" in target) else relative(request.path)


def _depth() -> int:
    """The number of segments before the last one, in the request's path as the client sent it."""
    return max(0, request.path.count("/") - 1 - _target().lower().count("%2f"))


def _target() -> str:
    """The request target as it was sent, without the query; the decoded path where the server does not pass it on."""
    environ = request.environ
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.path
    return target.partition("?")[0]
