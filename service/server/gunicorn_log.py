"""gunicorn's own messages, in the service's log format."""

from __future__ import annotations

import logging
from typing import Any

from gunicorn.glogging import Logger as GunicornLogger


class Logger(GunicornLogger):
    """Sends gunicorn's own messages through the service's logs."""

    def setup(self, cfg: Any) -> None:
        self.error_log = logging.getLogger("gunicorn.error")
        self.error_log.setLevel(str(cfg.loglevel).upper())
        self.error_log.propagate = True
        self.access_log.disabled = True

    def reopen_files(self) -> None:
        """Does nothing: there are no files."""

    def close_on_exec(self) -> None:
        """Does nothing."""
