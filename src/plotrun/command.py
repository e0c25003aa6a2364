"""A command of the user's, run exactly once even if plotrun dies meanwhile.

The command runs under a small shell script that keeps a result file: it is empty once the
command has begun, and holds the exit code once it has ended. So a plotrun that comes back knows
whether the command was never begun (it is run), is running (it is waited for), has ended (the
code is known), or was cut off (nobody can know: that is said, and it is not run again).
"""

from __future__ import annotations

import asyncio
import os
import shlex
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from plotrun import tags
from plotrun.process import WINDOWS, Executor, Process, Spawn

_KEEP_RESULT = (
    ': > "$1" || exit 125; "$2" -c "$3"; code=$?; '
    'echo $code > "$1.new" && mv "$1.new" "$1"; exit $code'
)


@dataclass(frozen=True)
class Ended:
    """The command ended."""

    code: int

    @property
    def words(self) -> str:
        """For people: "ok", or how it failed."""
        return "ok" if self.code == 0 else f"failed: exit code {self.code}"


@dataclass(frozen=True)
class Refused:
    """The command was not run."""

    why: str

    @property
    def words(self) -> str:
        """For people."""
        return f"failed: {self.why}"


@dataclass(frozen=True)
class Unknown:
    """The command was begun, and nobody can know how it ended."""

    @property
    def words(self) -> str:
        """For people."""
        return "unknown: it was cut off together with plotrun and is not run again"


Result = Ended | Refused | Unknown


@dataclass(frozen=True)
class Step:
    """A command of a worker, with all that it needs."""

    worker: str
    name: str
    """Unique within the worker: "pre-1", "post-2-1"."""
    line: str
    values: Mapping[str, str]
    """Values of the tags, by name."""
    log: Path
    result_file: Path


async def run_once(executor: Executor, step: Step, resumed: bool) -> Result:
    """Run a step's command, or take up the one that an earlier plotrun began.

    Raises:
        OSError: the command or its log cannot be written or started.
    """
    if resumed:
        running = await asyncio.to_thread(executor.find, step.worker, step.name)
        if running is not None:
            return await _finish(running, step)
        if step.result_file.exists():
            return _result(step) or Unknown()
    unsafe = tags.unsafe_for_interpreter(step.line, step.values)
    if unsafe is not None:
        return Refused(
            f"%{unsafe}% has characters that are not safe inside the code of another program: "
            f'use "${tags.variable(unsafe)}" in a script of its own'
        )
    step.result_file.parent.mkdir(parents=True, exist_ok=True)
    environment = {tags.variable(tag): value for tag, value in step.values.items()}
    process = await executor.spawn(
        Spawn(_argv(step), step.log, step.worker, step.name, environment)
    )
    return await _finish(process, step)


async def _finish(process: Process, step: Step) -> Result:
    code = await process.wait()
    result = _result(step)
    if result is None and code is not None:
        result = Ended(code)
    return result or Unknown()


def _result(step: Step) -> Result | None:
    try:
        return Ended(int(step.result_file.read_text("ascii")))
    except (OSError, ValueError):
        return None


def _argv(step: Step) -> list[str]:
    if WINDOWS:  # no shell at all: its quoting cannot be made safe. Not run here.
        words = shlex.split(step.line, posix=False)
        return [_replace_tags(word.strip('"'), step.values) for word in words]
    line = tags.refer(step.line, tuple(step.values))
    return ["/bin/sh", "-c", _KEEP_RESULT, "plotrun", os.fspath(step.result_file), shell(), line]


def _replace_tags(word: str, values: Mapping[str, str]) -> str:
    for tag, value in values.items():
        word = word.replace(f"%{tag}%", value)
    return word


def shell() -> str:
    """The shell that runs what users write: bash, since their lines are written for it."""
    return shutil.which("bash") or "/bin/sh"
