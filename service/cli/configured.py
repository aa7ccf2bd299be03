"""The settings a command runs with."""

from __future__ import annotations

import os
import sys

from service.caching.redis import validate_url
from service.domain.zones import is_time_zone
from service.settings import Settings, SettingsError, read_settings


def settings() -> Settings | None:
    """The settings from the environment; ``None`` after each fault has been told on standard error, one a line."""
    try:
        return read_settings(os.environ, validate_redis_url=validate_url, is_zone=is_time_zone)
    except SettingsError as error:
        for line in str(error).splitlines():
            print(line, file=sys.stderr)
        return None
