"""Entries by key: a byte-bounded memory of this process over the cache that all processes share.

The memory answers without asking the shared cache while announcements of replaced entries are received (``changes``):
an entry that another process has replaced is served for ``LIVING`` seconds at most. Without announcements it answers
for ``COHERENCE`` seconds, and while the shared cache cannot be used. Errors of the shared cache never leave this
module, but for leases, which are not taken where it cannot be used.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress

import msgspec
from msgspec.structs import replace

from service.caching import codec
from service.caching.changes import UNKNOWN, Changes, Mark
from service.caching.codec import Header, Packed, Part, Sealer
from service.caching.entry_keys import body_key, failure_key, lock_key, rest_key
from service.caching.protocol import Cache, Replacement
from service.concurrency.bounded_map import BoundedMap
from service.domain.errors import CacheUnavailable

COHERENCE = 1.0
_OVERHEAD = 512
_BESIDE = 64 * 1024
"""Bytes of a body that is stored in one step with its header."""
_FAILURE_TTL = 5.0


class _Body(msgspec.Struct, frozen=True):
    """A compressed body; ``rest`` is ``None`` until it is needed."""

    head: bytes
    rest: bytes | None

    @property
    def weight(self) -> int:
        return len(self.head) + len(self.rest or b"")


class _Kept(msgspec.Struct):
    """An entry in memory; ``checked_at`` and ``mark`` are of just before it was read from, or written to, the shared
    cache."""

    header: Header
    body: _Body | None
    checked_at: float
    mark: Mark

    @property
    def weight(self) -> int:
        return _OVERHEAD + (self.body.weight if self.body is not None else 0)


class Entry(msgspec.Struct, frozen=True):
    """An answer of the runtime to store: its header and its packed body, without parts where there is none.

    ``parts`` is the result of ``codec.parts_of`` for the body, where that is known.
    """

    header: Header
    packed: Packed = ()
    parts: Sequence[Part] | None = None


class EntryStore:
    """Loads and saves entries. Thread-safe; no method raises errors of the cache.

    Bodies of more than ``largest`` bytes are neither stored nor read. ``coherence`` is for how many seconds the memory
    answers without announcements. ``changes`` is what the cache's subscription reports to.
    """

    def __init__(
        self,
        cache: Cache,
        *,
        secret: str | None,
        memory_bytes: int,
        largest: int = codec.LARGEST,
        coherence: float = COHERENCE,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.changes = Changes(clock)
        self._cache = cache
        self._clock = clock
        self._sealer = Sealer(secret, largest)
        self._largest = largest
        self._coherence = coherence
        self._kept: BoundedMap[str, _Kept] = BoundedMap(memory_bytes, lambda kept: kept.weight)

    def headers(self, keys: Sequence[str], *, latest: bool = False) -> dict[str, Header]:
        """The headers of the stored entries among ``keys``; with ``latest``, read from the shared cache now."""
        found: dict[str, Header] = {}
        unknown = []
        for key in keys:
            kept = self._kept.get(key)
            if kept is not None:
                found[key] = kept.header
            if kept is None or latest or not self._is_current(key, kept):
                unknown.append(key)
        if unknown:
            found.update(self._shared_headers(unknown))
        return found

    def header_at_hand(self, key: str) -> Header | None:
        """The header of an entry, if it is in memory and need not be checked in the shared cache."""
        kept = self._kept.get(key)
        return None if kept is None or not self._is_current(key, kept) else kept.header

    def body(self, key: str, header: Header, *, current: bool = True) -> Packed | None:
        """The packed body of an entry; ``None`` where it is missing. ``current``: the header is the entry's latest."""
        kept = self._kept.get(key)
        at_hand = kept is not None and kept.body is not None and kept.header.digest == header.digest
        body = kept.body if kept is not None and at_hand else self._shared_body(key, header)
        if body is None:
            return None
        packed = codec.decompress(body.head, header, lambda: self._rest(key, header, body))
        if packed is not None and current and not at_hand:
            self._keep_body(key, header, body)
        return packed

    def bodies(self, keys: Sequence[str]) -> dict[str, Packed]:
        """The packed bodies, of one part each, of the stored entries among ``keys``, read together."""
        headers = {key: header for key, header in self.headers(keys).items() if header.digest}
        heads: dict[str, bytes] = {}
        for key, header in headers.items():
            kept = self._kept.get(key)
            if kept is not None and kept.body is not None and kept.header.digest == header.digest:
                heads[key] = kept.body.head
        elsewhere = [key for key in headers if key not in heads]
        for key, head in self._shared_heads(elsewhere, headers).items():
            heads[key] = head
            self._keep_body(key, headers[key], _Body(head, None))
        unpacked = {key: codec.decompress(head, headers[key], lambda: None) for key, head in heads.items()}
        return {key: packed for key, packed in unpacked.items() if packed is not None}

    def save(self, key: str, entry: Entry, ttl: float) -> bool:
        """Store the entry for ``ttl`` seconds, in memory and, if possible, in the shared cache; whether it was."""
        return key in self.save_all({key: (entry, ttl)})

    def save_all(self, entries: Mapping[str, tuple[Entry, float]], owner: str = "") -> Collection[str]:
        """As ``save``, entries with a time to live for each, in one step, which releases the leases of those that were
        stored, too, where ``owner`` holds them; the keys of those."""
        kept = {key: entry for key, entry in entries.items() if entry[0].header.size <= self._largest}
        replacements: dict[str, Replacement] = {}
        try:
            for key, entry in kept.items():
                with suppress(CacheUnavailable):  # a large body could not be stored: the other entries may be
                    replacements[key] = self._replacement(key, *entry, owner)
            self._cache.replace_many(replacements)
        except CacheUnavailable:
            return ()
        finally:
            for key in kept:
                self.changes.replaced_here(key)
        return replacements.keys()

    def save_derived(self, key: str, entry: Entry, ttl: float) -> None:
        """As ``save``, under a key that names the content, so nothing is ever replaced and nothing announced."""
        if entry.header.size <= self._largest:
            stored = self._keep_here(key, entry)
            with suppress(CacheUnavailable):
                self._cache.set_many({**stored, key: self._sealer.seal(key, entry.header)}, ttl)

    def _replacement(self, key: str, entry: Entry, ttl: float, owner: str) -> Replacement:
        """The entry as it is to be stored; a large body is stored by itself before."""
        beside = self._keep_here(key, entry)
        if sum(map(len, beside.values())) > _BESIDE:
            self._cache.set_many(beside, ttl)
            beside = {}
        return Replacement(self._sealer.seal(key, entry.header), ttl, beside, lock_key(key) if owner else "", owner)

    def acquire(self, keys: Sequence[str], owner: str, ttl: float) -> tuple[list[str], dict[str, Header]]:
        """Take the leases of ``keys`` for ``ttl`` seconds, and read their headers from the shared cache in the same
        step: the keys whose leases nobody held, and the headers. Raises ``CacheUnavailable``; some may be taken then.
        """
        since = self._since(keys)
        acquired = self._cache.acquire_many({key: lock_key(key) for key in keys}, owner, ttl)
        headers = self._read({key: one.value for key, one in acquired.items()}, since)
        return [key for key, one in acquired.items() if one.taken], headers

    def extend(self, key: str, owner: str, ttl: float) -> None:
        """Have the lease end ``ttl`` seconds from now, if ``owner`` still holds it and the shared cache can be used."""
        with suppress(CacheUnavailable):
            self._cache.extend(lock_key(key), owner, ttl)

    def release(self, keys: Sequence[str], owner: str) -> None:
        """Release those leases of ``keys`` that ``owner`` still holds, in one step, if the shared cache can be used."""
        with suppress(CacheUnavailable):  # they expire
            if len(keys) > 1:
                self._cache.release_many([lock_key(key) for key in keys], owner)
            for key in keys if len(keys) == 1 else ():
                self._cache.release(lock_key(key), owner)

    def _keep_here(self, key: str, entry: Entry) -> dict[str, bytes]:
        """Keep the entry in this process; what is to be stored of its body."""
        compressed = codec.compress(entry.packed, entry.parts) if entry.packed else None
        body = None if compressed is None else self._fitting(_Body(*compressed))
        self._kept.keep(key, _Kept(entry.header, body, self._clock(), self.changes.mark(key)))
        if compressed is None:
            return {}
        digest = entry.header.digest
        stored = {body_key(key, digest): compressed.head, rest_key(key, digest): compressed.rest}
        return {name: value for name, value in stored.items() if value}

    def failure(self, key: str, since: float) -> str | None:
        """The name of the error that a fetch begun after ``since`` (epoch seconds) ended with, in any process."""
        name = failure_key(key)
        try:
            sealed = self._cache.get(name)
        except CacheUnavailable:
            return None
        header = None if sealed is None else self._sealer.open(name, sealed)
        return header.outcome if header is not None and header.fetched_at >= since else None

    def note_failure(self, key: str, outcome: str, fetched_at: float) -> None:
        """Note for waiting readers in other processes that the fetch begun at ``fetched_at`` failed."""
        name = failure_key(key)
        with suppress(CacheUnavailable):
            self._cache.set_many({name: self._sealer.seal(name, Header(outcome, True, fetched_at))}, _FAILURE_TTL)

    def _is_current(self, key: str, kept: _Kept) -> bool:
        """Whether the entry in memory need not be checked in the shared cache."""
        if self.changes.announced_since(key, kept.mark):
            return False
        return self.changes.followed_since(kept.mark) or (
            not self.changes.living and self._clock() - kept.checked_at <= self._coherence
        )

    def _shared_headers(self, keys: Sequence[str]) -> dict[str, Header]:
        since = self._since(keys)
        try:
            return self._read(self._cache.get_many(keys), since)
        except CacheUnavailable:
            return {}

    def _since(self, keys: Sequence[str]) -> tuple[float, Mapping[str, Mark]]:
        """The moment, and the marks of keys, before these are read from the shared cache."""
        return self._clock(), {key: self.changes.mark(key) for key in keys}

    def _read(self, sealed: Mapping[str, bytes | None], since: tuple[float, Mapping[str, Mark]]) -> dict[str, Header]:
        """The headers that were read from the shared cache."""
        asked_at, marks = since
        found = {}
        for key, value in sealed.items():
            kept = self._checked(key, None if value is None else self._sealer.open(key, value), asked_at, marks[key])
            if kept is not None:
                found[key] = kept.header
        return found

    def _checked(self, key: str, header: Header | None, asked_at: float, mark: Mark) -> _Kept | None:
        """Keep the later of the header in the shared cache and the one in memory, and return it."""
        noted: list[_Kept] = []

        def later(kept: _Kept | None) -> _Kept | None:
            if kept is not None and (header is None or kept.header.fetched_at >= header.fetched_at):
                new = replace(kept, checked_at=asked_at, mark=mark)
            elif header is None:
                return None
            else:
                same = kept is not None and kept.header.digest == header.digest
                new = _Kept(header, kept.body if kept is not None and same else None, asked_at, mark)
            noted.append(new)
            return new

        self._kept.update(key, later)
        return noted[0] if noted else None

    def _shared_body(self, key: str, header: Header) -> _Body | None:
        head = self._shared(body_key(key, header.digest))
        return None if head is None else _Body(head, None)

    def _rest(self, key: str, header: Header, body: _Body) -> bytes | None:
        """The parts of ``body`` after the first, kept in memory once they were loaded."""
        if body.rest is not None:
            return body.rest
        rest = self._shared(rest_key(key, header.digest))
        whole = self._fitting(_Body(body.head, rest))
        if rest is not None and whole is not None:
            self._kept.update(key, lambda kept: replace(kept, body=whole) if kept and kept.body is body else kept)
        return rest

    def _shared(self, name: str) -> bytes | None:
        try:
            return self._cache.get(name)
        except CacheUnavailable:
            return None

    def _shared_heads(self, keys: Sequence[str], headers: Mapping[str, Header]) -> dict[str, bytes]:
        if not keys:
            return {}
        names = {body_key(key, headers[key].digest): key for key in keys}
        try:
            found = self._cache.get_many(list(names))
        except CacheUnavailable:
            return {}
        return {names[name]: head for name, head in found.items() if head is not None}

    def _keep_body(self, key: str, header: Header, body: _Body) -> None:
        """Keep the body in memory, unless a newer entry has arrived meanwhile."""
        fitting = self._fitting(body)

        def with_body(kept: _Kept | None) -> _Kept:
            if kept is not None and kept.header.digest == header.digest:
                return replace(kept, body=fitting)
            if kept is not None and kept.header.fetched_at >= header.fetched_at:
                return kept
            return _Kept(header, fitting, -math.inf, UNKNOWN)

        self._kept.update(key, with_body)

    def _fitting(self, body: _Body | None) -> _Body | None:
        """The body, unless it is too large for the memory, which then keeps only the header."""
        return body if body is not None and _OVERHEAD + body.weight <= self._kept.capacity else None
