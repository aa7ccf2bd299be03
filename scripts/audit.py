"""Prints the findings of audits; fails where one is known to be exploited. Called by ``.ci/audit``.

The directory that it is given may have ``pip.json`` (of pip-audit), ``npm.json`` (of npm audit) and ``exploited.json``
(CISA's Known Exploited Vulnerabilities Catalog); a missing file could not be fetched.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def main() -> int:
    directory = Path(sys.argv[1])
    exploited = {entry["cveID"] for entry in _read(directory / "exploited.json").get("vulnerabilities", [])}
    pip, npm = _read(directory / "pip.json"), _read(directory / "npm.json")
    counts = {
        "pip-audit": len(pip.get("dependencies", [])),
        "npm audit": npm.get("metadata", {}).get("dependencies", {}).get("total", 0),
        "exploited CVEs": len(exploited),
    }
    print(", ".join(f"{name}: {count or 'could not be had'}" for name, count in counts.items()))
    found = [*_of_pip(pip), *_of_npm(npm)]
    bad = False
    for package, names, about in found:
        known = sorted(names & exploited)
        bad |= bool(known)
        print(f"{package}: {', '.join(sorted(names))}{about}{' - EXPLOITED' if known else ''}")
    print(f"{len(found)} findings, {'some of them' if bad else 'none'} known to be exploited")
    return int(bad)


def _of_pip(report: dict[str, Any]) -> Iterator[tuple[str, set[str], str]]:
    for package in report.get("dependencies", []):
        for found in package.get("vulns", []):
            mended = ", ".join(found.get("fix_versions", [])) or "nothing yet"
            name = f"{package['name']} {package['version']}"
            yield name, {found["id"], *found.get("aliases", [])}, f"; fixed in {mended}"


def _of_npm(report: dict[str, Any]) -> Iterator[tuple[str, set[str], str]]:
    """npm names advisories by their URL at GitHub, without a CVE."""
    for package, found in report.get("vulnerabilities", {}).items():
        names = {via["url"].rsplit("/", 1)[-1] for via in found["via"] if isinstance(via, dict)}
        if names:
            yield f"{package} (npm)", names, f"; {found['severity']}"


def _read(file: Path) -> dict[str, Any]:
    try:
        read: dict[str, Any] = json.loads(file.read_text())
    except (OSError, ValueError):
        return {}
    return read


if __name__ == "__main__":
    sys.exit(main())
