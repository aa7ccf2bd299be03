"""The cases, in the order in which they are run. Add one to the list of its module."""

from __future__ import annotations

from bench.abuse import large, slow_clients, text, watchers
from bench.abuse.stage import Case

CASES: tuple[Case, ...] = (*slow_clients.CASES, *text.CASES, *large.CASES, *watchers.CASES)
QUICK = ("clients: 300 silent", "text: 10,000 runs", "text: a step of 200")
"""Prefixes of the cases of a short run."""
