"""What a policy would do from now on, until nothing is left to go: plain functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plotrun import FoundPlot

from .policy import Policy, Sorted, plan, rank


@dataclass(frozen=True)
class Shelf:
    """One destination: free bytes and its plots."""

    path: Path
    free: int
    found: Sorted


@dataclass(frozen=True)
class Step:
    """What goes at once, and for how many new plots: more than one if it was a large one."""

    going: tuple[FoundPlot, ...]
    new: int


def steps(policy: Policy, shelves: Sequence[Shelf], size: int) -> Iterator[Step]:
    """What goes for further plots of *size* bytes once nothing is free, in order."""
    left = [replace(shelf, free=shelf.free % size) for shelf in shelves]
    plans = [_go(policy, shelf, size) for shelf in left]
    while any(plans):
        position = min(
            (number for number, going in enumerate(plans) if going),
            key=lambda number: (len(plans[number]), rank(policy, plans[number][0]), number),
        )
        going = plans[position]
        free = left[position].free + sum(plot.allocated for plot in going)
        yield Step(going, free // size)
        left[position] = _after(left[position], going, free, size)
        plans[position] = _go(policy, left[position], size)


def _go(policy: Policy, shelf: Shelf, size: int) -> tuple[FoundPlot, ...]:
    return plan(policy, shelf.found, size - shelf.free, None, lambda _: None).go


def _after(shelf: Shelf, going: Sequence[FoundPlot], free: int, size: int) -> Shelf:
    """The destination when these have gone and as many new plots as fit have come."""
    gone = {plot.name for plot in going}
    may_go = tuple(plot for plot in shelf.found.may_go if plot.name not in gone)
    there = shelf.found.all - len(going) + free // size
    return replace(shelf, free=free % size, found=replace(shelf.found, may_go=may_go, all=there))
