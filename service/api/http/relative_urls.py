"""References to the service's own resources, relative to the URL of the request being served (RFC 3986, 4.2).

The service knows its own paths, and not what stands before them where its clients are: a proxy may strip a prefix, a
server may have mounted it below ``SCRIPT_NAME``. A reference that climbs from the request's path to the service's root,
and goes down from there, is right in every case and needs no setting.
"""

from __future__ import annotations

from urllib.parse import quote

from flask import request

_OF_A_PATH = "/:@!$&'()*+,=~"
"""What stands for itself in a path (RFC 3986, 3.3), beside letters, digits and ``-._``; but for the semicolon, which
Python's ``urljoin`` takes for the end of the path, as RFC 1808 had it."""
_DOTS = frozenset({".", ".."})


def relative(path: str) -> str:
    """``path``, which begins with a slash at the service's root, as seen from the request's URL."""
    reference = "../" * _depth() + quote(path[1:], safe=_OF_A_PATH)
    first = reference.partition("/")[0]
    return reference if first and ":" not in first else f"./{reference}"


def itself() -> str:
    """The request's own URL without its query; the empty reference where no other is resolved alike by all clients.

    That is so for paths with empty or dot segments, for encoded slashes, for bytes that are no UTF-8, and for a request
    target without a path (RFC 9112, 3.2.3 and 3.2.4).
    """
    *above, last = request.path[1:].split("/")
    target = _target()
    odd = "" in above or not _DOTS.isdisjoint((*above, last)) or "\ufffd" in request.path or "%2f" in target.lower()
    return "" if odd or not (target.startswith("/") or "://" in target) else relative(request.path)


def _depth() -> int:
    """How many segments of the request's path stand above the last one, as the client wrote it."""
    return max(0, request.path.count("/") - 1 - _target().lower().count("%2f"))


def _target() -> str:
    """The request target as it was sent, without the query; the decoded path where the server does not pass it on."""
    environ = request.environ
    target: str = environ.get("RAW_URI") or environ.get("REQUEST_URI") or request.path
    return target.partition("?")[0]
