"""The OpenAPI 3.1 document, generated from the routes."""

from __future__ import annotations

import re
from typing import Any

import flask_smorest
from flask import Flask

from service.api import examples
from service.api.openapi import components
from service.api.openapi.schemas import ProblemSchema

CONTRACT_VERSION = "0.1.0"
"""The version of the HTTP interface (semantic versioning), which changes only with what clients see."""

_DESCRIPTION = """\
Reads the *metric resource* of machine-learning runs: metrics, labels, tags and custom info that were logged to an AI
runtime (a server that implements the AI API v2, as SAP AI Core does, or an MLflow tracking server).

Every timestamp of an answer is in the time zone that the caller asks for; numbers are the runtime's, digit for digit.
Every resource that answers `GET` answers `HEAD` as well. Errors are `application/problem+json` (RFC 9457). Answers come
compressed (`gzip`, `br`, `zstd`) where the client accepts it.

A *run* is what the AI API and ML Operations call an *execution*, a run template is an *executable*: `/runs/{runId}`
takes an execution's id.
"""


class Api(flask_smorest.Api):  # type: ignore[misc]
    """flask-smorest, used for the document only: requests are answered by another application."""

    ERROR_SCHEMA = ProblemSchema

    def __init__(self, app: Flask) -> None:
        app.config.update(
            API_TITLE="Metric Resource Service",
            API_VERSION=CONTRACT_VERSION,
            OPENAPI_VERSION="3.1.0",
            API_SPEC_OPTIONS={
                "info": {
                    "description": _DESCRIPTION,
                    "license": {"name": "Apache 2.0", "identifier": "Apache-2.0"},
                    "contact": {"name": "The maintainers of the Metric Resource Service"},
                },
                "servers": [{"url": ".", "description": "Where this document was read."}],
            },
        )
        super().__init__(app)
        components.register(self.spec)

    def document(self) -> dict[str, Any]:
        """The document, its paths with the contract's parameter names, with the recorded examples."""
        document: dict[str, Any] = self.spec.to_dict()
        document["components"]["schemas"].pop("PaginationMetadata", None)  # flask-smorest's own, for its kind of pages
        document["paths"] = {
            re.sub(r"\{run_id\}", "{runId}", path): _without_generated_parameters(item)
            for path, item in document["paths"].items()
        }
        examples.add(document)
        return document


def _without_generated_parameters(item: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in item.items() if key != "parameters"}
