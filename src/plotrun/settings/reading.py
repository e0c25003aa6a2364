"""Reading one settings file: each value checked, each mistake noted with its place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plotrun.settings import lines
from plotrun.settings.problems import HIDDEN, Problem, dotted, nearest, shown
from plotrun.settings.schema import Key, Schema, keys_of
from plotrun.settings.types import Tables, TellableError

WRONG: Any = object()
"""What a value is read as that is wrong."""


@dataclass(frozen=True)
class Given:
    """A value as it stands in the file, and where."""

    raw: Any
    place: lines.Path


class Reading:
    """Gathers what is wrong with one file."""

    def __init__(self, file: Path, text: str, schema: Schema, strict: bool = True) -> None:
        self.file = file
        self.schema = schema
        self._text = text
        self._strict = strict
        self._lines: dict[lines.Path, int] | None = None
        self._problems: dict[Problem, None] = {}
        self._wrong: set[lines.Path] = set()

    @property
    def problems(self) -> tuple[Problem, ...]:
        """All mistakes, each once: one in a default is found again by every job."""
        return tuple(self._problems)

    def line(self, place: lines.Path) -> int | None:
        """Line of a key, or of the nearest table around it."""
        if self._lines is None:
            self._lines = lines.line_numbers(self._text)
        return lines.nearest_line(self._lines, place)

    def problem(
        self, place: lines.Path, found: str | None, expected: str, hint: str | None = None
    ) -> None:
        """Note a mistake at *place*."""
        self._wrong.add(place)
        problem = Problem(self.file, self.line(place), dotted(place), found, expected, hint)
        self._problems[problem] = None

    def is_wrong(self, place: lines.Path) -> bool:
        """Whether a mistake has been noted at *place*."""
        return place in self._wrong

    def table(self, raw: Any, place: lines.Path) -> dict[str, Any]:
        """A table, empty where there is none."""
        if raw is None:
            return {}
        if not isinstance(raw, dict):
            self.problem(place, shown(raw), "a table")
            return {}
        return raw

    def unknown(self, place: lines.Path, expected: str, known: Iterable[str]) -> None:
        """Note a key that is not known at *place*, and where it would be, or what was meant."""
        name = str(place[-1])
        homes = self.schema.homes(name)
        hint = f"it belongs in {' or '.join(homes)}" if homes else nearest(name, known)
        self.problem(place, f"unknown key {shown(name)}", expected, hint)

    def given(
        self, table: Mapping[str, Any], place: lines.Path, known: Iterable[str], where: str
    ) -> dict[str, Given]:
        """What stands in *table* for known keys; the others are mistakes."""
        known = frozenset(known)
        found = {}
        for name, raw in table.items():
            if name in known:
                found[name] = Given(raw, (*place, name))
            else:
                self.unknown((*place, name), f"a key of {where}", sorted(known))
        return found

    def value(self, given: Given, *keys: Key, hint: str | None = None) -> Any:
        """The value as the first of *keys* reads it that can; `WRONG`, and noted, if none can."""
        if keys[0].tables is not None:
            return self._tables(given, keys[0], keys[0].tables)
        troubles = []
        for key in keys:
            try:
                return key.read(given.raw, self._strict)
            except ValueError as error:
                tellable = isinstance(error, TellableError) or not key.help.secret
                troubles.append(str(error) if tellable else "")
        if keys[0].help.secret:
            self.problem(given.place, HIDDEN, keys[0].expected, troubles[0] or hint)
        else:
            self.problem(given.place, shown(given.raw), keys[0].expected, troubles[0] or hint)
        return WRONG

    def _tables(self, given: Given, key: Key, tables: Tables) -> Any:
        if isinstance(given.raw, list if tables.many else dict):
            rows = given.raw if tables.many else [given.raw]
            places = [(*given.place, n) for n in range(len(rows))] if tables.many else [given.place]
            read = [self._row(*row, key, tables) for row in zip(rows, places, strict=True)]
            for number, (row, place) in enumerate(zip(read, places, strict=True)):
                if row is not WRONG and row in read[:number]:
                    self.problem(place, "the same as before", "each of them once")
                    read[number] = WRONG
            if any(row is WRONG for row in read):
                self._wrong.add(given.place)
                return WRONG
            return tuple(read) if tables.many else read[0]
        found = HIDDEN if key.help.secret else shown(given.raw)
        self.problem(given.place, found, key.expected)
        return WRONG

    def _row(self, raw: Any, place: lines.Path, key: Key, tables: Tables) -> Any:
        if not isinstance(raw, dict):
            self.problem(place, HIDDEN if key.help.secret else shown(raw), "a table")
            return WRONG
        keys = keys_of(tables.model, key.owner)
        given = self.given(raw, place, keys, f"[{dotted(place)}]")
        self.required(keys, given, place)
        values = self.values(given, keys)
        right = len(values) == len(raw) and all(
            name in values for name, each in keys.items() if each.required
        )
        row = tables.model(**values) if right else WRONG
        if right and (problem := tables.check(row)) is not None:
            name, expected = problem
            self.problem((*place, name), shown(raw.get(name)), expected)
            return WRONG
        return row

    def values(self, given: Mapping[str, Given], keys: Mapping[str, Key]) -> dict[str, Any]:
        """The values that are right."""
        read = {name: self.value(each, keys[name]) for name, each in given.items()}
        return {name: value for name, value in read.items() if value is not WRONG}

    def required(
        self, keys: Mapping[str, Key], given: Mapping[str, Given], place: lines.Path
    ) -> None:
        """Note the keys that must be given and are not."""
        for name, key in keys.items():
            if key.required and name not in given:
                self.problem((*place, name), "nothing", key.expected, f"{name} must be given")
