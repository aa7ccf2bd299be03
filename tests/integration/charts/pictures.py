"""What can be read in a picture: its words, the labels of its axes, and where its marks stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_MOVE = re.compile(r"translate\(([-+.0-9e]+),([-+.0-9e]+)\)")


def read(svg: bytes) -> Element:
    """The picture; ``ParseError`` for what is no XML."""
    return ElementTree.fromstring(svg)


def texts(image: Element) -> list[str]:
    """All words, those that are broken into lines with a space between."""
    return [" ".join(filter(None, (part.strip() for part in one.itertext()))) for one in _of(image, "text")]


def numbers(image: Element) -> set[float]:
    """All words that are numbers."""
    found = set()
    for text in texts(image):
        try:
            found.add(float(text.replace(",", "").replace("\N{MINUS SIGN}", "-")))
        except ValueError:
            continue
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
