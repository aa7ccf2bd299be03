"""Problem documents (RFC 9457) for what never reaches the application."""

from __future__ import annotations

import json
import logging
import uuid
from dataclasses import dataclass
from http import HTTPStatus

from gunicorn.http import errors

_log = logging.getLogger("service.server")


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request is not served. ``headers`` are further lines of the answer."""

    status: int
    slug: str
    title: str
    detail: str
    headers: str = ""


BAD_REQUEST = Refusal(400, "bad-request", "The request is not valid", "the request is not valid HTTP")
TOO_SLOW = Refusal(
    408, "request-timeout", "The request did not come in time", "the request was not complete in time; send it at once"
)
NO_LENGTH = Refusal(
    411,
    "length-required",
    "The request needs a length",
    "a request body needs a Content-Length; chunked bodies are not read",
)
TOO_LARGE = Refusal(413, "content-too-large", "The request body is too long", "the request body is longer than is read")
LINE_TOO_LONG = Refusal(414, "uri-too-long", "The URL is too long", "the URL is longer than is read")
HEAD_TOO_LARGE = Refusal(
    431,
    "request-header-fields-too-large",
    "The header fields are too long",
    "the header fields are more, or longer, than are read",
)
FAILED = Refusal(500, "internal-error", "The service failed", "the service failed")
OVERLOADED = Refusal(
    503,
    "overloaded",
    "Too many requests",
    "too many large answers are being sent; try again later",
    "Retry-After: 5\r\n",
)
_OF_ERRORS: tuple[tuple[type[Exception], Refusal], ...] = (
    (errors.LimitRequestLine, LINE_TOO_LONG),
    (errors.LimitRequestHeaders, HEAD_TOO_LARGE),
    (
        errors.ExpectationFailed,
        Refusal(417, "expectation-failed", "The expectation cannot be met", "only 100-continue can be expected"),
    ),
    (
        errors.UnsupportedTransferCoding,
        Refusal(
            501,
            "not-implemented",
            "The transfer coding is not known",
            "a request body is read as it is, with a Content-Length",
        ),
    ),
    (errors.ParseException, BAD_REQUEST),
)


def refusal_of(error: Exception) -> Refusal:
    """The refusal for what the parser raised."""
    return next((refusal for kind, refusal in _OF_ERRORS if isinstance(error, kind)), FAILED)


def answer(refusal: Refusal, error: BaseException | None = None) -> bytes:
    """The whole answer, after which the connection is closed; a line in the log says the same."""
    request_id = str(uuid.uuid4())
    failed = refusal.status == 500
    _log.log(
        logging.ERROR if failed else logging.INFO,
        "request not served",
        exc_info=error if failed else None,
        extra={
            "event": "bad-request",
            "status": refusal.status,
            "problem": refusal.slug,
            "requestId": request_id,
        },
    )
    document = {
        "type": f"urn:metric-resource:{refusal.slug}",
        "title": refusal.title,
        "status": refusal.status,
        "detail": refusal.detail,
        "instance": "",
        "requestId": request_id,
    }
    body = json.dumps(document, separators=(",", ":")).encode()
    head = (
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}\r\nContent-Type: application/problem+json\r\n"
        f"Content-Length: {len(body)}\r\n{refusal.headers}"
        f"X-Request-ID: {request_id}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
