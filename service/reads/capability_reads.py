"""Reads of what a runtime can do, and of its condition, which the same request shows."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Literal

import msgspec
from msgspec import structs

from service.caching import codec
from service.caching.codec import ContentGone
from service.concurrency.pending import Pending
from service.domain.errors import BadGateway, RuntimeForbids, RuntimeRefuses, ServiceError
from service.domain.freshness import RequestCachePolicy, RequestDirectives, Source
from service.domain.runtime import Capabilities, RequestContext, RuntimeKind
from service.reads import policy, remembered_errors
from service.reads.entries import Entries, EntryRequest, raised
from service.reads.results import VALUE, Fetched, Read

RuntimeState = Literal["reachable", "unreachable", "unusable", "unknown"]


class RuntimeCondition(msgspec.Struct, frozen=True):
    """The state of a runtime; ``detail`` says why it is unreachable or unusable."""

    state: RuntimeState
    detail: str = ""


_STATE_SECONDS = 10
"""Seconds for which a runtime's condition is not looked at again."""


class CapabilityReads:
    """Reads the capabilities of the runtime that a request names."""

    def __init__(self, entries: Entries) -> None:
        self._entries = entries

    def begin(self, context: RequestContext) -> Pending[Read[Capabilities] | ServiceError]:
        """Begin to read the capabilities."""

        def fetch(within: RequestContext) -> Fetched:
            capabilities = self._entries.runtime(context).capabilities(within)
            return Fetched(VALUE, may_change=not capabilities.metrics, packed=codec.pack(capabilities))

        wanted = EntryRequest(
            self._entries.key("capabilities", context),
            fetch,
            partial(codec.unpack, kind=Capabilities),
            of_error=remembered_errors.of_capabilities,
        )
        return self._entries.begin(wanted, context)

    def read(self, context: RequestContext) -> Read[Capabilities]:
        """The runtime's capabilities, with the content loaded."""
        try:
            return self._loaded(context)
        except ContentGone:
            return self._loaded(context.no_cache())

    def if_known(self, context: RequestContext) -> Capabilities | None:
        """The runtime's capabilities; ``None`` where they cannot be read now."""
        try:
            return self.read(context).content()
        except ServiceError:
            return None

    def kind(self, context: RequestContext) -> RuntimeKind:
        """The API of the runtime."""
        return self._entries.runtime(context).kind

    def condition(self, context: RequestContext, *, explained: bool) -> RuntimeCondition:
        """The runtime's condition, probed by its capabilities every few seconds at most.

        ``explained``: probed now, so that no stored answer stands in for the reason of trouble.
        """
        recent = RequestCachePolicy(RequestDirectives(max_age=_STATE_SECONDS), paced=False)
        cache_policy = RequestCachePolicy.no_cache() if explained else recent
        try:
            read = self.read(context.with_policy(cache_policy))
        except (BadGateway, RuntimeRefuses, RuntimeForbids) as error:
            return RuntimeCondition("unusable", error.detail)
        except ServiceError as error:
            return RuntimeCondition("unreachable", error.detail)
        return RuntimeCondition("unreachable" if read.provenance.source is Source.STORED_ON_ERROR else "reachable")

    def _loaded(self, context: RequestContext) -> Read[Capabilities]:
        read = raised(self.begin(context).outcome(context.deadline))
        capabilities = read.content()
        return structs.replace(read, content=lambda: capabilities)


def exclude_metrics(read: Read[Capabilities] | ServiceError) -> bool:
    """Whether current capabilities exclude metrics."""
    if isinstance(read, ServiceError) or not policy.is_current(read.provenance):
        return False
    with suppress(ContentGone):
        return read.content().metrics is False
    return False
