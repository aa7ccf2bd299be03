"""AI API answers as text, written literal by literal, so that what is sent is exactly what a test says."""

from __future__ import annotations

from service.domain.metrics import MetricResource
from service.domain.templates import fill
from service.domain.timestamps import ZoneClock
from service.domain.zones import time_zone
from service.runtimes.ai_api.mapping import metric_resources

RUN = "run1"
MOMENT = '"2026-03-29T01:00:00Z"'


def metric(*fields: str, name: str = '"loss"', value: str = "1", timestamp: str = MOMENT) -> str:
    """One metric; ``fields`` are more of its members, ``"step":1``."""
    return "{" + ",".join((f'"name":{name}', f'"value":{value}', f'"timestamp":{timestamp}', *fields)) + "}"


def answer(*metrics: str, more: str = "") -> bytes:
    """An answer with one resource; ``more`` are more of its members, each with a comma in front."""
    text = f'{{"count":1,"resources":[{{"executionId":"{RUN}","metrics":[{",".join(metrics)}]{more}}}]}}'
    return text.encode("utf-8", "surrogatepass")


def resource(body: bytes) -> MetricResource:
    return metric_resources(body, [RUN])[RUN]


def metrics_of(body: bytes) -> bytes:
    """The metrics of a mapped answer, as JSON in UTC."""
    return filled(resource(body).metrics)


def filled(template: bytes) -> bytes:
    return fill(template, ZoneClock(time_zone("UTC")))
