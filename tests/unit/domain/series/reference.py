"""Series as the contract has them, written as plainly as can be: what the fast ones are held against."""

from __future__ import annotations

import json
import math
from decimal import Decimal
from fractions import Fraction
from typing import Any

NONE = ("NaN", None)


class Literal(str):
    """A number's literal."""


def read(texts: list[bytes]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(b"[" + b",".join(texts) + b"]", parse_int=Literal, parse_float=Literal)
    return found


def instant(timestamp: str | None) -> tuple[bool, str, Fraction]:
    if timestamp is None:
        return (True, "", Fraction(0))
    clock, _, fraction = timestamp.rstrip("Z").partition(".")
    return (False, clock, Fraction(f"0.{fraction or 0}"))


def order(point: dict[str, Any]) -> tuple[Any, ...]:
    step = point["step"]
    return (step is None, Decimal(step or 0), *instant(point["timestamp"]))


def last(ordered: list[dict[str, Any]]) -> dict[str, Any]:
    """The latest point of the highest step; one without a step or timestamp only where there is no other."""
    stepped = [point for point in ordered if point["step"] is not None] or ordered
    highest = [point for point in stepped if order(point)[:2] == order(stepped[-1])[:2]]
    return ([point for point in highest if point["timestamp"] is not None] or highest)[-1]


def series(texts: list[bytes]) -> list[list[dict[str, Any]]]:
    found: dict[Any, list[dict[str, Any]]] = {}
    for point in read(texts):
        labels = frozenset((label["name"], label["value"]) for label in point["labels"])
        found.setdefault((point["name"], labels), []).append(point)
    return [sorted(points, key=order) for points in found.values()]


def extremes(points: list[dict[str, Any]]) -> tuple[dict[str, Any] | None, dict[str, Any] | None]:
    valued = [point for point in points if point["value"] not in NONE]
    if not valued:
        return None, None
    return min(valued, key=lambda point: Decimal(point["value"])), max(
        valued, key=lambda point: Decimal(point["value"])
    )


def mean(points: list[dict[str, Any]]) -> Fraction | float | None:
    """Of the values in double precision; of their decimals where one has none there."""
    literals = [str(point["value"]) for point in points if point["value"] not in NONE]
    if not literals:
        return None
    infinite = {float(literal) for literal in literals if literal.lstrip("-") == "Infinity"}
    if infinite:
        return infinite.pop() if len(infinite) == 1 else math.nan
    values: list[float] = [float(literal) for literal in literals]
    if all(map(math.isfinite, values)):
        return sum(map(Fraction, values), Fraction(0)) / len(values)
    return sum(map(Fraction, literals), Fraction(0)) / len(literals)
