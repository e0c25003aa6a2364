"""Headers of plots in destinations that were read before, so that a farm is looked at quickly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plotrun.farm.found import PlotFacts
from plotrun.model import PlotFormat
from plotrun.store.database import Database


@dataclass(frozen=True, slots=True)
class KnownHeader:
    """What a file of this size and time began with."""

    size: int
    changed_ns: int
    facts: PlotFacts | None
    """None: it is no plot."""

    def changed(self, status: os.stat_result) -> bool:
        """Whether the file is another one by now."""
        return (self.size, self.changed_ns) != (status.st_size, status.st_mtime_ns)


class Headers:
    """The headers that were read, by destination and the file's path from there."""

    def __init__(self, database: Database) -> None:
        self._db = database

    def of(self, directory: Path) -> dict[str, KnownHeader]:
        """What is known of the files of one destination."""
        rows = self._db.rows(
            "SELECT name, size, changed_ns, plot_id, k, format, compression, pool "
            "FROM plot_headers WHERE directory = ?",
            os.fsencode(directory),
        )
        formats = {str(each): each for each in PlotFormat}
        return {
            os.fsdecode(name): KnownHeader(
                size,
                changed_ns,
                PlotFacts(plot_id.hex(), k, formats[plot_format], compression, pool)
                if plot_id is not None
                else None,
            )
            for name, size, changed_ns, plot_id, k, plot_format, compression, pool in rows
        }

    def save(
        self,
        directory: Path,
        before: Mapping[str, KnownHeader],
        now: Mapping[str, KnownHeader],
        below: bool,
    ) -> None:
        """Write what has changed from what was known *before*: new ones, and those that went.

        Without *below* nothing was looked for in directories below.
        """
        place = os.fsencode(directory)
        new = {name: header for name, header in now.items() if before.get(name) is not header}
        gone = {name for name in before.keys() - now.keys() if below or os.sep not in name}
        if not new and not gone:
            return
        with self._db.writing():
            for name in gone:
                self._db.run(
                    "DELETE FROM plot_headers WHERE directory = ? AND name = ?",
                    place,
                    os.fsencode(name),
                )
            for name, header in new.items():
                facts = header.facts
                self._db.run(
                    "INSERT OR REPLACE INTO plot_headers VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                    place,
                    os.fsencode(name),
                    header.size,
                    header.changed_ns,
                    *(
                        (None,) * 5
                        if facts is None
                        else (
                            bytes.fromhex(facts.plot_id),
                            facts.k,
                            str(facts.format),
                            facts.compression,
                            facts.pool,
                        )
                    ),
                )
