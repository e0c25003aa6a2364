"""Plots that were removed to make room for new ones: written before and after, never forgotten.

A *clearing* is what was removed of one destination for one plot. It is open until a plot has been
delivered to that destination: as long as it is, nothing more is removed there.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from plotrun.farm.found import FoundPlot
from plotrun.model import Event
from plotrun.store.database import Database
from plotrun.store.events import Events


class RemovalState(StrEnum):
    """What became of a plot that was to be removed."""

    INTENDED = "intended"
    """Written before the file goes: after a crash the disk tells whether it has gone."""
    REMOVED = "removed"
    KEPT = "kept"


@dataclass(frozen=True)
class OpenClearing:
    """Plots were removed of a destination, and none has been delivered there since."""

    worker: str
    """Whose plot it was for."""
    complete: bool
    """Whether all were removed that were to be."""
    last_at: float | None
    """When the last plot was removed, or was about to be; None: none was."""


@dataclass(frozen=True)
class Removal:
    """A plot that is to be removed, or was when plotrun was cut off."""

    number: int
    job: str
    worker: str
    directory: Path
    path: Path
    plot_id: str
    k: int
    format: str
    size: int
    made_at: float
    for_plot: str | None


class Removals:
    """All removals."""

    def __init__(self, database: Database, events: Events) -> None:
        self._db = database
        self._events = events

    def begin(self, job: str, worker: str, for_plot: str | None, directory: Path) -> int:
        """Write that room is being made in *directory*; answers the number of the clearing."""
        with self._db.writing():
            self._db.run(
                "UPDATE clearings SET open = 0 WHERE directory = ? AND complete = 0",
                os.fsencode(directory),
            )
            self._db.run(
                "INSERT INTO clearings (job, worker, for_plot, directory, complete, open) "
                "VALUES (?, ?, ?, ?, 0, 1)",
                job,
                worker,
                for_plot,
                os.fsencode(directory),
            )
            ((number,),) = self._db.rows("SELECT last_insert_rowid()")
            return int(number)

    def intend(self, clearing: int, at: float, plot: FoundPlot) -> Removal:
        """Write that *plot* is about to be removed."""
        with self._db.writing():
            self._db.run(
                "INSERT INTO removals (clearing, at, path, plot_id, k, format, size, made_at, "
                "state) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                clearing,
                at,
                os.fsencode(plot.path),
                plot.facts.plot_id,
                plot.facts.k,
                str(plot.facts.format),
                plot.size,
                plot.made_at,
                RemovalState.INTENDED,
            )
            ((number,),) = self._db.rows("SELECT last_insert_rowid()")
            return self._intended(number)[0]

    def settle(self, removal: int, state: RemovalState, events: Sequence[Event] = ()) -> None:
        """Write what became of it."""
        with self._db.writing():
            self._db.run("UPDATE removals SET state = ? WHERE number = ?", state, removal)
            self._events.add(events)

    def complete(self, clearing: int) -> None:
        """Write that all was removed that was to be."""
        self._db.run("UPDATE clearings SET complete = 1 WHERE number = ?", clearing)

    def delivered(self, path: Path) -> None:
        """A plot has been delivered to *path*: what was removed there was not in vain."""
        for parent in path.parents:
            self._db.run(
                "UPDATE clearings SET open = 0 WHERE directory = ? AND open = 1",
                os.fsencode(parent),
            )

    def open_in(self, directory: Path) -> list[OpenClearing]:
        """What was removed of *directory* without a delivery since, the earliest first."""
        rows = self._db.rows(
            "SELECT worker, complete, max(at) FROM clearings LEFT JOIN removals "
            "ON clearing = clearings.number AND state != ? "
            "WHERE directory = ? AND open = 1 GROUP BY clearings.number ORDER BY clearings.number",
            RemovalState.KEPT,
            os.fsencode(directory),
        )
        return [OpenClearing(worker, bool(complete), at) for worker, complete, at in rows]

    def count(self, job: str, since: float) -> int:
        """Plots that were removed for *job* since a time, those counted whose end is not known."""
        ((count,),) = self._db.rows(
            "SELECT count(*) FROM removals JOIN clearings ON clearings.number = clearing "
            "WHERE job = ? AND at >= ? AND state != ?",
            job,
            since,
            RemovalState.KEPT,
        )
        return int(count)

    def unsettled(self) -> list[Removal]:
        """Removals of which plotrun was cut off before it knew how they ended."""
        return self._intended(0)

    def _intended(self, least: int) -> list[Removal]:
        """Those that are not settled, from a number on."""
        rows = self._db.rows(
            "SELECT removals.number, job, worker, directory, path, plot_id, k, format, size, "
            "made_at, for_plot FROM removals JOIN clearings ON clearings.number = clearing "
            "WHERE state = ? AND removals.number >= ? ORDER BY removals.number",
            RemovalState.INTENDED,
            least,
        )
        return [
            Removal(number, job, worker, _path(directory), _path(path), *rest)
            for number, job, worker, directory, path, *rest in rows
        ]


def _path(stored: bytes) -> Path:
    return Path(os.fsdecode(stored))
