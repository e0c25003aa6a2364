"""Whether a plot is good, by xchplot2 itself."""

from __future__ import annotations

import subprocess
from pathlib import Path

from plotrun import plotter_argv


def verify_problem(path: Path, command: str, trials: int) -> str | None:
    """Why ``xchplot2 verify`` finds the plot bad, or None; *command* starts xchplot2."""
    ended = subprocess.run(
        plotter_argv(command, ["verify", str(path), "--trials", str(trials)]),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,  # Ctrl-C is for plotrun
        check=False,
    )
    if ended.returncode == 0:
        return None
    lines = (ended.stderr.strip() or ended.stdout.strip()).splitlines()
    said = f": {lines[-1]}" if lines else ""
    return f"xchplot2 verify fails on it (exit code {ended.returncode}){said}"
