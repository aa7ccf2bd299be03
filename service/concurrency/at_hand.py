"""Answers that are at hand: a server may ask for them on a thread that has no time to wait."""

from __future__ import annotations

from collections.abc import Iterable

AT_HAND_ONLY = "metric_resource.at_hand_only"
"""The key of the WSGI environment that is there where the application is to answer without waiting for anything, or
with ``NOT_AT_HAND``: it is then called once more, on a thread that may wait."""

NOT_AT_HAND: Iterable[bytes] = iter(())
"""No answer; ``start_response`` has not been called. Known by its identity."""
