"""What the user wishes of single workers: written by commands, seen to by the runner."""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from plotrun.store.database import Database


class Request(StrEnum):
    """A wish; it goes with the end of its worker."""

    KILL = "kill"
    SUSPEND = "suspend"
    """It stands as long as the worker is suspended."""
    RETRY = "retry"
    """The record of an ended worker was opened again: it is to be taken up."""


class Requests:
    """Wishes, each with the time at which it was uttered first."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def put(self, what: Request, workers: Collection[str], now: float) -> None:
        """Write a wish for these workers."""
        with self._db.writing():
            for worker in workers:
                self._db.run("INSERT OR IGNORE INTO requests VALUES (?, ?, ?)", worker, what, now)

    def withdraw(self, what: Request, workers: Collection[str]) -> None:
        """Take a wish back, or note that it was seen to."""
        with self._db.writing():
            for worker in workers:
                self._db.run("DELETE FROM requests WHERE worker = ? AND what = ?", worker, what)

    def of(self, what: Request) -> dict[str, float]:
        """The workers for which there is this wish, and since when."""
        return dict(self._db.rows("SELECT worker, at FROM requests WHERE what = ?", what))

    def forget(self, worker: str) -> None:
        """The worker has ended."""
        self._db.run("DELETE FROM requests WHERE worker = ?", worker)
