"""The built-in catalogue against the published table, written down once more; and files that extend or replace it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from service.auth.catalogue import RoleCatalogue, load_catalogue
from tests.rows import each_row

METRICS, RUNS, LOGS = "scenarios.metrics.read", "scenarios.executions.read", "scenarios.executions.logs.read"
CHANGES = {f"scenarios.executions.{verb}" for verb in ("create", "cancel", "delete")} | {"scenarios.metrics.create"}
ALL_OF_IT = {
    METRICS,
    RUNS,
    "scenarios.read",
    "scenarios.executables.read",
    "scenarios.configurations.read",
    "scenarios.artifacts.read",
}
GENAI = {METRICS, RUNS, LOGS, "scenarios.artifacts.read"}
ROLES: dict[str, set[str]] = {
    "scenario_metric_viewer": {METRICS},
    "scenario_job_viewer": {RUNS},
    "scenario_execution_viewer": {RUNS, LOGS},
    "scenario_job_editor": {RUNS, *CHANGES},
    "scenario_execution_editor": {RUNS, *CHANGES},
    "scenario_configuration_viewer": {"scenarios.configurations.read"},
    "scenario_configuration_editor": {"scenarios.configurations.read", "scenarios.configurations.create"},
    "scenario_artifact_viewer": {"scenarios.artifacts.read"},
    "scenario_metadata_viewer": {"scenarios.read"},
    "scenario_executable_viewer": {"scenarios.executables.read"},
    "mloperations_viewer": {*ALL_OF_IT, LOGS},
    "mloperations_editor": {*ALL_OF_IT, LOGS},
    "mlfunctions_viewer": ALL_OF_IT,
    "mlfunctions_editor": ALL_OF_IT,
    "genai_experimenter": GENAI,
    "genai_manager": GENAI,
    "custom_evaluation": GENAI,
    "allow_all_resourcegroups": {"allow_all_resourcegroups"},
    "viewer": set(),
    "viewer_without_genai": set(),
}
SEEING = {"functions_explorer_viewer_v2", "functions_explorer_editor_v2", "mloperations_viewer", "mloperations_editor"}
BLIND = {"connections_editor", "aicore_admin_viewer", "aicore_admin_editor"}


@pytest.fixture(scope="module")
def built_in() -> RoleCatalogue:
    return load_catalogue()


@each_row("role", ROLES)
def test_role(role: str, built_in: RoleCatalogue) -> None:
    assert built_in.scopes([role], []) == ROLES[role]


@each_row("name", sorted(SEEING | BLIND))
@each_row("variant", ["", "_without_genai"])
def test_role_collection(name: str, variant: str, built_in: RoleCatalogue) -> None:
    scopes = built_in.scopes([], [f"ailaunchpad_{name}{variant}"])
    assert ({METRICS, RUNS} <= scopes) is (name in SEEING)
    assert name in SEEING or not scopes & {METRICS, RUNS}


def test_role_collections_of_their_own_kind(built_in: RoleCatalogue) -> None:
    for name in ("genai_experimenter", "genai_manager"):
        assert built_in.scopes([], [f"ailaunchpad_{name}"]) == GENAI
    assert built_in.scopes([], ["ailaunchpad_allow_all_resourcegroups"]) == {"allow_all_resourcegroups"}
    editor = built_in.scopes([], ["ailaunchpad_functions_explorer_editor_v2"])
    assert editor >= CHANGES
    assert METRICS in editor


def test_editors_do_not_see_metrics(built_in: RoleCatalogue) -> None:
    for role in ("scenario_job_editor", "scenario_execution_editor"):
        assert METRICS not in built_in.scopes([role], [])


def test_unknown_names_grant_nothing(built_in: RoleCatalogue) -> None:
    assert (
        built_in.scopes(["root", METRICS, "Scenario_Metric_Viewer", ""], ["admins", "scenario_metric_viewer"]) == set()
    )
    assert built_in.scopes(["ailaunchpad_mloperations_viewer"], []) == set()


def test_who_grants_metrics(built_in: RoleCatalogue) -> None:
    grants = built_in.granting(METRICS)
    assert set(grants.roles) == {role for role, scopes in ROLES.items() if METRICS in scopes}
    named = {f"ailaunchpad_{name}{variant}" for name in SEEING for variant in ("", "_without_genai")}
    assert set(grants.role_collections) == named | {"ailaunchpad_genai_experimenter", "ailaunchpad_genai_manager"}
    assert list(grants.roles) == sorted(grants.roles)
    assert built_in.granting("no such scope").roles == ()


EXTENSION = """
[roles]
model_reviewer = ["scenarios.metrics.read"]
viewer = ["scenarios.executions.read"]

[role_collections]
"Model Reviewers" = ["model_reviewer", "scenario_job_viewer"]
ailaunchpad_mloperations_viewer = []
"""


def test_a_file_extends(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(EXTENSION)
    catalogue = load_catalogue(str(path))
    assert catalogue.scopes([], ["Model Reviewers"]) == {METRICS, RUNS}
    assert catalogue.scopes(["viewer"], []) == {RUNS}
    assert catalogue.scopes([], ["ailaunchpad_mloperations_viewer"]) == set()
    assert catalogue.scopes(["scenario_metric_viewer"], []) == {METRICS}
    assert "model_reviewer" in catalogue.granting(METRICS).roles
    assert "Model Reviewers" in catalogue.granting(METRICS).role_collections


def test_a_file_replaces(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text('extends = false\n[roles]\nreader = ["scenarios.metrics.read"]\n')
    catalogue = load_catalogue(str(path))
    assert catalogue.granting(METRICS).roles == ("reader",)
    assert catalogue.scopes(["scenario_metric_viewer"], ["ailaunchpad_mloperations_viewer"]) == set()


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("[role]\n[also]", "also: only extends, roles and role_collections are known"),
        ("extends = 1", "extends: must be true or false"),
        ("roles = 1", "roles: must be a table"),
        ("[roles]\na = 'scenarios.read'", "roles.a: must be a list of names"),
        ("[roles]\na = [1]", "roles.a: must be a list of names"),
        ("[roles]\na = ['']", "roles.a: must be a list of names"),
        ("[roles.a]\nscopes = []", "roles.a: must be a list of names"),
        (
            "[role_collections]\n'A b' = ['viewer', 'no_such_role']",
            "role_collections.A b: there is no role 'no_such_role'",
        ),
        (
            "extends = false\n[role_collections]\na = ['viewer', 'admin']",
            "role_collections.a: there is no role 'admin'",
        ),
    ],
)
def test_a_mistake_names_file_and_entry(text: str, where: str, tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"roles\.toml") as fault:
        load_catalogue(str(path))
    assert str(fault.value) == f"{path}: {where}"


def test_what_is_no_toml_is_named_in_the_words_of_its_reader(tmp_path: Path) -> None:
    path = tmp_path / "roles.toml"
    for text, why in (("roles = [", "Invalid value"), ("[roles]\na = []\na = []", "Cannot overwrite a value")):
        path.write_text(text)
        with pytest.raises(ValueError, match=rf"roles\.toml: {why}"):
            load_catalogue(str(path))


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.toml").write_bytes(b"# \xe9")
    for name in ("missing.toml", "latin.toml", "."):
        path = str(tmp_path / name)
        with pytest.raises(ValueError, match=rf"^{re.escape(path)}: cannot be read: "):
            load_catalogue(path)


def test_roles_and_the_collections_beside_them_add_up() -> None:
    catalogue = RoleCatalogue({"r": ["x"], "s": ["y"], "t": ["z"]}, {"c": ["s"], "d": ["t"]})
    assert catalogue.scopes(["r"], ["c", "d"]) == {"x", "y", "z"}
    assert catalogue.scopes(["r"], ["nobody's"]) == {"x"}
