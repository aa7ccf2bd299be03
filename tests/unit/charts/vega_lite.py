"""The published schema of Vega-Lite v6, which the altair package carries."""

from __future__ import annotations

import json
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import jsonschema


def validate(specification: dict[str, Any]) -> None:
    """Raise ``jsonschema.ValidationError`` for what is not Vega-Lite."""
    _validator().validate(specification)


@cache
def _validator() -> Any:
    found = find_spec("altair")
    assert found is not None
    assert found.submodule_search_locations is not None
    path = Path(found.submodule_search_locations[0]) / "vegalite" / "v6" / "schema" / "vega-lite-schema.json"
    schema = json.loads(path.read_text("utf-8"))
    return jsonschema.validators.validator_for(schema)(schema)
