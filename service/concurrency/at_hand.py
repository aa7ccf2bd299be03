"""The protocol by which a server asks for answers that are at hand, on a thread that must not wait."""

from __future__ import annotations

from collections.abc import Iterable

AT_HAND_ONLY = "metric_resource.at_hand_only"
"""A key of the WSGI environment. Where it is set, the application answers without waiting, or returns ``NOT_AT_HAND``
and is called again on a thread that may wait."""

NOT_AT_HAND: Iterable[bytes] = iter(())
"""No answer; ``start_response`` has not been called. Compared by identity."""
