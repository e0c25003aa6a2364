"""A value of settings that is a table for each directory: exceptions to what holds for all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from plotrun.settings.problems import nearest, shown
from plotrun.settings.schema import keys_of
from plotrun.settings.types import Written, read_path


def by_directory(model: type) -> Written:
    """How a table of directories is written: each with keys of *model*, a frozen dataclass.

    ``[plugins.limits.tmp."/mnt/nvme0"]`` is read as a mapping from `Path` to *model*.
    """

    def read(value: Any) -> dict[Path, Any]:
        if not isinstance(value, dict):
            raise ValueError("it is not a table")
        found: dict[Path, Any] = {}
        problems = []
        for name, row in value.items():
            try:
                path = read_path(name)
                if path in found:
                    raise ValueError("it is named twice")
                found[path] = _row(model, row)
            except ValueError as error:
                problems.append(f"{shown(name)}: {error}")
        if problems:
            raise ValueError("; ".join(problems))
        return found

    return Written(
        read,
        "a table for each directory",
        {"type": "object", "additionalProperties": {"type": "object"}},
    )


def _row(model: type, row: Any) -> Any:
    if not isinstance(row, dict):
        raise ValueError(f"found {shown(row)}, expected a table")
    problems = list(_problems(model, row))
    if problems:
        raise ValueError(", ".join(problems))
    keys = keys_of(model, "")
    return model(**{name: keys[name].read(raw) for name, raw in row.items()})


def _problems(model: type, row: Mapping[str, Any]) -> Iterator[str]:
    keys = keys_of(model, "")
    for name, raw in row.items():
        if name not in keys:
            yield f"unknown key {shown(name)}, {nearest(name, keys) or 'known: ' + ', '.join(keys)}"
            continue
        try:
            keys[name].read(raw)
        except ValueError as error:
            said = f" ({error})" if str(error) else ""
            yield f"{name}: found {shown(raw)}, expected {keys[name].expected}{said}"
    for name, key in keys.items():
        if key.required and name not in row:
            yield f"{name} must be given"
