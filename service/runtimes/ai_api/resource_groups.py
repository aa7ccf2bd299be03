"""AI API ``GET /admin/resourceGroups`` → the ids of resource groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from service.domain.runtime import ResourceGroups
from service.runtimes import json_literals

_PAGE = 1000
_MOST_PAGES = 20

GetPage = Callable[[Sequence[tuple[str, str]]], bytes | None]
"""The answer's body for query parameters, ``None`` where there is none. Raises ``ServiceError``."""


class _Group(msgspec.Struct, rename="camel"):
    resource_group_id: str


class _Groups(msgspec.Struct):
    resources: list[_Group]
    count: int | None = None


def read(get_page: GetPage) -> ResourceGroups:
    """All resource groups, a page at a time; not ``complete`` where a page is missing."""
    found: dict[str, None] = {}
    for _ in range(_MOST_PAGES):
        body = get_page((("$top", str(_PAGE)), ("$skip", str(len(found)))))
        if body is None:
            return ResourceGroups(tuple(found), complete=False)
        page = json_literals.decode(body, _Groups)
        before = len(found)
        found.update((group.resource_group_id, None) for group in page.resources)
        is_last = len(page.resources) < _PAGE if page.count is None else len(found) >= page.count
        if is_last or len(found) == before:
            return ResourceGroups(tuple(found), complete=is_last)
    return ResourceGroups(tuple(found), complete=False)
