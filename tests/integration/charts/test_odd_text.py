"""Whatever text was logged, a chart of it is drawn, is XML, and shows the text: pictures of both kinds of chart."""

from __future__ import annotations

import json
from xml.etree.ElementTree import Element

import pytest
from hypothesis import Phase, example, given, settings
from hypothesis import strategies as st

from service.charts.panels import ChartType
from service.charts.rendering import PNG, SVG, Renderer
from service.charts.run_chart import Lacking, chart
from service.charts.x_axis import ChartOptions
from service.domain.errors import InvalidParameter
from service.domain.zones import time_zone
from testing.effort import effort
from tests.integration.charts import pictures
from tests.rows import each_row
from tests.unit.charts import compared
from tests.unit.charts.compared import LoggedRun
from tests.unit.charts.drawn import specification
from tests.unit.domain.series.logged import chunks, point

ODD = [
    *("\\", 'a\\"', "a\\", "\n", "\r", "\t", "\u2028", "\u2029", "\x00", "\x00x", "\x1b[31m", "\x7f", "\x85"),
    *("\uffff", "\ufffe", "\ufdd0", "\U0010ffff", "\ud83d", "\udc00", "\u202e", "\u2066", "\u200f", "\ufeff"),
    *("'", '"', "`", "]", "[", ".", "a.b", "a[0]", "['x']", "\\u0041", "${x}", "%00", "{}", "()", "//", "a, b", ""),
    *("<b>", "</text>", "</svg>", "]]>", "<!--", "&", "&amp;", "&#0;", "<script>alert(1)</script>"),
    *("__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "null", "undefined", "NaN", "datum"),
    *("length", "signal", "data", "parent", "true", "0", "é", "e\u0301", "😀", "العربية", "x" * 200),
]
TEXT = st.one_of(st.sampled_from(ODD), st.lists(st.sampled_from(ODD), max_size=3).map("".join), st.text(max_size=5))
QUICK = settings(deadline=None, max_examples=effort(5, 25), phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""Shrinking draws hundreds of pictures."""
PICTURE_CONTROLS = {"\n": "␊", "\x00": "␀", "\x7f": "␡", "\u2028": "␤", "\ud83d": "\ufffd", "\uffff": "\ufffd"}


def drawn(renderer: Renderer, specification: bytes) -> Element:
    return pictures.read(renderer.render(specification, SVG))


def is_number(text: str) -> bool:
    return text.isascii() and "_" not in text and text.strip().isdigit()


def logged(metric: str, labels: list[tuple[str, str]]) -> list[bytes]:
    """Two points of the metric for each label, and for none."""
    sets = [[], *([{"name": name, "value": value}] for name, value in labels)]
    return [
        json.dumps(
            {**json.loads(point(step + 0.5, step, f"2026-01-01T00:00:0{step}Z", name=metric)), "labels": each}
        ).encode()
        for each in sets
        for step in range(2)
    ]


@QUICK
@given(
    TEXT,
    st.lists(st.tuples(TEXT, TEXT), max_size=5),
    st.sampled_from(["step", "time"]),
    st.sampled_from(list(ChartType)),
)
@example("\\", [("\\", "\\"), ("\\", "\n")], "step", ChartType.LINE)
@example("constructor", [("a", "__proto__")], "step", ChartType.COLUMN)
@example("a'b\"c", [("\x00", "\x01"), ("\ud83d", "\ud83e")], "time", ChartType.HEATMAP)
def test_charts_of_a_run(
    renderer: Renderer, metric: str, labels: list[tuple[str, str]], against: str, kind: str
) -> None:
    texts = [*logged(metric, labels), *logged(f"{metric}2", labels)]
    made = specification(chunks(texts, 100), against, kind)
    image = drawn(renderer, made)
    distinct = len({json.dumps(json.loads(text)["labels"]) for text in texts})
    if distinct > 1:
        channel = "y" if kind == "heatmap" else "color"
        names = json.loads(made)["vconcat"][0]["encoding"][channel]["scale"]["domain"]
        assert len(set(names)) == distinct
        assert {" ".join(name.split()) for name in names if len(name) < 30} <= {
            " ".join(text.split()) for text in pictures.texts(image)
        } | {""}


@QUICK
@given(
    st.lists(st.tuples(TEXT, TEXT), min_size=2, max_size=4),
    TEXT,
    TEXT,
    st.sampled_from(["run", "step", "time", "parameter"]),
    st.sampled_from(list(ChartType)),
)
@example([("\ud83d", "\ud83d"), ("\ud83e", "\ud83e")], "\\", "\\", "parameter", ChartType.SCATTER)
@example([("a\\", "a\n"), ("a\n", "constructor")], "\x00", "\n", "run", ChartType.BAR)
@example(
    [("a\\signalNaN", "\U0007b60b\U000c5afa\x96½\r"), ("M 7\U000125d5(", "<!--\x7f")],
    "",
    "ú\U000a4979\x10",
    "step",
    ChartType.HEATMAP,
)
@example([("a", "1"), ("b", "2"), ("", "\r")], "k", "__proto__", "step", ChartType.BAR)
def test_charts_of_comparisons(
    renderer: Renderer, runs: list[tuple[str, str]], key: str, metric: str, against: str, kind: str
) -> None:
    made = [
        LoggedRun(f"run-{number}", chunks(logged(metric, [("a", value)]), 100), name, {key: value})
        for number, (name, value) in enumerate(runs)
    ]
    values = [value for _, value in runs]
    axis = f"parameter:{key}" if against == "parameter" else against
    if kind == ChartType.LINE and (against == "run" or (against == "parameter" and not all(map(is_number, values)))):
        with pytest.raises(InvalidParameter, match="it can be scatter"):
            compared.specification(made, metric, axis, kind)
    else:
        drawn(renderer, compared.specification(made, metric, axis, kind))


@each_row("hidden, shown", PICTURE_CONTROLS.items())
def test_what_cannot_be_seen_is_shown_by_another_character(renderer: Renderer, hidden: str, shown: str) -> None:
    made = specification(chunks(logged(f"a{hidden}b", [("l", hidden)]), 100))
    words = pictures.texts(drawn(renderer, made))
    assert f"a{shown}b by step" in words
    assert f"l={shown}" in words
    assert renderer.render(made, PNG).startswith(b"\x89PNG")


def test_a_name_that_was_never_logged_ends_nothing(renderer: Renderer) -> None:
    lacking = Lacking(["\x00x", "\ufffe"])
    made = chart("run-1", [], ChartOptions(), ChartType.LINE, time_zone("UTC"), lacking=lacking)
    assert "Not logged: ␀x and \ufffd" in " ".join(pictures.texts(drawn(renderer, made)))


def test_messages_can_be_read() -> None:
    runs = [LoggedRun(f"run-{n}", chunks(logged("a\ud83d", []), 10), None, {"k\n": "1"}) for n in range(2)]
    with pytest.raises(InvalidParameter, match="there is a\ufffd"):
        compared.specification(runs, "loss")
    with pytest.raises(InvalidParameter, match="there is k␊"):
        compared.specification(runs, "a\ud83d", "parameter:x")
    with pytest.raises(InvalidParameter, match="choose by name among a\ufffd0, "):
        specification(chunks([text for n in range(9) for text in logged(f"a\ud83d{n}", [])], 10))


@each_row("value", ["0.97", "0.003", "1e-9", "-0.3"])
def test_a_comparison_of_what_is_constant(renderer: Renderer, value: str) -> None:
    texts = [point(float(value), 1)]
    runs = [LoggedRun(f"run-{n}", chunks(texts, 1), None, {"rate": value}) for n in range(2)]
    image = drawn(renderer, compared.specification(runs, against="parameter:rate", kind="scatter"))
    for axis in ("X", "Y"):
        assert float(pictures.labels(image, axis)[0].replace("\N{MINUS SIGN}", "-")) == float(value)
