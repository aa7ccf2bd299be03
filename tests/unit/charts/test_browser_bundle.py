"""The script for browsers: bundled once for all who ask, within its time, and tried again where that failed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from service.charts.browser_bundle import CannotBundle, VegaBundle
from service.domain.errors import Overloaded
from testing.threads import together


def bundle(program: str, *arguments: Path, seconds: float = 60.0) -> VegaBundle:
    return VegaBundle(seconds, (sys.executable, "-I", "-c", program, *map(str, arguments)))


def test_all_who_ask_meanwhile_and_later_get_the_script_that_was_bundled_once(tmp_path: Path) -> None:
    runs = tmp_path / "runs"
    made = bundle("import sys, time; open(sys.argv[1], 'a').write('.'); time.sleep(0.2); print('vega')", runs)
    assert together(*[made.script] * 5) == [b"vega\n"] * 5
    assert made.script() == b"vega\n"
    assert runs.read_text() == "."


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "pass"], ids=["fails", "prints nothing"])
def test_a_bundle_that_cannot_be_made_is_tried_again(tmp_path: Path, program: str) -> None:
    mended = tmp_path / "mended"
    made = bundle(f"import os, sys\nif os.path.exists(sys.argv[1]): print('vega')\nelse: {program}", mended)
    with pytest.raises(CannotBundle, match="exit status"):
        made.script()
    mended.touch()
    assert made.script() == b"vega\n"


def test_who_waits_too_long_is_told_to_try_again() -> None:
    with pytest.raises(Overloaded, match="is being bundled; try again"):
        bundle("import time; time.sleep(60)", seconds=0.1).script()


def test_without_the_extra_there_is_no_version() -> None:
    assert VegaBundle(package="no-such-package").version is None
