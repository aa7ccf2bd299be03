"""Problem documents (RFC 9457) for requests that never reach the application."""

from __future__ import annotations

import json
import logging
import uuid
from http import HTTPStatus

import msgspec
from gunicorn.http import errors

from service.api.http import problems
from service.api.http.problems import INTERNAL, Problem

_log = logging.getLogger("service.server")


class Refusal(msgspec.Struct, frozen=True):
    """Why a request is not served. ``headers`` are further lines of the answer."""

    problem: Problem
    detail: str
    headers: str = ""


BAD_REQUEST = Refusal(Problem(400, "bad-request", "The request is not valid"), "the request is not valid HTTP")
TOO_SLOW = Refusal(
    Problem(408, "request-timeout", "The request did not come in time"),
    "the request was not complete in time; send it at once",
)
NO_LENGTH = Refusal(
    Problem(411, "length-required", "The request needs a length"),
    "a request body needs a Content-Length; chunked bodies are not read",
)
TOO_LARGE = Refusal(Problem(413, "content-too-large", "The request body is too long"), "the request body is too long")
LINE_TOO_LONG = Refusal(Problem(414, "uri-too-long", "The URL is too long"), "the URL is too long")
HEAD_TOO_LARGE = Refusal(
    Problem(431, "request-header-fields-too-large", "The header fields are too long"),
    "there are too many header fields, or they are too long",
)
NO_EXPECTATION = Refusal(
    Problem(417, "expectation-failed", "The expectation cannot be met"), "only 100-continue can be expected"
)
NO_CODING = Refusal(
    Problem(501, "not-implemented", "The transfer coding is not known"),
    "a request body is read as it is, with a Content-Length",
)
FAILED = Refusal(INTERNAL, "the service failed")
OVERLOADED = Refusal(
    Problem(503, "overloaded", "Too many requests"),
    "too many large answers are being sent; try again later",
    "Retry-After: 5\r\n",
)
_OF_ERRORS: tuple[tuple[type[Exception], Refusal], ...] = (
    (errors.LimitRequestLine, LINE_TOO_LONG),
    (errors.LimitRequestHeaders, HEAD_TOO_LARGE),
    (errors.ExpectationFailed, NO_EXPECTATION),
    (errors.UnsupportedTransferCoding, NO_CODING),
    (errors.ParseException, BAD_REQUEST),
)


def refusal_of(error: Exception) -> Refusal:
    """The refusal for an exception of the parser."""
    return next((refusal for kind, refusal in _OF_ERRORS if isinstance(error, kind)), FAILED)


def answer(refusal: Refusal, error: BaseException | None = None) -> bytes:
    """The whole answer, after which the connection is closed; the refusal is logged, too."""
    request_id = str(uuid.uuid4())
    failed = refusal.problem.status == 500
    _log.log(
        logging.ERROR if failed else logging.INFO,
        "request not served",
        exc_info=error if failed else None,
        extra={
            "event": "bad-request",
            "status": refusal.problem.status,
            "problem": refusal.problem.slug,
            "requestId": request_id,
        },
    )
    document = problems.members_of(refusal.problem, refusal.detail, "") | {"requestId": request_id}
    body = json.dumps(document, separators=(",", ":")).encode()
    status = HTTPStatus(refusal.problem.status)
    head = (
        f"HTTP/1.1 {status.value} {status.phrase}\r\nContent-Type: {problems.MEDIA_TYPE}\r\n"
        f"Content-Length: {len(body)}\r\n{refusal.headers}"
        f"X-Request-ID: {request_id}\r\nX-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
        "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'\r\nCache-Control: no-store\r\n"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
