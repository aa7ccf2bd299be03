"""What operators see of the cache and the runtime: on ``/metrics``, summed over workers, and in the log."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from prometheus_client.parser import text_string_to_metric_families

from testing.threads import together
from testing.waiting import PATIENCE, eventually
from tests.integration.processes.conftest import NewHost
from tests.servers.scripted_runtime import ScriptedRuntime
from tests.servers.service_hosts import ServiceHost
from tests.servers.valkey import ValkeyServer

RUN = "/runs/run1/metric-resource"


def sample(host: ServiceHost, name: str, **labels: str) -> float:
    """The value of one series, 0 where there is none yet."""
    for family in text_string_to_metric_families(host.get("/metrics").body.decode()):
        for one in family.samples:
            if one.name == f"metric_resource_{name}" and labels.items() <= one.labels.items():
                return float(one.value)
    return 0.0


def circuit_states(host: ServiceHost) -> list[str]:
    return re.findall(r'"event": "circuit", "state": "([a-z-]+)"', host.log())


def test_outcomes_waits_and_upstream_calls_are_counted(
    new_host: NewHost, runtime: ScriptedRuntime, valkey: ValkeyServer
) -> None:
    host = new_host(REDIS_URL=valkey.url)
    runtime.slow["run1"] = 0.5
    together(*[partial(host.get, RUN)] * 20)
    host.get(RUN)
    assert sample(host, "cache_outcomes_total", outcome="miss") >= 1
    assert sample(host, "cache_outcomes_total", outcome="hit") >= 1
    assert sample(host, "flight_waits_total") >= 1
    assert sample(host, "upstream_exchanges_total", operation="metrics", outcome="200") == 1
    assert sample(host, "upstream_seconds_count", operation="metrics") == 1


def test_a_runtime_that_fails_and_recovers_shows(new_host: NewHost, runtime: ScriptedRuntime) -> None:
    host = new_host(WEB_CONCURRENCY="1", CACHE_FRESH_RUNNING="1")
    assert host.get(RUN).status == 200
    for what in ("metrics", "execution", "meta"):
        runtime.say(what, 500, {})
    stale = partial(host.get, RUN, Cache_Control="max-age=0")
    eventually(lambda: stale().status == 200 and sample(host, "circuit_state") == 2)
    assert sample(host, "upstream_exchanges_total", operation="metrics", outcome="500") >= 1
    eventually(lambda: sample(host, "cache_outcomes_total", outcome="stale-if-error") >= 1)
    runtime.answers.clear()
    eventually(lambda: "stale-if-error" not in stale().headers["Cache-Status"])
    assert sample(host, "circuit_state") == 0
    eventually(lambda: circuit_states(host)[-1:] == ["closed"])
    states = circuit_states(host)
    assert (states[0], states[-1]) == ("open", "closed")
    assert all(one != other for one, other in itertools.pairwise(states)), "a line for each change"


def test_what_is_refused_shows(new_host: NewHost, runtime: ScriptedRuntime) -> None:
    host = new_host(WEB_CONCURRENCY="1", RUNTIME_CONCURRENCY="1", RUNTIME_TIMEOUT="60")
    host.get("/capabilities")
    over, answer = threading.Event(), runtime.answer

    def held(path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, float]:
        over.wait(PATIENCE)
        return answer(path, headers)

    runtime.answer = held  # type: ignore[method-assign]
    with ThreadPoolExecutor() as pool:
        asked = [pool.submit(host.get, f"/runs/slow-{number}/metric-resource") for number in range(6)]
        try:
            eventually(lambda: sum(each.done() for each in asked) == 5)
        finally:
            over.set()
    assert sorted(each.result().status for each in asked) == [200] + [503] * 5
    assert sample(host, "refusals_total", reason="overloaded") >= 5
    assert sample(host, "fetches", partition="slow") == 0
    assert host.get(RUN).status == 200
    eventually(lambda: '"event": "bulkhead", "state": "accepting"' in host.log())
    assert [host.log().count(f'"bulkhead", "state": "{state}"') for state in ("refusing", "accepting")] == [1, 1]


def test_what_decides_how_metrics_are_kept_is_loaded_in_the_workers_only() -> None:
    """``prometheus_client`` looks at its environment when it is loaded; before the workers that is not complete."""
    program = "import sys, service.cli; service.cli.main(['serve']); sys.exit('prometheus_client' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, env={})
    assert b"JWT_ISSUER" in ended.stderr, "it read its settings and found them wanting"
    assert ended.returncode == 0
