"""What may be wrong with events between jobs, though each setting is right by itself."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from plotrun.model import Job
from plotrun.plotter import Plotter
from plotrun.settings.job_events import JOB_END, EventKeys
from plotrun.settings.problems import Problem, nearest
from plotrun.settings.schema import JobKeys
from plotrun.settings.settings import Source


def event_warnings(
    file: Path,
    jobs: Sequence[Job],
    sources: Mapping[str, Mapping[str, Source]],
    plotters: Mapping[str, Plotter],
) -> Iterator[Problem]:
    """Events that nobody emits, or never, and cycles that may go on without end."""

    def warning(job: Job, key: str, words: str, hint: str | None = None) -> Problem:
        return Problem(file, sources[job.name][key].line, f"job.{key}", None, words, hint)

    emitted = sorted({emit.event for job in jobs for emit in job.keys(EventKeys).emit})
    for job in jobs:
        keys = job.keys(EventKeys)
        for name in keys.start_on:
            if name not in emitted:
                words = f"no job emits the event {name}: only `plotrun emit {name}` does"
                yield warning(job, "start_on", words, nearest(name, emitted))
        for emit in keys.emit:
            phases = len(plotters[job.plotter].phase_shares)
            if emit.at.text == JOB_END and not job.plots:
                words = f"{emit.event} is never emitted: job {job.name} has plots = 0 and no end"
                yield warning(job, "emit", words)
            elif phases and (emit.at.phase or 0) > phases:
                words = f"{emit.event}: {job.plotter} has {phases} phases, and emits it after them"
                yield warning(job, "emit", words)
    for cycle, grows in _endless_cycles(jobs):
        yield warning(cycle[0], "start_on", _cycle_words(cycle, grows))


Graph = Mapping[str, Mapping[str, int]]
"""How many workers of each job a worker of another starts."""


def _endless_cycles(jobs: Sequence[Job]) -> Iterator[tuple[list[Job], bool]]:
    """A cycle of each group of jobs that start one another without end; whether they multiply.

    A job with a number of plots ends, and with it what it starts. So it is with a job that is
    switched off, or emits nothing.
    """
    endless = {job.name: job for job in jobs if not job.plots and job.keys(JobKeys).enabled}
    graph = {name: _started_by(job, endless.values()) for name, job in endless.items()}
    told: set[str] = set()
    for name in endless:
        if name in told or name not in _reached(graph, name):
            continue
        group = {each for each in _reached(graph, name) if name in _reached(graph, each)}
        told |= group
        # In a simple cycle each of them starts one worker of one other; in any other one more.
        grows = any(sum(n for to, n in graph[each].items() if to in group) > 1 for each in group)
        yield [endless[each] for each in _cycle(graph, name)], grows


def _started_by(job: Job, others: Iterable[Job]) -> Mapping[str, int]:
    """How many workers of the *others* each worker of *job* starts."""
    keys = job.keys(EventKeys)
    found: Counter[str] = Counter()
    for emit in keys.emit if keys.events else ():
        for other in others if emit.at.text != JOB_END else ():
            found[other.name] += other.keys(EventKeys).start_on.get(emit.event, 0)
    return +found


def _reached(graph: Graph, start: str) -> set[str]:
    """Jobs that a worker of *start* may start, and those that they may start, and so on."""
    return set(_ways(graph, start))


def _ways(graph: Graph, start: str) -> dict[str, str]:
    """Each job that can be reached, and the one before it on a shortest way."""
    before: dict[str, str] = {}
    ends = [start]
    while ends:
        here = ends.pop(0)
        for there in graph[here]:
            if there not in before:
                before[there] = here
                ends.append(there)
    return before


def _cycle(graph: Graph, start: str) -> list[str]:
    """A shortest way from *start* back to it."""
    before = _ways(graph, start)
    way = [before[start]]
    while way[0] != start:
        way.insert(0, before[way[0]])
    return way


def _cycle_words(cycle: Sequence[Job], grows: bool) -> str:
    parts = []
    for job, following in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        emits = [emit.event for emit in job.keys(EventKeys).emit if emit.at.text != JOB_END]
        name = next(name for name in emits if name in following.keys(EventKeys).start_on)
        parts.append(f"job {job.name} emits {name}, which starts job {following.name}")
    more = ", more of them with every round" if grows else ""
    return f"workers start one another without end{more}: {'; '.join(parts)}"
