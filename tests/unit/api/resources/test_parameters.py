"""What schemas of queries load: every parameter has a member of its resource's dataclass, and every member one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields

from service.api.http.parameters import PagedParameters, Parameters
from service.api.openapi.schemas import Query
from service.api.resources.charts import query as charts
from service.api.resources.comparisons import query as comparisons
from service.api.resources.metric_resource.query import SelectionParameters, SelectionQuery
from service.api.resources.runs import query as runs
from service.api.resources.series import query as series
from service.domain.selection.filters import Filter
from tests.rows import each_row

WHAT_IS_REQUIRED = {"run": ["run1", "run2"], "metric": ["Loss"], "expect": ["Loss:min<1"]}
"""Parameters without which no query of their resource is loaded."""


def schemas_below(schema: type[Query]) -> Iterator[type[Query]]:
    yield schema
    for each in schema.__subclasses__():
        yield from schemas_below(each)


@each_row("schema", sorted(set(schemas_below(Query)), key=repr))
def test_a_schema_loads_all_members_of_its_dataclass(schema: type[Query]) -> None:
    loader = schema()
    given = {name: WHAT_IS_REQUIRED[name] for name, field in loader.fields.items() if field.required}
    loaded = loader.load(given)
    assert type(loaded) is schema.loads
    assert hash(loaded) == hash(loader.load(given)), "so that it can name a representation"
    assert all(hasattr(loaded, field.name) for field in fields(loaded))
    assert isinstance(loaded, Parameters)
    assert (loaded.timezone, loaded.format) == (None, None)


def test_parameters_become_members_in_snake_case_lists_tuples_and_the_filter_one_member() -> None:
    loaded = SelectionQuery().load(
        {"name": ["Loss"], "label": ["a:b"], "minStep": "1", "sort": "-step", "limit": "2", "format": "csv"}
    )
    assert isinstance(loaded, SelectionParameters)
    assert loaded.wanted == Filter(names=("Loss",), labels=("a:b",), min_step=1)
    assert [(key.field, key.descending) for key in loaded.sort] == [("step", True)]
    assert (loaded.limit, loaded.cursor, loaded.is_paged, loaded.format) == (2, None, True, "csv")


@each_row("limit, cursor, paged", [(None, None, False), (1, None, True), (None, "c", True)])
def test_a_limit_or_a_cursor_asks_for_pages(limit: int | None, cursor: str | None, *, paged: bool) -> None:
    assert PagedParameters(limit=limit, cursor=cursor).is_paged is paged


def test_the_schemas_of_all_resources_were_looked_at() -> None:
    found = set(schemas_below(Query))
    assert found >= {runs.RunsQuery, series.SeriesQuery, charts.ChartQuery, comparisons.ComparisonQuery}
