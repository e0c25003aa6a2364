"""Starts that events, fixed times and the user have asked for, and the times that come next."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from plotrun.model import Event
from plotrun.store.database import Database
from plotrun.store.events import Events


class Asker(StrEnum):
    """Who asks for starts."""

    EVENT = "event"
    TIME = "time"
    HAND = "hand"


@dataclass(frozen=True)
class AskedStart:
    """Starts that one of them has asked for."""

    number: int
    job: str
    asker: Asker
    name: str
    """Of the event, or the time in words."""
    left: int
    """How many are still to come."""
    started: int
    """How many have been."""
    refused: str | None
    """Why there will be no more; only of those by hand, for the command that waits."""

    @property
    def words(self) -> str:
        """For people: what asks."""
        match self.asker:
            case Asker.EVENT:
                return f"the event {self.name}"
            case Asker.TIME:
                return self.name
        return "hand"


class AskedStarts:
    """A start that was asked for is counted in the same commit as the worker is written."""

    def __init__(self, database: Database, events: Events) -> None:
        self._db = database
        self._events = events
        self.changed: Callable[[], None] = lambda: None
        """Called within every commit that changes what is asked of jobs, or when."""

    def by_event(self, job: str, name: str, count: int) -> None:
        """An event asks for *count* starts of *job*, beside those it has asked for before."""
        self._add(job, Asker.EVENT, name, count)

    def by_hand(self, job: str, count: int) -> int:
        """The user asks; answers the number by which to look for what came of it."""
        with self._db.writing():
            self._add(job, Asker.HAND, "", count)
            ((number,),) = self._db.rows("SELECT max(number) FROM asked_starts")
        return int(number)

    def by_times(self, came: Mapping[tuple[str, str], tuple[int, float]]) -> None:
        """Fixed times have come: by job and words how many starts, and when each comes next."""
        with self._db.writing():
            for (job, words), (count, next_at) in came.items():
                self._add(job, Asker.TIME, words, count)
                self._set_time(job, words, next_at)

    def _add(self, job: str, asker: Asker, name: str, count: int) -> None:
        self.changed()
        self._db.run(
            "INSERT INTO asked_starts (job, asker, name, remaining) VALUES (?, ?, ?, ?) "
            "ON CONFLICT (job, asker, name) WHERE asker != 'hand' "
            "DO UPDATE SET remaining = remaining + excluded.remaining",
            job,
            asker,
            name,
            count,
        )

    def of(self, job: str) -> list[AskedStart]:
        """What is still to come of a job: what was asked for by hand first, then the oldest."""
        rows = self._db.rows(
            "SELECT number, job, asker, name, remaining, started, refused FROM asked_starts "
            "WHERE job = ? AND remaining AND refused IS NULL ORDER BY asker != 'hand', number",
            job,
        )
        return [_asked(*row) for row in rows]

    def get(self, number: int) -> AskedStart | None:
        """What has come of starts that were asked for by hand."""
        rows = self._db.rows(
            "SELECT number, job, asker, name, remaining, started, refused FROM asked_starts "
            "WHERE number = ?",
            number,
        )
        return _asked(*rows[0]) if rows else None

    def one_started(self, number: int) -> None:
        """A worker is written that was asked for; within that commit."""
        self.changed()
        self._db.run(
            "UPDATE asked_starts SET remaining = remaining - 1, started = started + 1 "
            "WHERE number = ?",
            number,
        )
        self._db.run(
            "DELETE FROM asked_starts WHERE number = ? AND NOT remaining AND asker != 'hand'",
            number,
        )

    def drop(self, asked: Sequence[AskedStart], reason: str, told: Sequence[Event]) -> None:
        """Give up what could not be started; whoever asked by hand is told the reason."""
        with self._db.writing():
            self.changed()
            for each in asked:
                if each.asker is Asker.HAND:
                    self._db.run(
                        "UPDATE asked_starts SET refused = ? WHERE number = ?", reason, each.number
                    )
                else:
                    self.forget(each.number)
            self._events.add(told)

    def forget(self, number: int) -> None:
        """Whoever asked knows what has come of it."""
        self._db.run("DELETE FROM asked_starts WHERE number = ?", number)

    def forget_answered(self) -> None:
        """What was asked for by hand, and has been answered: nobody waits any more."""
        self._db.run(
            "DELETE FROM asked_starts WHERE asker = 'hand' "
            "AND (refused IS NOT NULL OR NOT remaining)"
        )

    # Fixed times

    def times(self) -> dict[tuple[str, str], float]:
        """When each fixed time comes next, by job and words."""
        rows = self._db.rows("SELECT job, words, next_at FROM start_times")
        return {(job, words): next_at for job, words, next_at in rows}

    def set_times(self, times: Mapping[tuple[str, str], float]) -> None:
        """Write when each fixed time of the settings comes next; there are no others."""
        with self._db.writing():
            self.changed()
            self._db.run("DELETE FROM start_times")
            for (job, words), next_at in times.items():
                self._set_time(job, words, next_at)

    def _set_time(self, job: str, words: str, next_at: float) -> None:
        self.changed()
        self._db.run(
            "INSERT INTO start_times VALUES (?, ?, ?) "
            "ON CONFLICT (job, words) DO UPDATE SET next_at = excluded.next_at",
            job,
            words,
            next_at,
        )

    def next_time(self, job: str) -> float | None:
        """When the next fixed time of a job comes."""
        ((next_at,),) = self._db.rows("SELECT min(next_at) FROM start_times WHERE job = ?", job)
        return None if next_at is None else float(next_at)


def _asked(
    number: int, job: str, asker: str, name: str, left: int, started: int, refused: str | None
) -> AskedStart:
    return AskedStart(number, job, Asker(asker), name, left, started, refused)
