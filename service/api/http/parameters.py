"""Query parameters as views get them: typed, checked and loaded by the resource's schema
(``openapi.schemas.Query``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """The parameters of every resource; ``None`` where they are not given."""

    timezone: str | None = None
    format: str | None = None
    connection: str | None = None


@dataclass(frozen=True, kw_only=True)
class PagedParameters(Parameters):
    """The parameters of resources with pages."""

    limit: int | None = None
    cursor: str | None = None

    @property
    def is_paged(self) -> bool:
        """Whether a page is asked for."""
        return self.limit is not None or self.cursor is not None
