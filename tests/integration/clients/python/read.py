"""Reads the demo as a consuming service would, with the client that openapi-python-client makes of the document."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from generated import AuthenticatedClient
from generated.api.capabilities import get_capabilities
from generated.api.comparisons import compare_runs
from generated.api.logs import get_logs
from generated.api.metric_resource import get_custom_info, get_metric_resource, get_tags
from generated.api.resource_groups import list_resource_groups
from generated.api.runs import get_run, list_runs
from generated.api.series import get_series
from generated.models import (
    Capabilities,
    Comparison,
    Metric,
    MetricResource,
    Problem,
    Progress,
    ResourceGroupList,
    RunCustomInfo,
    RunDetails,
    RunList,
    RunLog,
)
from generated.types import UNSET, Unset

LARGE, FIRST, SECOND = os.environ["RUNS"].split(",")
CLIENT = AuthenticatedClient(base_url=os.environ["SERVICE"], token=os.environ["TOKEN"])


def points() -> Iterator[Metric]:
    """All points, page by page."""
    cursor: str | Unset = UNSET
    while True:
        page = get_metric_resource.sync(LARGE, client=CLIENT, limit=5000, cursor=cursor)
        assert isinstance(page, MetricResource)
        yield from page.metrics
        assert not isinstance(page.page, Unset)
        if page.page.next_ is None:
            return
        cursor = parse_qs(urlsplit(page.page.next_).query)["cursor"][0]


def main() -> dict[str, object]:
    values = [point.value for point in points()]
    series = get_series.sync(FIRST, client=CLIENT, name=["Loss"], points=5, timezone="Asia/Tokyo")
    assert isinstance(series, Progress)
    details = get_run.sync(FIRST, client=CLIENT)
    assert isinstance(details, RunDetails)
    assert details.parameters is not None
    runs = list_runs.sync(client=CLIENT, status=["COMPLETED"], limit=2)
    assert isinstance(runs, RunList)
    compared = compare_runs.sync(client=CLIENT, run=[FIRST, SECOND, "unheard-of"], differs=True)
    assert isinstance(compared, Comparison)
    information = get_custom_info.sync(FIRST, client=CLIENT, parse=True)
    assert isinstance(information, RunCustomInfo)
    unknown = get_tags.sync("unheard-of", client=CLIENT)
    assert isinstance(unknown, Problem)
    capabilities = get_capabilities.sync(client=CLIENT)
    assert isinstance(capabilities, Capabilities)
    log = get_logs.sync(FIRST, client=CLIENT, limit=2, timezone="Asia/Tokyo")
    assert isinstance(log, RunLog)
    groups = list_resource_groups.sync(client=CLIENT)
    assert isinstance(groups, ResourceGroupList)
    return {
        "points": len(values),
        "greatest": max(value for value in values if isinstance(value, float)),
        "series": [
            [one.name, len(one.points), one.count, one.last.timestamp and one.last.timestamp.isoformat()[-6:]]
            for one in series.series
        ],
        "parameters": [parameter.key for parameter in details.parameters],
        "tab": details.metric_resource.available,
        "runs": [len(runs.runs), runs.count],
        "compared": [run.run_id for run in compared.runs],
        "differing": [parameter.key for parameter in compared.parameters],
        "missing": [[run.run_id, run.problem.status] for run in compared.missing],
        "parsed": [not isinstance(item.parsed, Unset) for item in information.custom_info],
        "unknown": unknown.type_,
        "log": [line.timestamp and line.timestamp.isoformat()[-6:] for line in log.logs],
        "groups": [group.id for group in groups.resource_groups],
        "metrics": capabilities.metric_resource.available,
    }


if __name__ == "__main__":
    print(json.dumps(main()))  # noqa: T201
