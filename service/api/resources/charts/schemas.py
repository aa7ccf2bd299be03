"""The schema of a chart; see ``schemas``."""

from __future__ import annotations

from typing import Any, ClassVar

from marshmallow import INCLUDE, Schema, fields


class ChartSchema(Schema):
    """A [Vega-Lite](https://vega.github.io/vega-lite/) v6 specification with its data inline."""

    class Meta:
        """Vega-Lite has many more members."""

        unknown = INCLUDE
        include: ClassVar[dict[str, fields.Field[Any]]] = {
            "$schema": fields.String(
                required=True, metadata={"example": "https://vega.github.io/schema/vega-lite/v6.json"}
            )
        }

    title = fields.Dict(required=True)
    description = fields.String(required=True, metadata={"description": "The chart in words."})
    config = fields.Dict(required=True)
