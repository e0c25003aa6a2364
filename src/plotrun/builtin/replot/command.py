"""``plotrun replot --dry-run``: what would go, in order, and for how many new plots."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import TYPE_CHECKING

from plotrun import Job, duration_words, printable, size_words

from .forecast import Shelf, Step, steps
from .policy import Policy, sort_out

if TYPE_CHECKING:
    from plotrun import FoundPlot, OpenFarm

LAST_PLOTS = 20
"""Deliveries by which the present rate is judged."""
DAY = 86400.0


def lines(opened: OpenFarm, job: Job, policy: Policy) -> Iterator[str]:
    """What the job's policy would do, line by line."""
    farm = opened.farm(job)
    paths = [path for path in job.dst if policy.dst is None or path in policy.dst]
    inventories = opened.look((path, policy.subdirectories) for path in paths)
    candidates = {each.path: each for each in opened.candidates(job.dst)}
    size = opened.plot_size(job)
    shelves, staying, notes = [], Counter[str](), []
    for inventory in inventories:
        path, candidate = inventory.directory, candidates[inventory.directory]
        trouble = candidate.trouble or inventory.trouble
        if trouble is not None:
            notes.append(f"{path}: {trouble}")
            continue
        found = sort_out(policy, inventory.plots, farm.now, farm.stays)
        staying.update(found.staying)
        staying["no plot, or cannot be read"] += len(inventory.others)
        shelves.append(Shelf(path, candidate.free or 0, found))
        held = farm.held(path)
        if held is not None:
            notes.append(f"{path}: not now: {held}")
    planned = list(steps(policy, shelves, size))
    gone = [plot for step in planned for plot in step.going]
    kept = sum(len(shelf.found.may_go) for shelf in shelves) - len(gone)
    staying["may go, but keep_at_least or the sizes let it stay"] += kept
    room = sum((each.free or 0) // size for each in candidates.values())
    yield f"job {job.name}"
    yield from (f"  {printable(note)}" for note in notes)
    yield f"  {_plots(len(gone))} would go, {size_words(sum(plot.size for plot in gone))}"
    yield from map(_line, gone)
    yield f"  {_plots(staying.total())} stay"
    yield from (f"    {count:>5}  {reason}" for reason, count in staying.most_common() if count)
    new = room + sum(step.new for step in planned)
    yield (
        f"  {_plots(new)} of {size_words(size)} fit, {room} of them into what is free"
        + _time(opened.last_deliveries(job, LAST_PLOTS), new, planned, policy)
    )


def _plots(count: int) -> str:
    return "1 plot" if count == 1 else f"{count} plots"


def _line(plot: FoundPlot) -> str:
    made = time.strftime("%Y-%m-%d", time.localtime(plot.made_at))
    facts = f"{plot.facts.format} k={plot.facts.k} {size_words(plot.size)}"
    return f"    {made}  {facts}  {printable(plot.path)}"


def _time(last: list[float], new: int, planned: list[Step], policy: Policy) -> str:
    """How long that takes, if it can be told."""
    if len(last) < 2 or last[0] <= last[-1]:
        return ": how long that takes, the first plots will tell"
    seconds = (last[0] - last[-1]) / (len(last) - 1)
    whole = new * seconds
    words = f" (one in {duration_words(seconds)}, by the last {len(last)})"
    gone = sum(len(step.going) for step in planned)
    if policy.limit is not None and gone / policy.limit * DAY > whole:
        whole, words = gone / policy.limit * DAY, f" (the limit is {policy.limit} a day)"
    return f": {duration_words(whole)} at the present rate{words}"
