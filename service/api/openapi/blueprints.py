"""Routes that read requests in the service's own way, and the description of each for the OpenAPI document.

Descriptions are built when the document is requested: most processes never serve it, and copying them between
flask-smorest's decorators took longer than everything else in making an application.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import flask
from marshmallow import Schema

from service.api.http.formats import JSON, Format
from service.api.http.request import RequestReader
from service.api.openapi import components
from service.api.openapi.schemas import Query

if TYPE_CHECKING:
    import flask_smorest

View = TypeVar("View", bound=Callable[..., Any])
_SAYS, _READS = "openapi_operation", "openapi_arguments"
"""The attribute that marks views; ``functools.wraps`` copies it to their decorators."""


class _Route(NamedTuple):
    rule: str
    view: Callable[..., Any]
    options: dict[str, Any]


class _Reading(NamedTuple):
    """How the request of a route is read."""

    query: type[Schema]
    options: dict[str, Any]


Says = Callable[[_Reading | None], dict[str, Any]]
"""Makes the description of a route."""


class Blueprint(flask.Blueprint):
    """Routes of one tag of the OpenAPI document."""

    def __init__(self, tag: str, description: str, reader: RequestReader) -> None:
        super().__init__(tag, __name__)
        self._description = description
        self._reader = reader
        self._routes: list[_Route] = []

    def route(self, rule: str, **options: Any) -> Callable[[View], View]:
        """Register a view that is described by ``documented``."""
        register = super().route(rule, **options)

        def registered(view: View) -> View:
            self._routes.append(_Route(rule, view, options))
            return register(view)

        return registered

    def arguments(
        self, query: type[Schema], *, formats: Collection[Format] = (JSON,), **options: Any
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Read the request before the view; see ``api.http.request.RequestReader.use_args``. The document has the same
        ``query`` and ``formats``."""
        reading = _Reading(query, {"location": "query", "formats": formats, **options})
        read = self._reader.use_args(query, **reading.options)

        def reads(view: Callable[..., Any]) -> Callable[..., Any]:
            made = read(view)
            setattr(made, _READS, reading)
            return made

        return reads

    def described(self) -> flask_smorest.Blueprint:
        """The blueprint for the document: flask-smorest's, whose views are never called."""
        import flask_smorest  # noqa: PLC0415 - brings apispec, webargs and a YAML parser

        made = flask_smorest.Blueprint(self.name, __name__, description=self._description)
        made.ARGUMENTS_PARSER = self._reader
        for rule, view, options in self._routes:
            reading: _Reading | None = getattr(view, _READS, None)
            described = made.doc(**getattr(view, _SAYS)(reading))(view)
            if reading is not None:
                described = made.arguments(reading.query, **reading.options)(described)
            made.route(rule, **options)(described)
        return made


def blueprints(reader: RequestReader) -> Callable[[str, str], Blueprint]:
    """A maker of blueprints, by tag and description, whose ``arguments`` are read by ``reader``."""
    return lambda tag, description: Blueprint(tag, description, reader)


def documented(
    operation: str,
    schema: type[Schema] | None,
    summary: str,
    *,
    zoned: bool = False,
    run: bool = True,
    paged: bool = False,
    formats: Collection[Format] = (),
    more: Sequence[str] = (),
    streamed: bool = False,
    awaited: bool = False,
) -> Callable[[View], View]:
    """Describe a route in the OpenAPI document: a resource that is read with a token.

    ``schema`` is that of the first format, ``None`` where the format has one itself. ``formats`` is given where the
    route itself may lack some, for want of an extra. ``more`` names headers beside the usual ones; ``streamed``: the
    answer is a stream and never stored; ``awaited``: ``Prefer: wait`` is supported.
    """

    def says(reading: _Reading | None) -> dict[str, Any]:
        query, options = (Query, {"formats": (JSON,)}) if reading is None else reading
        every = tuple(formats or options["formats"])
        schemas = {
            one: schema if number == 0 and schema is not None else dict(one.schema) for number, one in enumerate(every)
        }
        return {
            "operationId": operation,
            "summary": summary,
            "security": [{"bearer": []}],
            "parameters": components.parameters(
                query, zoned=zoned, run=run, formats=every, streamed=streamed, awaited=awaited
            ),
            "responses": components.responses(schemas, run=run, paged=paged, more=more, streamed=streamed),
        }

    return _saying(says)


def documented_open(
    operation: str, schema: type[Schema] | None, summary: str, media_type: str, *more: int, tagged: bool = False
) -> Callable[[View], View]:
    """Describe a route that requires no token.

    ``more`` are further statuses of the same shape; a ``tagged`` answer can be asked for with ``If-None-Match``.
    """

    def says(_: _Reading | None) -> dict[str, Any]:
        headers = components.headers(*(("ETag",) if tagged else ()), "Cache-Control", "Vary", *components.EVERY_ANSWER)
        content: dict[str, Any] = {
            media_type: {
                "schema": schema or ({"type": "object"} if media_type.endswith("json") else {"type": "string"})
            }
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
        return {
            "operationId": operation,
            "summary": summary,
            "security": [],
            "responses": {**answers, **current, **problems},
        }

    return _saying(says)


def _saying(says: Says) -> Callable[[View], View]:
    def mark(view: View) -> View:
        setattr(view, _SAYS, says)
        return view

    return mark
