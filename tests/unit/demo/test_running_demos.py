"""The demo's note lies where nobody else can write, and nobody else's is believed."""

from __future__ import annotations

import base64
import json
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from service.cli import main
from service.demo.running_demos import RunningDemo, noted, running_demos
from service.sandbox.issuer import Issuer
from tests.servers.issuer_keys import with_keys

DEMO = RunningDemo(os.getpid(), "http://127.0.0.1:2", Path("/data"), "http://127.0.0.1:1")


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
        assert running_demos() == [DEMO]
    assert running_demos() == []
    assert list(temporary.iterdir()) == []


def test_it_lies_in_the_runtime_directory_where_there_is_one(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    runtime = temporary / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
    with noted(DEMO):
        assert [entry.parent for entry in temporary.rglob("*.json")] == [runtime]
        assert running_demos() == [DEMO]
    assert list(runtime.iterdir()) == []


@pytest.mark.parametrize("given", ["relative", "/nowhere/at/all"])
def test_a_runtime_directory_that_is_none_is_not_used(given: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", given)
    with noted(DEMO):
        assert running_demos() == [DEMO]


def test_where_others_can_write_it_is_neither_left_nor_believed(temporary: Path) -> None:
    with noted(DEMO):
        (directory,) = temporary.iterdir()
    directory.mkdir(mode=0o700)
    directory.chmod(0o777)
    (directory / f"metric-resource-demo-{os.getpid()}.json").write_text(
        json.dumps({"process": os.getpid(), "service": "http://s", "data": "/theirs", "issuer": "http://theirs"})
    )
    assert running_demos() == []
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


@pytest.fixture
def another() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until it is killed."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        yield process
        process.kill()


def test_each_of_several_demos_has_a_note_of_its_own(another: subprocess.Popen[bytes], temporary: Path) -> None:
    second = RunningDemo(another.pid, "http://127.0.0.1:3", Path("/second"), "http://127.0.0.1:4")
    with noted(DEMO):
        with noted(second):
            assert running_demos() == [second, DEMO]
        assert running_demos() == [DEMO]
        with noted(second):
            assert running_demos() == [second, DEMO]
    assert list(temporary.iterdir()) == []


def test_the_note_of_a_demo_that_died_is_removed(another: subprocess.Popen[bytes], temporary: Path) -> None:
    with noted(DEMO), noted(RunningDemo(another.pid, "http://127.0.0.1:3", Path("/second"), "http://127.0.0.1:4")):
        another.kill()
        another.wait()
        assert running_demos() == [DEMO]
        assert len(list(temporary.rglob("*.json"))) == 1


def two_demos(another: subprocess.Popen[bytes], temporary: Path) -> tuple[RunningDemo, RunningDemo]:
    """Each with an issuer of its own; the second is this process."""
    first = RunningDemo(another.pid, "http://127.0.0.1:3", temporary / "first", "http://127.0.0.1:4")
    newest = RunningDemo(os.getpid(), "http://127.0.0.1:5", temporary / "newest", "http://127.0.0.1:6")
    for demo in (first, newest):
        with_keys(demo.data, demo.issuer)
    return first, newest


@pytest.mark.slow
def test_the_token_is_of_the_newest_demo_and_says_which_where_several_run(
    another: subprocess.Popen[bytes], temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    first, newest = two_demos(another, temporary)
    with noted(first):
        assert main(["token"]) == 0
        alone = capsys.readouterr()
        with noted(newest):
            assert main(["token"]) == 0
    several = capsys.readouterr()
    assert alone.err == ""
    assert several.err == (
        f"2 demos are running; this token is for the newest, http://127.0.0.1:5 (process {os.getpid()}); "
        "--issuer chooses\n"
    )
    assert [issuer_of(out) for out in (alone.out, several.out)] == [first.issuer, newest.issuer]


def test_the_token_is_of_the_demo_with_the_issuer_that_is_named(
    another: subprocess.Popen[bytes], temporary: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """With that demo's own key: the service has no other of it."""
    named, newest = two_demos(another, temporary)
    with noted(named), noted(newest):
        assert main(["token", "--issuer", named.issuer]) == 0
        out, err = capsys.readouterr()
        assert (issuer_of(out), err) == (named.issuer, "")
        assert key_of(out) == key_of(Issuer.at(named.data, named.issuer).mint())
        assert main(["token", "--issuer", "http://127.0.0.1:7"]) == 1
    assert "no demo with the issuer http://127.0.0.1:7 is running here" in capsys.readouterr().err


def key_of(token: str) -> str:
    header, _, _ = token.partition(".")
    kid: str = json.loads(base64.urlsafe_b64decode(header + "=="))["kid"]
    return kid


def issuer_of(token: str) -> str:
    claims = token.split(".")[1]
    return str(json.loads(base64.urlsafe_b64decode(claims + "=" * (-len(claims) % 4)))["iss"])
