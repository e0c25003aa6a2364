"""What a change of the settings file changes, in the words of the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from plotrun.settings.problems import shown
from plotrun.settings.schema import Key, Schema
from plotrun.settings.settings import Settings

LONGEST_VALUE = 40
LONGEST = 400
"""Characters of a value, and of the line that tells of all changes."""
NOTHING = "unset"
Written = Mapping[str, Any]


def changes(old: Settings, new: Settings, schema: Schema) -> list[str]:
    """Each table that differs, with its values; jobs that were added or removed.

    A default is told with every job that takes its value from it.
    """
    found = []
    for name, keys in _sections(schema).items():
        words = _differences(_section(old, name), _section(new, name), keys)
        found += [f"[{name}] {words}"] if words else []
    for job in new.jobs:
        before = old.job(job.name)
        if before is None:
            found.append(f"job {job.name} added")
            continue
        keys = {**schema.job_keys(before.plotter), **schema.job_keys(job.plotter)}
        words = _differences(before.written, job.written, keys)
        found += [f"job {job.name}: {words}"] if words else []
    gone = [job.name for job in old.jobs if new.job(job.name) is None]
    return found + [f"job {name} removed: its workers run to their end" for name in gone]


def changes_words(found: Sequence[str]) -> str:
    """All changes in one line of at most `LONGEST` characters and a few."""
    if not found:
        return "no value is another"
    words = "; ".join(found)
    return words if len(words) <= LONGEST else f"{words[:LONGEST]}…"


def _sections(schema: Schema) -> dict[str, Mapping[str, Key]]:
    sections = {"plotrun": schema.general}
    for plugin in sorted(schema.plugins):
        sections[f"plugins.{plugin}"] = schema.section_keys(plugin)
    return sections


def _section(settings: Settings, name: str) -> Written:
    found: Any = settings.written
    for part in name.split(".", 1):
        found = found.get(part, {})
    return found  # type: ignore[no-any-return]


def _differences(old: Written, new: Written, keys: Mapping[str, Key]) -> str:
    return ", ".join(_difference(old, new, name, keys) for name in _changed(old, new, keys))


def _changed(old: Written, new: Written, keys: Mapping[str, Key]) -> Iterator[str]:
    return (name for name in keys if old.get(name) != new.get(name))


def _difference(old: Written, new: Written, name: str, keys: Mapping[str, Key]) -> str:
    values = [old.get(name), new.get(name)]
    if keys[name].help.private or any(_has_tables(value) for value in values):
        return f"{name} changed"
    return f"{name} {_value(values[0])} -> {_value(values[1])}"


def _has_tables(raw: Any) -> bool:
    inner = raw.values() if isinstance(raw, dict) else raw if isinstance(raw, list) else ()
    return any(isinstance(each, dict) for each in inner)


def _value(raw: Any) -> str:
    if raw is None:
        return NOTHING
    if isinstance(raw, dict):
        text = f"{{ {', '.join(f'{name} = {shown(value)}' for name, value in raw.items())} }}"
    else:
        text = raw if isinstance(raw, str) else shown(raw)
    return text if len(text) <= LONGEST_VALUE else f"{text[: LONGEST_VALUE - 1]}…"
