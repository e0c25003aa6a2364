"""Events as lines with timestamps: on standard output when it is no terminal, and in the log."""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Mapping
from typing import Any

from plotrun.model import Event, EventKind
from plotrun.words import moment_words, printable, size_words

_WORDS: Mapping[EventKind, str] = {
    EventKind.RUNNER_STARTED: "plotrun runs with {settings}",
    EventKind.RUNNER_STOPPING: "plotrun stops",
    EventKind.SETTINGS_CHANGED: "the settings have changed and are in force: {changes}",
    EventKind.SETTINGS_INVALID: "the old settings stay in force: {problems}",
    EventKind.SETTINGS_WARNING: "{problem}",
    EventKind.PLUGIN_FAILED: "plugin {plugin}: {hook}: {error}",
    EventKind.WORKER_CREATED: "begins with {plotter} in {tmp}",
    EventKind.WORKER_ADOPTED: "plotter found running, process {pid}",
    EventKind.PRE_STARTED: "pre-command runs",
    EventKind.PRE_FINISHED: "pre-command: {result}",
    EventKind.PLOTTER_STARTED: "plotter started, process {pid}, k={k}",
    EventKind.PHASE_CHANGED: "phase {phase}",
    EventKind.PLOTTER_TROUBLE: "plotter says: {text}",
    EventKind.PLOTTER_STUCK: "plotter is stuck: no line and no work for {minutes} minutes",
    EventKind.FINISH_ASKED: "plotter asked to end after its plot {plot}",
    EventKind.KILL_ASKED: "the user has it killed",
    EventKind.WORKER_SUSPENDED: "plotter suspended",
    EventKind.WORKER_RESUMED: "plotter goes on",
    EventKind.PLOTTER_FINISHED: "plotter finished",
    EventKind.PLOT_FINISHED: "plot made: {plot}, {size}",
    EventKind.PLOT_REJECTED: "bad plot {plot}: {reason}",
    EventKind.NO_DESTINATION: "no destination for {plot}: {reason}",
    EventKind.DELIVERY_STARTED: "delivery to {dst}",
    EventKind.DELIVERY_FAILED: "delivery failed: {reason}",
    EventKind.PLOT_DELIVERED: "plot delivered: {plot}",
    EventKind.PLOT_REMOVED: "old plot removed to make room: {plot}, {size}",
    EventKind.POST_STARTED: "post-command runs",
    EventKind.POST_FINISHED: "post-command: {result}",
    EventKind.LEFTOVER_KEPT: "left in place: {path}: {reason}",
    EventKind.WORKER_FAILED: "failed: {reason}",
    EventKind.WORKER_ENDED: "ended: {outcome}",
    EventKind.WORKER_RETRIED: "taken up once more",
    EventKind.JOB_ENDED: "has made its {plots} plots",
    EventKind.JOB_PAUSED: "starts nothing more: {reason}",
    EventKind.JOB_EVENT: "event {event}{late}: starts {starts}",
    EventKind.STARTS_DROPPED: "{count} asked for by {asked_by} not started: {reason}",
}
"""What a line says of each kind; progress is for the screen only."""

_WARN = (
    EventKind.SETTINGS_INVALID,
    EventKind.SETTINGS_WARNING,
    EventKind.PLUGIN_FAILED,
    EventKind.PLOTTER_TROUBLE,
    EventKind.PLOTTER_STUCK,
    EventKind.PLOT_REJECTED,
    EventKind.NO_DESTINATION,
    EventKind.DELIVERY_FAILED,
    EventKind.LEFTOVER_KEPT,
    EventKind.WORKER_FAILED,
    EventKind.JOB_PAUSED,
)

log = logging.getLogger(__name__)


class _Told(dict[str, Any]):
    """An event's data: what an older plotrun did not tell is unknown."""

    def __missing__(self, key: str) -> str:
        return "?"


def event_words(event: Event) -> str | None:
    """The event in one line, without its time; None for what is no line's worth."""
    words = _WORDS.get(event.kind)
    if words is None:
        return None
    who = [f"job {event.job}"] if event.job else []
    who += [f"worker {event.worker}"] if event.worker else []
    data = _Told(event.data)
    if "size" in data:
        data["size"] = size_words(data["size"])
    if event.kind is EventKind.JOB_EVENT:
        due = data.get("was_due")
        words_due = "" if due is None else f" (of {moment_words(due, event.at)}, plotrun was down)"
        data["late"] = words_due
    return printable(": ".join([*([" ".join(who)] if who else []), words.format_map(data)]))


def stamped_words(event: Event) -> str | None:
    """The event in one line, with its time; None for what is no line's worth."""
    words = event_words(event)
    if words is None:
        return None
    return f"{time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(event.at))} {words}"


def print_event(event: Event) -> None:
    """Print the event with its time."""
    words = stamped_words(event)
    if words is not None:
        try:
            print(words, flush=True)  # noqa: T201 - standard output is the point
        except (BrokenPipeError, UnicodeEncodeError):
            sys.stdout = open(os.devnull, "w")  # noqa: PTH123, SIM115 - nobody reads any more


def log_event(event: Event) -> None:
    """Write the event into plotrun's own log."""
    words = event_words(event)
    if words is not None:
        log.log(logging.WARNING if event.kind in _WARN else logging.INFO, "%s", words)
