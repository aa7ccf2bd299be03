"""The demo's note lies where nobody else can write, and nobody else's is believed."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from service.demo.running import RunningDemo, noted, running_demo

DEMO = RunningDemo(Path("/data"), "http://127.0.0.1:1")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.delenv("XDG_RUNTIME_DIR", raising=False)
    return tmp_path


def test_it_lies_in_the_users_own_directory_and_goes_with_the_demo(temporary: Path) -> None:
    with noted(DEMO):
        (directory,) = temporary.iterdir()
        (note,) = directory.iterdir()
        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        assert running_demo() == DEMO
    assert running_demo() is None
    assert list(temporary.iterdir()) == []


def test_it_lies_in_the_runtime_directory_where_there_is_one(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = temporary / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with noted(DEMO):
        assert [entry.parent for entry in temporary.rglob("*.json")] == [runtime]
        assert running_demo() == DEMO
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("given", ["relative", "/nowhere/at/all"])
def test_a_runtime_directory_that_is_none_is_not_used(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", given)
    with noted(DEMO):
        assert running_demo() == DEMO


def test_where_others_can_write_it_is_neither_left_nor_believed(temporary: Path) -> None:
    with noted(DEMO):
        (directory,) = temporary.iterdir()
    directory.mkdir(mode=0o700)
    directory.chmod(0o777)
    (directory / "metric-resource-demo.json").write_text(json.dumps({"data": "/theirs", "issuer": "http://theirs"}))
    assert running_demo() is None
    with pytest.raises(PermissionError, match="remove it"), noted(DEMO):
        pass


def test_a_link_to_another_directory_is_not_followed(temporary: Path) -> None:
    with noted(DEMO):
        (directory,) = temporary.iterdir()
    elsewhere = temporary / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    directory.symlink_to(elsewhere)
    with pytest.raises(PermissionError), noted(DEMO):
        pass
    assert list(elsewhere.iterdir()) == []
