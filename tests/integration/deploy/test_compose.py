"""How far each container of docker-compose.yml can reach, and what it is started with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.rows import each_row

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]


@each_row("name", SERVICES)
def test_a_container_is_confined_and_bounded(name: str) -> None:
    container = SERVICES[name]
    assert container["read_only"] is True
    assert container["cap_drop"] == ["ALL"]
    assert container["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid"} & container.keys()
    assert container["mem_limit"][-1] in "mg"
    assert 0 < container["pids_limit"] <= 2048
    assert all(":size=" in mount for mount in container.get("tmpfs", []))


def test_redis_is_reached_by_the_service_alone_and_nothing_but_the_proxy_from_outside() -> None:
    assert COMPOSE["networks"]["back"] == {"internal": True}
    assert {name for name, container in SERVICES.items() if "back" in container["networks"]} == {"service", "redis"}
    assert SERVICES["redis"]["networks"] == ["back"]
    assert [name for name, container in SERVICES.items() if "ports" in container] == ["proxy"]


def test_secrets_are_asked_for_and_none_is_a_default() -> None:
    environment = SERVICES["service"]["environment"]
    assert environment["REDIS_URL"].startswith("redis://:${REDIS_PASSWORD:?")
    assert environment["CACHE_SECRET"].startswith("${CACHE_SECRET:?")
    assert SERVICES["redis"]["environment"]["REDISCLI_AUTH"].startswith("${REDIS_PASSWORD:?")
    assert "requirepass" in " ".join(SERVICES["redis"]["command"])
