"""Values of settings that are tables: one for each directory, or a list of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from plotrun.plotter import KeyProblem
from plotrun.settings.key import RowProblem, WrongRows, keys_of
from plotrun.settings.problems import nearest, shown
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


def list_of(model: type, check: Callable[[Any], KeyProblem | None] = lambda row: None) -> Written:
    """How ``[[job.name]]`` tables are written: each with keys of *model*, a frozen dataclass.

    They are read as a tuple of *model*. *check* answers what does not fit together in one.
    """

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError("it is no list of tables")
        rows: list[Any] = []
        problems: list[RowProblem] = []
        for number, raw in enumerate(value):
            found = list(_row_problems(model, raw))
            if not found:
                row = _made(model, raw)
                problem = check(row)
                if problem is not None:
                    found = [
                        RowProblem((problem.key,), shown(raw.get(problem.key)), problem.expected)
                    ]
                elif row in rows:
                    found = [RowProblem((), "the same as before", "each of them once")]
                rows.append(row)
            problems += [RowProblem((number, *p.place), p.found, p.expected, p.hint) for p in found]
        if problems:
            raise WrongRows(problems)
        return tuple(rows)

    return Written(read, "tables", {"type": "array", "items": {"type": "object"}})


def _row(model: type, row: Any) -> Any:
    problems = list(_row_problems(model, row))
    if problems:
        raise ValueError(", ".join(map(_in_words, problems)))
    return _made(model, row)


def _made(model: type, row: Mapping[str, Any]) -> Any:
    keys = keys_of(model, "")
    return model(**{name: keys[name].read(raw) for name, raw in row.items()})


def _in_words(problem: RowProblem) -> str:
    key = "".join(f"{part}: " for part in problem.place)
    hint = f" ({problem.hint})" if problem.hint else ""
    return f"{key}found {problem.found}, expected {problem.expected}{hint}"


def _row_problems(model: type, row: Any) -> Iterator[RowProblem]:
    if not isinstance(row, dict):
        yield RowProblem((), shown(row), "a table")
        return
    keys = keys_of(model, "")
    for name, raw in row.items():
        if name not in keys:
            known = f"one of {', '.join(keys)}"
            yield RowProblem((name,), f"unknown key {shown(name)}", known, nearest(name, keys))
            continue
        try:
            keys[name].read(raw)
        except ValueError as error:
            yield RowProblem((name,), shown(raw), keys[name].expected, str(error) or None)
    for name, key in keys.items():
        if key.required and name not in row:
            yield RowProblem((name,), "nothing", key.expected, f"{name} must be given")
