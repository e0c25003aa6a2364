"""The things plotrun talks about: plain, frozen data without any behaviour that touches a disk.

Plugins see these types; they are part of the public API (``import plotrun``).
Times are seconds since the epoch, sizes are bytes, fractions are between 0 and 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")


class PlotFormat(StrEnum):
    """What a plot file is, as its header says."""

    V1 = "v1"
    V1_COMPRESSED = "v1-compressed"
    V2 = "v2"


@dataclass(frozen=True)
class Plot:
    """A finished plot file, described by its own header."""

    path: Path
    plot_id: str
    """64 hex digits."""
    k: int
    format: PlotFormat
    size: int
    """Bytes of the file."""
    memo: bytes = b""
    """128 bytes in an OG plot (pool public key), 112 in one for a pool contract (V1)."""


@dataclass(frozen=True)
class Sizes:
    """Bytes of one plot."""

    plot: int
    """The finished file."""
    tmp: int
    """Temporary space at its highest, tmp and tmp2 together, without finished plots that wait."""
    apart: tuple[int, int] | None = None
    """The most of it in tmp, and the most in tmp2, where they are two. None: not known, each may
    hold all of it."""
    memory: int | None = None
    """Memory at its highest; None: not known."""


class Deliver(StrEnum):
    """Who brings a finished plot to its destination."""

    PLOTRUN = "plotrun"
    PLOTTER = "plotter"


TMP2_IN_DST = "dst"
"""Value of ``tmp2`` that puts it into the destination ("tmp2 follows the destination")."""


@dataclass(frozen=True)
class Job:
    """A ``[[job]]`` of the settings, with every default filled in."""

    name: str
    plotter: str
    plots: int
    """How many plots to make; 0 is endless."""
    command: str | None
    tmp: tuple[Path, ...]
    tmp2: tuple[Path, ...]
    """Empty: the plotter has no second temporary directory."""
    tmp2_in_dst: bool
    dst: tuple[Path, ...]
    deliver: Deliver
    nice: int | None
    io_priority: str | None
    cpu_affinity: tuple[int, ...] | None
    written: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """The values as the settings file has them, defaults of the file included."""
    sections: Mapping[type, Any] = field(default_factory=dict, repr=False, compare=False)

    def keys(self, model: type[T]) -> T:
        """The job's values for *model*: the keys of its plotter, or those a plugin added to jobs.

        Raises:
            KeyError: *model* belongs neither to the job's plotter nor to a loaded plugin.
        """
        value = self.sections[model]
        assert isinstance(value, model)
        return value


class Stage(StrEnum):
    """Where a worker is in its life. It is written to the store before the stage begins."""

    CREATED = "created"
    PRE_COMMAND = "pre-command"
    PLOTTING = "plotting"
    FINISHING = "finishing"
    """The plotter has ended; its plots are being delivered."""
    CLEANING = "cleaning"
    ENDED = "ended"


STAGES_WITH_PLOTTER = frozenset({Stage.CREATED, Stage.PRE_COMMAND, Stage.PLOTTING})
"""Stages in which a worker occupies a slot."""


class PlotStage(StrEnum):
    """Where a plot of a worker is on its way. Written to the store before the stage begins."""

    FINISHED = "finished"
    DELIVERING = "delivering"
    DELIVERED = "delivered"
    POST_COMMAND = "post-command"
    DONE = "done"
    REJECTED = "rejected"


@dataclass(frozen=True)
class ProcessRef:
    """A process that cannot be mistaken for a later one with the same number."""

    pid: int
    started: str
    """When it started, in the operating system's own words (see process.py)."""


@dataclass(frozen=True)
class CopyProgress:
    """A plot that is being copied to its destination."""

    number: int
    """Which of its worker's plots it is."""
    bytes: int
    """So many have been copied."""
    speed: float
    """Bytes a second, since the copy began."""


@dataclass(frozen=True)
class Progress:
    """What the plotter's log has told so far about the plot being made."""

    phase: int = 0
    """0: not yet in phase 1, or a plotter without phases."""
    step: int = 0
    """Table or step within the phase."""
    fraction: float = 0.0
    plot_id: str | None = None
    plots_started: int = 0
    plots_complete: int = 0
    whole: bool = False
    """All phases are done, but the finished file has not got its final name yet."""
    trouble: str | None = None
    """The plotter's own words for why it is stuck or failing."""
    since: float | None = None
    """When the plot was begun, seconds since the epoch; None: nobody saw it."""
    still_since: float | None = None
    """Since when the plotter has stood still, seconds since the epoch, if it is stuck."""
    copied: float = 0.0
    """How much of the finished file has been copied to its destination."""
    copies: tuple[CopyProgress, ...] = ()
    """The worker's plots that are being copied now."""
    phase_starts: tuple[float, ...] = ()
    """When each phase of this plot was first seen, from phase 1 to the one it is in."""
    tmp_bytes: int = 0
    """What its temporary files took in tmp when they were measured last, twice a minute."""
    tmp2_bytes: int = 0
    """The same in tmp2."""
    memory: int = 0
    """Bytes of memory that its processes held then."""
    cpu: float | None = None
    """How many cores its processes used, on average, between the last two measurements."""


@dataclass(frozen=True)
class Measured:
    """A plot that this machine has made. Times are seconds; None is what is not known."""

    bytes: int
    """Of the finished file."""
    tmp_bytes: int | None = None
    """The most that its temporary files were seen to take."""
    seconds: float | None = None
    """Of all phases together."""
    delivery_seconds: float | None = None
    """From the end of the phases to the delivered file, without waiting."""
    longest_silence: float = 0.0
    """Between two lines of the plotter's log."""
    phases: tuple[float, ...] = ()
    """Of each phase; empty if they are not known."""

    @property
    def whole_seconds(self) -> float | None:
        """From the plotter's first line to the delivered file, without waiting."""
        if self.seconds is None:
            return None
        return self.seconds + (self.delivery_seconds or 0.0)


@dataclass(frozen=True)
class Timing:
    """What the last plots of the same plotter and k tell of the one being made."""

    plots: int = 0
    """How many they were."""
    scale: tuple[tuple[float, float], ...] = ((0.0, 0.0), (1.0, 0.95))
    """The plotter's own fraction at the end of each phase, and how much of the whole way to the
    delivered file that is."""
    seconds: tuple[float, float, float] | None = None
    """What the fastest, the middle and the slowest took for the whole way."""
    silence: float | None = None
    """The longest time in which their logs did not grow."""
    usual: float | None = None
    """Seconds of the whole way, by which a plot is judged whose plotter tells no phases."""


@dataclass(frozen=True)
class PlotWork:
    """A plot of a worker on its way from the temporary directory to its destination."""

    number: int
    """1 for the first plot of the worker."""
    plot: Plot
    """Where it lies now."""
    stage: PlotStage
    dst: Path | None = None
    waiting: str | None = None
    """Why it cannot be delivered now."""
    post: str | None = None
    """How the post-command ended: "ok", "failed: …" or "unknown: …"."""


@dataclass(frozen=True)
class Worker:
    """One plotter process seen through its whole life."""

    id: str
    job: str
    plotter: str
    stage: Stage
    created_at: float
    tmp: Path | None = None
    """Directory of the job that was chosen (the worker's own is ``tmp_dir``)."""
    tmp_dir: Path | None = None
    tmp2_dir: Path | None = None
    final_dir: Path | None = None
    """Where the plotter was told to put finished files."""
    more_final_dirs: tuple[Path, ...] = ()
    """Other directories that its plotter may put finished files in."""
    dst: Path | None = None
    """Destination, when it had to be chosen at the start."""
    k: int | None = None
    plots_wanted: int = 1
    """How many plots the process was asked for; 0 is endless."""
    finish_after: int | None = None
    """The number of its plot after which the process was asked to end, once it was."""
    plot_size: int = 0
    """Bytes that one finished plot is expected to have."""
    sizes: Sizes | None = None
    """What one plot of its takes; None: not known."""
    keeps_plots_in: Path | None = None
    """Where a finished plot of its lies while it makes the next one; None: it makes only one, or
    brings each away before the next."""
    size_key: str = ""
    """What its size depends on: plots with the same are compared."""
    timing: Timing | None = None
    log: Path | None = None
    argv: tuple[str, ...] = ()
    process: ProcessRef | None = None
    started_at: float | None = None
    """When the plotter was started."""
    plotter_ended_at: float | None = None
    exit_code: int | None = None
    ended_at: float | None = None
    outcome: str | None = None
    """"done", "failed" or "killed" (by the user) once it has ended, or is bound to."""
    reason: str | None = None
    """Why it failed."""
    suspended_since: float | None = None
    """Since when the user has had its plotter suspended."""
    progress: Progress = Progress()
    plot_ids: tuple[str, ...] = ()
    """Ids of the plots that its log has named."""
    plots: tuple[PlotWork, ...] = ()
    """Its finished plots; without the first `plots_forgotten`."""
    plots_forgotten: int = 0
    """Plots that went all the way and are not kept in `plots`: an endless process makes
    thousands."""
    emitted: tuple[str, ...] = ()
    """Which of its job's ``[[job.emit]]`` it has passed, in words."""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    """The job as it was written when the worker started."""

    @property
    def occupies_slot(self) -> bool:
        """Whether its plotter is running or about to run."""
        return self.stage in STAGES_WITH_PLOTTER

    @property
    def position(self) -> tuple[int, int]:
        """Phase and step, to compare workers by; while its phase is not known it is phase 1."""
        return (self.progress.phase, self.progress.step) if self.progress.phase else (1, 0)

    def plots_in(self, directory: Path, second: bool = False) -> bool:
        """Whether its temporary directory, or its second one, is *directory* or below it."""
        own = self.tmp2_dir if second else self.tmp_dir
        return own is not None and own.is_relative_to(directory)

    @property
    def plots_promised(self) -> int:
        """Plots that its process is bound to have made when it ends."""
        if self.finish_after is not None:
            return max(self.finish_after, self.progress.plots_complete)
        return self.plots_wanted or max(1, self.progress.plots_started)

    @property
    def plots_left(self) -> float:
        """Plots that its plotter has still to make, the one under way counted; may be infinite."""
        if not self.plots_wanted and self.finish_after is None:
            return float("inf")
        made = self.progress.plots_complete + self.progress.whole
        return max(0, self.plots_promised - made)

    @property
    def plots_seen(self) -> int:
        """How many finished plots it has left."""
        return self.plots_forgotten + len(self.plots)

    def is_named(self, prefix: str) -> bool:
        """Whether its id, or the id of one of its plots, begins so."""
        plots = (self.progress.plot_id, *self.plot_ids, *(work.plot.plot_id for work in self.plots))
        ids = (self.id, *filter(None, plots))
        return bool(prefix) and any(known.startswith(prefix) for known in ids)

    def plots_to_come(self, delivered: int) -> int:
        """Plots that it will still deliver, as far as anyone knows, given how many it has."""
        if self.outcome is None:  # until its failure is counted, no other may start in its place
            begins_another = not self.plots_wanted and self.finish_after is None
            coming = self.plots_promised + (begins_another and self.occupies_slot)
            return max(coming, self.plots_seen) - delivered
        rejected = sum(work.stage is PlotStage.REJECTED for work in self.plots)
        return self.plots_seen - delivered - rejected


@dataclass(frozen=True)
class JobState:
    """What has become of a job so far."""

    name: str
    made: int = 0
    """Plots delivered, counted across restarts."""
    expected: int = 0
    """Plots that running workers will still bring."""
    running: int = 0
    """Workers whose plotter is running or about to run."""
    failures_in_row: int = 0
    last_failure_at: float | None = None
    last_start_at: float | None = None
    """When its last plotter was started, or the worker that is about to start one was made."""
    last_start_of_any: float | None = None
    """When the last plotter of any job was started."""
    listed_at: float | None = None
    """When plotrun first found the job in the settings."""
    paused: str | None = None
    """Why it is paused, or None."""
    starts_asked: int = 0
    """Starts that events, fixed times or the user have asked for, and that are still to come."""
    next_time: float | None = None
    """When the next of its fixed times comes."""


@dataclass(frozen=True)
class Hold:
    """A reason why a job may not start a worker now."""

    reason: str
    until: float | None = None
    """When to ask again, if that is known; otherwise on the next change."""
    for_user: bool = False
    """Whether only the user can lift it."""
    only_timing: bool = False
    """Whether it says when a worker would better start, and not that none may start now: a start
    by hand (``plotrun start``) passes it over."""


@dataclass(frozen=True)
class Candidate:
    """A directory that could be chosen, as it is at this moment."""

    path: Path
    position: int
    """Its place in the job's list, from 0."""
    free: int | None = None
    """Bytes free; None: the disk did not answer."""
    promised: int = 0
    """Bytes of it that plots on their way will still take."""
    expected: int = 0
    """Bytes of it that running plotters will still take for their temporary files."""
    takers: int = 0
    """How many plotters those are."""
    needed: int = 0
    """Bytes that the new worker, or the plot, would take of it: none for a plot that lies on the
    same file system already."""
    workers: int = 0
    """Workers that use it as temporary directory, or plots that are on their way to it."""
    last_used: int = 0
    """Grows with every use of any directory; 0: never used."""
    trouble: str | None = None
    """Why it cannot be used at all: missing, not writable, not answering."""
    kept_free: int = 0
    """Bytes beside these that plugins want to stay free; told where room is to be made."""
    mount: Path | None = None
    """The mount point that it lies at or below: ``/`` where there is no other."""
    marks: frozenset[str] = frozenset()
    """Which of the files ``plotrun.skip`` and ``chia_plot_sink_disable`` are in it."""

    @property
    def room(self) -> int:
        """Bytes that are free, not promised, and not expected to be taken; 0 when unknown."""
        return max(0, (self.free or 0) - self.promised - self.expected)

    def lacks(self, needed: int) -> int:
        """Bytes that would have to become free for *needed* more; 0 if they are, or unknown."""
        if self.free is None:
            return 0
        return max(0, needed + self.promised + self.expected + self.kept_free - self.free)


@dataclass(frozen=True)
class Memory:
    """The machine's memory, as the next worker would find it."""

    available: int
    """Bytes that programs could have now."""
    needed: int | None = None
    """Bytes that the worker would take; None: its plotter does not tell."""
    expected: int = 0
    """Bytes that running plotters will still take, as far as they tell."""
    takers: int = 0
    """How many plotters those are."""


@dataclass(frozen=True)
class Command:
    """A command of the user's, to be run by the shell."""

    line: str
    """May hold tags such as ``%plot%``."""
    fails_worker: bool = True
    """Whether its failure is a failure of the worker."""


class EventKind(StrEnum):
    """Everything that plotrun tells observers."""

    RUNNER_STARTED = "runner_started"
    RUNNER_STOPPING = "runner_stopping"
    SETTINGS_CHANGED = "settings_changed"
    SETTINGS_INVALID = "settings_invalid"
    SETTINGS_WARNING = "settings_warning"
    PLUGIN_FAILED = "plugin_failed"
    WORKER_CREATED = "worker_created"
    WORKER_ADOPTED = "worker_adopted"
    PRE_STARTED = "pre_started"
    PRE_FINISHED = "pre_finished"
    PLOTTER_STARTED = "plotter_started"
    PHASE_CHANGED = "phase_changed"
    PROGRESS = "progress"
    PLOTTER_TROUBLE = "plotter_trouble"
    PLOTTER_STUCK = "plotter_stuck"
    FINISH_ASKED = "finish_asked"
    KILL_ASKED = "kill_asked"
    WORKER_SUSPENDED = "worker_suspended"
    WORKER_RESUMED = "worker_resumed"
    PLOTTER_FINISHED = "plotter_finished"
    PLOT_FINISHED = "plot_finished"
    PLOT_REJECTED = "plot_rejected"
    NO_DESTINATION = "no_destination"
    DELIVERY_STARTED = "delivery_started"
    DELIVERY_FAILED = "delivery_failed"
    PLOT_DELIVERED = "plot_delivered"
    PLOT_REMOVED = "plot_removed"
    POST_STARTED = "post_started"
    POST_FINISHED = "post_finished"
    LEFTOVER_KEPT = "leftover_kept"
    WORKER_FAILED = "worker_failed"
    WORKER_ENDED = "worker_ended"
    WORKER_RETRIED = "worker_retried"
    JOB_ENDED = "job_ended"
    JOB_PAUSED = "job_paused"
    JOB_EVENT = "job_event"
    STARTS_DROPPED = "starts_dropped"


EVENT_DATA: Mapping[EventKind, tuple[str, ...]] = {
    EventKind.RUNNER_STARTED: ("settings",),
    EventKind.RUNNER_STOPPING: ("workers",),
    EventKind.SETTINGS_CHANGED: ("settings", "changes"),
    EventKind.SETTINGS_INVALID: ("problems",),
    EventKind.SETTINGS_WARNING: ("problem",),
    EventKind.PLUGIN_FAILED: ("plugin", "hook", "error"),
    EventKind.WORKER_CREATED: ("plotter", "tmp"),
    EventKind.WORKER_ADOPTED: ("pid",),
    EventKind.PRE_STARTED: ("step",),
    EventKind.PRE_FINISHED: ("step", "result"),
    EventKind.PLOTTER_STARTED: ("pid", "tmp", "k"),
    EventKind.PHASE_CHANGED: ("phase",),
    EventKind.PROGRESS: ("fraction",),
    EventKind.PLOTTER_TROUBLE: ("text", "kind"),
    EventKind.PLOTTER_STUCK: ("minutes",),
    EventKind.FINISH_ASKED: ("plot",),
    EventKind.KILL_ASKED: (),
    EventKind.WORKER_SUSPENDED: (),
    EventKind.WORKER_RESUMED: (),
    EventKind.WORKER_RETRIED: (),
    EventKind.PLOTTER_FINISHED: ("exit_code",),
    EventKind.PLOT_FINISHED: ("plot", "size"),
    EventKind.PLOT_REJECTED: ("plot", "reason"),
    EventKind.NO_DESTINATION: ("plot", "reason"),
    EventKind.DELIVERY_STARTED: ("plot", "dst"),
    EventKind.DELIVERY_FAILED: ("plot", "dst", "reason"),
    EventKind.PLOT_DELIVERED: ("plot", "plot_id", "k", "size", "dst", "seconds"),
    EventKind.PLOT_REMOVED: ("plot", "plot_id", "k", "format", "size", "dst", "for_plot"),
    EventKind.POST_STARTED: ("step",),
    EventKind.POST_FINISHED: ("step", "result"),
    EventKind.LEFTOVER_KEPT: ("path", "reason"),
    EventKind.WORKER_FAILED: ("reason", "exit_code", "log_lines"),
    EventKind.WORKER_ENDED: ("outcome", "plots"),
    EventKind.JOB_ENDED: ("plots",),
    EventKind.JOB_PAUSED: ("reason",),
    EventKind.JOB_EVENT: ("event", "starts", "was_due"),
    EventKind.STARTS_DROPPED: ("count", "asked_by", "reason"),
}
"""Names of the data that an event of each kind has; what they are is told in docs/hooks.md."""


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    kind: EventKind
    at: float
    job: str | None = None
    worker: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    """Details by name, each a string, number or None: see docs/hooks.md."""
