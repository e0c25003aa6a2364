"""A plotter's command line: the user's command, and the arguments that plotrun adds."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Sequence

from plotrun.command import shell
from plotrun.plotter import is_shell_line
from plotrun.process import WINDOWS


def plotter_argv(command: str, arguments: Sequence[str]) -> list[str]:
    """The process to start for *command* with *arguments*.

    A plain command is started directly. A shell line (``cd ~/chia-blockchain && . ./activate &&
    chia plots create``) is run by a shell, which gets the arguments beside the line and not in
    it: nothing in them is ever read as code.
    """
    if WINDOWS:  # not run where this was written
        return [word.strip('"') for word in shlex.split(command, posix=False)] + [*arguments]
    if not is_shell_line(command):
        return [*shlex.split(command), *arguments]
    return [shell(), "-c", f'{command} "$@"', "plotrun", *arguments]


def program_of(command: str) -> str | None:
    """The program of a plain command, if it cannot be found; None if it can, or a shell looks."""
    if is_shell_line(command):
        return None
    words = shlex.split(command, posix=not WINDOWS)
    program = words[0] if words else command
    return None if shutil.which(program) else program
