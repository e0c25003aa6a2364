"""Temporary directories and destinations as a table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from plotrun.picture_screen import disk_cells, disk_troubles
from plotrun.screen.layout import Cell, Column, Table
from plotrun.screen.view import Copy, Row, Short, View
from plotrun.words import size_words


def disks_table(view: View, tmp: Short, dst: Short, width: int) -> Table:
    """A line for each directory; *tmp* and *dst* name them."""
    copies = list(view.copies())
    rows = [
        _cells(view, copies, dst if "dst" in row["used_as"] else tmp, system, row, first)
        for system, row, first in _directories(view.file_systems or ())
    ]
    titles = ("disk", "for", "free", "to come", "fits", "plots", "copies", "note")
    ranks = (0, 4, 1, 6, 2, 5, 3, 7)
    columns = [
        Column(
            title,
            [row[number] for row in rows],
            ranks[number],
            least={"disk": 8, "note": 10}.get(title, 0),
            right=title in ("free", "to come", "fits", "plots"),
            keeps_end=title == "disk",
        )
        for number, title in enumerate(titles)
    ]
    return Table(columns, width)


def _directories(file_systems: Sequence[Row]) -> Iterator[tuple[Row, Row, bool]]:
    for system in file_systems:
        for number, row in enumerate(system["directories"]):
            yield system, row, number == 0


def _cells(
    view: View, copies: Sequence[Copy], short: Short, system: Row, row: Row, first: bool
) -> list[Cell]:
    _, *texts = disk_cells(system, row, first, wide=True)
    here = [copy for copy in copies if copy.dst == row["path"]]
    trouble = "; ".join(disk_troubles(row))
    return [
        Cell(short.name(row["path"]), "red" if trouble else ""),
        *map(Cell, texts),
        Cell(_copies_words(view, here)),
        Cell(trouble, "red"),
    ]


def _copies_words(view: View, copies: Sequence[Copy]) -> str:
    """ "1 at 180.3 MiB/s" or, while the speed is not known, "1: 43 %"."""
    if not copies:
        return ""
    speeds = [view.speeds.get((copy.worker, copy.number)) for copy in copies]
    known = [speed for speed in speeds if speed is not None]
    if known:
        return f"{len(copies)} at {size_words(sum(known))}/s"
    return f"{len(copies)}: {', '.join(f'{copy.fraction:.0%}' for copy in copies)}"
