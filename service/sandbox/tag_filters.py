"""The ``tagFilters`` parameter: which tags a metric resource must have, or must not have."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote

from service.sandbox.errors import BadRequest

MOST_FILTERS = 100
_HAS = "SELECT 1 FROM named_values WHERE resource = metric_resources.position AND section = 'tags' AND name = ?"


@dataclass(frozen=True, slots=True)
class TagFilter:
    """A condition on a row of ``metric_resources`` in SQL, and the values of its marks."""

    condition: str
    values: tuple[str, ...]


def read(text: str) -> list[TagFilter]:
    """``name=value``, ``name!=value`` and ``name``, separated by commas; all of them must hold.

    Names and values are percent-decoded once more after the query string was, so a comma in one is ``%2C``.
    ``name!=value`` holds where the tag has another value or is not there.
    Raises :class:`BadRequest` for an expression without a name and for more than 100 expressions.
    """
    expressions = text.split(",") if text else []
    if len(expressions) > MOST_FILTERS:
        raise BadRequest(f"at most {MOST_FILTERS} expressions", "tagFilters")
    return [_filter(expression) for expression in expressions]


def _filter(expression: str) -> TagFilter:
    left, equals, value = expression.partition("=")
    negated = bool(equals) and left.endswith("!")
    name = unquote(left[:-1] if negated else left).strip()
    if not name:
        raise BadRequest(f"an expression without a name: {expression!r}", "tagFilters")
    if not equals:
        return TagFilter(f"EXISTS ({_HAS})", (name,))
    return TagFilter(f"{'NOT ' if negated else ''}EXISTS ({_HAS} AND value = ?)", (name, unquote(value)))
