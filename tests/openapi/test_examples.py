"""The document's examples: real answers, and all that is needed of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from service.api.examples import PROBLEMS
from tests import document
from tests.openapi import examples


@pytest.fixture(scope="module")
def recorded() -> dict[str, dict[str, Any]]:
    return examples.recorded()


def test_they_are_what_the_service_answers(recorded: dict[str, dict[str, Any]]) -> None:
    kept = {file.stem: file.read_text(encoding="utf-8") for file in examples.DIRECTORY.glob("*.json")}
    assert kept == {name: examples.text(of) for name, of in recorded.items()}, "`make openapi` records them anew"


def test_every_answer_has_one() -> None:
    committed = json.loads(document.COMMITTED.read_bytes())
    answers = {
        (operation["operationId"], media_type): content
        for item in committed["paths"].values()
        for operation in item.values()
        for media_type, content in operation["responses"]["200"]["content"].items()
    }
    for name, response in committed["components"]["responses"].items():
        answers[name, examples.PROBLEM] = response["content"][examples.PROBLEM]
    without = {(name, kind) for (name, kind), content in answers.items() if not content.get("examples")}
    pictures = {(name, kind) for name in ("getChart", "getComparisonChart") for kind in ("image/png", examples.SVG)}
    tables = {("getPoints", f"application/vnd.apache.{name}") for name in ("parquet", "arrow.stream")}
    assert without == pictures | tables | {("getMetrics", "text/plain"), ("getOpenAPI", "application/json")}


def test_they_are_as_the_document_says(recorded: dict[str, dict[str, Any]]) -> None:
    urls = {example: asked for _, _, _, example, asked in examples.ANSWERS}
    for name, by_media_type in recorded.items():
        for media_type, by_name in by_media_type.items() if name != PROBLEMS else ():
            for example in by_name.values():
                value = example["value"]
                body = value if isinstance(value, str) else json.dumps(value)
                document.check("GET", urls[example["summary"]], 200, {"Content-Type": media_type}, body.encode())
    for by_media_type in recorded[PROBLEMS].values():
        for example in by_media_type[examples.PROBLEM].values():
            document.schema("Problem", json.dumps(example["value"]).encode())
