"""Finding the files to read: those that are named, and all that lie in a directory."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Found:
    """Files to read, each once, and what could not be looked at."""

    files: list[tuple[str, int]] = field(default_factory=list)
    """Path and size in bytes."""
    unreadable: int = 0
    """Directories that may not be listed, links to nowhere, and what is no file: it is not even
    opened, since that alone has effects on pipes and devices."""


def find_files(paths: Iterable[str]) -> Found:
    """All files in *paths* and below, in a fixed order.

    A file is read whatever its name: it is a log if a plotter's lines are in it.
    """
    found = Found()
    seen: set[tuple[int, int]] = set()
    for path in paths:
        for name in _walk(path, found) if Path(path).is_dir() else (path,):
            try:
                status = Path(name).stat()
            except (OSError, ValueError):
                found.unreadable += 1
                continue
            if not stat.S_ISREG(status.st_mode):
                found.unreadable += 1
            elif (status.st_dev, status.st_ino) not in seen:
                seen.add((status.st_dev, status.st_ino))
                found.files.append((name, status.st_size))
    return found


def _walk(top: str, found: Found) -> Iterator[str]:
    def closed(_: OSError) -> None:
        found.unreadable += 1

    for directory, below, names in os.walk(top, onerror=closed):
        below.sort()
        yield from (f"{Path(directory, name)}" for name in sorted(names))
