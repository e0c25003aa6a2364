"""The user's commands before and after plotting."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from plotrun import (
    POST_TAGS,
    PRE_TAGS,
    Command,
    Help,
    Job,
    SettingsSection,
    Written,
    hookimpl,
    unknown_tags,
)


def _command_line(tags: tuple[str, ...]) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if not isinstance(value, str):
            raise ValueError("it is not text")
        if not value.strip():
            raise ValueError("it is empty")
        if "\0" in value:
            raise ValueError("it has a NUL character")
        for tag in unknown_tags(value, tags):
            close = difflib.get_close_matches(tag, tags, n=1)
            meant = f"did you mean %{close[0]}%?" if close else f"known: %{'%, %'.join(tags)}%"
            raise ValueError(f"unknown tag %{tag}%, {meant}")
        return value

    return read


@dataclass(frozen=True)
class CommandKeys:
    """The keys added to every job."""

    pre_command: Annotated[
        str | None,
        Written(_command_line(PRE_TAGS), "a shell command", {"type": "string"}),
        Help(
            "Run before plotting. Tags: " + ", ".join(f"`%{tag}%`" for tag in PRE_TAGS) + ".",
            may_hold_secret=True,
        ),
    ] = None
    post_command: Annotated[
        str | None,
        Written(_command_line(POST_TAGS), "a shell command", {"type": "string"}),
        Help(
            "Run for each plot once it is delivered. Tags: those of pre_command, "
            + ", ".join(f"`%{tag}%`" for tag in POST_TAGS[len(PRE_TAGS) :])
            + ". No need for quotes around them.",
            may_hold_secret=True,
        ),
    ] = None
    pre_command_must_succeed: Annotated[
        bool, Help("false: go on although the pre-command failed.")
    ] = True
    post_command_must_succeed: Annotated[
        bool, Help("true: a post-command that fails counts as a failure of the worker.")
    ] = False


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of commands."""
    return SettingsSection("commands", job_keys=CommandKeys)


@hookimpl
def plotrun_pre_command(job: Job) -> Command | None:
    """The job's pre_command."""
    keys = job.keys(CommandKeys)
    if keys.pre_command is None:
        return None
    return Command(keys.pre_command, keys.pre_command_must_succeed)


@hookimpl
def plotrun_post_command(job: Job) -> Command | None:
    """The job's post_command."""
    keys = job.keys(CommandKeys)
    if keys.post_command is None:
        return None
    return Command(keys.post_command, keys.post_command_must_succeed)
