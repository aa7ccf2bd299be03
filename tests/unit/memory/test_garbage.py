"""Full collections of garbage come when nothing else is done, in a process of its own: its collector is changed."""

from __future__ import annotations

import subprocess
import sys

GROW_AND_COLLECT = """
import gc, weakref
from service.memory.garbage import collect, put_off_full_collections

class Node: pass

full = []
gc.callbacks.append(lambda phase, info: full.append(phase) if info["generation"] == 2 and phase == "start" else None)

put_off_full_collections()
assert len(full) == 1
collect()
assert len(full) == 1, "there is nothing to collect yet"

node = Node()
node.itself = node
dead = weakref.ref(node)
held = [[] for _ in range(300_000)]  # by default several full collections come meanwhile
del node
assert len(full) == 1
assert dead() is not None, "it is old, and part of a cycle"
collect()
assert len(full) == 2
assert dead() is None
collect()
assert len(full) == 2
assert 100 < gc.get_threshold()[2] < 10_000, "where the worker is never idle, one comes by itself in the end"
"""


def test_full_collections_come_when_they_are_asked_for() -> None:
    subprocess.run([sys.executable, "-c", GROW_AND_COLLECT], check=True, timeout=60)
