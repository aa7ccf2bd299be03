"""How a run is shown in the terminal: a table that is updated in place, or a line for each point."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import Any, Protocol

from service.watching.progress import Point, Progress, shown

_A_SECOND = 4
"""Redraws of the table per second."""
_AROUND = 8
"""Lines of the terminal beside the table's rows."""


class Screen(Protocol):
    def __enter__(self) -> Screen: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def update(self, progress: Progress, new: Sequence[Point]) -> None:
        """Show the new state and points."""
        ...

    def say(self, text: str) -> None:
        """Print a line that stays on the screen."""
        ...


def screen(run_id: str, *, plain: bool) -> Screen:
    """A table on a terminal with the extra ``watch``, otherwise lines."""
    if plain or not sys.stdout.isatty():
        return Lines()
    try:
        return Table(run_id)
    except ImportError:
        return Lines()


class Lines:
    """For files, pipes and terminals without the extra ``watch``."""

    def __init__(self) -> None:
        self._status = ""

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        """Does nothing."""

    def update(self, progress: Progress, new: Sequence[Point]) -> None:
        for point in new:
            step = f" step {point.at_step}" if point.at_step else ""
            print(f"{point.timestamp or '-'}{step} {point.metric} {shown(point.number)}")
        if progress.status != self._status:
            self._status = progress.status
            print(f"status {shown(progress.status)}")
        sys.stdout.flush()

    def say(self, text: str) -> None:
        print(shown(text), file=sys.stderr, flush=True)


class Table:
    """A table drawn by ``rich``. Raises ``ImportError`` where that is not installed."""

    def __init__(self, run_id: str) -> None:
        from rich.console import Console, Group
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, SpinnerColumn, TextColumn, TimeElapsedColumn
        from rich.progress import Progress as Bar

        self._run_id = run_id
        self._console = Console()
        self._group: Any = Group
        self._bar = Bar(
            SpinnerColumn(),
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("points"),
            TimeElapsedColumn(),
            console=self._console,
        )
        self._task = self._bar.add_task("connecting", total=None)
        self._live = Live(self._bar, console=self._console, refresh_per_second=_A_SECOND, transient=False)

    def __enter__(self) -> Table:
        self._live.__enter__()
        return self

    def __exit__(self, *error: Any) -> None:
        self._live.__exit__(*error)

    def update(self, progress: Progress, new: Sequence[Point]) -> None:
        """The bar counts the points that existed at the start, then is indeterminate while the run trains."""
        total = max(progress.total, progress.count) if progress.reason or progress.count < progress.total else None
        self._bar.update(self._task, description=shown(progress.status), completed=progress.count, total=total)
        self._live.update(self._group(self._table(progress), self._bar), refresh=bool(progress.reason))

    def say(self, text: str) -> None:
        self._live.console.print(shown(text), markup=False, highlight=False)

    def _table(self, progress: Progress) -> Any:
        from rich.table import Table as RichTable
        from rich.text import Text

        table = RichTable(title=Text(shown(self._run_id)), title_justify="left")
        table.add_column("metric", overflow="fold")
        for name in ("points", "step", "last", "min", "max"):
            table.add_column(name, justify="right", no_wrap=True)
        table.add_column("logged at", no_wrap=True)
        room = max(self._console.height - _AROUND, 1)
        for metric, row in list(progress.rows.items())[:room]:
            least, greatest = (None if one is None else one.number for one in (row.least, row.greatest))
            cells = [row.last.at_step, row.last.number, least or "", greatest or "", row.last.timestamp or ""]
            table.add_row(Text(metric), str(row.count), *(Text(shown(cell)) for cell in cells))
        if len(progress.rows) > room:
            table.add_row(Text(f"… and {len(progress.rows) - room} more"))
        return table
