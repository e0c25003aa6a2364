"""What this machine's plots took: the ground of sizes, shares of phases and time left."""

from __future__ import annotations

import json

from plotrun.model import Measured, Worker
from plotrun.store.database import Database


class MeasuredPlots:
    """Delivered plots, by plotter and k."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def add(self, worker: Worker, number: int, at: float, measured: Measured) -> None:
        """Write what the plot of this *number*, delivered *at* a time, took; only once."""
        self._db.run(
            "INSERT OR IGNORE INTO measured VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            worker.id,
            number,
            worker.plotter,
            worker.k,
            worker.size_key,
            at,
            measured.bytes,
            measured.tmp_bytes,
            measured.seconds,
            measured.delivery_seconds,
            measured.longest_silence,
            json.dumps(measured.phases),
        )

    def last(
        self, plotter: str, k: int | None, count: int, size_key: str | None = None
    ) -> list[Measured]:
        """The last plots of a plotter and k, the latest first; only those of one *size_key*."""
        rows = self._db.rows(
            "SELECT bytes, tmp_bytes, seconds, delivery_seconds, longest_silence, phases "
            "FROM measured WHERE plotter = ? AND k IS ? AND size_key = coalesce(?, size_key) "
            "ORDER BY at DESC LIMIT ?",
            plotter,
            k,
            size_key,
            count,
        )
        return [_measured(*row) for row in rows]

    def delivered(self, since: float, until: float) -> tuple[int, float | None]:
        """How many plots were delivered from *since* to before *until*, and how many seconds they
        took in the mean, from their first line to the delivered file; None if nobody measured."""
        rows = self._db.rows(
            "SELECT count(*), avg(seconds + coalesce(delivery_seconds, 0)) FROM deliveries "
            "LEFT JOIN measured USING (worker, number) "
            "WHERE delivered_at >= ? AND delivered_at < ?",
            since,
            until,
        )
        ((count, mean),) = rows
        return count, mean


def _measured(
    size: int,
    tmp_bytes: int | None,
    seconds: float | None,
    delivery_seconds: float | None,
    longest_silence: float,
    phases: str,
) -> Measured:
    known = tuple(json.loads(phases))
    return Measured(size, tmp_bytes, seconds, delivery_seconds, longest_silence, known)
