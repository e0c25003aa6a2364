"""Tables whose columns go away as the terminal gets narrow: all widths are decided here.

A line never wraps: each cell is cut to its column, and a table to its width. Widths are those of
the cells of a terminal, where many letters of Asia take two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import overload

from rich.cells import cell_len, set_cell_size
from rich.text import Span, Text

CUT = "…"
GAP = 1
"""Spaces between two columns."""


@dataclass(frozen=True)
class Cell:
    """A text that may be shown, in a style that is good on dark and on light."""

    text: str
    style: str = ""


@dataclass(frozen=True)
class Column:
    """A column of a table, with a cell for each row."""

    title: str
    cells: Sequence[Cell]
    rank: int
    """Those with the highest rank go first."""
    least: int = 0
    """The narrowest that it may get; 0: as its widest cell."""
    right: bool = False
    keeps_end: bool = False
    """Whether what is too long loses its beginning: the end of a path tells more."""
    width: int = 0

    @property
    def natural(self) -> int:
        """The width that it would like to have."""
        return max((cell_len(text) for text in (self.title, *self.texts)), default=0)

    @property
    def texts(self) -> list[str]:
        """Its cells without their styles."""
        return [cell.text for cell in self.cells]


def cut(text: str, width: int, keeps_end: bool = False) -> str:
    """*text* in at most *width* cells of a terminal."""
    if cell_len(text) <= width:
        return text
    if width <= 0:
        return ""
    if not keeps_end:
        return set_cell_size(text, width - 1).rstrip() + CUT
    tail = text
    while cell_len(tail) > width - 1:
        tail = tail[1:]
    return CUT + tail


def padded(text: str, width: int, right: bool = False, keeps_end: bool = False) -> str:
    """*text* in exactly *width* cells."""
    text = cut(text, width, keeps_end)
    spaces = " " * (width - cell_len(text))
    return spaces + text if right else text + spaces


def fitted(columns: Sequence[Column], width: int) -> list[Column]:
    """Those of the columns that fit into *width*, with their widths, in the same order.

    A column without any text is left out.
    """
    shown = [column for column in columns if any(column.texts)]
    natural = {column.rank: column.natural for column in shown}
    left = [
        replace(column, width=min(natural[column.rank], column.least or natural[column.rank]))
        for column in shown
    ]
    while len(left) > 1 and _whole(left) > width:
        left.remove(max(left, key=lambda column: column.rank))
    spare = width - _whole(left)
    wider = {}
    for column in sorted(left, key=lambda column: column.rank):
        more = max(0, min(spare, natural[column.rank] - column.width))
        wider[column.rank] = min(width, column.width + more)
        spare -= more
    return [replace(column, width=wider[column.rank]) for column in left]


def _whole(columns: Sequence[Column]) -> int:
    return sum(column.width for column in columns) + GAP * (len(columns) - 1)


class Table(Sequence[Text]):
    """A line for each row, made when it is asked for: of many rows few are shown."""

    def __init__(self, columns: Sequence[Column], width: int) -> None:
        self._columns = fitted(columns, width)
        self._rows = len(columns[0].cells)

    @property
    def head(self) -> Text:
        """The titles of the columns."""
        titles = [padded(c.title, c.width, c.right) for c in self._columns]
        return Text((" " * GAP).join(titles).rstrip(), "bold", no_wrap=True)

    def __len__(self) -> int:
        return self._rows

    @overload
    def __getitem__(self, number: int) -> Text: ...
    @overload
    def __getitem__(self, number: slice) -> list[Text]: ...
    def __getitem__(self, number: int | slice) -> Text | list[Text]:
        if isinstance(number, slice):
            return [self._row(each) for each in range(self._rows)[number]]
        return self._row(range(self._rows)[number])

    def _row(self, number: int) -> Text:
        parts, spans, start = [], [], 0
        for column in self._columns:
            cell = column.cells[number]
            part = padded(cell.text, column.width, column.right, column.keeps_end)
            parts.append(part)
            if cell.style:
                spans.append(Span(start, start + len(part), cell.style))
            start += len(part) + GAP
        line = Text((" " * GAP).join(parts), no_wrap=True, spans=spans)
        line.rstrip()
        return line


def line(text: str, width: int, style: str = "") -> Text:
    """One line of at most *width* cells."""
    return Text(cut(text, width), style, no_wrap=True)


def folded(text: str, width: int, style: str = "", indent: str = "  ") -> Iterator[Text]:
    """*text* in as many lines as it takes, broken between words where it can be."""
    rest, start = text, ""
    while rest:
        room = max(1, width - cell_len(start))
        part = rest if cell_len(rest) <= room else _first(rest, room)
        yield Text(start + part.rstrip(), style, no_wrap=True)
        rest, start = rest[len(part) :].lstrip(), indent if width > 2 * cell_len(indent) else ""


def _first(text: str, room: int) -> str:
    """As much of *text* as *room* cells hold, if possible up to a space; at least one character."""
    used = end = 0
    for end, char in enumerate(text):  # noqa: B007
        used += cell_len(char)
        if used > room:
            break
    space = text.rfind(" ", 0, end + 1)
    return text[: space if space > 0 else max(1, end)]
