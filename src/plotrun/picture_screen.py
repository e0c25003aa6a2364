"""The disks, and the choice of a destination, as tables for a terminal or a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from plotrun.words import printable, size_words

Row = Mapping[str, Any]

WIDE = 70
"""Columns from which there is room for what is promised and expected."""


def render_disks(picture: Row, width: int) -> RenderableType:
    """What `plotrun.picture.disks` answers."""
    wide = width >= WIDE
    table = Table(box=box.SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("directory", overflow="fold", ratio=1)
    for column in ("for", "free", *(("to come",) if wide else ()), "fits", "plots"):
        table.add_column(column, no_wrap=True, justify="left" if column == "for" else "right")
    said: list[RenderableType] = []
    for system in picture["file_systems"]:
        for number, row in enumerate(system["directories"]):
            first = number == 0
            table.add_row(*disk_cells(system, row, first, wide))
            said += [
                Text(f"{printable(row['path'])}: {words}", "red") for words in disk_troubles(row)
            ]
    return Group(table, *said)


def disk_cells(system: Row, row: Row, first: bool, wide: bool) -> Iterator[str]:
    """The cells of a directory: its path, what for, free, to come (if *wide*), fits, plots."""
    yield printable(row["path"])
    yield "+".join(row["used_as"])
    shared = "" if first else "same disk"
    yield _size(system["free"]) if first else shared
    if wide:
        yield _size(system["promised"] + system["expected"]) if first else ""
    counts = [*row["fits"].values()] if row["fits"] else [*row["fits_tmp"].values()]
    yield " ".join(dict.fromkeys(map(str, counts)))
    coming = f"+{row['coming']}" if row["coming"] else ""
    yield "" if row["plots"] is None else f"{row['plots']}{coming}"


def disk_troubles(row: Row) -> Iterator[str]:
    """Why a directory is not used, if it is not."""
    if row["trouble"]:
        yield printable(row["trouble"])
    if row["refused"]:
        yield printable(row["refused"])


def render_why(answer: Row) -> RenderableType:
    """What `plotrun.picture.why_dst` answers."""
    what = answer["plot"] or f"the next plot of job {answer['job']}"
    head = Text(f"{printable(what)}, {size_words(answer['size'])}:", "bold")
    rows = [_why(row, row["path"] == answer["chosen"]) for row in answer["destinations"]]
    return Group(head, *rows)


def _why(row: Row, chosen: bool) -> Text:
    path = printable(row["path"])
    if row["rejected"]:
        return Text(f"  {path}: {printable(row['rejected'])}", "red")
    room = f"{_size(row['free'])} free"
    room += f", {size_words(row['promised'])} promised" if row["promised"] else ""
    room += f", {size_words(row['expected'])} for plotters" if row["expected"] else ""
    return Text(
        f"  {path}: {'chosen' if chosen else 'possible'} ({room})", "green" if chosen else ""
    )


def _size(count: int | None) -> str:
    return "?" if count is None else size_words(count)
