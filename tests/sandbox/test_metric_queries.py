"""Which metric resources a query finds."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from service.sandbox.tag_filters import read
from tests.rows import each_row


@pytest.fixture(scope="module")
def three(api: Any) -> list[str]:
    """Three executions; the first two share a tag whose value is their own."""
    ids = [api.execution() for _ in range(3)]
    unique = uuid.uuid4().hex
    for number, id_ in enumerate(ids):
        tags = [{"name": f"n-{unique}", "value": f"{number}, =%"}] if number < 2 else [{"name": "other", "value": "x"}]
        api.log(executionId=id_, metrics=[{"name": "m", "value": number}], tags=tags)
    return [*ids, f"n-{unique}"]


def found(api: Any, **parameters: Any) -> list[str]:
    answer = api.get("/metrics", **parameters)
    assert answer.status_code == 200, answer.text
    body = answer.json()
    return [resource["executionId"] for resource in body["resources"]]


def test_ids_in_every_spelling(api: Any, three: list[str]) -> None:
    first, second, third = three[:3]
    assert found(api, executionIds=f"{first},{second}") == [first, second]
    assert found(api, executionIds=[first, second]) == [first, second]
    assert found(api, executionIds=[f"{first}, {second}", third, first]) == [first, second, third]
    assert found(api, **{"$filter": f"executionId eq '{first}'"}) == [first]
    assert found(api, **{"$filter": f"executionId in ('{first}','{third}')"}) == [first, third]
    assert found(api, **{"$filter": f" executionId IN ( '{first}' , '{third}' ) "}) == [first, third]


@each_row(
    "parameters",
    [
        {"executionIds": ",".join(f"run-{number:03}" for number in range(11))},
        {"executionIds": ""},
        {"executionIds": "abc"},
        {"executionIds": "a" * 65},
        {"executionIds": "not valid"},
        {"$filter": "executionId eq 'abcd' or 1 eq 1"},
        {"$filter": "executionId eq 'ab''cd'"},
        {"$filter": "executionId in ()"},
        {"$filter": "status eq 'abcd'"},
        {"$filter": "executionId eq 'abcd'", "executionIds": "abcd"},
        {"$select": "metrics,secrets"},
        {"$top": "10001"},
        {"$top": "-1"},
        {"$top": "x"},
        {"$skip": "-1"},
        {"tagFilters": ",".join(["a"] * 101)},
        {"tagFilters": "=value"},
        {"tagFilters": "a,,b"},
    ],
)
def test_what_is_out_of_bounds(api: Any, parameters: dict[str, str]) -> None:
    error = api.assert_error(api.get("/metrics", **parameters), 400)
    assert error["target"] in parameters


def test_ten_ids_and_the_highest_top_pass(api: Any) -> None:
    ids = ",".join(f"run-{number:03}" for number in range(10))
    assert found(api, executionIds=ids, **{"$top": "10000"}) == []


def test_pages_count_resources_and_not_metrics(api: Any, three: list[str]) -> None:
    wanted = {"executionIds": ",".join(three[:3])}
    page = api.get("/metrics", **wanted, **{"$top": 1, "$skip": 1}).json()
    assert page["count"] == 3
    assert [resource["executionId"] for resource in page["resources"]] == [three[1]]
    assert found(api, **wanted, **{"$skip": 3}) == []
    assert found(api, **wanted, **{"$top": 0}) == []


@each_row(
    "select, sections",
    [
        ("metrics", {"metrics"}),
        ("tags,customInfo", {"tags", "customInfo"}),
        ("*", {"metrics", "tags", "customInfo"}),
        ("", {"metrics", "tags", "customInfo"}),
    ],
)
def test_select(api: Any, three: list[str], select: str, sections: set[str]) -> None:
    (resource,) = api.get("/metrics", executionIds=three[0], **{"$select": select}).json()["resources"]
    assert set(resource) == {"executionId", "createdAt", "modifiedAt"} | sections


def test_tag_filters(api: Any, three: list[str]) -> None:
    first, second, third, name = three
    wanted = {"executionIds": ",".join(three[:3])}
    assert found(api, **wanted, tagFilters=name) == [first, second]
    assert found(api, **wanted, tagFilters=f"{name}=0%2C %3D%25") == [first]
    assert found(api, **wanted, tagFilters=f"{name}!=0%2C %3D%25") == [second, third]
    assert found(api, **wanted, tagFilters=f"{name},{name}!=0%2C %3D%25") == [second]
    assert found(api, tagFilters=f"{name}=1%2C %3D%25") == [second]
    assert len(read(",".join(["a"] * 100))) == 100


def test_without_ids_every_execution_of_the_group_is_meant(api: Any, three: list[str]) -> None:
    assert set(three[:3]) <= set(found(api))


def test_an_execution_that_is_not_there_looks_like_one_without_metrics(api: Any) -> None:
    silent = "4ad7e8c0-b263-4195-9e08-d5f72c0b6a19"
    assert found(api, executionIds=silent) == found(api, executionIds=str(uuid.uuid4())) == []
    assert api.get(f"/executions/{silent}").status_code == 200
