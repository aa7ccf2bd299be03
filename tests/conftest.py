"""What all tests share."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("untimed", deadline=None)
"""How long an example takes depends on what else the machine does: speed belongs in the benchmark."""
settings.load_profile("untimed")
