"""The horizontal axis of a chart: steps, instants, or the time since a run's start."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import MAX_PREC, Context, Decimal
from enum import StrEnum

import msgspec

from service.charts.panels import SLOTTED, Axis, AxisKind, ChartType, Panel, ValueScale
from service.charts.time_axis import LocalClock
from service.domain import points
from service.domain.series.series import Projection
from service.domain.series.series_counter import Needs
from service.domain.timestamps import Moment, MomentReader, ZoneClock
from service.domain.zones import TimeZone

MOST_POINTS = 500
"""The most points of a series in lines and scatter plots; more would be finer than the pixels."""
MOST_SLOTTED = 20_000
"""The points of a series from which columns and cells take the last ones: a coarser sample would favour extremes."""


def points_for(chart_type: ChartType | None) -> int:
    """The number of points of a series for such a chart; ``None`` is the default type of the axis."""
    return MOST_SLOTTED if chart_type in SLOTTED else MOST_POINTS


class Against(StrEnum):
    """What metrics are drawn against: ``ELAPSED`` is the time since the run's start."""

    STEP = "step"
    TIME = "time"
    ELAPSED = "elapsed"

    @property
    def needs(self) -> Needs:
        """The member that a point must have to be drawn."""
        return Needs.STEP if self is Against.STEP else Needs.TIMESTAMP

    @property
    def lacks(self) -> str:
        """The same in words, for messages."""
        return "step" if self is Against.STEP else "timestamp"

    @property
    def other(self) -> Against:
        """The alternative axis."""
        return Against.TIME if self is Against.STEP else Against.STEP


class ChartOptions(msgspec.Struct, frozen=True):
    """The options of a chart: ``smooth`` is the share that a moving mean keeps from point to point, 0 for none."""

    against: Against = Against.STEP
    scale: ValueScale = ValueScale.LINEAR
    smooth: float = 0.0

    @property
    def projection(self) -> Projection:
        """The members of points that the chart needs."""
        return Projection(self.against.needs, self.smooth, self.scale is ValueScale.LOG)


def words(against: Against) -> str:
    """The name of an axis in titles."""
    return "time elapsed" if against is Against.ELAPSED else str(against)


EXACT = Context(prec=MAX_PREC)
"""A context without rounding."""


def instant(literal: bytes) -> Decimal | None:
    """Seconds since 1970, exactly, of a timestamp's literal; ``None`` for ``null``, and beyond the years of UTC."""
    moment = None if literal == points.NULL else MomentReader().read(literal.strip(b'"'))
    return exact_seconds(moment) if isinstance(moment, Moment) else None


def exact_seconds(moment: Moment) -> Decimal:
    """Seconds since 1970, exactly."""
    return EXACT.add(Decimal(int(begin_of(moment))), Decimal(moment.rest[1:].decode("ascii")))


def begin_of(moment: Moment) -> float:
    """The beginning of its minute, in seconds since 1970."""
    return datetime.fromisoformat(moment.minute.decode("ascii")).replace(tzinfo=UTC).timestamp()


def axis_of(panels: Sequence[Panel], against: Against, zone: TimeZone, parameter: str) -> Axis:
    """The axis that the panels share; ``parameter`` is the query parameter that chose it."""
    if against is Against.STEP:
        return Axis("Step", AxisKind.NUMBER, parameter, against)
    places = [mark.place for panel in panels for mark in panel.marks]
    if against is Against.ELAPSED:
        unit, name = _unit(max(map(abs, places), default=0.0))
        title = f"Time since the run's start ({name})"
        return Axis(title, AxisKind.NUMBER, parameter, against, unit=unit, unit_name=name)
    clock = LocalClock(ZoneClock(zone), places)
    title = f"Time ({zone.name})" if clock.day is None else f"Time on {clock.day.isoformat()} ({zone.name})"
    return Axis(title, AxisKind.TIME, parameter, against, clock)


_UNITS = ((86_400.0, "days"), (3600.0, "h"), (60.0, "min"))
_SEVERAL_UNITS = 2


def _unit(seconds: float) -> tuple[float, str]:
    """The greatest unit that is contained at least twice in ``seconds``."""
    return next((one for one in _UNITS if seconds >= _SEVERAL_UNITS * one[0]), (1.0, "s"))


def length(distance: float, against: Against) -> str:
    """A distance on the axis, in words."""
    if against is Against.STEP:
        return f"{distance:,.15g} steps"
    unit, name = _unit(distance)
    return f"{distance / unit:,.3g} {name}"
