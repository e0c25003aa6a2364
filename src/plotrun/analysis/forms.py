"""What the log of a finished plot looks like: a table that each plotter states.

It is apart from the rules by which a running plotter is followed: here a whole log is searched
for a few literal bytes, which is several times faster than matching every line.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

NUMBER = rb"\d{1,9}(?:\.\d{1,9})?(?:e[+-]?\d\d?)?"
"""A pattern for seconds and other figures, as C and C++ print them."""


@dataclass(frozen=True)
class LineForm:
    """A line that tells something: bytes to search for, a pattern, and fields in it.

    The named groups of the pattern are the fields:

    - of the plot: ``plot_id`` (64 hex digits), ``k``, ``tmp``, ``tmp2``, ``dst``, ``threads``,
      ``buckets``, ``buffer`` (MiB), ``buffer_gib``, ``started`` (as ``Fri Nov 20 19:31:17 2026`` or
      ``2026/11/20 19:31:17``), ``name`` (of the plot's file, with or without ``.plot``);
    - its durations in seconds: ``phase`` (1, 2, …) together with ``seconds``, ``copy``, ``total``;
    - ``file``: the path or name of the finished file. It says which plot the line is about, so
      that a line about the plot before may stand among those of the next one.
    """

    anchor: bytes
    """Bytes in every such line. What is searched for in the whole log must be rare there."""
    pattern: bytes
    """Matched at the beginning of the line; it must not match a line's end."""

    def compiled(self) -> re.Pattern[bytes]:
        """The pattern, compiled (Python keeps compiled patterns)."""
        return re.compile(self.pattern)


@dataclass(frozen=True)
class FinishedLog:
    """How finished plots are found in a plotter's log."""

    start: LineForm
    """The line with which each plot begins. Its anchor is searched for in every log: the longer
    the faster."""
    head: Sequence[LineForm] = field(default=())
    """Lines soon after the start, within `AROUND` bytes; the first of each counts."""
    preamble: Sequence[LineForm] = field(default=())
    """Lines of a process that makes several plots, within `AROUND` bytes before its first plot:
    they hold for all of its plots."""
    body: Sequence[LineForm] = field(default=())
    """Lines anywhere after the start. Forms with the same anchor cost one search."""
    complete_with: str = "total"
    """A plot is finished once its total and this field are told: ``total`` or ``file``."""
    phases: int = 4
    """How many phases there are."""
    k: int | None = None
    """Its k, where the log does not tell."""


AROUND = 16 * 1024
"""Bytes before and after the start of a plot that are searched for what is told once. The lines
there take about 1 KiB, with room for paths of up to 4 KiB."""
