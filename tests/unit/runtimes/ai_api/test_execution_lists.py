"""Lists of executions, read many at a time where they are regular."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.domain.errors import BadGateway
from service.domain.metrics import MOST_MEMBER_BYTES
from service.domain.runs import Run
from service.reads import run_packing
from service.runtimes.ai_api import execution_lists, run_mapping
from testing.work import calls
from tests.rows import each_row

TIMES = (
    "2026-03-29T01:00:00Z",
    "2026-03-29T01:00:00.5Z",
    "2026-03-29T03:00:00+02:00",
    "2026-03-29T01:00:00+00:00",
    "2026-03-29T01:00:60Z",
    "2026-02-30T01:00:00Z",
    "2026-03-29t01:00:00z",
    "2026-03-29T24:00:00Z",
    "yesterday",
    'Z"\n"',
    "\u00e4",
    5,
    None,
)
EXECUTION = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["run1", "run2", "r\u00fcn"]),
        "configurationId": st.sampled_from(["c1", None]),
        "status": st.sampled_from(["COMPLETED", "RUNNING"]),
    },
    optional={
        "createdAt": st.sampled_from(TIMES),
        "modifiedAt": st.sampled_from(TIMES[:2]),
        "completionTime": st.sampled_from(TIMES[:2]),
        "statusMessage": st.sampled_from(["", 'a "word"', "\ud83d", None]),
        "executionScheduleId": st.sampled_from(["nightly", None]),
        "statusDetails": st.sampled_from([{"any": [1]}, {"status": "DEAD", "code": "1"}]),
        "outputArtifacts": st.sampled_from([[], [{"id": "a1", "name": "x"}, {"id": "a2", "name": "y"}]]),
    },
)


def body(executions: list[dict[str, Any]]) -> bytes:
    return json.dumps({"count": len(executions), "resources": executions}).encode()


def read(answer: bytes, stretch: int = 1024 * 1024) -> list[Run]:
    """The runs of the answer, as they are stored."""
    listed = run_packing.unpacked(run_packing.packed(execution_lists.runs(answer, stretch=stretch)))
    return listed.runs(range(listed.count))


def outcome(*answers: bytes) -> list[Run] | str:
    try:
        return sorted((run for answer in answers for run in read(answer)), key=repr)
    except BadGateway as error:
        return str(error)


def alone(execution: bytes) -> Run:
    found, mended = run_mapping.execution(execution, json.loads(execution)["id"])
    return run_mapping.run(found, mended=mended)


@given(st.lists(EXECUTION, max_size=5))
def test_each_run_of_a_list_is_as_it_is_by_itself(executions: list[dict[str, Any]]) -> None:
    named = [{**each, "id": f"{each['id']}-{number}"} for number, each in enumerate(executions)]
    by_themselves = [alone(json.dumps(each).encode()) for each in named]
    assert [*run_packing.packed(execution_lists.runs(body(named)))] == [*run_packing.packed(by_themselves)]


@given(
    st.lists(EXECUTION, min_size=1, max_size=2),
    st.lists(st.sampled_from(TIMES[:2]) | st.sampled_from(TIMES), min_size=1, max_size=2),
    st.sampled_from([0, 20, 140]),
    st.sampled_from([(",", ":"), (", ", ": "), (" ,\n ", ":")]),
    st.sampled_from([500, 4000, 1024 * 1024]),
    st.data(),
)
def test_runs_that_are_written_alike_are_as_they_are_by_themselves(
    shapes, created: list[Any], long: int, separators, stretch: int, data
) -> None:
    """All that is stored of them is, the columns, too: whatever other shapes are between them, whatever single one is
    odd, and wherever the list is cut."""
    executions = [
        {**shapes[n % len(shapes)], "id": f"run{n}" + "x" * (n % 3 * long), "createdAt": created[n % len(created)]}
        for n in range(30)
    ]
    at = data.draw(st.integers(0, 29))
    odd = {**executions[at], **data.draw(EXECUTION), "id": "odd"}
    executions[at] = {key: odd[key] for key in data.draw(st.permutations(list(odd)))}
    written = [json.dumps(each, separators=separators).encode() for each in executions]
    written[at] = data.draw(st.sampled_from([b"{", b'{"status":"STOPPED",', b'{"createdAt":5,'])) + written[at][1:]
    answer = b'{"resources":[%b]}' % separators[0].encode().join(written)
    found = run_packing.packed(execution_lists.runs(answer, stretch=stretch))
    assert [*found] == [*run_packing.packed(map(alone, written))]


@pytest.mark.parametrize("offset", ["+00:00", "+02:00"])
def test_runs_that_are_written_alike_are_in_utc(offset: str) -> None:
    run = {"id": "r", "configurationId": "c", "status": "DEAD", "createdAt": f"2026-03-29T03:00:00{offset}"}
    hour = b"%02d" % (3 - int(offset[:3]))
    assert {one.created_at for one in read(body([run] * 20))} == {b'"2026-03-29T%b:00:00Z"' % hour}


def test_of_a_member_that_is_there_twice_the_last_one_counts() -> None:
    run = b'{"id":"r","configurationId":"c","status":"DEAD","createdAt":"2026-03-29T01:00:00Z","createdAt":%b}'
    for last in (b"null", b'"2026-03-29T02:00:00Z"'):
        found = read(b'{"resources":[%b]}' % b",".join([run % last] * 20))
        assert {one.created_at for one in found} == {last}


@each_row("member", ["statusMessage", "scenarioId", "createdAt"])
@each_row("value", [5, [], {}, True, ["2026-03-29T01:00:00Z"]])
def test_a_list_has_no_run_that_would_be_refused_alone(member: str, value: Any) -> None:
    executions: list[dict[str, Any]] = [{"id": f"run{n}", "configurationId": "c", "status": "DEAD"} for n in range(600)]
    executions[550][member] = value
    if member == "createdAt":
        assert {run.run_id for run in read(body(executions)) if run.unreadable} == {"run550"}
        return
    with pytest.raises(BadGateway):
        read(body(executions))


TEXT = st.sampled_from(["", "\u00e4", "\ud83d", "\ude00\ud83d", "\x1f", "\x1fd83d", "\x1f~", "\U0001f600", "\\", '"'])
LENGTH = st.sampled_from([0, 1, MOST_MEMBER_BYTES - 3, MOST_MEMBER_BYTES - 2, MOST_MEMBER_BYTES - 1, MOST_MEMBER_BYTES])


@settings(max_examples=40)
@given(
    st.sampled_from(["id", "status", "statusMessage", "scenarioId", "createdAt"]),
    TEXT,
    LENGTH,
    st.sampled_from([1, 7, 8, 20]),
    st.sampled_from([b"", b',"more":NaN']),
)
def test_how_many_runs_are_written_alike_decides_nothing(
    member: str, odd: str, length: int, count: int, more: bytes
) -> None:
    """Nor does an odd member of the answer, which has all of it mended."""
    executions: list[dict[str, Any]] = [
        {"id": f"run{n}", "configurationId": "c", "status": "DEAD", "statusMessage": "", "createdAt": TIMES[0]}
        for n in range(count)
    ]
    executions[-1][member] = odd + "x" * length
    alone = outcome(*map(body, [[each] for each in executions]))
    answer = body(executions)[:-1] + more + b"}"
    assert outcome(answer) == alone


@each_row("extra", [{}, {"statusMessage": "\ud83d"}])
@each_row("sent, given", [("\x1f", "\x1f"), ("\x1fd83d~", "\x1fd83d~"), ("a\ud83d", "a\ufffd")])
def test_ids_and_statuses_are_text_that_can_be_encoded(sent: str, given: str, extra: dict[str, str]) -> None:
    """They are compared and encoded, so half a character is U+FFFD there; literals keep it."""
    execution = {"id": sent, "configurationId": "c", "status": sent, "targetStatus": sent, **extra}
    (found,) = read(body([execution]))
    assert (found.run_id, found.status, found.target_status) == (given, given, json.dumps(sent).encode())


def test_regular_lists_cost_few_calls_a_run() -> None:
    def made(count: int) -> int:
        answer = body(
            [
                {
                    "id": f"run{n}",
                    "configurationId": "c",
                    "status": "DEAD",
                    "createdAt": f"2026-03-29T01:{n % 60:02}:00Z",
                }
                for n in range(count)
            ]
        )
        return calls(lambda: run_packing.packed(execution_lists.runs(answer)))

    few, many = made(1000), made(2000)
    assert many - few < 1000


@each_row("resources", [b"null", b"{}", b'"none"', b"1"])
def test_what_is_no_list_is_refused(resources: bytes) -> None:
    with pytest.raises(BadGateway, match="the list of runs"):
        read(b'{"count":0,"resources":%b}' % resources)
