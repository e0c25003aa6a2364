"""Values of settings that are tables: one with keys of its own, or one for each directory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from plotrun.settings.problems import nearest, shown
from plotrun.settings.schema import keys_of
from plotrun.settings.types import Written, WrongKey, WrongKeys, read_path


def one_table(model: type, check: Callable[[Any], WrongKey | None] | None = None) -> Written:
    """How a table with keys of *model*, a frozen dataclass, is written: ``[job.replot]``.

    *check* answers what is wrong with the whole of it, under no name, or with one of its keys.
    """

    def read(value: Any) -> Any:
        if not isinstance(value, dict):
            raise ValueError("it is not a table")
        found = _row(model, value)
        problem = check(found) if check is not None else None
        if problem is not None:
            raise WrongKeys([problem])
        return found

    return Written(read, "a table", {"type": "object"}, model)


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
        raise WrongKeys(problems)
    keys = keys_of(model, "")
    return model(**{name: keys[name].read(raw) for name, raw in row.items()})


def _problems(model: type, row: Mapping[str, Any]) -> Iterator[WrongKey]:
    keys = keys_of(model, "")
    for name, raw in row.items():
        if name not in keys:
            found, expected = f"unknown key {shown(name)}", f"one of {', '.join(keys)}"
            yield WrongKey(name, found, expected, nearest(name, keys))
            continue
        try:
            keys[name].read(raw)
        except ValueError as error:
            yield WrongKey(name, shown(raw), keys[name].expected, str(error) or None)
    for name, key in keys.items():
        if key.required and name not in row:
            yield WrongKey(name, "nothing", key.expected, f"{name} must be given")
