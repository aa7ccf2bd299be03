"""The page's files, served below a path that changes with them."""

from __future__ import annotations

from hashlib import blake2b
from importlib import resources
from importlib.resources.abc import Traversable

from service.api.http.static_assets import Asset

INDEX = "index.html"
_PLACE = "{assets}"
"""The placeholder in ``index.html`` for the path of the other files."""
_TYPES = {
    "css": "text/css; charset=utf-8",
    "html": "text/html; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class Assets:
    """The files of the page. ``version`` changes with any of them, so that files below it may be cached for ever."""

    def __init__(self) -> None:
        files = dict(_files(resources.files("service.web") / "static", ""))
        digest = blake2b(digest_size=10)
        for name, body in sorted(files.items()):
            digest.update(f"{name}\0{len(body)}\0".encode() + body)
        self.version = digest.hexdigest()
        index = files.pop(INDEX).decode().replace(_PLACE, f"assets/{self.version}")
        self.index = Asset(index.encode(), _TYPES["html"])
        self._files = {name: Asset(body, _TYPES[name.rpartition(".")[2]]) for name, body in files.items()}

    def file(self, name: str) -> Asset | None:
        """The file of that name below ``static``; ``None`` where there is none."""
        return self._files.get(name)


def _files(directory: Traversable, prefix: str) -> list[tuple[str, bytes]]:
    found: list[tuple[str, bytes]] = []
    for entry in directory.iterdir():
        if entry.is_dir():
            found += _files(entry, f"{prefix}{entry.name}/")
        elif entry.name.rpartition(".")[2] in _TYPES:
            found.append((prefix + entry.name, entry.read_bytes()))
    return found


def script(body: bytes) -> Asset:
    """A script that is made at run time."""
    return Asset(body, _TYPES["js"])
