"""The cases, in the order in which they are run. A further one is a function of a ``Stage`` and a line here."""

from __future__ import annotations

from bench.abuse import slow_clients
from bench.abuse.stage import Case

CASES: tuple[Case, ...] = (*slow_clients.CASES,)
