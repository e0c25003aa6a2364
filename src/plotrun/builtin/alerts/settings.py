"""``[plugins.alerts]``: where messages go, which events, and their words."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import time
from difflib import get_close_matches
from typing import Annotated, Any

from annotated_types import Ge

from plotrun import (
    EVENT_DATA,
    EventKind,
    Help,
    Name,
    Seconds,
    Tables,
    Written,
    unknown_tags,
)

from .urls import Url, read_urls

SUMMARY = "summary"
"""Stands among the events for the daily summary."""
KINDS = (*map(str, EventKind), SUMMARY)
USUAL = (
    "runner_started",
    "runner_stopping",
    "worker_failed",
    "job_ended",
    "job_paused",
    "plotter_stuck",
    "plot_rejected",
    "no_destination",
    "plot_removed",
    SUMMARY,
)
"""What is told unless the settings say otherwise."""
COMMON_TAGS = ("host", "time", "event", "job", "worker")
SUMMARY_TAGS = ("plots", "since", "mean", "failures", "free", "room", "days", "silent")

_STRINGS = {"type": "array", "items": {"type": "string"}}


def tags_of(kind: str) -> tuple[str, ...]:
    """The tags that a message of this kind may have."""
    own = SUMMARY_TAGS if kind == SUMMARY else EVENT_DATA.get(EventKind(kind), ())
    return tuple(dict.fromkeys((*COMMON_TAGS, *own)))


def read_events(value: Any) -> tuple[str, ...]:
    """Kinds of events.

    Raises:
        ValueError: it is no list of them.
    """
    if not isinstance(value, list) or not all(isinstance(kind, str) for kind in value):
        raise ValueError("it is not a list of text")
    for kind in value:
        if kind not in KINDS:
            close = get_close_matches(kind.replace(" ", "_"), KINDS, n=1)
            meant = f"did you mean {close[0]}?" if close else "docs/alerts.md lists them"
            raise ValueError(f'there is no event "{kind}", {meant}')
    return tuple(value)


def read_time(value: Any) -> time:
    """A time of the day, as the library schedule reads it: "08:00".

    Raises:
        ValueError: it is none.
    """
    import schedule

    if not isinstance(value, str):
        raise ValueError("it is not text")
    try:
        at: time | None = schedule.Scheduler().every().day.at(value).at_time
    except schedule.ScheduleValueError:
        raise ValueError("it cannot be read") from None
    assert at is not None
    return at


def _read_names(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("it is not a list of text")
    return tuple(value)


def _template(kind: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str) or not value.strip():
            raise ValueError("it is not text")
        known = tags_of(kind)
        for tag in unknown_tags(value, known):
            close = get_close_matches(tag, known, n=1)
            meant = f"did you mean %{close[0]}%?" if close else f"known: %{'%, %'.join(known)}%"
            raise ValueError(f"unknown tag %{tag}%, {meant}")
        return value

    return read


Messages: type = dataclasses.make_dataclass(
    "Messages",
    [
        (
            kind,
            Annotated[
                str | None,
                Written(_template(kind), "the text of a message", {"type": "string"}),
                Help("Tags: " + ", ".join(f"`%{tag}%`" for tag in tags_of(kind)) + "."),
            ],
            None,
        )
        for kind in KINDS
    ],
    frozen=True,
)
"""``[plugins.alerts.messages]``: a key for each kind of event."""

Urls = Annotated[
    tuple[Url, ...],
    Written(
        read_urls,
        'a URL of Apprise, "file:/some/file" or "env:NAME", or a list of them',
        {"anyOf": [{"type": "string"}, _STRINGS]},
    ),
]
Events = Annotated[tuple[str, ...], Written(read_events, "a list of events", _STRINGS)]


@dataclass(frozen=True)
class Service:
    """``[[plugins.alerts.service]]``."""

    name: Annotated[Name, Help("What the service is called: `plotrun alerts test --tag NAME`.")]
    urls: Annotated[Urls, Help("Where its messages go.", secret=True)]
    events: Annotated[Events, Help("What it is told. Default: the usual events.")] = USUAL
    jobs: Annotated[
        Annotated[tuple[str, ...], Written(_read_names, "a list of names of jobs", _STRINGS)]
        | None,
        Help("Only events of these jobs, and those of no job. Default: all."),
    ] = None


@dataclass(frozen=True)
class AlertsSettings:
    """``[plugins.alerts]``."""

    urls: Annotated[
        Urls | None,
        Help(
            "Where messages go: URLs of Apprise (`discord://…`, `tgram://…`, `mailtos://…`), "
            '`"file:/some/file"` with one on each line, `"env:NAME"` for an environment variable.',
            secret=True,
        ),
    ] = None
    events: Annotated[
        Events, Help("What these URLs are told: kinds of events (docs/hooks.md) and `summary`.")
    ] = USUAL
    service: Annotated[
        tuple[Service, ...],
        Tables(Service, many=True),
        Help(
            "Other URLs for other events and jobs: `[[plugins.alerts.service]]` with `name`, "
            "`urls`, `events`, `jobs`.",
            secret=True,
        ),
    ] = ()
    messages: Annotated[
        Any | None,
        Tables(Messages),
        Help("Words of your own: `[plugins.alerts.messages]` with an event and its text."),
    ] = None
    summary: Annotated[
        Annotated[time, Written(read_time, 'a time of the day such as "08:00"', {"type": "string"})]
        | None,
        Help("When the daily summary is sent, in local time. Default: never."),
    ] = None
    most_alike: Annotated[
        int, Ge(1), Help("Messages of one kind within `alike_within`; more are gathered into one.")
    ] = 5
    alike_within: Annotated[Seconds, Help("See `most_alike`.")] = 600.0

    @property
    def services(self) -> tuple[Service, ...]:
        """All services; the URLs at the top are one by the name of "main"."""
        main = () if self.urls is None else (Service("main", self.urls, self.events),)
        return main + self.service

    def template(self, kind: str) -> str | None:
        """The user's own words for a kind of event."""
        words: str | None = getattr(self.messages, kind, None)
        return words


def words_with(template: str, values: Mapping[str, str]) -> str:
    """*template* with each known tag replaced; what a value holds is never a tag."""
    import re

    tags = "|".join(map(re.escape, values))
    return re.sub(f"%({tags})%", lambda tag: values[tag[1]], template)
