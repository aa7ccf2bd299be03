"""Pictures by the real process: what it draws, and what becomes of it in trouble."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any, BinaryIO, cast
from xml.etree import ElementTree

import pytest

from service import charts
from service.charts import process_messages
from service.charts.panels import ChartType
from service.charts.rendering import PNG, SVG, CannotDraw, Renderer
from service.domain.errors import Overloaded
from testing.waiting import eventually
from tests.integration.charts import pictures
from tests.unit.charts.drawn import recording, rows, specification

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_LOSS = specification(recording("digits-rate-0.01", "Loss"))


@pytest.fixture(scope="module")
def plain() -> Iterator[Renderer]:
    """Draws PNG of whole specifications by ``vl_convert`` alone."""
    program = (
        "import sys, vl_convert; from service.charts import drawing_process, process_messages; drawing_process.own_fonts_first()\n"
        "how = dict(vl_version=drawing_process.VEGA_LITE, scale=drawing_process.SCALE)\n"
        "while asked := process_messages.read(sys.stdin.buffer):\n"
        "    drawn = vl_convert.vegalite_to_png(drawing_process.read(asked[1]), **how)\n"
        "    sys.stdout.buffer.write(process_messages.pack(process_messages.DRAWN, drawn)); sys.stdout.flush()"
    )
    made = Renderer(seconds=60, command=(sys.executable, "-c", program))
    yield made
    made.close()


@pytest.mark.parametrize("against", ["step", pytest.param("time", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", list(ChartType))
def test_every_type_is_drawn(renderer: Renderer, plain: Renderer, kind: ChartType, against: str) -> None:
    made = specification(recording("diabetes-boosting", "RMSE"), against, kind, "Asia/Kolkata")
    image = ElementTree.fromstring(renderer.render(made, SVG))
    assert image.attrib["aria-label"].startswith(f"{kind.title()} chart: RMSE by {against}")
    words = " ".join(image.itertext())
    assert "RMSE" in words
    assert ("Asia/Kolkata" in words) == (against == "time")
    png = renderer.render(made, PNG)
    assert png.startswith(_PNG_SIGNATURE)
    assert png == plain.render(made, PNG)


@pytest.mark.parametrize("how", [{"smooth": 0.6}, pytest.param({"scale": "log"}, marks=pytest.mark.slow)])
def test_every_pixel_is_that_of_the_specification(renderer: Renderer, plain: Renderer, how: dict[str, Any]) -> None:
    made = specification(recording("digits-every-batch", "Loss", "Accuracy"), "time", zone="Asia/Kolkata", **how)
    assert renderer.render(made, PNG) == plain.render(made, PNG)


_LETTERS = """
import sys, vl_convert
from service.charts import drawing_process
if sys.argv[1:]:
    drawing_process.own_fonts_first()
for text in ("Step 0.125", "\u2654"):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg" width="99" height="20"><text y="16" font-size="13" {{}}>{text}</text></svg>'
    print(vl_convert.svg_to_png(svg.format('font-family="Liberation Sans"')).hex())
"""


@pytest.mark.slow
def test_letters_are_of_the_renderers_own_font_and_the_systems_have_the_rest() -> None:
    """Of its own font none is read from a file, letter by letter."""
    none = Path(charts.__file__).with_name("fonts.conf")
    own, bare = (
        subprocess.run(
            [sys.executable, "-c", _LETTERS, *more], env=os.environ | fonts, capture_output=True, text=True, check=True
        ).stdout.split()
        for more, fonts in ((["own"], {}), ([], {"FONTCONFIG_FILE": str(none)}))
    )
    assert own[0] == bare[0]
    if Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf").exists():
        assert own[1] != bare[1]


def test_the_clock_on_the_axis_is_the_callers(renderer: Renderer) -> None:
    made = specification(recording("digits-every-batch", "Accuracy"), "time", "line", "Asia/Kolkata")
    first, last = (rows(json.loads(made))[end]["at"][11:16] for end in (0, -1))
    image = pictures.read(renderer.render(made, SVG))
    *clocks, title = pictures.labels(image, "X")
    assert clocks == sorted(clocks)
    assert first <= clocks[0] < clocks[-1] <= last
    assert title.endswith("(Asia/Kolkata)")


def test_the_same_specification_is_the_same_picture(renderer: Renderer) -> None:
    assert renderer.render(_LOSS, SVG) == renderer.render(_LOSS, SVG)
    assert renderer.render(_LOSS, PNG) == renderer.render(_LOSS, PNG)


def test_markup_in_a_name_stays_text(renderer: Renderer) -> None:
    hostile = _LOSS.replace(b"Loss", b"<script>alert(1)</script>")
    image = ElementTree.fromstring(renderer.render(hostile, SVG))
    assert "<script>alert(1)</script>" in "".join(image.itertext())
    assert not [element for element in image.iter() if element.tag.endswith("script")]


def test_callers_side_by_side_have_their_own_pictures(renderer: Renderer) -> None:
    asked = [_LOSS.replace(b"Loss", b"Loss%d" % number) for number in range(4)]
    with ThreadPoolExecutor(4) as pool:
        drawn = list(pool.map(lambda made: renderer.render(made, SVG), asked))
    assert all(b"Loss%d" % number in image for number, image in enumerate(drawn))


def test_a_refused_specification_says_why_and_the_next_is_drawn(renderer: Renderer) -> None:
    with pytest.raises(CannotDraw, match="Vega-Lite"):
        renderer.render(b'{"mark":"nonsense"}', SVG)
    assert renderer.render(_LOSS, PNG).startswith(_PNG_SIGNATURE)


def test_nothing_is_fetched_from_elsewhere(renderer: Renderer) -> None:
    elsewhere = b'{"data":{"url":"http://127.0.0.1:9/data.json"},"mark":"point","encoding":{"x":{"field":"x"}}}'
    with pytest.raises(CannotDraw):
        renderer.render(elsewhere, SVG)


def test_a_process_that_never_answers_is_ended(tmp_path: Path) -> None:
    ids = tmp_path / "ids"
    silent = f"import os, time; open({str(ids)!r}, 'a').write(f'{{os.getpid()}}\\n'); time.sleep(600)"
    renderer = Renderer(seconds=1, command=(sys.executable, "-c", silent), start_seconds=0)
    for _ in range(2):
        with pytest.raises(Overloaded, match="could not be drawn in time"):
            renderer.render(_LOSS, SVG)
    started = [int(line) for line in ids.read_text().split()]
    assert len(set(started)) == 2
    for process in started:
        with pytest.raises(ProcessLookupError):
            os.kill(process, signal.SIG_DFL)


def drawing(picture: str, before: str = "pass") -> tuple[str, ...]:
    """The command of a process that answers what is ``asked`` with the expression ``picture``, after ``before``."""
    program = (
        "import os, sys, time; from service.charts import process_messages\n"
        f"{before}\n"
        "while asked := process_messages.read(sys.stdin.buffer):\n"
        f"    sys.stdout.buffer.write(process_messages.pack(process_messages.DRAWN, {picture})); sys.stdout.flush()"
    )
    return (sys.executable, "-c", program)


def test_a_process_that_is_slow_to_start_gets_there_and_answers_each_with_its_own(tmp_path: Path) -> None:
    starting = tmp_path / "starting"
    starting.touch()
    until_started = f"while os.path.exists({str(starting)!r}): time.sleep(0.02)"
    renderer = Renderer(seconds=0.2, command=drawing("asked[1]", until_started))
    for number in range(2):
        with pytest.raises(Overloaded, match="could not be drawn in time"):
            renderer.render(b"early %d" % number, SVG)
    starting.unlink()
    eventually(lambda: _drawn(renderer, b"first") == b"first")
    assert _drawn(renderer, b"second") == b"second"
    renderer.close()


def _drawn(renderer: Renderer, specification: bytes) -> bytes | None:
    try:
        return renderer.render(specification, SVG)
    except Overloaded:
        return None


def test_only_a_few_wait_and_the_others_are_refused_at_once() -> None:
    renderer = Renderer(seconds=3, command=(sys.executable, "-c", "import time; time.sleep(600)"))
    with ThreadPoolExecutor(10) as pool:
        asked = [pool.submit(renderer.render, _LOSS, SVG) for _ in range(10)]
        refused = [done for _, done in zip(range(6), as_completed(asked), strict=False)]
        assert sum(not one.done() for one in asked) == 4
    assert all("too many charts are being drawn" in str(one.exception()) for one in refused)
    renderer.close()


def test_a_process_that_dies_is_replaced() -> None:
    renderer = Renderer(seconds=60, command=drawing("str(os.getpid()).encode()"))
    first = renderer.render(_LOSS, SVG)
    assert renderer.render(_LOSS, SVG) == first
    os.kill(int(first), signal.SIGKILL)
    assert renderer.render(_LOSS, SVG) != first
    renderer.close()


@pytest.mark.parametrize(("is_waiting", "steps"), [(True, b"vega"), (False, b"vega vega png vega")])
def test_a_picture_that_is_waited_for_is_not_delayed_by_a_first_one(is_waiting: bool, steps: bytes) -> None:
    noting = (
        "import os, sys; from types import SimpleNamespace; steps = []\n"
        "def note(step, result):\n"
        "    before = ' '.join(steps); steps.append(step)\n"
        "    return result or (os.write(2, b'.'), before.encode())[1]\n"
        "sys.modules['vl_convert'] = SimpleNamespace(register_font_directory=str,\n"
        "    vegalite_to_vega=lambda *_, **__: note('vega', {'data': []}), vega_to_png=lambda *_, **__: note('png', b''))\n"
        "from service.charts.drawing_process import main; main()"
    )
    asked, asking = os.pipe()
    message = process_messages.pack(b"p", b"{}")
    if is_waiting:
        os.write(asking, message)
    with subprocess.Popen(
        [sys.executable, "-c", noting], stdin=asked, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        if not is_waiting:
            cast(BinaryIO, process.stderr).read(1)  # of the first drawing
            os.write(asking, message)
        os.close(asking)
        assert process_messages.read(cast(BinaryIO, process.stdout)) == (process_messages.DRAWN, steps)
    os.close(asked)


def test_what_ends_the_process_harms_no_other() -> None:
    renderer = Renderer(seconds=60, command=drawing("sys.exit() if b'deadly' in asked[1] else asked[1]"))
    with ThreadPoolExecutor(3) as pool:
        asked = {text: pool.submit(renderer.render, text, SVG) for text in (b"before", b"deadly", b"after")}
        assert asked[b"before"].result() == b"before"
        assert asked[b"after"].result() == b"after"
        with pytest.raises(CannotDraw, match="has ended"):
            asked[b"deadly"].result()
    renderer.close()


def test_the_process_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AICORE_CLIENT_SECRET", "of the service")
    renderer = Renderer(seconds=60, command=drawing("repr(dict(os.environ)).encode()"))
    assert b"AICORE" not in renderer.render(_LOSS, SVG)
    renderer.close()


def test_without_the_extra_nothing_can_be_drawn() -> None:
    assert Renderer(needs="not_installed").media_types == ()
    assert Renderer().media_types == (SVG, PNG)
