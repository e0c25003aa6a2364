"""Changing one value of a settings file; comments and order stay."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import ParseError, TOMLKitError
from tomlkit.items import AoT

from plotrun.settings.lines import line_numbers
from plotrun.settings.load import load_settings
from plotrun.settings.problems import Problem, SettingsError, nearest, shown
from plotrun.settings.schema import Schema
from plotrun.settings.toml_file import read_toml


def set_key(file: Path, key: str, value: str, schema: Schema) -> int:
    """Set *key* (dotted; a job by its name) to *value* (TOML, or plain text).

    Answers the line. Nothing is written if the settings would be wrong afterwards.

    Raises:
        SettingsError: the file, the key or the value is wrong.
    """
    text, _ = read_toml(file)
    document = tomlkit.parse(text)
    parts = key.split(".")
    place = _place(file, document, parts)
    table: Any = document
    for part in place[:-1]:
        if isinstance(part, str) and part not in table:
            table[part] = tomlkit.table()
        table = table[part]
        if not isinstance(table, dict | AoT):
            raise _wrong(file, key, f'"{part}" is no table', "a key such as job.NAME.plots")
    table[place[-1]] = _read(value)
    _write_checked(file, tomlkit.dumps(document), schema)
    return line_numbers(file.read_text("utf-8"))[tuple(place)]


def _place(file: Path, document: Any, parts: list[str]) -> list[str | int]:
    if len(parts) < 2 or not all(parts):
        raise _wrong(file, ".".join(parts), "no table", "a key such as plotrun.keep_logs")
    if parts[0] != "job":
        return list(parts)
    jobs = [str(job.get("name")) for job in document.get("job", [])]
    if len(parts) < 3 or parts[1] not in jobs:
        found = shown(parts[1])
        expected = "job.NAME.KEY with the name of a job"
        raise _wrong(file, ".".join(parts), found, expected, nearest(parts[1], jobs))
    return ["job", jobs.index(parts[1]), *parts[2:]]


def _wrong(
    file: Path, key: str, found: str, expected: str, hint: str | None = None
) -> SettingsError:
    return SettingsError([Problem(file, None, key, found, expected, hint)])


def _read(value: str) -> Any:
    try:
        return tomlkit.value(value)
    except (ParseError, TOMLKitError, ValueError):
        return tomlkit.string(value)


def _write_checked(file: Path, text: str, schema: Schema) -> None:
    """Put *text* in the place of *file* in one step, if it is right."""
    target = file.resolve()  # a link stays a link
    descriptor, name = tempfile.mkstemp(dir=target.parent, prefix=".settings-", suffix=".toml")
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as written:
            written.write(text)
            written.flush()
            os.fsync(written.fileno())
        try:
            load_settings(temporary, schema)
        except SettingsError as error:
            raise SettingsError(
                Problem(file, p.line, p.key, p.found, p.expected, p.hint) for p in error.problems
            ) from None
        temporary.chmod(target.stat().st_mode & 0o777)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
