"""Query parameters of points; resources with points have schemas derived from these."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from marshmallow import ValidationError, fields, validates_schema

from service.api.http.parameters import PagedParameters, Parameters
from service.api.openapi.fields import SortField, check_order, instant_field, nothing, true_or_false
from service.api.openapi.schemas import PagedQuery, Query
from service.domain.metrics import MOST_STEP_DIGITS
from service.domain.selection.filters import Filter
from service.domain.selection.sorting import FIELDS, Field, SortKey

_STEP = f"must be a whole number of at most {MOST_STEP_DIGITS:,} digits"
_WHOLE = re.compile(f"-?[0-9]{{1,{MOST_STEP_DIGITS}}}")
_SORT = f"must be a comma-separated list of {', '.join(FIELDS)}, each at most once, each with an optional '-'"


class _Step(fields.Field[int]):
    def _deserialize(self, value: Any, *_: Any, **__: Any) -> int:
        if not _WHOLE.fullmatch(value):
            raise ValidationError(_STEP)
        return int(value)


def _step(description: str) -> _Step:
    return _Step(load_default=nothing, metadata={"description": description, "type": "integer"})


def _sort_key(text: str, descending: bool) -> SortKey:
    by_name: dict[str, Field] = {name: name for name in FIELDS}
    if text not in by_name:
        raise ValidationError(_SORT)
    return SortKey(by_name[text], descending)


NAMES = "The metric's exact name. Repeatable (`name=Loss&name=Accuracy`): any of them; without it, all metrics."


@dataclass(frozen=True, kw_only=True)
class FilterParameters(Parameters):
    """See ``FilterQuery``."""

    wanted: Filter


class FilterQuery(Query):
    """Which points; all conditions must hold."""

    loads: ClassVar[type[Parameters]] = FilterParameters
    name = fields.List(fields.String(), load_default=tuple, metadata={"description": NAMES})
    search = fields.String(load_default=str, metadata={"description": "A part of the name; case is ignored."})
    label = fields.List(
        fields.String(),
        load_default=tuple,
        metadata={"description": "`name` or `name:value` of a label; repeatable, all must match."},
    )
    minStep = _step("The least step; points without a step are left out.")
    maxStep = _step("The greatest step; points without a step are left out.")
    since = instant_field("The earliest timestamp; points without a timestamp are left out.")
    until = instant_field("The latest timestamp; points without a timestamp are left out.")

    def members(self, loaded: dict[str, Any]) -> Mapping[str, Any]:
        """The loaded members, with the filter in place of its parts."""
        parts = {name: loaded.pop(name) for name in ("search", "min_step", "max_step", "since", "until")}
        loaded["wanted"] = Filter(loaded.pop("name"), labels=loaded.pop("label"), **parts)
        return loaded

    @validates_schema(skip_on_field_errors=False)
    def _ranges(self, data: Mapping[str, Any], **_: Any) -> None:
        check_order(data, ("minStep", "maxStep"), ("since", "until"))


@dataclass(frozen=True, kw_only=True)
class SelectionParameters(FilterParameters, PagedParameters):
    """See ``SelectionQuery``."""

    sort: tuple[SortKey, ...]


class SelectionQuery(FilterQuery, PagedQuery):
    """Which points, in what order, and how many at once."""

    loads = SelectionParameters
    sort = SortField(
        _sort_key,
        pattern="|".join(FIELDS),
        most=len(FIELDS),
        rule=_SORT,
        description=f"Sort keys, in order of precedence: {', '.join(FIELDS)}; `-` in front for descending order. "
        "For example `name,-step`. Exact, stable, `null` and NaN last. Without it, the runtime's order.",
    )


@dataclass(frozen=True, kw_only=True)
class NamedParameters(Parameters):
    """See ``NamedQuery``."""

    search: str


class NamedQuery(Query):
    """Which tags, or custom info."""

    loads: ClassVar[type[Parameters]] = NamedParameters
    search = fields.String(load_default=str, metadata={"description": "A part of the name; case is ignored."})


@dataclass(frozen=True, kw_only=True)
class CustomInfoParameters(NamedParameters):
    """See ``CustomInfoQuery``."""

    parse: bool


class CustomInfoQuery(NamedQuery):
    """Which custom info, and whether its values are parsed."""

    loads = CustomInfoParameters
    parse = true_or_false("With `true`, a value that is JSON is also parsed.")
