"""A healthy client. ``python -m bench.abuse.probe PORT TOKEN``: asks until its standard input ends, then prints JSON.

``/livez`` and a warm read are asked side by side, some twenty times a second each, on new connections.
"""

from __future__ import annotations

import http.client
import json
import sys
import threading
import time
from dataclasses import dataclass, field

READ = "/runs/run-10/metric-resource"
PATIENCE = 30.0
"""Seconds after which a request counts as failed; it is recorded with that time."""
_PAUSE = 0.05


@dataclass
class Seen:
    """Milliseconds of each request, and how many were not answered with ``200``."""

    took: list[float] = field(default_factory=list)
    failed: int = 0

    def ask(self, port: int, path: str, token: str) -> None:
        began = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        try:
            connection.request("GET", path, headers={"Authorization": f"Bearer {token}"})
            answer = connection.getresponse()
            answer.read()
            self.failed += answer.status != 200
        except (OSError, http.client.HTTPException):
            self.failed += 1
        finally:
            connection.close()
        self.took.append((time.perf_counter() - began) * 1000)


def main(port: int, token: str) -> None:
    over = threading.Event()
    seen = {"/livez": Seen(), READ: Seen()}

    def keep_asking(path: str) -> None:
        while not over.is_set():
            seen[path].ask(port, path, token)
            over.wait(_PAUSE)

    threads = [threading.Thread(target=keep_asking, args=(path,)) for path in seen]
    for thread in threads:
        thread.start()
    sys.stdin.read()
    over.set()
    for thread in threads:
        thread.join()
    print(json.dumps({path: [what.took, what.failed] for path, what in seen.items()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])
