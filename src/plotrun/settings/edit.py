"""Changing one value of a settings file; comments and order stay."""

from __future__ import annotations

import contextlib
import copy
import io
import os
import re
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import tomlkit
from tomlkit.exceptions import TOMLKitError

from plotrun.settings import lines
from plotrun.settings.load import load_settings
from plotrun.settings.problems import Problem, SettingsError, nearest, shown
from plotrun.settings.schema import Schema
from plotrun.settings.toml_file import read_toml


def set_key(file: Path, key: str, value: str, schema: Schema) -> int | None:
    """Set *key* (dotted; a job by its name) to *value* (TOML, or plain text).

    Answers the line. Nothing is written if the settings would be wrong afterwards.

    Raises:
        SettingsError: the file, the key or the value is wrong.
    """
    text, table = read_toml(file)
    place = _place(file, table, key)
    mistake: SettingsError | None = None
    for read, written in _readings(file, key, value):
        wanted = _expected(file, table, key, place, read)
        changed = _changed(file, text, wanted, key, place, written)
        try:
            _write_checked(file, changed, schema)
        except SettingsError as error:
            mistake = mistake or error
        else:
            return lines.nearest_line(lines.line_numbers(changed), place)
    assert mistake is not None
    raise mistake


def _wrong(
    file: Path, key: str, found: str, expected: str, hint: str | None = None
) -> SettingsError:
    return SettingsError([Problem(file, None, key, found, expected, hint)])


def _place(file: Path, table: dict[str, Any], key: str) -> lines.Path:
    parts = key.split(".")
    if len(parts) < 2 or not all(parts):
        raise _wrong(file, key, "no table", "a key such as plotrun.keep_logs")
    tables = table.get("job")
    if parts[0] != "job" or not isinstance(tables, list):
        return tuple(parts)
    jobs = [str(job.get("name")) if isinstance(job, dict) else "" for job in tables]
    for length in range(len(parts) - 1, 1, -1):  # there may be dots in a name
        name = ".".join(parts[1:length])
        if name in jobs:
            return ("job", jobs.index(name), *parts[length:])
    meant = ".".join(parts[1:-1]) or parts[1]
    hint = nearest(meant, jobs)
    raise _wrong(file, key, shown(meant), "job.NAME.KEY with the name of a job", hint)


def _readings(file: Path, key: str, value: str) -> Iterator[tuple[Any, str]]:
    """What *value* may mean, and how that is written.

    TOML first; else text, also where it looks like TOML (a key such as 0x85… is a number there).
    """
    try:
        value.encode()
    except UnicodeEncodeError:
        raise _wrong(file, key, "bytes that are no text", "text in UTF-8") from None
    with contextlib.suppress(ValueError, RecursionError):
        read = tomllib.loads(f"value = {value}")
        if list(read) == ["value"]:
            yield read["value"], value.strip()
            if isinstance(read["value"], str | list | dict):
                return
    yield value, tomlkit.string(value).as_string()


def _expected(
    file: Path, table: dict[str, Any], key: str, place: lines.Path, value: Any
) -> dict[str, Any]:
    """All values as they will be."""
    wanted = copy.deepcopy(table)
    inner: Any = wanted
    rest = place
    if isinstance(place[1], int):
        inner, rest = wanted["job"][place[1]], place[2:]
    for part in rest[:-1]:
        inner = inner.setdefault(part, {})
        if not isinstance(inner, dict):
            found = f"{shown(part)}, which is no table"
            raise _wrong(file, key, found, "a key such as job.NAME.plots")
    if isinstance(inner.get(rest[-1]), dict):
        raise _wrong(file, key, "a table", "one of its keys")
    inner[rest[-1]] = value
    return wanted


def _changed(
    file: Path, text: str, wanted: dict[str, Any], key: str, place: lines.Path, value: str
) -> str:
    """The text with the new value; every other value is as it was."""
    for change in (_with_line, _with_item):
        with contextlib.suppress(TOMLKitError, ValueError, KeyError, TypeError, RecursionError):
            changed = change(text, place, value)
            if tomllib.loads(changed) == wanted:
                return changed
    raise _wrong(file, key, "a place that cannot be changed here", "to be changed with an editor")


def _with_line(text: str, place: lines.Path, value: str) -> str:
    """A line added to a table that is there: below the comment that shows the key, if one does.

    Raises:
        KeyError: the key is there already, or the table is not.
    """
    numbers = lines.line_numbers(text)
    if place in numbers:
        raise KeyError(place)
    first = numbers[place[:-1]]
    rows = list(io.StringIO(text, newline="\n"))
    headers = {number for number in numbers.values() if rows[number - 1].lstrip().startswith("[")}
    last = min((number - 1 for number in headers if number > first), default=len(rows))
    key = tomlkit.key(str(place[-1])).as_string()
    shows = re.compile(rf"\s*#\s*{re.escape(key)}\s*=")
    after = next((n for n in range(first, last) if shows.match(rows[n])), None)
    if after is None:
        filled = (n for n in range(first - 1, last) if not re.match(r"\s*(#|$)", rows[n]))
        after = max(filled, default=first - 1)
    end = "\r\n" if "\r\n" in text else "\n"
    if not rows[after].endswith("\n"):
        rows[after] += end
    indent = re.match(r"[ \t]*", rows[after])
    rows.insert(after + 1, f"{indent[0] if indent else ''}{key} = {value}{end}")
    return "".join(rows)


def _with_item(text: str, place: lines.Path, value: str) -> str:
    """A value replaced, or added with the tables that it needs."""
    document = tomlkit.parse(text)
    table: Any = document
    for part in place[:-1]:
        if isinstance(part, str) and part not in table:
            table[part] = tomlkit.table()
        table = table[part]
    table[place[-1]] = tomlkit.value(value)
    return tomlkit.dumps(document)


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
        _like(target, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def _like(target: Path, temporary: Path) -> None:
    """Give *temporary* the mode and, for root, the owner of *target*."""
    status = target.stat()
    if hasattr(os, "chown"):  # Windows has none
        with contextlib.suppress(OSError):
            os.chown(temporary, status.st_uid, status.st_gid)
    temporary.chmod(status.st_mode & 0o777)
