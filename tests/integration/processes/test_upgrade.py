"""Two versions of the service side by side on one Redis, as they are while one replaces the other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

import service
from tests.integration.processes.conftest import NewHost
from tests.servers.scripted_runtime import ScriptedRuntime
from tests.servers.valkey import ValkeyServer

CODE = Path(service.__file__).parent if service.__file__ else Path(service.__path__[0])


@pytest.mark.slow  # of the codec alone: unit/caching/test_codec.py
def test_neither_version_reads_what_the_other_has_stored(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer, tmp_path: Path
) -> None:
    shutil.copytree(CODE, tmp_path / "next" / "service")  # with what is compiled of it
    codec = tmp_path / "next" / "service" / "caching" / "codec.py"
    text, count = re.subn(r'^_VERSION = b"\\x\d\d"$', r'_VERSION = b"\\x7f"', codec.read_text(), flags=re.MULTILINE)
    assert count == 1
    codec.write_text(text)
    common = {"REDIS_URL": valkey.url, "WEB_CONCURRENCY": "1", "CACHE_FRESH_RUNNING": "3600"}
    before = new_host(**common)
    after = new_host(**common, PYTHONSAFEPATH="1", PYTHONPATH=str(tmp_path / "next"))
    for number, (writer, reader) in enumerate(((before, after), (after, before))):
        path = f"/runs/run-{number}/metric-resource"
        written, asked = writer.get(path), runtime.asked["metrics"]
        read = reader.get(path)
        assert (written.status, read.status, read.body) == (200, 200, written.body)
        assert runtime.asked["metrics"] == asked + 1, "what the other has stored is as good as absent"
        assert (read.headers["ETag"], reader.get(path).status) == (written.headers["ETag"], 200)
        assert runtime.asked["metrics"] == asked + 1, "each has its own from then on"
    assert "Traceback" not in before.log() + after.log()
