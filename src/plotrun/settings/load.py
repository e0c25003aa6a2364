"""settings.toml -> typed settings, or all of its mistakes at once."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from plotrun.model import TMP2_IN_DST, Deliver, Job
from plotrun.settings import lines
from plotrun.settings.problems import Problem, SettingsError, nearest, shown
from plotrun.settings.schema import GeneralKeys, JobKeys, Key, Schema
from plotrun.settings.settings import Settings, Source
from plotrun.settings.toml_file import read_toml

TABLES = ("plotrun", "defaults", "plugins", "job")


def load_settings(file: Path, schema: Schema) -> Settings:
    """Read and check a settings file.

    Raises:
        SettingsError: all that is wrong with it.
    """
    text, table = read_toml(file)
    reader = _Reader(file, text, schema)
    settings = reader.read(table)
    if reader.problems:
        raise SettingsError(reader.problems)
    return settings


def job_as_written(written: Mapping[str, Any], schema: Schema) -> Job | None:
    """The job that a worker was started for; None if it cannot be read any more.

    That happens when its plotter's package has gone, or has other keys than before.
    """
    reader = _Reader(Path(), "", schema)
    settings = reader.read({"job": [dict(written)]})
    return settings.jobs[0] if settings.jobs and not reader.problems else None


class _Reader:
    """Reads one file and gathers what is wrong with it."""

    def __init__(self, file: Path, text: str, schema: Schema) -> None:
        self.file = file
        self.schema = schema
        self.problems: list[Problem] = []
        self._text = text
        self._lines: dict[lines.Path, int] | None = None
        self._table: dict[str, Any] = {}

    def line(self, path: lines.Path) -> int | None:
        """Line of a key, or of the nearest table around it."""
        if self._lines is None:
            self._lines = lines.line_numbers(self._text)
        for length in range(len(path), 0, -1):
            if path[:length] in self._lines:
                return self._lines[path[:length]]
        return None

    def problem(
        self, path: lines.Path, found: str | None, expected: str, hint: str | None = None
    ) -> None:
        """Note a mistake at *path*."""
        key = ".".join(str(part) for part in path if isinstance(part, str))
        self.problems.append(Problem(self.file, self.line(path), key, found, expected, hint))

    def read(self, table: dict[str, Any]) -> Settings:
        """The settings, as far as they can be read."""
        self._table = table
        for name in table.keys() - set(TABLES):
            expected = "one of [plotrun], [defaults], [plugins], [[job]]"
            self.problem((name,), f'unknown key "{name}"', expected, nearest(name, TABLES))
        general = self.values(table.get("plotrun"), ("plotrun",), self.schema.general)
        blocked, sections = self._plugins(table.get("plugins"))
        layers = self._defaults(table.get("defaults"))
        jobs: list[Job] = []
        sources: dict[str, Mapping[str, Source]] = {}
        for position, raw in enumerate(self._job_tables(table)):
            read = self._job(raw, ("job", position), layers, jobs)
            if read is not None:
                jobs.append(read[0])
                sources[read[0].name] = read[1]
        return Settings(self.file, GeneralKeys(**general), tuple(jobs), blocked, sources, sections)

    def _job_tables(self, table: dict[str, Any]) -> list[Any]:
        jobs = table.get("job")
        if not jobs:
            self.problems.append(
                Problem(
                    self.file, None, "job", "no job", "at least one [[job]]", "see `plotrun init`"
                )
            )
            return []
        if not isinstance(jobs, list):
            self.problem(("job",), "[job]", "[[job]] with two brackets on each side")
            return []
        return jobs

    def values(self, table: Any, path: lines.Path, keys: Mapping[str, Key]) -> dict[str, Any]:
        """The values of *table* for known keys, each checked; the others are mistakes."""
        if table is None:
            return {}
        if not isinstance(table, dict):
            self.problem(path, shown(table), "a table")
            return {}
        found = {}
        for name, raw in table.items():
            if name not in keys:
                expected = "a key that is known here"
                self.problem((*path, name), f'unknown key "{name}"', expected, nearest(name, keys))
                continue
            with self._checked((*path, name), raw, keys[name]):
                found[name] = keys[name].adapter.validate_python(raw, strict=True)
        return found

    @contextlib.contextmanager
    def _checked(self, path: lines.Path, raw: Any, key: Key) -> Iterator[None]:
        from pydantic import ValidationError

        try:
            yield
        except ValidationError as error:
            cause = error.errors()[0].get("ctx", {}).get("error")
            hint = str(cause) if isinstance(cause, ValueError) else None
            self.problem(path, shown(raw), key.expected, hint)

    def _plugins(self, table: Any) -> tuple[frozenset[str], dict[type, Any]]:
        table = {} if table is None else table
        if not isinstance(table, dict):
            self.problem(("plugins",), shown(table), "a table")
            table = {}
        known = self.schema.plugins
        blocked = table.get("blocked", [])
        if not isinstance(blocked, list) or not all(isinstance(name, str) for name in blocked):
            self.problem(("plugins", "blocked"), shown(blocked), "a list of plugin names")
            blocked = []
        for name in set(blocked) - known:
            expected = "the name of a plugin (see `plotrun plugins`)"
            self.problem(("plugins", "blocked"), shown(name), expected, nearest(name, known))
        for name in table.keys() - {"blocked"} - known:
            expected = "the name of a plugin that is loaded"
            self.problem(("plugins", name), shown(name), expected, nearest(name, known))
        sections = {}
        for section in self.schema.sections:
            if section.model is not None:
                keys = self.schema.section_keys(section.plugin)
                path = ("plugins", section.plugin)
                values = self.values(table.get(section.plugin), path, keys)
                self._required(keys, values, path)
                with contextlib.suppress(TypeError):  # a required key is missing: noted above
                    sections[section.model] = section.model(**values)
        without = known - {section.plugin for section in self.schema.sections} - set(blocked)
        for name in table.keys() & without:
            self.problem(("plugins", name), "a section", "none: this plugin has no settings")
        return frozenset(blocked), sections

    def _required(self, keys: Mapping[str, Key], values: Any, path: lines.Path) -> None:
        for name, key in keys.items():
            if key.required and name not in values and not self._complained((*path, name)):
                self.problem((*path, name), "nothing", key.expected, f"{name} must be given")

    def _complained(self, path: lines.Path) -> bool:
        """Whether a wrong value for this key has been noted already."""
        key = ".".join(str(part) for part in path if isinstance(part, str))
        line = self.line(path)
        return any(problem.key == key and problem.line == line for problem in self.problems)

    def _defaults(self, table: Any) -> dict[str, dict[str, tuple[Any, lines.Path]]]:
        """Defaults for all plotters (under ""), and those for each plotter."""
        if table is not None and not isinstance(table, dict):
            self.problem(("defaults",), shown(table), "a table")
        table = table if isinstance(table, dict) else {}
        plotters = self.schema.plotters
        layers = {}
        general = {name: raw for name, raw in table.items() if not isinstance(raw, dict)}
        for name in set(table) - set(general) - set(plotters):
            expected = "the name of a plotter (see `plotrun plugins`)"
            self.problem(("defaults", name), shown(name), expected, nearest(name, plotters))
        for layer in ("", *(set(table) & set(plotters))):
            path: lines.Path = ("defaults", layer) if layer else ("defaults",)
            keys = self.schema.job_keys(layer or None)
            values = self.values(table[layer] if layer else general, path, _shareable(keys))
            layers[layer] = {name: (value, (*path, name)) for name, value in values.items()}
        return layers

    def _job(
        self,
        raw: Any,
        path: lines.Path,
        layers: dict[str, dict[str, tuple[Any, lines.Path]]],
        others: list[Job],
    ) -> tuple[Job, Mapping[str, Source]] | None:
        before = len(self.problems)
        if not isinstance(raw, dict):
            self.problem(path, shown(raw), "a table")
            return None
        plotter = raw.get("plotter", layers[""].get("plotter", (None, None))[0])
        if not isinstance(plotter, str) or plotter not in self.schema.plotters:
            known = self.schema.plotters
            expected = f"one of {', '.join(sorted(known))}" if known else "a plotter"
            hint = nearest(plotter, known) if isinstance(plotter, str) else "plotter must be given"
            found = "nothing" if plotter is None else shown(plotter)
            self.problem((*path, "plotter"), found, expected, hint)
            rest = {name: value for name, value in raw.items() if name != "plotter"}
            self.values(rest, path, self.schema.job_keys(None))
            return None
        keys = self.schema.job_keys(plotter)
        own = {name: (value, (*path, name)) for name, value in self.values(raw, path, keys).items()}
        given = {
            name: value
            for name, value in (layers[""] | layers.get(plotter, {}) | own).items()
            if name in keys
        }
        values = {name: value for name, (value, _) in given.items()}
        self._required(keys, values, path)
        places = {name: place for name, (_, place) in given.items()}
        self._consistent(values, places, path, others)
        if len(self.problems) > before:
            return None
        values = {name: key.default for name, key in keys.items()} | values
        sections = {model: _instance(model, values) for model in self.schema.job_models(plotter)}
        for problem in self.schema.plotters[plotter].check(
            sections[self.schema.plotters[plotter].keys]
        ):
            place = places.get(problem.key, (*path, problem.key))
            found = shown(_plain(values.get(problem.key)))
            self.problem(place, found, problem.expected)
        if len(self.problems) > before:
            return None
        written = {name: self._written(place) for name, place in places.items()}
        return _as_job(values, sections, written), self._sources(values, places)

    def _written(self, place: lines.Path) -> Any:
        value: Any = self._table
        for part in place:
            value = value[part]
        return value

    def _consistent(
        self,
        values: Mapping[str, Any],
        places: Mapping[str, lines.Path],
        path: lines.Path,
        others: list[Job],
    ) -> None:
        """What the core's own keys must be to each other."""
        name = values.get("name")
        if any(job.name == name for job in others):
            self.problem((*path, "name"), shown(name), "a name that no other job has")
        tmp2 = values.get("tmp2") or ()
        dst = values.get("dst", ())
        for key, paths in (("tmp", values.get("tmp", ())), ("tmp2", tmp2)):
            for directory in paths if paths != TMP2_IN_DST else ():
                if directory in dst:
                    expected = f'a directory that is no destination: "{directory}" is in dst too'
                    self.problem(places[key], shown(str(directory)), expected)
        plotter = self.schema.plotters[values.get("plotter", "")] if "plotter" in values else None
        if plotter and tmp2 and not plotter.has_tmp2:
            expected = f"no tmp2: {plotter.name} has no second temporary directory"
            self.problem(places["tmp2"], "tmp2", expected)
        several = values.get("plots_per_process", 1)
        if plotter and several > 1 and not plotter.several_plots:
            expected = f"1: {plotter.name} makes one plot in a process"
            self.problem(places["plots_per_process"], str(several), expected)

    def _sources(
        self, values: Mapping[str, Any], places: Mapping[str, lines.Path]
    ) -> dict[str, Source]:
        found = {}
        for name, value in values.items():
            if name in places:
                table = ".".join(str(part) for part in places[name][:-1] if isinstance(part, str))
                label = "[[job]]" if table == "job" else f"[{table}]"
                found[name] = Source(value, label, self.line(places[name]))
            else:
                found[name] = Source(value, "default")
        return found


def _shareable(keys: Mapping[str, Key]) -> dict[str, Key]:
    """Keys that make sense as a default: all but the job's name."""
    return {name: key for name, key in keys.items() if name != "name"}


def _instance(model: type, values: Mapping[str, Any]) -> Any:
    return model(**{field.name: values[field.name] for field in fields(model)})


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, Path) else value


def _as_job(
    values: Mapping[str, Any], sections: Mapping[type, Any], written: Mapping[str, Any]
) -> Job:
    tmp2 = values["tmp2"]
    return Job(
        name=values["name"],
        plotter=values["plotter"],
        plots=values["plots"],
        command=values["command"],
        tmp=values["tmp"],
        tmp2=() if tmp2 in (None, TMP2_IN_DST) else tmp2,
        tmp2_in_dst=tmp2 == TMP2_IN_DST,
        dst=values["dst"],
        deliver=Deliver(values["deliver"]),
        nice=values["nice"],
        io_priority=values["io_priority"],
        cpu_affinity=values["cpu_affinity"],
        written=written,
        sections={JobKeys: _instance(JobKeys, values), **sections},
    )
