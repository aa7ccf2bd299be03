"""Makes untrusted text safe for charts: for XML, for fonts, and for Vega's expressions.

``displayable`` is the one place that does so for a chart; ``in_expression`` and ``quoted`` are for the few texts that
are also used in an expression.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from msgspec import Raw
from msgspec.structs import replace

from service.charts.captions import apart
from service.charts.panels import Axis, AxisKind, Caption, Mark, Panel, Trace

_REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_BIDI_CONTROLS = (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
"""Unicode's ``Bidi_Control``: a name must not change the direction of the text beside it."""
_INVISIBLE = (0x200B, *range(0x2060, 0x2065), 0xFEFF, *range(0xFFF9, 0xFFFC))
_NONCHARACTERS = (*range(0xFDD0, 0xFDF0), *(plane << 16 | end for plane in range(17) for end in (0xFFFE, 0xFFFF)))
_VISIBLE: dict[int, str] = {
    **dict.fromkeys([*range(0xD800, 0xE000), *range(0x80, 0xA0), *_NONCHARACTERS], _REPLACEMENT),
    **dict.fromkeys([*_BIDI_CONTROLS, *_INVISIBLE], _REPLACEMENT),
    **{code: chr(0x2400 + code) for code in range(0x20)},
    0x7F: "\N{SYMBOL FOR DELETE}",
    0x2028: "\N{SYMBOL FOR NEWLINE}",
    0x2029: "\N{SYMBOL FOR NEWLINE}",
}
_OF_OBJECTS = frozenset(
    {
        *("__defineGetter__", "__defineSetter__", "__lookupGetter__", "__lookupSetter__", "__proto__"),
        *("constructor", "hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"),
        *("toLocaleString", "toString", "valueOf"),
    }
)
"""The members of every JavaScript object: Vega looks texts up in plain objects, where it would find these."""


def visible(text: str) -> str:
    """``text`` with a visible character in place of each that XML or a font cannot show, or that acts on the layout.

    Control characters become their pictures (``\\n`` → ``␊``); lone surrogates, noncharacters, controls of
    bidirectional text and format characters without a width become U+FFFD, but for the joiners that scripts need.
    A text that Vega would mistake for such a member gets a space at its end.
    """
    if text in _OF_OBJECTS:
        return f"{text} "
    return text if text.isprintable() else text.translate(_VISIBLE)


def in_expression(text: str) -> str:
    """A title for a Vega expression, in which Vega-Lite escapes quotes, but not backslashes."""
    return text.replace("\\", "\\\\")


def quoted(text: str) -> str:
    """``text`` as a string literal of a Vega expression."""
    return json.dumps(text)


def displayable(panels: Sequence[Panel], axis: Axis, caption: Caption) -> tuple[list[Panel], Axis, Caption]:
    """The same with all text ``visible``. Names of traces and categories stay unique."""
    shown = [Panel(visible(panel.metric), _traces(panel.traces), panel.scale) for panel in panels]
    shown = _named_apart(shown)
    if axis.kind is AxisKind.CATEGORY:
        shown = _apart(shown)
    return (
        shown,
        replace(axis, title=visible(axis.title)),
        Caption(
            visible(caption.title),
            [visible(note) for note in caption.notes],
            [visible(fact) for fact in caption.facts],
        ),
    )


def _traces(traces: Sequence[Trace]) -> list[Trace]:
    names = apart([visible(trace.name) for trace in traces])
    return [
        replace(trace, name=name, marks=list(map(_mark, trace.marks)))
        for name, trace in zip(names, traces, strict=True)
    ]


def _named_apart(panels: Sequence[Panel]) -> list[Panel]:
    """The panels with unique names for all runs and all label sets."""
    traces = [trace for panel in panels for trace in panel.traces]
    runs, labels = _visible_names(trace.run for trace in traces), _visible_names(trace.labels for trace in traces)
    return [
        replace(
            panel,
            traces=[replace(trace, run=runs[trace.run], labels=labels[trace.labels]) for trace in panel.traces],
        )
        for panel in panels
    ]


def _visible_names(names: Iterable[str]) -> dict[str, str]:
    distinct = list(dict.fromkeys(names))
    return dict(zip(distinct, apart([visible(name) for name in distinct]), strict=True))


def _mark(mark: Mark) -> Mark:
    return mark if mark.at.isprintable() else mark._replace(at=visible(mark.at))


def _apart(panels: Sequence[Panel]) -> list[Panel]:
    """The panels with a unique name for each category."""
    named = {mark.place: mark.at for panel in panels for trace in panel.traces for mark in trace.marks}
    names = dict(zip(named, apart(list(named.values())), strict=True))

    def mark(one: Mark) -> Mark:
        name = names[one.place]
        return one._replace(x=Raw(quoted(name).encode("ascii")), at=name)

    return [
        replace(panel, traces=[replace(trace, marks=list(map(mark, trace.marks))) for trace in panel.traces])
        for panel in panels
    ]
