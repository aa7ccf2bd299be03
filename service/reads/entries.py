"""Entries of the store for reads of one connection: their keys, fetches and lazy contents."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

import msgspec
from msgspec import structs
from msgspec.structs import replace

from service.caching import codec
from service.caching.codec import ContentGone, NotAnEntry, Packed
from service.caching.entry_keys import entry_keys
from service.concurrency.deadline import Deadline
from service.concurrency.pending import Pending
from service.domain.errors import CursorExpired, ServiceError
from service.domain.freshness import Snapshot
from service.domain.runtime import AIRuntime, Capabilities, RequestContext
from service.reads import remembered_errors
from service.reads.read_through import ReadThrough
from service.reads.results import VALUE, Fetched, Found, Read

T = TypeVar("T")
Unpack = Callable[[Packed], T]

_OF_NO_GROUP = frozenset({"capabilities", "resource-groups"})


class Connection(msgspec.Struct, frozen=True):
    """A runtime and its read path, with its own lifetimes and its own places for fetches, so that one that is down or
    slow does not affect another."""

    runtime: AIRuntime
    reads: ReadThrough


class EntryRequest(msgspec.Struct, Generic[T], frozen=True):
    """An entry to read: its key, how it is fetched and unpacked, and its run.

    ``of_error`` converts an error of the fetch to what is stored.
    """

    key: str
    fetch: Callable[[RequestContext], Fetched]
    unpack: Unpack[T]
    run_id: str = ""
    of_error: Callable[[ServiceError], Fetched | ServiceError] = remembered_errors.of


class Entries:
    """Reads entries of the connection of the request's context, by their kind."""

    def __init__(self, connections: Mapping[str, Connection]) -> None:
        self._connections = connections

    def runtime(self, context: RequestContext) -> AIRuntime:
        """The runtime that the request names."""
        return self._connections[context.cache_scope.connection].runtime

    def reads(self, context: RequestContext) -> ReadThrough:
        """The read path of that runtime."""
        return self._connections[context.cache_scope.connection].reads

    def key(self, kind: str, context: RequestContext, run_id: str = "", *more: str) -> str:
        """An entry's key, of everything that its content depends on, including the caller where that matters."""
        return self.keys(kind, context)(run_id, *more)

    def keys(self, kind: str, context: RequestContext) -> Callable[..., str]:
        """A function that makes the keys of many entries of a kind, each by its run and further parts."""
        scope = context.cache_scope
        return entry_keys(
            kind,
            scope.tenant,
            scope.connection,
            self.runtime(context).identity,
            "" if kind in _OF_NO_GROUP else scope.resource_group,
            scope.caller or "",
        )

    def begin(self, wanted: EntryRequest[T], context: RequestContext) -> Pending[Read[T] | ServiceError]:
        """Begin to read one entry."""
        fetch = partial(self._fetch, wanted, context)
        found = self.reads(context).begin([wanted.key], fetch, context.cache_policy, context.deadline)
        return found.map(partial(self._read_wanted, wanted, context))

    def get(self, wanted: EntryRequest[T], context: RequestContext) -> Read[T]:
        """Read one entry; raises its error."""
        return raised(self.begin(wanted, context).outcome(context.deadline))

    def fetching(self, context: RequestContext, deadline: Deadline) -> RequestContext:
        """The request's context for a fetch: with the fetch's deadline, and the known capabilities of the runtime."""
        found = self.reads(context).stored(self.key("capabilities", context))
        known = None
        if found is not None and found.header.outcome == VALUE:
            with suppress(ContentGone):
                known = self.read(found, partial(codec.unpack, kind=Capabilities), context).content()
        return replace(context, deadline=deadline, known=known)

    def _fetch(
        self, wanted: EntryRequest[T], context: RequestContext, keys: Sequence[str], deadline: Deadline
    ) -> dict[str, Fetched | ServiceError]:
        """Fetch the entry, whose key is the only one of ``keys``."""
        try:
            return dict.fromkeys(keys, wanted.fetch(self.fetching(context, deadline)))
        except ServiceError as error:
            return dict.fromkeys(keys, wanted.of_error(error))

    def _read_wanted(
        self, wanted: EntryRequest[T], context: RequestContext, by_key: Mapping[str, Found | ServiceError]
    ) -> Read[T] | ServiceError:
        found = value(by_key[wanted.key], wanted.run_id)
        return found if isinstance(found, ServiceError) else self.read(found, wanted.unpack, context)

    def read(self, found: Found, unpack: Unpack[T], context: RequestContext) -> Read[T]:
        """A read of what was found, whose content is loaded and unpacked on access."""

        def content() -> T:
            packed = self.reads(context).body(found)
            if packed is None:
                raise ContentGone
            try:
                return unpack(packed)
            except NotAnEntry:
                raise ContentGone from None

        header = found.header
        named = Snapshot(header.digest, header.size)
        return Read(found.key, header.digest, found.provenance, content, named, header.may_change, header.status)

    def as_of(self, snapshot: Snapshot | None, now: Read[T], unpack: Unpack[T], context: RequestContext) -> Read[T]:
        """The present content ``now``, or the snapshot, where there is one and it differs.

        The present content is read first, so that a caller who may not read it, or whose run is gone, gets no snapshot
        either.
        """
        if snapshot is None or now.digest == snapshot.digest:
            return now
        packed = self.reads(context).snapshot(now.key, snapshot)
        if packed is None:
            raise CursorExpired
        try:
            content = unpack(packed)
        except NotAnEntry:
            raise CursorExpired from None
        return structs.replace(now, digest=snapshot.digest, snapshot=snapshot, content=lambda: content)


def raised(read: Read[T] | ServiceError) -> Read[T]:
    """A read, or raise its error."""
    if isinstance(read, ServiceError):
        raise read
    return read


def value(found: Found | ServiceError, run_id: str) -> Found | ServiceError:
    """What was found, if it is a value, otherwise the remembered error."""
    if isinstance(found, ServiceError) or found.header.outcome == VALUE:
        return found
    return remembered_errors.error_of(found.header.outcome, run_id)
