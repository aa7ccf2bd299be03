"""Errors of requests, and their form: ``{"error": {"code", "message", "requestId", "target"?}}``."""

from __future__ import annotations

import json
import uuid

from flask import Flask, Response, current_app, request
from werkzeug.exceptions import HTTPException


class ApiError(Exception):
    """An answer other than success. ``target`` names the parameter, header or member that is wrong."""

    status = 500
    code = "internal_error"

    def __init__(self, message: str, target: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.target = target


class BadRequest(ApiError):
    status, code = 400, "bad_request"


class Unauthorized(ApiError):
    status, code = 401, "unauthorized"


class NotFound(ApiError):
    status, code = 404, "not_found"


class UnsupportedMediaType(ApiError):
    status, code = 415, "unsupported_media_type"


class NotImplementedHere(ApiError):
    status, code = 501, "not_implemented"


class Unavailable(ApiError):
    status, code = 503, "service_unavailable"


def register(app: Flask) -> None:
    """Give every error of ``app`` the AI API's shape."""
    app.register_error_handler(ApiError, _api_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unexpected)
    app.after_request(_identify)


def request_id() -> str:
    """The caller's ``X-Request-ID``, or one made for this request."""
    name = "sandbox.request_id"
    made: str = request.environ.setdefault(name, request.headers.get("X-Request-ID") or str(uuid.uuid4()))
    return made


def _api_error(error: ApiError) -> Response:
    answer = _answer(error.status, error.code, error.message, error.target)
    if error.status == 401:
        answer.headers["WWW-Authenticate"] = "Bearer"
    return answer


def _http_error(error: HTTPException) -> Response:
    status = error.code or 500
    answer = _answer(status, error.name.lower().replace(" ", "_"), error.description or error.name, None)
    for name, value in error.get_headers():
        if name != "Content-Type":
            answer.headers[name] = value
    return answer


def _unexpected(error: Exception) -> Response:
    current_app.logger.error("a request failed", exc_info=error)
    return _answer(500, ApiError.code, "the sandbox failed; its log says why", None)


def _answer(status: int, code: str, message: str, target: str | None) -> Response:
    error = {"code": code, "message": message, "requestId": request_id()}
    if target is not None:
        error["target"] = target
    return Response(json.dumps({"error": error}), status, content_type="application/json")


def _identify(answer: Response) -> Response:
    answer.headers["X-Request-ID"] = request_id()
    return answer
