"""Reads the authentication schemes that a refusing server accepts (RFC 9110, 11.6.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping

_QUOTED = re.compile(r'"(?:[^"\\]++|\\.)*+"?+')
"""An unterminated string extends to the end, so that no part of it is scanned again."""
_SCHEME = re.compile(r"(?:^|,)\s*([A-Za-z][A-Za-z0-9-]{0,30})(?=\s+[^\s=,]|\s*(?:,|$))")
_LONGEST = 1000


def hint(headers: Mapping[str, str], sent: str | None) -> str:
    """A clause for a message, beginning with a colon, where the server accepts other schemes than that of the
    ``Authorization`` that was ``sent``; empty where it accepts that one, or names none."""
    asked = headers.get("WWW-Authenticate", "")[:_LONGEST]
    schemes = dict.fromkeys(scheme.capitalize() for scheme in _SCHEME.findall(_QUOTED.sub("q", asked)))
    scheme = None if sent is None else sent.partition(" ")[0].capitalize()
    if not schemes or scheme in schemes:
        return ""
    given = "none are sent" if scheme is None else f"not {scheme}"
    return f": it accepts credentials of the scheme {' or '.join(schemes)}, {given}"
