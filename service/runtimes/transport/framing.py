"""Checks that an answer's head frames its body unambiguously (RFC 9112, 6.3).

``http.client`` is lenient: it drops headers after a malformed line, prefers ``Transfer-Encoding`` to
``Content-Length``, and otherwise reads to the end of the connection. Where two parsers disagree about the end of an
answer, one caller may get another's, so ambiguous answers are refused.
"""

from __future__ import annotations

from http.client import HTTPMessage, HTTPResponse

from service.domain.errors import BadGateway
from service.runtimes.transport.budget import current

_INTERIM, _FINAL = frozenset({100, *range(102, 200)}), 200


class CheckedResponse(HTTPResponse):
    """``http.client``'s response with a bounded and checked head."""

    def begin(self) -> None:
        """Read up to the head of the final answer. ``http.client`` takes 102 and 103 for final ones."""
        super().begin()
        while self.status in _INTERIM:
            self.headers = None  # type: ignore[assignment]
            super().begin()
        if self.status < _FINAL:
            raise BadGateway("the AI runtime's answer switches protocols, which was not asked for")
        check(self.msg)
        budget = current()
        budget.begin_body()
        if not budget.keeps_connection:
            self.will_close = True


def check(headers: HTTPMessage) -> None:
    """Raises ``BadGateway`` unless the headers frame the body unambiguously."""
    if headers.defects or headers.get_payload():
        raise BadGateway("the AI runtime's answer has malformed headers")
    codings = headers.get_all("Transfer-Encoding", [])
    lengths = {part.strip() for value in headers.get_all("Content-Length", []) for part in value.split(",")}
    if codings and (lengths or [coding.strip().lower() for coding in codings] != ["chunked"]):
        raise BadGateway("the AI runtime's answer has an ambiguous or invalid Transfer-Encoding")
    if len(lengths) > 1 or not all(length.isascii() and length.isdigit() for length in lengths):
        raise BadGateway("the AI runtime's answer has an ambiguous or invalid Content-Length")
