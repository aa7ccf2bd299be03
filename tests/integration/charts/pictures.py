"""What can be read in a picture: its words, the labels of its axes, and where its marks stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_MOVE = re.compile(r"translate\(([-+.0-9e]+),([-+.0-9e]+)\)")
_CORNER = re.compile(r"[ML]([-+.0-9e]+),([-+.0-9e]+)")


def read(svg: bytes) -> Element:
    """The picture; ``ParseError`` for what is no XML."""
    return ElementTree.fromstring(svg)


def texts(image: Element) -> list[str]:
    """All words, those that are broken into lines with a space between."""
    return [" ".join(filter(None, (part.strip() for part in one.itertext()))) for one in _of(image, "text")]


def numbers(image: Element) -> set[float]:
    """All words that are numbers, in double precision."""
    return set(map(float, decimals(image)))


def decimals(image: Element) -> set[Decimal]:
    """All words that are numbers."""
    found = set()
    for text in texts(image):
        with suppress(InvalidOperation):
            found.add(Decimal(text.replace(",", "").replace("\N{MINUS SIGN}", "-")))
    return found


def labels(image: Element, axis: str) -> list[str]:
    """The labels of the first axis called ``axis``, X or Y."""
    return texts(_axis(image, axis))


def ticks(image: Element, axis: str) -> list[float]:
    """Where the ticks of the first axis called ``axis`` stand: from left or from top."""
    found = []
    for group in _of(_axis(image, axis), "g"):
        if "role-axis-tick" in group.get("class", ""):
            found += [_moved(tick)[axis == "Y"] for tick in group]
    return found


def places(image: Element) -> list[tuple[float, float]]:
    """Where the points of lines, and scattered ones, stand: from left, from top; in the order drawn."""
    found = []
    for group in _of(image, "g"):
        if "role-mark" in group.get("class", "") and "mark-symbol" in group.get("class", ""):
            found += [_moved(mark) for mark in group]
    return found


def descriptions(image: Element) -> list[str]:
    """What a screen reader says of the marks."""
    return [one.get("aria-label", "") for one in image.iter() if one.get("role") == "graphics-symbol"]


def _axis(image: Element, axis: str) -> Element:
    return next(group for group in _of(image, "g") if group.get("aria-label", "").startswith(f"{axis}-axis"))


def _of(image: Element, tag: str) -> Iterator[Element]:
    return image.iter(f"{{http://www.w3.org/2000/svg}}{tag}")


def _moved(mark: Element) -> tuple[float, float]:
    found = _MOVE.search(mark.get("transform", ""))
    assert found is not None
    return float(found[1]), float(found[2])


@dataclass(frozen=True)
class Stroke:
    """A line as it is drawn: its corners, colour, dashes (none: solid) and opacity."""

    corners: list[tuple[float, float]]
    colour: str
    dashes: str
    opacity: float


def strokes(image: Element) -> list[Stroke]:
    """The lines of series."""
    found = []
    for group in _of(image, "g"):
        if "role-mark" in group.get("class", "") and "mark-line" in group.get("class", ""):
            for path in _of(group, "path"):
                corners = [(float(x), float(y)) for x, y in _CORNER.findall(path.get("d", ""))]
                opacity = float(path.get("opacity") or 1) * float(path.get("stroke-opacity") or 1)
                found.append(Stroke(corners, path.get("stroke", ""), path.get("stroke-dasharray", ""), opacity))
    return found
