"""settings.toml -> typed settings, or all of its mistakes at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plotrun.model import Job
from plotrun.settings.event_warnings import event_warnings
from plotrun.settings.jobs import JobsReader
from plotrun.settings.problems import SettingsError, nearest, shown
from plotrun.settings.reading import Reading
from plotrun.settings.schema import GeneralKeys, Schema
from plotrun.settings.settings import Settings
from plotrun.settings.toml_file import read_toml

TABLES = ("plotrun", "defaults", "plugins", "job")


def load_settings(file: Path, schema: Schema) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: all that is wrong with it.
    """
    text, table = read_toml(file)
    reading = Reading(file, text, schema)
    for name in table:
        if name not in TABLES:
            expected = "one of [plotrun], [defaults], [plugins], [[job]]"
            reading.unknown((name,), expected, TABLES)
    general = _general(reading, table)
    blocked, sections = _plugins(reading, table)
    jobs = JobsReader(reading, table).read(_job_tables(reading, table))
    if reading.problems:
        raise SettingsError(reading.problems)
    found = tuple(job for job, _ in jobs)
    sources = {job.name: where for job, where in jobs}
    warnings = tuple(event_warnings(file, found, sources, schema.plotters))
    return Settings(file, general, found, blocked, sources, sections, warnings, table)


def job_as_written(written: Mapping[str, Any], schema: Schema) -> Job | None:
    """The job that a worker was started for; None if it cannot be read any more.

    That happens when its plotter's package has gone, or has other keys than before.
    """
    table = {"job": [dict(written)]}
    # Not strict: what TOML has a type for and JSON has none, such as dates, comes back as text.
    reading = Reading(Path(), "", schema, strict=False)
    jobs = JobsReader(reading, table).read(table["job"])
    return jobs[0][0] if jobs and not reading.problems else None


def _general(reading: Reading, table: Mapping[str, Any]) -> GeneralKeys:
    keys = reading.schema.general
    inner = reading.table(table.get("plotrun"), ("plotrun",))
    given = reading.given(inner, ("plotrun",), keys, "[plotrun]")
    return GeneralKeys(**reading.values(given, keys))


def _plugins(
    reading: Reading, table: Mapping[str, Any]
) -> tuple[frozenset[str], Mapping[type, Any]]:
    inner = reading.table(table.get("plugins"), ("plugins",))
    blocked = _blocked(reading, inner.get("blocked", []))
    with_settings = {section.plugin for section in reading.schema.sections if section.model}
    known = reading.schema.plugins
    for name in inner:
        if name not in {"blocked", *known}:
            expected = "blocked, or the name of a plugin that is loaded"
            hint = nearest(name, ["blocked", *sorted(known)])
            reading.problem(("plugins", name), shown(name), expected, hint)
        elif name in known - with_settings - blocked:
            expected = "none: this plugin has no settings"
            reading.problem(("plugins", name), "a section", expected)
    return blocked, _sections(reading, inner)


def _blocked(reading: Reading, raw: Any) -> frozenset[str]:
    place = ("plugins", "blocked")
    if not isinstance(raw, list) or not all(isinstance(name, str) for name in raw):
        reading.problem(place, shown(raw), "a list of plugin names")
        return frozenset()
    known = reading.schema.plugins
    for name in raw:
        if name not in known:
            expected = "the name of a plugin (see `plotrun plugins`)"
            reading.problem(place, shown(name), expected, nearest(name, sorted(known)))
    return frozenset(raw)


def _sections(reading: Reading, table: Mapping[str, Any]) -> Mapping[type, Any]:
    sections = {}
    for section in reading.schema.sections:
        if section.model is None:
            continue
        place = ("plugins", section.plugin)
        keys = reading.schema.section_keys(section.plugin)
        inner = reading.table(table.get(section.plugin), place)
        given = reading.given(inner, place, keys, f"[plugins.{section.plugin}]")
        reading.required(keys, given, place)
        values = reading.values(given, keys)
        if all(name in values for name, key in keys.items() if key.required):
            sections[section.model] = section.model(**values)
    return sections


def _job_tables(reading: Reading, table: Mapping[str, Any]) -> list[Any]:
    jobs = table.get("job", [])
    if isinstance(jobs, list) and jobs:
        return jobs
    if isinstance(jobs, dict):
        reading.problem(("job",), "[job]", "[[job]] with two brackets on each side")
    elif isinstance(jobs, list):
        reading.problem(("job",), "no job", "at least one [[job]]", "see `plotrun init`")
    else:
        reading.problem(("job",), shown(jobs), "[[job]] tables")
    return []
