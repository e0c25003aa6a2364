"""Events as lines with timestamps: on standard output when it is no terminal, and in the log."""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from plotrun.model import Event, EventKind
from plotrun.words import printable, size_words

Data = Mapping[str, Any]

_WORDS: Mapping[EventKind, Callable[[Data], str]] = {
    EventKind.RUNNER_STARTED: lambda d: f"plotrun runs with {d['settings']}",
    EventKind.RUNNER_STOPPING: lambda d: "plotrun stops",
    EventKind.SETTINGS_CHANGED: lambda d: "the settings have changed and are in force",
    EventKind.SETTINGS_INVALID: lambda d: f"the old settings stay in force: {d['problems']}",
    EventKind.PLUGIN_FAILED: lambda d: f"plugin {d['plugin']}: {d['hook']}: {d['error']}",
    EventKind.WORKER_CREATED: lambda d: f"begins with {d['plotter']} in {d['tmp']}",
    EventKind.WORKER_ADOPTED: lambda d: f"plotter found running, process {d['pid']}",
    EventKind.PRE_STARTED: lambda d: "pre-command runs",
    EventKind.PRE_FINISHED: lambda d: f"pre-command: {d['result']}",
    EventKind.PLOTTER_STARTED: lambda d: f"plotter started, process {d['pid']}, k={d['k']}",
    EventKind.PHASE_CHANGED: lambda d: f"phase {d['phase']}",
    EventKind.PLOTTER_TROUBLE: lambda d: f"plotter says: {d['text']}",
    EventKind.PLOTTER_FINISHED: lambda d: "plotter finished",
    EventKind.PLOT_FINISHED: lambda d: f"plot made: {d['plot']}, {size_words(d['size'])}",
    EventKind.PLOT_REJECTED: lambda d: f"bad plot {d['plot']}: {d['reason']}",
    EventKind.NO_DESTINATION: lambda d: f"no destination for {d['plot']}: {d['reason']}",
    EventKind.DELIVERY_STARTED: lambda d: f"delivery to {d['dst']}",
    EventKind.DELIVERY_FAILED: lambda d: f"delivery failed: {d['reason']}",
    EventKind.PLOT_DELIVERED: lambda d: f"plot delivered: {d['plot']}",
    EventKind.POST_STARTED: lambda d: "post-command runs",
    EventKind.POST_FINISHED: lambda d: f"post-command: {d['result']}",
    EventKind.LEFTOVER_KEPT: lambda d: f"left in place: {d['path']}: {d['reason']}",
    EventKind.WORKER_FAILED: lambda d: f"failed: {d['reason']}",
    EventKind.WORKER_ENDED: lambda d: f"ended: {d['outcome']}",
    EventKind.JOB_ENDED: lambda d: f"has made its {d['plots']} plots",
}
"""What a line says of each kind; progress is for the screen only."""

_WARN = (
    EventKind.SETTINGS_INVALID,
    EventKind.PLUGIN_FAILED,
    EventKind.PLOTTER_TROUBLE,
    EventKind.PLOT_REJECTED,
    EventKind.NO_DESTINATION,
    EventKind.DELIVERY_FAILED,
    EventKind.LEFTOVER_KEPT,
    EventKind.WORKER_FAILED,
)

log = logging.getLogger(__name__)


def event_words(event: Event) -> str | None:
    """The event in one line, without its time; None for what is no line's worth."""
    words = _WORDS.get(event.kind)
    if words is None:
        return None
    who = [f"job {event.job}"] if event.job else []
    who += [f"worker {event.worker}"] if event.worker else []
    return printable(": ".join([" ".join(who), words(event.data)] if who else [words(event.data)]))


def print_event(event: Event) -> None:
    """Print the event with its time."""
    words = event_words(event)
    if words is not None:
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(event.at))
        try:
            print(f"{stamp} {words}", flush=True)  # noqa: T201 - standard output is the point
        except (BrokenPipeError, UnicodeEncodeError):
            sys.stdout = open("/dev/null", "w")  # noqa: PTH123, SIM115 - nobody reads any more


def log_event(event: Event) -> None:
    """Write the event into plotrun's own log."""
    words = event_words(event)
    if words is not None:
        log.log(logging.WARNING if event.kind in _WARN else logging.INFO, "%s", words)
