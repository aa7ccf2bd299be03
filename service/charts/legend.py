"""Legends: which traces have a colour, a dash, a shape or a shade of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from service.charts import style
from service.charts.panels import Panel

_SYMBOL = 34
"""Pixels of a legend's symbol, and of the space beside an entry."""


class Key(msgspec.Struct, frozen=True):
    """One legend: the ``field`` of the rows that it explains, and all its values, ``names``, in order."""

    field: str
    names: Sequence[str]

    def channel(self, looks: Sequence[Any], **legend: Any) -> dict[str, Any]:
        """The encoding of each name by an appearance, such as a colour or a dash."""
        widest = max(map(style.text_width, self.names)) + _SYMBOL
        columns = max(1, min(len(self.names), int(style.WIDTH // widest)))
        return {
            "field": self.field,
            "type": "nominal",
            "scale": {"domain": list(self.names), "range": list(looks)},
            "legend": {"title": None, "columns": columns, **legend},
        }


class Legend(msgspec.Struct, frozen=True):
    """The legends of a panel: of ``colours``, and of ``variants`` of them (dashes, shapes, shades); ``None`` where
    there is nothing to distinguish."""

    colours: Key | None = None
    variants: Key | None = None

    def colour(self, **legend: Any) -> dict[str, Any]:
        if self.colours is None:
            return {"value": style.PALETTE[0]}
        return self.colours.channel(style.colours(len(self.colours.names)), **legend)

    def variant(self, looks: Sequence[Any], *, always: bool = False, **legend: Any) -> dict[str, Any] | None:
        """A second channel beside colour: the variants, or the colours' names where colours repeat, or ``always``."""
        if self.variants is not None:
            below = {"orient": "bottom", "symbolStrokeColor": style.NEUTRAL} | legend
            return self.variants.channel(looks[: len(self.variants.names)], **below)
        if self.colours is None:
            return None
        count = len(self.colours.names)
        if always and count <= len(looks):
            return self.colours.channel(looks[:count], **legend)
        return self.colours.channel(style.cycled(looks, count), **legend) if count > len(style.PALETTE) else None


def legends(panels: Sequence[Panel], most_variants: int) -> tuple[list[Legend], bool]:
    """The legend of each panel, and whether all share one. Runs have a colour each, unless there are more label sets
    than ``most_variants`` of a colour: then each series is named by both."""
    runs = _distinct(trace.run for panel in panels for trace in panel.traces if trace.run)
    labels = _distinct(trace.labels for panel in panels for trace in panel.traces)
    if runs and len(labels) <= most_variants:
        variants = Key("labels", labels) if len(labels) > 1 else None
        return [Legend(Key("run", runs), variants)] * len(panels), True
    several = [_names(panel) for panel in panels if len(panel.traces) > 1]
    together = _distinct(name for names in several for name in names)
    if len(together) <= len(style.PALETTE) or all(names == together for names in several):
        return [
            Legend(Key("series", together)) if set(_names(panel)) <= {*together} else Legend() for panel in panels
        ], True
    return [Legend(Key("series", _names(panel))) if len(panel.traces) > 1 else Legend() for panel in panels], False


def _names(panel: Panel) -> list[str]:
    return [trace.name for trace in panel.traces]


def _distinct(names: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(names))
