"""``plotrun check``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from plotrun.cli import EXIT_FAILED

if TYPE_CHECKING:
    from plotrun.cli.opening import Opened
    from plotrun.model import Job

VERSION_TIMEOUT = 30.0
"""Seconds a plotter may take to tell its version; chia takes about two."""


@dataclass(frozen=True)
class Line:
    """One thing that was looked at."""

    ok: bool | None
    """None: it may be right or wrong."""
    words: str


@click.command("check")
@click.pass_obj
def command(settings: str | None) -> None:
    """See whether everything is in place: settings, plotters, directories.

    One line each; exit code 1 if anything fails. What begins with "warn" may be as it should.

    \b
    Example:
      plotrun check
    """
    from plotrun.cli.opening import open_settings
    from plotrun.words import printable

    opened = open_settings(settings)
    failed = False
    for line in _lines(opened):
        mark = {True: "ok  ", False: "FAIL", None: "warn"}[line.ok]
        click.echo(f"{mark}  {printable(line.words)}")
        failed |= line.ok is False
    if failed:
        sys.exit(EXIT_FAILED)


def _lines(opened: Opened) -> Iterator[Line]:
    settings = opened.settings
    yield Line(True, f"settings {settings.file}: {len(settings.jobs)} jobs, keys well formed")
    for warning in settings.warnings:
        yield Line(None, str(warning))
    for failure in opened.plugins.failures:
        yield Line(False, str(failure))
    yield _directory("state directory", settings.state_dir, may_be_made=True)
    yield _directory("log directory", settings.log_dir, may_be_made=True)
    seen: set[tuple[str, str]] = set()
    for job in settings.jobs:
        plotter = opened.schema.plotters[job.plotter]
        line = plotter.command(job)
        if (job.plotter, line) not in seen:
            seen.add((job.plotter, line))
            yield _plotter(job, line, plotter.version_command(line))
    yield from _directories(settings.jobs)


def _directories(jobs: tuple[Job, ...]) -> Iterator[Line]:
    seen: set[Path] = set()
    for job in jobs:
        for what, paths in (("tmp", job.tmp), ("tmp2", job.tmp2), ("dst", job.dst)):
            for path in paths:
                if path not in seen:
                    seen.add(path)
                    yield _directory(f"{what} of job {job.name}", path)


def _directory(what: str, path: Path, may_be_made: bool = False) -> Line:
    from plotrun.space import look
    from plotrun.words import size_words

    found = look(path)
    if found.trouble == "missing" and may_be_made:
        above = next(parent for parent in path.parents if parent.exists())
        found = look(above)
        if found.trouble is None:
            return Line(True, f"{what} {path}: will be made")
    if found.trouble is not None:
        return Line(False, f"{what} {path}: {found.trouble}")
    return Line(True, f"{what} {path}: writable, {size_words(found.free or 0)} free")


def _plotter(job: Job, command_line: str, version_line: str | None) -> Line:
    from plotrun.command_line import plotter_argv, program_of

    what = f"plotter {job.plotter} ({command_line})"
    missing = program_of(command_line)
    if missing is not None:
        return Line(False, f"{what}: {missing} is not found; set `command` to where it is")
    if version_line is None:
        return Line(True, f"{what}: found")
    try:
        ended = subprocess.run(
            plotter_argv(version_line, []),
            capture_output=True,
            timeout=VERSION_TIMEOUT,
            stdin=subprocess.DEVNULL,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return Line(False, f"{what}: {error}")
    said = (ended.stdout or ended.stderr).decode("utf-8", "backslashreplace").strip()
    last = said.splitlines()[-1] if said else "no version told"
    if ended.returncode != 0:
        return Line(False, f"{what}: `{version_line}` exited with {ended.returncode}: {last}")
    return Line(True, f"{what}: version {last}")
