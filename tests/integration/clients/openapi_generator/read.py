"""Reads the demo as a consuming service would, with the Python client that openapi-generator makes of the document."""

from __future__ import annotations

import json
import os
from datetime import UTC, timedelta, timezone

from generated import ApiClient, ApiException, Configuration
from generated.api.capabilities_api import CapabilitiesApi
from generated.api.comparisons_api import ComparisonsApi
from generated.api.logs_api import LogsApi
from generated.api.metric_resource_api import MetricResourceApi
from generated.api.resource_groups_api import ResourceGroupsApi
from generated.api.runs_api import RunsApi
from generated.api.series_api import SeriesApi
from generated.models.metric import Metric

LARGE, FIRST, SECOND = os.environ["RUNS"].split(",")
CLOCKS = [UTC, timezone(timedelta(hours=9)), timezone(-timedelta(hours=3, minutes=30))]


def between(metrics: MetricResourceApi, of: list[Metric]) -> list[list[int]]:
    """How many points lie between two moments, as counted here and as filtered there, by several clocks."""
    moments = sorted(point.timestamp for point in of if point.timestamp is not None)
    since, until = moments[len(moments) // 4], moments[len(moments) // 2]
    expected = sum(since <= moment <= until for moment in moments)
    counts = []
    for zone in CLOCKS:
        found = metrics.get_metric_resource(FIRST, since=since.astimezone(zone), until=until.astimezone(zone))
        assert found.page is not None
        counts.append([expected, len(found.metrics), found.page.total])
    return counts


def main() -> dict[str, object]:
    configuration = Configuration(host=os.environ["SERVICE"], access_token=os.environ["TOKEN"])
    with ApiClient(configuration) as client:
        metrics, series, runs = MetricResourceApi(client), SeriesApi(client), RunsApi(client)
        large = metrics.get_metric_resource(LARGE)
        first = metrics.get_metric_resource(FIRST, timezone="+0900")
        loss = series.get_series(FIRST, name=["Loss"], points=5, timezone="Asia/Tokyo")
        details = runs.get_run(FIRST)
        assert details.parameters is not None
        completed = runs.list_runs(status=["COMPLETED"], limit=2)
        compared = ComparisonsApi(client).compare_runs([FIRST, SECOND, "unheard-of"], differs=True)
        capabilities = CapabilitiesApi(client).get_capabilities()
        log = LogsApi(client).get_logs(FIRST, limit=2, timezone="Asia/Tokyo")
        groups = ResourceGroupsApi(client).list_resource_groups()
        try:
            metrics.get_tags("unheard-of")
            unknown = None
        except ApiException as error:
            unknown = json.loads(error.body or "")["type"]
        values = [point.value.actual_instance for point in large.metrics if point.value is not None]
        return {
            "points": len(values),
            "greatest": max(value for value in values if isinstance(value, float)),
            "series": [
                [one.name, len(one.points), one.count, one.last.timestamp and one.last.timestamp.isoformat()[-6:]]
                for one in loss.series
            ],
            "parameters": [parameter.key for parameter in details.parameters],
            "tab": details.metric_resource.available,
            "runs": [len(completed.runs), completed.count],
            "compared": [run.run_id for run in compared.runs],
            "missing": [[run.run_id, run.problem.status] for run in compared.missing],
            "unknown": unknown,
            "log": [line.timestamp and line.timestamp.isoformat()[-6:] for line in log.logs],
            "groups": [group.id for group in groups.resource_groups],
            "metrics": capabilities.metric_resource.available,
            "zone": first.timezone,
            "between": between(metrics, first.metrics),
        }


if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201
