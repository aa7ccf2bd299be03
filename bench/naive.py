"""The service as written in an afternoon: flask-smorest, a schema for each point, no cache, no token.

``BENCH_RUNTIME`` in the environment is the runtime's base URL.
"""

from __future__ import annotations

import os
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import requests
from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow import Schema, fields


class LabelSchema(Schema):
    name = fields.String()
    value = fields.String()


class MetricSchema(Schema):
    name = fields.String()
    value = fields.Float()
    timestamp = fields.DateTime(format="iso")
    step = fields.Integer(allow_none=True)
    labels = fields.List(fields.Nested(LabelSchema))


class ResourceSchema(Schema):
    executionId = fields.String()
    metrics = fields.List(fields.Nested(MetricSchema))


application = Flask(__name__)
application.config |= {"API_TITLE": "naive", "API_VERSION": "1", "OPENAPI_VERSION": "3.1.0"}
_blueprint = Blueprint("naive", __name__)
_session = requests.Session()


@_blueprint.route("/runs/<run_id>/metric-resource")  # type: ignore[untyped-decorator]
@_blueprint.response(200, ResourceSchema)  # type: ignore[untyped-decorator]
def read(run_id: str) -> dict[str, Any]:
    url = f"{os.environ['BENCH_RUNTIME']}/lm/metrics"
    found: dict[str, Any] = _session.get(url, params={"executionIds": run_id}, timeout=30).json()["resources"][0]
    zone = ZoneInfo("Europe/Berlin")
    for metric in found["metrics"]:
        metric["timestamp"] = datetime.fromisoformat(metric["timestamp"]).astimezone(zone)
    return found


Api(application).register_blueprint(_blueprint)
