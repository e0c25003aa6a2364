"""Groups as bars on a terminal.

Each segment of a bar is made of its own sign (1 to 4 for the phases, c for the copy), so that it
can be read without colours, too.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.text import Text

from plotrun.analysis.groups import Group, Spread
from plotrun.words import duration_words, printable

INDENT = 2
LABEL = 6
"""Columns for "median"."""
FIGURE = 9
"""Columns of a figure: the longest is "23h 59m", and two spaces."""
STYLES = ("black on cyan", "black on yellow", "black on green", "black on magenta")
COPY_STYLE = "black on white"

Segment = tuple[str, str, float]
"""Sign, style, seconds."""


def show(groups: Sequence[Group], console: Console) -> None:
    """Print each group: what it has in common, a bar of its medians, and its figures."""
    longest = max(sum(seconds for _, _, seconds in _segments(group)) for group in groups)
    for group in groups:
        for line in (
            *_heading(group),
            _bar(group, longest, console.width),
            *_figures(group, console),
        ):
            console.print(line, no_wrap=True, overflow="ellipsis", crop=console.is_terminal)
        console.print()
    console.print(Text("Bars show medians: 1, 2, … for the phases, c for the copy.", "dim"))


def few_words(seconds: float) -> str:
    """A duration in at most seven columns."""
    return f"{seconds:.1f}s" if seconds < 9.95 else duration_words(seconds)


def _heading(group: Group) -> Iterator[Text]:
    count = f"{group.plots} plot{'' if group.plots == 1 else 's'}"
    common = "  ".join(_common(name, value) for name, value in group.by.items())
    yield Text.assemble((count, "bold"), f"  {common}")


def _common(name: str, value: str | int | None) -> str:
    if value is None:
        return f"{name} ?"
    words = printable(value)
    if name == "plotter":
        return words
    return f"{name}={words}" if name == "k" else f"{name} {words}"


def _segments(group: Group) -> list[Segment]:
    found: list[Segment] = [
        (f"{number % 10}", STYLES[(number - 1) % len(STYLES)], phase.median)
        for number, phase in enumerate(group.phases, 1)
        if phase is not None
    ]
    if not found and group.total is not None:  # a plotter that tells no phases
        found.append(("t", STYLES[0], group.total.median))
    if group.copy is not None:
        found.append(("c", COPY_STYLE, group.copy.median))
    return found


def _bar(group: Group, longest: float, width: int) -> Text:
    room = max(10, width - 2 * INDENT - FIGURE)
    segments = _segments(group)
    # Everything that took time is seen, if by one sign.
    columns = [max(1, round(room * seconds / (longest or 1.0))) for _, _, seconds in segments]
    while sum(columns) > room and max(columns) > 1:
        columns[columns.index(max(columns))] -= 1
    bar = Text(" " * INDENT)
    for (sign, style, _), count in zip(segments, columns, strict=True):
        bar.append(sign * count, style)
    bar.append(f"  {few_words(sum(seconds for _, _, seconds in segments))}")
    return bar


def _figures(group: Group, console: Console) -> Iterator[Text]:
    columns: list[tuple[str, Spread]] = [
        (f"phase {number}", phase) for number, phase in enumerate(group.phases, 1) if phase
    ]
    columns += [(name, found) for name in ("copy", "total") if (found := getattr(group, name))]
    at_once = max(1, (console.width - INDENT - LABEL) // FIGURE)
    for start in range(0, len(columns), at_once):
        some = columns[start : start + at_once]
        yield _row("", [name for name, _ in some])
        for figure in ("median", "best", "worst"):
            yield _row(figure, [few_words(getattr(found, figure)) for _, found in some])


def _row(label: str, words: Sequence[str]) -> Text:
    return Text(f"{'':{INDENT}}{label:{LABEL}}" + "".join(f"{word:>{FIGURE}}" for word in words))
