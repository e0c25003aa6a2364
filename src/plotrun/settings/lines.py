"""Where each key of a TOML file stands: its line number, which TOML parsers do not keep.

The text is read a statement at a time: a statement ends at the first line at which the parser
accepts what has been gathered.
"""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]
"""Names and list positions from the top: ``("job", 0, "name")``."""
_DEEPEST = 8
"""Levels of tables in a value that are looked into; no setting is half as deep."""


def line_numbers(text: str) -> dict[Path, int]:
    """Line (from 1) of each key and table header of *text*, which must be valid TOML."""
    found: dict[Path, int] = {}
    lists: Counter[Path] = Counter()
    section: Path = ()
    statement, first = "", 1
    for number, line in enumerate(text.split("\n"), 1):
        first = first if statement else number
        statement += line + "\n"
        try:
            parsed = tomllib.loads(statement)
        except tomllib.TOMLDecodeError:
            continue  # a value that goes on in the next line
        if first == number and line.lstrip().startswith("["):
            section = _section(parsed, lists)
            found.setdefault(section, number)
        else:
            for path in _paths(parsed):
                found.setdefault(section + path, first)
        statement = ""
    return found


def nearest_line(numbers: dict[Path, int], path: Path) -> int | None:
    """Line of *path*, or of the nearest table around it."""
    for length in range(len(path), 0, -1):
        if path[:length] in numbers:
            return numbers[path[:length]]
    return None


def _section(header: dict[str, Any], lists: Counter[Path]) -> Path:
    """The path that a header line (parsed alone) opens; *lists* counts the ``[[tables]]``."""
    path: Path = ()
    inner: Any = header
    while inner:
        ((name, inner),) = inner.items()
        path = (*path, name)
        if isinstance(inner, list):
            lists[path] += 1
            inner = inner[0]
        if path in lists:
            path = (*path, lists[path] - 1)
    return path


def _paths(value: dict[str, Any], depth: int = 1) -> Iterator[Path]:
    for name, inner in value.items():
        yield (name,)
        if isinstance(inner, dict) and depth < _DEEPEST:
            for path in _paths(inner, depth + 1):
                yield (name, *path)
