"""What documents for engineers name is there: a file that moves is renamed in them too."""

from __future__ import annotations

import re
from pathlib import Path

from tests.rows import each_row

ROOT = Path(__file__).parents[2]
NAMED = re.compile(r"`((?:[\w.-]+/)+[\w.-]+\.(?:py|toml|md|js|txt|yml|json))`")


@each_row("document", ["docs/architecture.md", "CONTRIBUTING.md", "SECURITY.md", "README.md"])
def test_every_file_that_it_names_exists(document: str) -> None:
    named = set(NAMED.findall((ROOT / document).read_text()))
    missing = {name for name in named if not (ROOT / name).exists() and not (ROOT / "service" / name).exists()}
    assert missing == set(), f"{document} names files that have moved"
    assert named or document == "README.md"
