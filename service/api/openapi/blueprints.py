"""flask-smorest blueprints that read requests in the service's own way, and what each route says of itself."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Any, TypeVar

import flask_smorest
from marshmallow import Schema

from service.api.http.formats import JSON, Format
from service.api.http.request import RequestReader
from service.api.openapi import components
from service.api.openapi.schemas import Query

View = TypeVar("View", bound=Callable[..., Any])


class Blueprint(flask_smorest.Blueprint):  # type: ignore[misc]
    """Routes of one tag of the OpenAPI document."""

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register a view; see ``flask_smorest.Blueprint.route``."""
        register: Callable[[View], View] = super().route(rule, **options)
        return register

    def arguments(self, schema: type[Schema], **options: Any) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Read the request before the view; see ``api.http.request.RequestReader.use_args``."""
        read: Callable[[Callable[..., Any]], Callable[..., Any]] = super().arguments(schema, **options)
        return read


def blueprints(reader: RequestReader) -> Callable[[str, str], Blueprint]:
    """A maker of blueprints, by tag and description, whose ``arguments`` are read by ``reader``."""

    def make(tag: str, description: str) -> Blueprint:
        made = Blueprint(tag, __name__, description=description)
        made.ARGUMENTS_PARSER = reader
        return made

    return make


def documented(
    operation: str,
    schema: type[Schema] | None,
    summary: str,
    *,
    query: type[Schema] = Query,
    zoned: bool = False,
    run: bool = True,
    paged: bool = False,
    formats: Collection[Format] = (JSON,),
    more: Sequence[str] = (),
    streamed: bool = False,
    awaited: bool = False,
) -> Callable[[View], View]:
    """State a route's place in the OpenAPI document: a resource that is read with a token.

    ``schema`` is that of the first of ``formats``, ``None`` where that says what it is itself. ``more`` names headers
    beside the usual ones; ``streamed``: the answer goes on, and is stored nowhere; ``awaited``: with ``Prefer: wait``
    it can be waited for.
    """
    schemas = {
        one: schema if number == 0 and schema is not None else dict(one.schema) for number, one in enumerate(formats)
    }
    return _doc(
        operationId=operation,
        summary=summary,
        security=[{"bearer": []}],
        parameters=components.parameters(
            query, zoned=zoned, run=run, formats=tuple(formats), streamed=streamed, awaited=awaited
        ),
        responses=components.responses(schemas, run=run, paged=paged, more=more, streamed=streamed),
    )


def documented_open(
    operation: str, schema: type[Schema] | None, summary: str, media_type: str, *more: int, tagged: bool = False
) -> Callable[[View], View]:
    """State the place of a route that needs no token.

    ``more`` are further statuses of the same shape; a ``tagged`` answer can be asked for with ``If-None-Match``.
    """
    headers = components.headers(*(("ETag",) if tagged else ()), "Cache-Control", "Vary", *components.EVERY_ANSWER)
    content: dict[str, Any] = {
        media_type: {"schema": schema or ({"type": "object"} if media_type.endswith("json") else {"type": "string"})}
    }
    answers = {
        str(status): {
            "description": components.DESCRIPTIONS[status],
            "headers": headers,
            "content": content,
        }
        for status in (200, *more)
    }
    current = {"304": {"description": "The client has the current answer.", "headers": headers}} if tagged else {}
    problems = {"4XX": "Problem", "default": "Problem"}
    return _doc(operationId=operation, summary=summary, security=[], responses={**answers, **current, **problems})


def _doc(**manual: Any) -> Callable[[View], View]:
    mark: Callable[[View], View] = Blueprint.doc(**manual)
    return mark
