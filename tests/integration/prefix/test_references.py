"""Every reference that an answer holds leads on, below whatever prefix the service is reached."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

import requests

from tests.integration.prefix.conftest import ABSENT, RUNS, Addressed
from tests.rows import each_row
from tests.servers.prefixes import PREFIX
from tests.servers.service_hosts import ServiceHost

STARTS = [  # and how many further URLs they lead to
    ("/runs?limit=2", 1),
    ("/runs?limit=1&status=RUNNING", 2),
    ("/runs/run1", 2),
    ("/runs/run1/metric-resource?limit=1&name=loss&sort=-step", 2),
    ("/runs/run1/metric-resource?limit=2&timezone=Europe%2FBerlin&search=L%6Fss", 1),
    (f"/comparisons?run=run1&run=run2&run={ABSENT}", 0),
    ("/docs", 5),
    ("/docs/", 6),
    ("/ui", 11),
    ("/ui/", 10),
    ("/openapi.json", 0),
]
FAILING = [
    "/runs/x/tags",
    f"/runs/{ABSENT}/tags?timezone=UTC",
    "/runs/run1/metric-resource/series?points=1",
    "/runs?limit=none",
    "/nothing",
    "/nothing/at/all",
    "/nothing/at/all/",
    "/%C3%A4%20b/%3C%3E",
    "/a:b",
]
REFERENCES = frozenset({"next", "href", "instance"})
QUERIES = {
    "/comparisons": "?run=run1&run=run2",
    "/comparisons/chart": "?run=run1&run=run2&metric=loss",
    "/points": "?run=run1",
    "/runs/{runId}/checks": "?expect=loss:last<1",
}


def get(service: Addressed, url: str, *, stream: bool = False) -> requests.Response:
    headers = {"Authorization": f"Bearer {service.token}"}
    return requests.get(url, headers=headers, allow_redirects=False, timeout=60, stream=stream)


def references(answer: requests.Response) -> Iterator[tuple[str, str]]:
    """What an answer refers to, by the names of the members and header fields that do."""
    for name in ("Location", "Content-Location"):
        if name in answer.headers:
            yield name, answer.headers[name]
    for target in re.findall(r"<([^>]*)>", answer.headers.get("Link", "")):
        yield "next", target
    content_type = answer.headers.get("Content-Type", "")
    if content_type.startswith("text/html"):
        for target in re.findall(r'(?:href|src)="([^"]*)"', answer.text):
            yield "asset", target
    elif "json" in content_type and "/openapi.json" not in answer.url:
        yield from _members(answer.json())


def _members(value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name in REFERENCES and isinstance(member, str):
                yield name, member
            yield from _members(member)
    elif isinstance(value, list):
        for member in value:
            yield from _members(member)


@each_row("start, further", STARTS)
def test_they_lead_on(addressed: Addressed, start: str, further: int) -> None:
    seen, ahead = set(), [addressed.url + start]
    while ahead:
        url = ahead.pop()
        answer = get(addressed, url)
        assert answer.status_code in {200, 308}, (url, answer.text)
        for name, target in references(answer):
            assert not target.startswith("/"), target
            assert not urlsplit(target).netloc
            following = urljoin(url, target)
            assert following.startswith(addressed.url + "/"), (url, target)
            if name != "instance" and following not in seen:
                seen.add(following)
                ahead.append(following)
            if name == "instance":
                assert following == f"{addressed.url}/runs/{ABSENT}/metric-resource"
    assert len(seen) == further


@each_row("path", FAILING)
def test_a_problem_names_the_request_itself(addressed: Addressed, path: str) -> None:
    answer = get(addressed, addressed.url + path)
    assert answer.headers["Content-Type"] == "application/problem+json"
    ((name, instance),) = references(answer)
    assert name == "instance"
    found = urlsplit(urljoin(answer.url, instance))
    assert unquote(found.path) == unquote(urlsplit(addressed.url + path).path)


def test_every_path_of_the_document_is_below_its_server(addressed: Addressed) -> None:
    url = f"{addressed.url}/openapi.json"
    document = get(addressed, url).json()
    (server,) = document["servers"]
    base = urljoin(url, server["url"]).removesuffix("/")
    assert base == addressed.url
    for template in document["paths"]:
        path = template.replace("{runId}", RUNS[0]) + QUERIES.get(template, "")
        with get(addressed, base + path, stream=True) as answer:  # events go on for as long as somebody reads them
            assert answer.status_code in {200, 406, 501}, path


@each_row("path", ["/docs", "/ui/", "/openapi.json"])
def test_what_a_browser_loads_is_the_same_below_every_prefix(
    addressed: Addressed, host: ServiceHost, path: str
) -> None:
    answer = get(addressed, addressed.url + path)
    bare = host.get(path)
    assert answer.content == bare.body
    for name in ("Content-Type", "Content-Security-Policy", "Cache-Control"):
        assert answer.headers[name] == bare.headers[name]


def test_no_example_of_the_document_is_below_a_root(addressed: Addressed) -> None:
    document = get(addressed, f"{addressed.url}/openapi.json").json()
    examples = [*_examples(document)]
    assert len(examples) > 20
    for name, reference in (pair for example in examples for pair in _members(example)):
        assert not reference.startswith("/"), (name, reference)


def _examples(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for name, member in value.items():
            if name in {"example", "examples"}:
                yield member
            else:
                yield from _examples(member)
    elif isinstance(value, list):
        for member in value:
            yield from _examples(member)


def test_one_tag_and_one_body_below_every_prefix(mounted: ServiceHost) -> None:
    """What is replayed to clients of another prefix is right for each of them."""
    for path in ("/runs/run1/metric-resource?limit=1", "/runs/run1", "/runs?limit=1"):
        answers = [mounted.get(prefix + path) for prefix in ("", PREFIX) * 3]
        assert {answer.status for answer in answers} == {200}
        assert len({(answer.body, answer.headers["ETag"]) for answer in answers}) == 1
        assert json.loads(answers[0].body)


def test_a_host_below_a_prefix_answers_probes_at_its_root(mounted: ServiceHost) -> None:
    assert [mounted.get(path).status for path in ("/livez", f"{PREFIX}/livez", f"{PREFIX}livez")] == [200, 200, 404]
