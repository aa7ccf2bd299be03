"""Query parameters as views get them: typed and checked, made by the resource's schema (``openapi.schemas.Query``)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Parameters:
    """Those that every resource takes; ``None`` where they are not given."""

    timezone: str | None = None
    format: str | None = None
    connection: str | None = None


@dataclass(frozen=True, kw_only=True)
class PagedParameters(Parameters):
    """Those of what comes in pages."""

    limit: int | None = None
    cursor: str | None = None

    @property
    def is_paged(self) -> bool:
        """Whether pages are wanted at all."""
        return self.limit is not None or self.cursor is not None
