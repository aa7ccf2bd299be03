"""The parameters of ``GET /lm/metrics``."""

from __future__ import annotations

import re

from flask import request

from service.sandbox import tag_filters
from service.sandbox.errors import BadRequest
from service.sandbox.metric_store import SECTIONS, Selection
from service.sandbox.request_parameters import identifier, listed, page

MOST_IDS = 10
_DEFAULT_TOP, _MOST_TOP = 1000, 10_000
_QUOTED = r"'(?:[^']|'')*'"
_EQUALS = re.compile(rf"\s*executionId\s+eq\s+({_QUOTED})\s*", re.IGNORECASE)
_IN = re.compile(rf"\s*executionId\s+in\s*\(\s*({_QUOTED}(?:\s*,\s*{_QUOTED})*)\s*\)\s*", re.IGNORECASE)


def selection() -> Selection:
    """What the request asks for; :class:`BadRequest` names the parameter that is wrong."""
    tags = tag_filters.read(request.args.get("tagFilters", ""))
    return Selection(_ids(), tags, page(_DEFAULT_TOP, _MOST_TOP), _sections())


def _ids() -> list[str] | None:
    """The ids asked for, in either spelling; ``None`` where none are named, which means all."""
    if "$filter" in request.args:
        if "executionIds" in request.args:
            raise BadRequest("give executionIds or $filter, not both", "$filter")
        return _checked(_filtered(request.args["$filter"]), "$filter")
    if "executionIds" in request.args:
        return _checked(listed("executionIds"), "executionIds")
    return None


def _checked(ids: list[str], target: str) -> list[str]:
    if not 1 <= len(ids) <= MOST_IDS:
        raise BadRequest(f"expected 1 to {MOST_IDS} ids", target)
    return [identifier(id_, target) for id_ in ids]


def _filtered(text: str) -> list[str]:
    match = _EQUALS.fullmatch(text) or _IN.fullmatch(text)
    if match is None:
        raise BadRequest("expected executionId eq '<id>' or executionId in ('<id>', …)", "$filter")
    ids = [quoted[1:-1].replace("''", "'") for quoted in re.findall(_QUOTED, match[1])]
    return list(dict.fromkeys(ids))


def _sections() -> frozenset[str]:
    chosen = listed("$select")
    if not chosen or "*" in chosen:
        return frozenset(SECTIONS)
    unknown = [name for name in chosen if name not in SECTIONS]
    if unknown:
        raise BadRequest(f"unknown: {', '.join(unknown)}; expected {', '.join(SECTIONS)} or *", "$select")
    return frozenset(chosen)
