"""The jobs of a settings file: each value from the job, its plotter's defaults or the general."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from datetime import date, time
from typing import Any

from plotrun.model import TMP2_IN_DST, Deliver, Job
from plotrun.plotter import KeyProblem, Plotter
from plotrun.settings import lines
from plotrun.settings.job_events import EventKeys
from plotrun.settings.problems import dotted, nearest, shown
from plotrun.settings.reading import WRONG, Given, Reading
from plotrun.settings.schema import JobKeys, Key, SettingsSection
from plotrun.settings.settings import Source


class JobsReader:
    """Reads the jobs of one file."""

    def __init__(self, reading: Reading, table: Mapping[str, Any]) -> None:
        self._reading = reading
        self._schema = reading.schema
        self._names: set[str] = set()
        self._general: dict[str, Given] = {}
        """``[defaults]``."""
        self._of_plotter: dict[str, dict[str, Given]] = {}
        """``[defaults.<plotter>]``."""
        self._defaults(reading.table(table.get("defaults"), ("defaults",)))

    def read(self, tables: list[Any]) -> list[tuple[Job, Mapping[str, Source]]]:
        """Each job that is right, and where its values come from."""
        jobs = [self._job(raw, ("job", position)) for position, raw in enumerate(tables)]
        return [job for job in jobs if job is not None]

    def _defaults(self, table: Mapping[str, Any]) -> None:
        variants = {k: v for k, v in self._schema.all_job_keys().items() if k != "name"}
        general = {}
        for name, raw in table.items():
            place = ("defaults", name)
            if name in self._schema.plotters:
                self._defaults_of(name, self._reading.table(raw, place))
            elif isinstance(raw, dict) and name not in variants:
                expected = "the name of a plotter (see `plotrun plugins`)"
                hint = nearest(name, sorted(self._schema.plotters))
                self._reading.problem(place, shown(name), expected, hint)
            else:
                general[name] = raw
        self._general = self._reading.given(general, ("defaults",), variants, "[defaults]")
        for name, given in self._general.items():
            if name == "plotter":
                self._plotter(given)
            else:
                self._reading.value(given, *variants[name])

    def _defaults_of(self, plotter: str, table: Mapping[str, Any]) -> None:
        of_job = ("name", "plotter")
        keys = {k: v for k, v in self._schema.job_keys(plotter).items() if k not in of_job}
        place = ("defaults", plotter)
        given = self._reading.given(table, place, keys, f"[defaults.{plotter}]")
        self._reading.values(given, keys)
        self._of_plotter[plotter] = given

    def _plotter(self, given: Given) -> Plotter | None:
        """The plotter of this name."""
        known = self._schema.plotters
        if isinstance(given.raw, str) and given.raw in known:
            return known[given.raw]
        if not self._reading.is_wrong(given.place):
            hint = nearest(given.raw, sorted(known)) if isinstance(given.raw, str) else None
            self._reading.problem(given.place, shown(given.raw), self._known_plotters(), hint)
        return None

    def _known_plotters(self) -> str:
        known = ", ".join(sorted(self._schema.plotters))
        return f"one of {known}" if known else "a plotter, and no plugin brings one"

    def _job(self, raw: Any, place: lines.Path) -> tuple[Job, Mapping[str, Source]] | None:
        if not isinstance(raw, dict):
            self._reading.problem(place, shown(raw), "a table")
            return None
        self._note_name(raw.get("name"), place)
        named = self._general.get("plotter")
        if "plotter" in raw:
            named = Given(raw["plotter"], (*place, "plotter"))
        if named is None:
            expected, hint = self._known_plotters(), "plotter must be given"
            self._reading.problem((*place, "plotter"), "nothing", expected, hint)
        plotter = self._plotter(named) if named else None
        if plotter is None:
            self._without_plotter(raw, place)
            return None
        return self._job_of(plotter, raw, place)

    def _note_name(self, name: Any, place: lines.Path) -> None:
        if isinstance(name, str):
            if name in self._names:
                expected = "a name that no other job has"
                self._reading.problem((*place, "name"), shown(name), expected)
            self._names.add(name)

    def _without_plotter(self, raw: Mapping[str, Any], place: lines.Path) -> None:
        """What can be said of a job whose plotter is not known: any plotter's keys are right."""
        variants = self._schema.all_job_keys()
        rest = {name: value for name, value in raw.items() if name != "plotter"}
        for name, given in self._reading.given(rest, place, variants, "a job").items():
            self._reading.value(given, *variants[name])

    def _job_of(
        self, plotter: Plotter, raw: Mapping[str, Any], place: lines.Path
    ) -> tuple[Job, Mapping[str, Source]] | None:
        keys = self._schema.job_keys(plotter.name)
        own = self._reading.given(raw, place, keys, f"a job of {plotter.name}")
        layers = self._general | self._of_plotter.get(plotter.name, {}) | own
        given = {name: layers[name] for name in layers if name in keys}
        self._reading.required(keys, given, place)
        values = self._values(plotter, keys, given)
        self._consistent(plotter, values, given)
        needed = {name for name, key in keys.items() if key.required}
        if (needed | given.keys()) - values.keys():
            return None
        values = {name: key.default for name, key in keys.items()} | values
        sections = {model: _instance(model, values) for model in self._models(plotter)}
        if not self._plotter_agrees(plotter, sections[plotter.keys], given, place):
            return None
        written = {name: _as_json(each.raw) for name, each in given.items()}
        job = _as_job(values, sections, written)
        agreed = [self._agrees_with(job, each, given, place) for each in self._schema.sections]
        return (job, self._sources(values, given)) if all(agreed) else None

    def _values(
        self, plotter: Plotter, keys: Mapping[str, Key], given: Mapping[str, Given]
    ) -> dict[str, Any]:
        found = {}
        for name, each in given.items():
            if self._reading.is_wrong(each.place):
                continue  # a default that has been told of already
            # A general default may be right for one plotter and wrong for another.
            hint = f"for {plotter.name}" if each.place[0] == "defaults" else None
            value = self._reading.value(each, keys[name], hint=hint)
            if value is not WRONG:
                found[name] = value
        return found

    def _models(self, plotter: Plotter) -> list[type]:
        return [JobKeys, EventKeys, *self._schema.job_models(plotter.name)]

    def _consistent(
        self, plotter: Plotter, values: Mapping[str, Any], given: Mapping[str, Given]
    ) -> None:
        """What the core's own keys must be to each other."""
        dst = values.get("dst", ())
        for key in ("tmp", "tmp2"):
            paths = values.get(key, ())
            for directory in paths if paths != TMP2_IN_DST else ():
                if directory in dst:
                    words = shown(str(directory))
                    expected = f"a directory that is no destination: {words} is in dst too"
                    self._reading.problem(given[key].place, words, expected)
        if "tmp2" in values and not plotter.has_tmp2:
            expected = f"no tmp2: {plotter.name} has no second temporary directory"
            self._reading.problem(given["tmp2"].place, "tmp2", expected)
        problem = _several_problem(plotter, values.get("plots_per_process"))
        if problem is not None:
            several = str(values["plots_per_process"])
            self._reading.problem(given["plots_per_process"].place, several, problem)

    def _plotter_agrees(
        self, plotter: Plotter, keys: Any, given: Mapping[str, Given], place: lines.Path
    ) -> bool:
        key = ("plotter", plotter.name)
        return self._agrees(lambda: plotter.check(keys), key, given, place)

    def _agrees_with(
        self, job: Job, section: SettingsSection, given: Mapping[str, Given], place: lines.Path
    ) -> bool:
        if section.check_job is None:
            return True
        check = functools.partial(section.check_job, job)
        return self._agrees(check, ("name", section.plugin), given, place)

    def _agrees(
        self,
        check: Callable[[], Iterable[KeyProblem]],
        checker: tuple[str, str],
        given: Mapping[str, Given],
        place: lines.Path,
    ) -> bool:
        """Note what *check* finds; *checker* is the key to blame if it fails, and who it is."""
        try:
            problems = list(check())
        except Exception as error:  # a stranger's package may fail in any way
            words = f"{type(error).__name__}: {error}"
            expected = f"keys that {checker[1]} can check"
            self._reading.problem((*place, checker[0]), shown(checker[1]), expected, words)
            return False
        for problem in problems:
            name, *inner = problem.key.split(".")
            at = given.get(name, Given(None, (*place, name)))
            raw = at.raw
            for part in inner:
                raw = raw.get(part) if isinstance(raw, dict) else None
            self._reading.problem((*at.place, *inner), shown(raw), problem.expected)
        return not problems

    def _sources(
        self, values: Mapping[str, Any], given: Mapping[str, Given]
    ) -> Mapping[str, Source]:
        found = {}
        for name, value in values.items():
            if name in given:
                place = given[name].place
                label = "[[job]]" if place[0] == "job" else f"[{dotted(place[:-1])}]"
                found[name] = Source(value, label, self._reading.line(place))
            else:
                found[name] = Source(value, "default")
        return found


def _instance(model: type, values: Mapping[str, Any]) -> Any:
    return model(**{field.name: values[field.name] for field in fields(model)})


def _as_json(raw: Any) -> Any:
    """A value of TOML as JSON can hold it: workers are stored with what they were started for."""
    if isinstance(raw, dict):
        return {name: _as_json(value) for name, value in raw.items()}
    if isinstance(raw, list):
        return [_as_json(value) for value in raw]
    return raw.isoformat() if isinstance(raw, date | time) else raw


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
        sections=sections,
    )


def _several_problem(plotter: Plotter, several: int | None) -> str | None:
    """What the number of plots in a process should be, if the plotter cannot do it."""
    if several in (None, 1):
        return None
    if not plotter.several_plots:
        return f"1: {plotter.name} makes one plot in a process"
    if several == 0 and not plotter.endless:
        return f"at least 1: {plotter.name} must be told how many plots to make"
    return None
