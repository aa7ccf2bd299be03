"""What a read frees is there for the next one, and what was large goes back to the system."""

from __future__ import annotations

import json
import platform
import subprocess
import sys

import pytest

READS = 20
IS_GLIBC = pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is glibc's allocator that is configured")
MEASURE = """
import json, resource
from pathlib import Path
from service.memory.allocator import configure_allocator

def read(size):
    body = bytearray(size)
    parts = [bytes(body[at : at + 256 * 1024]) for at in range(0, size, 256 * 1024)]
    columns = [bytearray(256 * 1024) for _ in range(3)]

def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

configure_allocator()
read(1500 * 1024)
before = faults()
for _ in range(READS):
    read(1500 * 1024)
after = faults()
for _ in range(3):
    read(64 * 1024 * 1024)
print(json.dumps([(after - before) / READS, resident()]))
"""


PACK = """
import json, resource
from pathlib import Path
from service.memory.allocator import configure_allocator
from service.domain.runs import Run
from service.reads import run_packing

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()

configure_allocator()
held, freed = [], []
for _ in range(4000):
    freed.append(bytes(16 * 1024))
    held.append(bytes(1024))
del freed
before = resident()
run_packing.packed(Run(f"run-{number}", "DEAD", status_message=b'"%b"' % bytes(8000)) for number in range(COUNT))
print(json.dumps([before, resident()]))
"""
"""Memory of 60 MiB that lies between blocks which are in use; then a list of runs is packed, 8000 bytes each."""


@IS_GLIBC
@pytest.mark.slow
def test_packing_a_long_list_returns_what_lies_between_blocks_that_are_used() -> None:
    assert _resident_after(1200) < 0
    assert _resident_after(20) > -16, "what a short list freed is there for the next one"


def _resident_after(count: int) -> float:
    program = [sys.executable, "-c", PACK.replace("COUNT", str(count))]
    before, after = json.loads(subprocess.run(program, check=True, capture_output=True, timeout=60).stdout)
    return float(after - before) / 2**20


FREED = """
import json, os
from pathlib import Path
from service.memory.allocator import FreedMemory, configure_allocator

def resident():
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

configure_allocator()
now = 0.0
memory = FreedMemory(clock=lambda: now)
held, freed, seen = [], [], []
for count, size, now in ((4000, 16, 5.0), (0, 0, 11.0), (100, 17, 22.0), (200, 19, 33.0)):
    for _ in range(count):
        freed.append(bytes(size * 1024))
        held.append(bytes(size * 1024))
    freed.clear()
    before = resident()
    memory.look()
    seen.append((resident() - before) / 2**20)
print(json.dumps(seen))
"""
"""Memory of 60 MiB that lies between blocks which are in use, looked at too early and again, then 2 MiB and 4 MiB."""


@IS_GLIBC
def test_freed_memory_is_returned_once_there_is_much_of_it() -> None:
    program = [sys.executable, "-c", FREED]
    early, later, few, enough = json.loads(subprocess.run(program, check=True, capture_output=True, timeout=60).stdout)
    assert early > -1
    assert later < -40
    assert few > -1
    assert enough < -4


@IS_GLIBC
def test_a_read_uses_the_memory_of_the_one_before_and_a_large_one_returns_its_own() -> None:
    program = [sys.executable, "-c", MEASURE.replace("READS", str(READS))]
    faults, resident = json.loads(subprocess.run(program, check=True, capture_output=True, timeout=60).stdout)
    assert faults < 50, "a read has some 900 pages, of which none has to be cleared anew"
    assert resident < 40 * 1024 * 1024
