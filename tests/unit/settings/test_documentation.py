"""``docs/configuration.md`` names every variable, with the default that the code has."""

import re
from pathlib import Path

import pytest

from service.settings import SettingsError, mlflow, read_settings
from service.settings.sources import PARTS, PLACES, RESOURCE_GROUP, SERVICE_KEY
from service.settings.table import TABLE, Variable
from tests.rows import each_row

DOCUMENT = (Path(__file__).parents[3] / "docs" / "configuration.md").read_text("utf-8")
ROWS = dict(re.findall(r"^\| `([A-Z_]+)` \|.*\| ([^|]*) \|$", DOCUMENT, re.MULTILINE))


@each_row("variable", TABLE)
def test_variable_and_default(variable: Variable) -> None:
    assert ROWS[variable.name].replace("`", "").split(";")[0] == variable.default


@each_row("name", [SERVICE_KEY, *PARTS.values(), *PLACES, RESOURCE_GROUP, "VCAP_SERVICES", *mlflow.VARIABLES])
def test_sources_of_credentials(name: str) -> None:
    assert f"`{name}`" in DOCUMENT


def test_nothing_else_is_documented() -> None:
    known = {variable.name for variable in TABLE} | set(PARTS.values()) | {SERVICE_KEY, RESOURCE_GROUP, "VCAP_SERVICES"}
    assert ROWS.keys() <= known | {*PLACES, *mlflow.VARIABLES}


def test_example_is_what_happens() -> None:
    example = re.search(r"^```\n\$ (.*) metric-resource check\n(.*?)\n```$", DOCUMENT, re.MULTILINE | re.DOTALL)
    assert example is not None
    with pytest.raises(SettingsError) as raised:
        read_settings(dict(one.split("=", 1) for one in example[1].split()))
    assert str(raised.value) == example[2]
