"""Reads and checks requests as a whole: every fault is reported, each with its parameter's name."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import replace
from functools import cache, wraps
from hashlib import blake2b
from typing import Any, Generic, TypeVar
from urllib.parse import unquote_to_bytes

import msgspec
from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields
from werkzeug.datastructures import MultiDict

from service.api.http.cache_control import parse_directives
from service.api.http.context import current_request
from service.api.http.formats import JSON, Format, choose
from service.api.http.parameters import Parameters
from service.concurrency.deadline import Deadline
from service.domain.access import Principal, allows
from service.domain.connections import Connection, Connections
from service.domain.errors import Fault, Forbidden, InvalidParameter
from service.domain.freshness import RequestCachePolicy
from service.domain.ids import RULE, group_fault, is_id
from service.domain.runtime import CacheScope, RequestContext
from service.domain.zones import TimeZone, UnknownTimeZone, same_but_for_case, time_zone

CONNECTION = "AI-Connection"
RESOURCE_GROUP = "AI-Resource-Group"
TIME_ZONE = "Time-Zone"
_ZONE_DETAIL = "must be an IANA time zone such as Europe/Berlin, or a fixed offset such as +02:00"


P_co = TypeVar("P_co", bound=Parameters, covariant=True)


class ReadRequest(msgspec.Struct, Generic[P_co], frozen=True):
    """A request that has passed all checks.

    ``query`` holds the query parameters as their schema loads them, ``format`` the format of the answer.
    """

    query: P_co
    format: Format
    zone: TimeZone
    context: RequestContext


class Defaults(msgspec.Struct, frozen=True):
    """Defaults of requests, and the connections that they may name."""

    zone: TimeZone
    connections: Connections


class RequestReader:
    """Reads requests. In the document it takes the place of flask-smorest's arguments parser."""

    DEFAULT_VALIDATION_STATUS = 400

    def __init__(self, defaults: Defaults) -> None:
        self._defaults = defaults

    def use_args(
        self,
        schema: type[Schema],
        *,
        location: str,
        grouped: bool = True,
        connected: bool = True,
        formats: Collection[Format] = (JSON,),
        missing: str = "",
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a view so that it gets the ``ReadRequest`` as its first argument.

        ``grouped``: the answer belongs to a resource group, which the caller must be allowed to use. ``connected``: it
        comes from a runtime, whose connection the caller must be allowed to use. ``formats``: those of the answer, in
        our order of preference; ``missing``: why others are not available.
        """

        offers = tuple(formats)

        def decorate(view: Callable[..., Any]) -> Callable[..., Any]:
            @wraps(view)
            def reading(*args: Any, **path: Any) -> Any:
                asked = self.read(schema, path, grouped=grouped, connected=connected, offers=offers, missing=missing)
                return view(*args, asked, **path)

            return reading

        return decorate

    def read(
        self,
        schema: type[Schema],
        path: Mapping[str, str],
        *,
        grouped: bool,
        connected: bool = True,
        offers: tuple[Format, ...],
        missing: str = "",
    ) -> ReadRequest[Parameters]:
        """Read the request being served.

        Raises ``InvalidParameter`` with all faults, ``Forbidden`` for a connection or group that is not the caller's,
        ``NotAcceptable`` where the client accepts none of the formats.
        """
        faults: list[Fault] = []
        run_id = path.get("run_id")
        if run_id is not None and not is_id(run_id):
            faults.append(Fault("runId", RULE))
        query = _query(schema, faults)
        current = current_request()
        principal, rule = current.principal, current.access_rule
        if principal is None or rule is None:
            raise Forbidden("this route states no access rule that asks for a token")
        named = request.headers.get(CONNECTION) if query.connection is None else query.connection
        connection = self._defaults.connections.default
        if connected:
            connection = self._defaults.connections.choose(named, principal.tenant)
        group = request.headers.get(RESOURCE_GROUP, connection.resource_group)
        fault = group_fault(group, connection.kind if connected else None)
        if fault is not None:
            faults.append(Fault(RESOURCE_GROUP, fault))
        zone = self._zone(query.timezone, principal, faults)
        if faults:
            raise InvalidParameter(faults)
        current.connection = connection.name
        current.resource_group = group if grouped else None
        if not allows(principal, rule, current.resource_group):
            raise Forbidden(f"this caller may not use the resource group {group}", resource_group=group)
        chosen = choose(offers, query.format, request.headers.get("Accept"), missing)
        return ReadRequest(query, chosen, zone, self._context(connection, principal, group))

    def _zone(self, asked: str | None, principal: Principal, faults: list[Fault]) -> TimeZone:
        """The zone by precedence of its sources; every zone that the request names must be known."""
        found: list[TimeZone] = []
        for parameter, name in (("timezone", asked), (TIME_ZONE, request.headers.get(TIME_ZONE))):
            if name is not None:
                try:
                    found.append(time_zone(with_plus(name)))
                except UnknownTimeZone:
                    meant = same_but_for_case(name)
                    faults.append(
                        Fault(parameter, _ZONE_DETAIL if meant is None else f"{_ZONE_DETAIL}: is it {meant}?")
                    )
        if found:
            return found[0]
        try:
            return self._defaults.zone if principal.zone is None else time_zone(principal.zone)
        except UnknownTimeZone:
            return self._defaults.zone

    def _context(self, connection: Connection, principal: Principal, group: str) -> RequestContext:
        cache_scope = CacheScope(principal.tenant, group, connection=connection.name)
        if connection.forwards_token:
            caller = blake2b(principal.token.encode(), digest_size=20).hexdigest()
            cache_scope = replace(cache_scope, caller=caller, token=principal.token)
        trace = current_request().trace
        directives = parse_directives(request.headers.get("Cache-Control"), request.headers.get("Pragma"))
        return RequestContext(
            cache_scope,
            Deadline.after(connection.timeout),
            trace.request_id,
            trace.traceparent,
            RequestCachePolicy(directives, trace.asked_at),
        )


def with_plus(text: str) -> str:
    """A zone or instant with its plus sign, which arrives as a blank where it was not percent-encoded."""
    return text.replace(" ", "+")


def _query(schema: type[Schema], faults: list[Fault]) -> Parameters:
    """The loaded query; what is wrong with it is added to ``faults``."""
    loader = _loader(schema)
    if not request.query_string and not any(field.required for field in loader.fields.values()):
        return _nothing(schema)
    given = request.args
    lists = {field.data_key or name for name, field in loader.fields.items() if isinstance(field, fields.List)}
    faults += [Fault(name, "is given more than once") for name in given if name not in lists and _often(given, name)]
    undecodable = dict.fromkeys(_undecodable(request.query_string))
    faults += [Fault(name, "must be UTF-8, percent-encoded") for name in undecodable]
    try:
        loaded: Parameters = loader.load(
            {name: given.getlist(name) if name in lists else given[name] for name in given}
        )
    except ValidationError as error:
        messages = _messages(error)
        named = [name for name in given if name in messages]  # in the query's order, then missing parameters
        faults += [
            Fault(name, detail)
            for name in dict.fromkeys([*named, *sorted(messages)])
            if name not in undecodable
            for detail in _details(messages[name], len(given.getlist(name)))
        ]
        valid = error.valid_data if isinstance(error.valid_data, dict) else {}
        return Parameters(timezone=valid.get("timezone"), connection=valid.get("connection"))
    return loaded


def _undecodable(query: bytes) -> Iterator[str]:
    """The parameters with bytes that are not UTF-8, which must not be read as other text."""
    if b"%" not in query and query.isascii():
        return
    for pair in query.split(b"&"):
        name, _, value = pair.partition(b"=")
        try:
            unquote_to_bytes(value).decode("utf-8")
        except UnicodeDecodeError:
            yield unquote_to_bytes(name).decode("utf-8", "replace")


def _often(given: MultiDict[str, str], name: str) -> bool:
    return len(given.getlist(name)) > 1


def _messages(error: ValidationError) -> dict[str, Any]:
    return error.messages if isinstance(error.messages, dict) else {"query": error.messages}


def _details(messages: Any, given: int) -> Iterator[str]:
    """The faults of a parameter, or of each of its values where it was ``given`` more than once."""
    if isinstance(messages, dict) and given > 1:
        yield from (f"number {index + 1} of {given}: {_first(messages[index])}" for index in sorted(messages))
    else:
        yield _first(messages)


def _first(details: Any) -> str:
    while isinstance(details, (list, dict)):
        details = next(iter(details.values() if isinstance(details, dict) else details), "is not valid")
    return str(details)


@cache
def _loader(schema: type[Schema]) -> Schema:
    loader = schema(unknown=RAISE)
    loader.error_messages = {**loader.error_messages, "unknown": "is not a parameter of this resource"}
    return loader


@cache
def _nothing(schema: type[Schema]) -> Parameters:
    loaded: Parameters = _loader(schema).load({})
    return loaded
