"""The costliest text that callers and loggers can send, one request each."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from bench.abuse.stage import Case, Stage, requests

_RUN = "run-abuse"
_RESOURCE = f"/runs/{_RUN}/metric-resource"
_HASHED_ALIKE = 2**61 - 1
"""The modulus of Python's hashes of numbers."""
_POINT = {"name": "loss", "value": 0.5, "timestamp": "2026-03-29T01:00:00.10Z", "step": 1}


def _resource(*points: Mapping[str, object], **members: object) -> bytes:
    return json.dumps({"resources": [{"executionId": _RUN, "metrics": points, **members}]}).encode()


def _custom_info(size: int) -> Callable[[], bytes]:
    return lambda: _resource(_POINT, customInfo=[{"name": "n", "value": '"\\' * (size // 2)}])


def _runs_nobody_asked_for() -> bytes:
    return json.dumps({"resources": [{"executionId": f"r{n}", "metrics": [_POINT]} for n in range(10_000)]}).encode()


def _one_long_fraction() -> bytes:
    return _resource({**_POINT, "timestamp": f"2026-03-29T01:00:00.{'1' * 100_000}Z"}, *[_POINT] * 1500)


def _long_step(digits: int) -> Callable[[], bytes]:
    return lambda: _resource({**_POINT, "step": 0}).replace(b'"step": 0', b'"step": ' + b"7" * digits)


def _labelled() -> bytes:
    return _resource(*({**_POINT, "labels": [{"name": "l", "value": str(n)}]} for n in range(20_000)))


def _a_label_name_each() -> bytes:
    return _resource(*({**_POINT, "labels": [{"name": f"l{n}", "value": "v"}]} for n in range(10_000)))


def _named(name: str, count: int) -> Callable[[], bytes]:
    return lambda: _resource(*({**_POINT, "name": f"{name}{n}"} for n in range(count)))


def _asked(
    name: str, said: Callable[[], bytes], path: str = _RESOURCE, headers: Mapping[str, str] | None = None
) -> Case:
    """``said`` is the runtime's answer to requests for metrics."""

    def prepare(stage: Stage) -> None:
        stage.runtime_says(_RUN, said())

    return requests(f"text: {name}", [path], headers, prepare=prepare)


def _info_of_backslashes() -> bytes:
    return _resource(_POINT, customInfo=[{"name": "n", "value": ""}]).replace(b'""', b'"' + b"\\" * 60_000_000 + b'"')


def _a_million_tags() -> bytes:
    return _resource(_POINT, tags=[{"name": f"t{n}", "value": "v"} for n in range(1_000_000)])


def _endless_values() -> bytes:
    points = (
        f'{{"name":"loss","value":0.{n}{"1" * 250_000},"timestamp":"2026-03-29T01:00:00Z","step":{n}}}'
        for n in range(100)
    )
    return f'{{"resources":[{{"executionId":"{_RUN}","metrics":[{",".join(points)}]}}]}}'.encode()


def _compared(stage: Stage) -> None:
    """Three runs of 40,000 metrics of 5,000 models, with a configuration of 300,000 parameters."""
    points = (
        {**_POINT, "name": f"n{n}", "labels": [{"name": "metrics.ai.sap.com/Artifact.name", "value": f"m{n % 5000}"}]}
        for n in range(40_000)
    )
    metrics = _resource(*points)
    for run_id in _COMPARED:
        stage.runtime_says(run_id, metrics.replace(_RUN.encode(), run_id.encode(), 1))
    parameters = [{"key": f"k{n}", "value": "v"} for n in range(300_000)]
    stage.runtime_says("c", json.dumps({"id": "c", "parameterBindings": parameters}).encode(), "configurations")


def _log_of_three_million_lines(stage: Stage) -> None:
    lines = b'{"msg":NaN},' * 3_000_000
    stage.runtime_says(_RUN, b'{"data":{"result":[' + lines[:-1] + b"]}}", "logs")


_COMPARED = ("abuse-1", "abuse-2", "abuse-3")
_COMPARISON = f"/comparisons?{'&'.join(f'run={run_id}' for run_id in _COMPARED)}"
_PARSED = f"/runs/{_RUN}/custom-info?parse=true"
_NAMES = "&".join(f"name=x{number}" for number in range(800))
CASES = (
    _asked("custom info of open strings, 64 kB, parsed", _custom_info(64_000), _PARSED),
    _asked("custom info of open strings, 200 kB, parsed", _custom_info(200_000), _PARSED),
    _asked("open strings behind NaN, 64 kB", lambda: b'{"resources":[NaN' + b'"\\' * 32_000),
    _asked("custom info of 60 MB of backslashes", _info_of_backslashes, f"/runs/{_RUN}/custom-info"),
    _asked("the same, parsed", _info_of_backslashes, _PARSED),
    _asked("a million tags, searched", _a_million_tags, f"/runs/{_RUN}/tags?search=t1"),
    _asked("100 values of 250,000 digits, as a chart", _endless_values, f"{_RESOURCE}/chart"),
    _asked("a name of 5 MB, CSV", _named("n" * 5_000_000, 1), headers={"Accept": "text/csv"}),
    _asked("100,000 series", _named("n", 100_000), f"{_RESOURCE}/series?points=2"),
    _asked("10,000 runs nobody asked for, 1 MB", _runs_nobody_asked_for),
    _asked("a label name for each of 10,000 points, CSV", _a_label_name_each, headers={"Accept": "text/csv"}),
    _asked("a fraction of 100,000 digits among 1,500 points", _one_long_fraction),
    _asked("the same, as series", _one_long_fraction, f"{_RESOURCE}/series"),
    _asked("a step of 200,000 digits", _long_step(200_000)),
    _asked("a step of 3,000,000 digits", _long_step(3_000_000)),
    _asked(
        "20,000 steps whose hashes are alike, as series",
        lambda: _resource(*({**_POINT, "step": n * _HASHED_ALIKE} for n in range(1, 20_000))),
        f"{_RESOURCE}/series?points=2",
    ),
    _asked("8,000 series that share 48 characters, as a chart", _named("n" * 48, 8000), f"{_RESOURCE}/chart"),
    _asked("800 names of 5,000 series, as a chart", _named("n", 5000), f"{_RESOURCE}/chart?{_NAMES}"),
    _asked("a label of 8 kB of colons", _labelled, f"{_RESOURCE}?label={':' * 7500}"),
    _asked("a label asked for 1,000 times", _labelled, f"{_RESOURCE}?limit=1{'&label=l' * 1000}"),
    _asked("1,600 unknown parameters", _labelled, f"{_RESOURCE}?{'&'.join(f'a{n:x}' for n in range(1600))}"),
    _asked("media types, 8 kB", _labelled, headers={"Accept": ",".join(["text/csv;q=0"] * 580)}),
    _asked("codings, 8 kB", _labelled, headers={"Accept-Encoding": ",".join(["x;q"] * 2000)}),
    _asked("entity tags, 8 kB", _labelled, headers={"If-None-Match": '"a",' * 2000}),
    _asked("directives, 8 kB", _labelled, headers={"Cache-Control": 'a="b,' * 1600}),
    requests("text: a log of three million lines", [f"/runs/{_RUN}/logs"], prepare=_log_of_three_million_lines),
    requests("text: three runs of 40,000 metrics, compared", [_COMPARISON], prepare=_compared),
    requests("text: the same, what differs", [f"{_COMPARISON}&differs=true&baseline=abuse-1"], prepare=_compared),
)
