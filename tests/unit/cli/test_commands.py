"""Every command is there and says what it does."""

from __future__ import annotations

import pytest

from service.cli import main


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("serve", "Serve the HTTP interface"),
        ("check", "the keys and Redis can be reached"),
        ("demo", "Run everything on this machine: an AI runtime"),
        ("token", "Mint a token"),
        ("watch", "Follow a run in the terminal"),
        ("openapi", "Print the OpenAPI document."),
    ],
)
def test_each_command_is_loaded_and_described(command: str, said: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert said in " ".join(capsys.readouterr().out.split())
