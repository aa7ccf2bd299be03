"""What is fuzzed, and what must hold whatever comes in. Each target fails by an exception.

Beside what each target says, all do work in proportion to their input: ``calls`` are counted, not seconds.
"""

from __future__ import annotations

import base64
import json
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache, partial
from typing import Any
from urllib.parse import quote

import msgspec
from flask import Flask
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from service.api.http.cache_control import parse_directives
from service.api.http.headers import LONGEST_LIST
from service.api.http.pagination import Cursor, Cursors
from service.api.resources.logs import to_json as log_to_json
from service.api.resources.logs import to_text as log_to_text
from service.api.resources.metric_resource import to_json
from service.api.resources.metric_resource.to_json import with_parsed
from service.app import create_app
from service.app.authentication import Authentication
from service.auth.catalogue import load_catalogue
from service.caching import codec
from service.caching.codec import ContentGone, Header, NotAnEntry, Sealer
from service.caching.memory import MemoryCache
from service.domain.access import Principal
from service.domain.errors import InvalidParameter, InvalidToken, ServiceError, Unauthenticated
from service.domain.freshness import Snapshot
from service.domain.logs import LogQuery, RunLog
from service.domain.run_lists import RUN_COLUMNS
from service.domain.runs import Run
from service.domain.runtime import Capabilities, RunMetrics
from service.domain.selection.filters import Filter, selected
from service.domain.selection.sorting import FIELDS, SortKey, order
from service.domain.series import builder
from service.domain.zones import time_zone
from service.reads import packing, run_packing
from service.runtimes.ai_api import execution_lists, logs, mapping, meta, run_mapping
from service.runtimes.mlflow import points
from service.runtimes.mlflow import run_documents as mlflow_documents
from service.runtimes.mlflow import run_mapping as mlflow_runs
from service.settings import AuthSettings, CacheSettings, RuntimeAuth, RuntimeSettings, Settings
from testing.work import MEBIBYTE, calls, memory
from tests import document
from tests.fuzz.mutation import binaries, texts
from tests.unit.auth import forge
from tests.unit.auth.bad_tokens import catalogue
from tests.unit.auth.key_sets import key_set
from tests.unit.auth.worlds import KEYS_URL, Library, oidc, verifier
from tests.unit.reads.fakes import FakeRuntime
from tests.unit.runtimes.ai_api.answers import answer, metric

FEW = 20_000
"""Calls that any input may cost."""
ZONE = time_zone("Europe/Berlin")


@dataclass(frozen=True)
class Target:
    """``check`` is called with what ``inputs`` draws."""

    inputs: SearchStrategy[Any]
    check: Callable[[Any], None]


def within(task: Callable[[], object], size: int, each: int = 40) -> None:
    """``task`` costs no more than ``each`` calls for each character of its input."""
    made = calls(task)
    assert made <= FEW + each * size, f"{made} calls for {size}"


# The AI API's answers

LABELS = '"labels":[{"name":"metrics.ai.sap.com/Artifact.name","value":"m"},{"name":"fold","value":"3"}]'
MORE = ',"tags":[{"name":"k","value":"v"}],"customInfo":[{"name":"matrix","value":"[[1,0],[0,1]]"}]'
METRICS = [
    answer(metric(), metric('"step":1', LABELS, value="0.25"), more=MORE),
    answer(*(metric(f'"step":{step}', name='"Loss"', value="-1e-7") for step in range(20))),
    answer(metric('"step":0', value="NaN"), metric(name='"\\ud83d"', timestamp='"2026-03-29T01:00:60.5+02:00"')),
    answer(metric('"step":null', '"labels":null', value='"Infinity"', timestamp='"yesterday"'), more=MORE),
    b'{"resources":[{"executionId":"run1"},{"executionId":"run2","metrics":null}]}',
    b'{"count":0,"resources":[]}',
]
EXECUTION = (
    b'{"id":"run1","configurationId":"c","status":"COMPLETED","createdAt":"2026-03-29T01:00:00Z","scenarioId":"s",'
    b'"executableId":"e","statusDetails":{"a":[1]},"outputArtifacts":[{"id":"a","name":"n","kind":"model","url":"u"}]}'
)
CONFIGURATION = (
    b'{"parameterBindings":[{"key":"k","value":"v"}],"inputArtifactBindings":[{"key":"k","artifactId":"a"}],'
    b'"scenarioId":"s","executableId":"e"}'
)
META = (
    b'{"runtimeIdentifier":"r","aiApi":{"version":"2.0","capabilities":{"multitenant":false}},"extensions":{"metrics":'
    b'{"version":"1.0.0","capabilities":{"extendedResults":true}}}}'
)
LOGS = (
    b'{"data":{"result":[{"timestamp":"2026-03-29T01:00:00.5Z","msg":"epoch 1\\n\\u001b[0m","container":"main","pod":"p",'
    b'"stream":"stdout"},{"timestamp":"yesterday","msg":null}]}}'
)
JSON_PIECES = [b'"', b"\\", b"\\u", b"\\ud83d", b"{", b"}", b"[", b"]", b",", b":", b"-", b"1e999", b"9" * 40, b"0.", b" ", b"\xef\xbb\xbf"]  # fmt: skip
JSON_PIECES += [b'"metrics":[', b'"metrics":[{}]', b"},{", b']},{"', b"NaN", b"-Infinity", b"null", b'"value":', b'"step":-0,', b'"timestamp":"']  # fmt: skip
READERS: list[Callable[[bytes], object]] = [
    lambda body: run_packing.packed(execution_lists.runs(body)),
    lambda body: run_mapping.run(run_mapping.execution(body, "run1")[0], mended=True),
    lambda body: run_mapping.parameters(run_mapping.configuration(body)[0], mended=True),
    lambda body: mapping.run_status(body, "run1"),
    lambda body: mapping.metric_resources_apart(body, ["run1", "run2"]),
    meta.capabilities,
]


def _log_that_can_be_given_on(body: bytes) -> None:
    """Whose lines are objects, as many as it says, and whose text obeys nothing in it."""
    read: list[RunLog] = []
    asked = partial(logs.read, lambda _: body, LogQuery(), b'"2026-03-29T01:00:00Z"', may_change=True)
    within(lambda: read.append(asked()), len(body), each=40 * logs.MOST_PAGES)
    (log,) = read
    assert len(json.loads(b"".join(log_to_json.run_log("run1", log, ZONE)))["logs"]) == log.count
    shown = b"".join(log_to_text.lines(log, ZONE)).decode()
    assert not set(map(ord, shown)) & ({*range(32), 127} - {9, 10})


def runtime_answer(given: tuple[bytes, int]) -> None:
    """An answer of the runtime is a domain object or a ``ServiceError``, and what is accepted can be given on."""
    body, stretch = given
    for read in READERS:
        within(lambda read=read: _refusable(lambda: read(body)), len(body))
    found: dict[str, Any] = {}
    within(
        lambda: _refusable(lambda: found.update(mapping.metric_resources(body, ["run1"], stretch=stretch))), len(body)
    )
    with suppress(ServiceError):
        _log_that_can_be_given_on(body)
    for resource in found.values():
        written = b"".join(to_json.metric_resource(resource, resource.metrics, ZONE))
        assert len(json.loads(written)["metrics"]) == resource.count
        b"".join(to_json.custom_info(resource, parse=True))
        assert packing.unpacked(packing.packed(resource)) == resource
        for field in FIELDS:
            assert sorted(order(resource.metrics, [SortKey(field, descending=True)])) == list(range(resource.count))
        list(selected(resource.metrics, Filter(search="lo", labels=("a:b",), min_step=0, since=b"2026")))
        builder.series(resource.metrics, 3)


HISTORY = (
    b'{\n  "metrics": [\n    {\n      "key": "loss",\n      "value": 0.5,\n      "timestamp": 1774746000123,\n      "step": 0\n    },\n'
    b'    {\n      "key": "loss",\n      "value": "NaN",\n      "timestamp": 0,\n      "step": -3\n    }\n  ],\n  "next_page_token": "a"\n}'
)
MLFLOW_RUN = (
    b'{"run":{"info":{"run_id":"run1","status":"FINISHED","start_time":1774746000123,"artifact_uri":"s3://b"},"data":{"metrics":[{"key":"loss"}],'
    b'"params":[{"key":"a","value":"b"}],"tags":[{"key":"mlflow.log-model.history","value":"[{\\"artifact_path\\":\\"m\\"}]"}]},'
    b'"inputs":{"dataset_inputs":[{"dataset":{"name":"d"}}]}}}'
)
MLFLOW_PIECES = [
    *JSON_PIECES,
    b'"key": "loss"',
    b',\n      "timestamp": ',
    b',\n      "step": ',
    b"9223372036854775807",
    b"1.5",
]


def mlflow_answer(body: bytes) -> None:
    """As ``runtime_answer``, of an MLflow server; histories read in columns and point by point say the same."""
    found: list[points.Page] = []
    within(lambda: _refusable(lambda: found.append(points.page(body, "loss", {}))), len(body))
    for page in found:
        text = b"[" + b",".join(chunk.text for chunk in page.chunks) + b"]"
        assert len(json.loads(text)) == page.count
        assert page == points.point_by_point(body, "loss", {})

    def read_run() -> None:
        run = mlflow_documents.run_of(body, "run1")
        (
            json.loads(mlflow_runs.tags(run)),
            json.loads(mlflow_runs.custom_info(run)),
            json.loads(mlflow_runs.parameters(run)),
        )
        (
            json.loads(mlflow_runs.input_artifacts(run)),
            json.loads(mlflow_runs.output_artifacts(run, {})),
            mlflow_runs.run(run),
        )

    within(lambda: _refusable(read_run), len(body))


def _refusable(read: Callable[[], object]) -> None:
    with suppress(ServiceError):
        read()


# Cache-Control

DIRECTIVES = [
    "no-cache", "max-age=0", "max-age=60, min-fresh=5", "max-stale", 'max-stale="30"', "no-store, only-if-cached",
    'private="a, b", max-age=1', "MAX-AGE=01", "max-age=99999999999999999999", "max-age=-1", "max-age", 'x="', "",
]  # fmt: skip


def cache_control(field: str) -> None:
    """It never raises, and what it makes of a field is within RFC 9111's bounds."""
    within(lambda: parse_directives(field), len(field))
    found = parse_directives(field, field)
    assert found == parse_directives(field)
    seconds = [found.max_age, found.min_fresh, found.max_stale]
    assert all(each is None or 0 <= each <= 2**31 or each == math.inf for each in seconds)
    assert parse_directives(None, field).max_age is None


# Tokens


@cache
def _verifier() -> Any:
    return verifier(oidc(), Library({KEYS_URL: key_set()}), algorithms=("RS256", "ES256"))


CLAIM_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)
CLAIM_NAMES = ["iss", "aud", "sub", "exp", "nbf", "iat", "scope", "scp", "roles", "groups", "zoneinfo", "azp", "cid"]
CLAIM_NAMES += ["xs.system.attributes", "xs.user.attributes", "ext_cxt", "zid"]


def _signed(changes: tuple[Mapping[str, Any], Mapping[str, Any]]) -> str:
    head, claims = changes
    return "Bearer " + forge.token(forge.header(**head), forge.compact(forge.claims(**claims)))


@cache
def _authorizations() -> list[str]:
    return [f"Bearer {forge.token(forge.header(), forge.claims())}", *list(catalogue().values())[::7]]


SIGNED = st.tuples(
    st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "x"]), CLAIM_VALUES, max_size=2),
    st.dictionaries(st.sampled_from(CLAIM_NAMES), CLAIM_VALUES, max_size=4),
)


def token(given: str | tuple[Mapping[str, Any], Mapping[str, Any]]) -> None:
    """A token names a caller or is refused, by the verifier's own errors."""
    try:
        field = given if isinstance(given, str) else _signed(given)
    except UnicodeEncodeError:  # a lone surrogate cannot be signed
        return
    checked = _verifier()

    def verify() -> None:
        try:
            principal = checked.verify(field)
        except (Unauthenticated, InvalidToken):
            return
        assert isinstance(principal, Principal)
        assert principal.subject
        assert principal.issuer == forge.ISSUER
        assert principal.expires_at > forge.NOW - 60

    within(verify, min(len(field), 32_768))


# Cursors

CURSORS = Cursors(b"a secret of the tests")
SNAPSHOT = Snapshot(bytes(16), 10)
GIVEN = [CURSORS.write(Cursor(SNAPSHOT, position), ("view",)) for position in (0, 1, 2**40)]


def cursor(given: str | bytes) -> None:
    """A cursor is one that was given, or is refused by its name; so is one that is well signed and says something else."""
    text = given
    if isinstance(given, bytes):
        text = base64.urlsafe_b64encode(CURSORS._code(given, ("view",)) + given).rstrip(b"=").decode()
    try:
        found = CURSORS.read(str(text), ("view",))
    except InvalidParameter as refused:
        faults = refused.faults
    else:
        faults = ()
        assert isinstance(found, Cursor)
        assert isinstance(given, bytes) or given in GIVEN
    assert {fault.parameter for fault in faults} <= {"cursor"}


# What lies in Redis

SEALER = Sealer(None, largest=MEBIBYTE)
PARTS = (b"some", b"", b"body" * 100)
HEADER = Header("value", True, time.time(), codec.digest_of(PARTS), codec.size_of(PARTS))
PACKED_HEADERS = [msgspec.msgpack.encode(HEADER), msgspec.msgpack.encode(Header("absent", False, 1.0, ended_until=9.0))]
BODIES = [codec.compress(PARTS).head, codec.compress((b"",)).head, codec.compress((bytes(8 * MEBIBYTE),)).head]
PACKED_BODIES = [codec.pack(Capabilities("a", "b", True))[0], run_packing.packed([Run("run1", "DEAD")])[0], b"\x92\x98\xa1a\xc4\0\xc4\0\x90\xc4\0\xc4\0\0\0\x90"]  # fmt: skip
STORED_RUNS = run_packing.packed([Run("run1", "DEAD")])
MESSAGE_PIECES = [b"\x91", b"\x91" * 300, b"\xdd\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff", b"\xc6\xff\xff\xff\xff", b"\xcb\x7f\xf8" + bytes(6), b"\xcf" + b"\xff" * 8]  # fmt: skip


def _looked_at(parts: Sequence[bytes]) -> None:
    """A list of runs, with all that is loaded of it when it is looked at."""
    with suppress(ContentGone):
        listed = run_packing.unpacked((*parts, *STORED_RUNS[len(parts) :]))
        for name in RUN_COLUMNS:
            listed.column(name)
        listed.runs(range(min(listed.count, 10)))


def redis_entry(given: tuple[bytes, bytes, int, bytes]) -> None:
    """Any bytes in Redis are a miss or a value, in memory that is bounded by what an answer may be."""
    packed, body, size, inner = given
    sealed = SEALER.seal("key", HEADER)[:1] + SEALER._code("key", packed) + packed

    def read() -> None:
        SEALER.open("key", packed)
        header = SEALER.open("key", sealed)
        for claimed in (header, Header("value", True, 1.0, HEADER.digest, size)):
            parts = None if claimed is None else codec.decompress(body, claimed, lambda: body)
            with suppress(ContentGone):
                assert claimed is None or parts is None or codec.size_of(parts) == claimed.size <= MEBIBYTE

    assert memory(read) <= 4 * MEBIBYTE + 10 * len(body)
    for unpack in (packing.unpacked, run_packing.unpacked, _looked_at, lambda parts: codec.unpack(parts, Capabilities)):
        for parts in ((), (inner,), (inner, b"{}")):
            with suppress(NotAnEntry):
                unpack(parts)


# Custom info

INFO = [
    '{"a": [0.10, 9007199254740993], "b": {"c": null}}', '[["tp", 10], ["fn", 2]]', "NaN", '{"a":1,"a":2}', "plain",
    '"\\ud83d"', "1e400", "-0", "[" * 64 + "]" * 64, '"\\"\\"\\"', "\ufeff1",
]  # fmt: skip


def _refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is not JSON")


def _once_each(members: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(members)) == len(members), "a member twice"
    return dict(members)


def custom_info(value: str) -> None:
    """What is given away as JSON is the value's own text and JSON to every reader; the value is always there as it is."""
    pairs = json.dumps([{"name": "n", "value": value}]).encode()
    within(lambda: with_parsed(pairs), len(value))
    (found,) = json.loads(with_parsed(pairs), parse_constant=_refuse, object_pairs_hook=_once_each)
    assert found["value"] == value
    if "parsed" in found:
        assert with_parsed(pairs).endswith(b'"parsed":' + value.encode() + b"}]")


# Selection queries

RUNS = ["/runs/run1/metric-resource", "/runs/run1/metric-resource/series", "/runs/run1/metric-resource/chart", "/runs/run1/custom-info", "/runs/run1/tags", "/runs"]  # fmt: skip
QUERIES = [
    "name=loss&name=Loss", "search=LO", "label=fold:3&label=fold", "label=" + ":" * 500, "minStep=0&maxStep=10", "minStep=9&maxStep=1",
    "since=2026-03-29T01:00:00Z&until=2026-03-29T03:00:00%2B02:00", "sort=name,-step,timestamp,value", "limit=1", "limit=1&cursor=",
    "points=2", "x=time&type=heatmap", "timezone=Europe/Berlin", "timezone=%2B02:00", "parse=true", "minStep=" + "9" * 4400,
    "format=csv", "", "&&=&a", "%", "%ff=%fe", "name=%ed%a0%bd", "status=COMPLETED,DEAD&scenarioId=s", "smooth=0.5&scale=log",
]  # fmt: skip
QUERY_PIECES = [
    "&",
    "=",
    "%",
    "%00",
    "%0a",
    "%ff",
    "+",
    ":",
    ",",
    "-",
    "name=",
    "label=",
    "sort=",
    "9" * 30,
    "1e9",
    "٣",
    "search=%C4%B0",
]


@cache
def _application() -> tuple[Flask, str]:
    runtime = FakeRuntime()
    for body in METRICS[:4]:
        for resource in mapping.metric_resources(body, ["run1"]).values():
            runtime.logged[forge.ISSUER, "default", "run1"] = RunMetrics(resource, may_change=True)
    settings = Settings(
        RuntimeSettings("http://runtime.example", auth=RuntimeAuth.NONE),
        AuthSettings(issuers=(forge.ISSUER,), audiences=(forge.AUDIENCE,)),
        CacheSettings(),
    )
    authentication = Authentication(_verifier(), load_catalogue())
    app = create_app(settings, runtime=runtime, cache=MemoryCache(64 * MEBIBYTE), authentication=authentication)
    roles = ["scenario_metric_viewer", "scenario_job_viewer"]
    return app, "Bearer " + forge.token(forge.header(), forge.claims(roles=roles))


def selection_query(given: tuple[str, str, str]) -> None:
    """Any query string has an answer that the document knows: data, or a problem that says what is wrong with it."""
    path, query, accept = given
    app, authorization = _application()
    text = quote(query, safe="&=%+:,-/~", errors="replace")[:8000]
    headers = {"Authorization": authorization, "Accept": accept.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")}  # fmt: skip
    answers: list[Any] = []
    within(lambda: answers.append(app.test_client().get(f"{path}?{text}", headers=headers)), len(text), each=200)
    (found,) = answers
    known = {431} if len(headers["Accept"]) > LONGEST_LIST else {200, 400, 406}
    assert found.status_code in known, (found.status_code, found.data)
    if found.status_code != 200:
        assert found.mimetype == "application/problem+json"
    document.check("GET", path, found.status_code, dict(found.headers), found.data)


ACCEPTS = ["*/*", "application/json", "text/csv;q=0.5, */*;q=0.1", "application/x-ndjson", "a/b", "", ";;;", 'a/b;c="\\'] + ["text/csv," * 50]  # fmt: skip

TARGETS: dict[str, Target] = {
    "runtime-answer": Target(
        st.tuples(binaries([*METRICS, EXECUTION, CONFIGURATION, META, LOGS], JSON_PIECES), st.integers(1, 4000)),
        runtime_answer,
    ),
    "mlflow-answer": Target(binaries([HISTORY, MLFLOW_RUN], MLFLOW_PIECES), mlflow_answer),
    "cache-control": Target(texts(DIRECTIVES, [",", '"', "=", " ", ";", "\\", "max-age="]), cache_control),
    "token": Target(
        st.deferred(lambda: texts(_authorizations(), [".", "Bearer ", " ", "=", "A", "eyJ"])) | SIGNED, token
    ),
    "cursor": Target(
        texts(GIVEN, ["A", "=", "-", "_", "\n"])
        | binaries([msgspec.msgpack.encode(Cursor(SNAPSHOT, 1))], MESSAGE_PIECES),
        cursor,
    ),
    "redis-entry": Target(
        st.tuples(
            binaries(PACKED_HEADERS, MESSAGE_PIECES),
            binaries(BODIES, [*MESSAGE_PIECES, b"\0\0\0\1"]),
            st.integers(0, 2**40) | st.just(HEADER.size),
            binaries(PACKED_BODIES, MESSAGE_PIECES),
        ),
        redis_entry,
    ),
    "custom-info": Target(texts(INFO, ['"', "\\", "[", "]", "{", "}", ",", ":", "1", "e", "-", '"\\']), custom_info),
    "selection-query": Target(
        st.tuples(st.sampled_from(RUNS), texts(QUERIES, QUERY_PIECES), texts(ACCEPTS, [",", ";q=", '"', "*"])),
        selection_query,
    ),
}
