"""A small farm for tests: directories, a settings file, and plotrun as a user runs it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil
import pytest

PLOTRUN = (sys.executable, "-m", "plotrun")


def until(process: subprocess.Popen[bytes], words: str) -> str:
    """Read the output of *process* until a line has these words; answers that line."""
    assert process.stdout is not None
    seen = []
    for raw in process.stdout:
        line = raw.decode("utf-8", "surrogateescape")
        seen.append(line)
        if words in line:
            return line
    raise AssertionError(f"it ended without saying {words!r}:\n{''.join(seen)}")


@contextlib.contextmanager
def small_disk(directory: Path, size: str) -> Iterator[Path]:
    """A file system of *size* mounted on *directory*; skips the test where that may not be."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system takes root")
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", os.fspath(directory)]
    if subprocess.run(command, check=False).returncode != 0:
        pytest.skip("this machine does not let tests mount file systems")
    try:
        yield directory
    finally:
        subprocess.run(["umount", "-l", os.fspath(directory)], check=True)


@contextlib.contextmanager
def disk_image(image: Path, directory: Path, size: str) -> Iterator[Path]:
    """An ext4 file system of *size* in the file *image*, mounted on *directory*; needs root.

    Unlike a tmpfs it has a disk below it, and can be frozen: whoever writes to it hangs then.
    """
    if os.geteuid() != 0 or shutil.which("mkfs.ext4") is None:
        pytest.skip("a file system in a file takes root and mkfs.ext4")
    subprocess.run(["truncate", "-s", size, image], check=True)
    subprocess.run(["mkfs.ext4", "-q", "-m", "0", image], check=True)
    if subprocess.run(["mount", "-o", "loop", image, directory], check=False).returncode != 0:
        pytest.skip("this machine does not let tests mount file systems")
    try:
        yield directory
    finally:
        thaw(directory)
        subprocess.run(["umount", "-l", os.fspath(directory)], check=True)


def freeze(directory: Path) -> None:
    """Let everybody hang who writes to the file system of `disk_image`, until it is thawed."""
    subprocess.run(["fsfreeze", "--freeze", os.fspath(directory)], check=True)


def thaw(directory: Path) -> None:
    """Let them go on."""
    subprocess.run(["fsfreeze", "--unfreeze", os.fspath(directory)], check=False, stderr=-3)


@dataclass
class Farm:
    """Directories under *root*, and a settings file with one job of the embedded plotter."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("tmp", "a", "b"):
            (self.root / name).mkdir(parents=True, exist_ok=True)

    @property
    def tmp(self) -> Path:
        return self.root / "tmp"

    @property
    def state_dir(self) -> Path:
        return self.root / "state"

    @property
    def log_dir(self) -> Path:
        return self.state_dir / "logs"

    @property
    def settings(self) -> Path:
        return self.root / "settings.toml"

    def write(self, job: str = "", general: str = "", rest: str = "", **keys: Any) -> Path:
        """Write settings with one job; *keys* are its keys, *job* more lines of it."""
        values: dict[str, Any] = {
            "name": "test",
            "plotter": "chiapos",
            "plots": 1,
            "k": 18,
            "tmp": str(self.tmp),
            "dst": [str(self.root / "a"), str(self.root / "b")],
        } | keys
        given = {key: value for key, value in values.items() if value is not ...}
        lines = [f"{key} = {json.dumps(value)}" for key, value in given.items()]
        text = f"[plotrun]\nstate_dir = {json.dumps(str(self.state_dir))}\n"
        text += textwrap.dedent(general) + "\n" + textwrap.dedent(rest)
        text += "\n[[job]]\n" + "\n".join(lines) + "\n" + textwrap.dedent(job)
        self.settings.write_text(text, "utf-8")
        return self.settings

    def patch(self, module: str, name: str, value: object) -> None:
        """Let this farm's plotrun run with another value of a constant."""
        directory = self.root / "patches"
        directory.mkdir(exist_ok=True)
        with (directory / "sitecustomize.py").open("a") as file:
            file.write(f"import {module}\n{module}.{name} = {value!r}\n")
        self.environment["PYTHONPATH"] = str(directory)

    def start(self, *arguments: str, **options: Any) -> subprocess.Popen[bytes]:
        """Start plotrun in the background, its output in a pipe."""
        return subprocess.Popen(
            [*PLOTRUN, "--settings", os.fspath(self.settings), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=os.environ | self.environment,
            **options,
        )

    def plotrun(self, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run plotrun to its end."""
        return subprocess.run(
            [*PLOTRUN, "--settings", os.fspath(self.settings), *arguments],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=timeout,
            env=os.environ | self.environment,
            check=False,
        )

    def run_until_done(self) -> subprocess.CompletedProcess[str]:
        """``plotrun run --until-done``."""
        return self.plotrun("run", "--until-done")

    def status(self) -> Mapping[str, Any]:
        """``plotrun status --json``."""
        shown: Mapping[str, Any] = json.loads(self.plotrun("status", "--json").stdout)
        return shown

    def workers(self) -> list[Mapping[str, Any]]:
        """Workers of this farm, without plotters of others on the same machine."""
        return [worker for worker in self.status()["workers"] if worker["own"]]

    def holds(self) -> list[str]:
        """Why the job is held; asks until it is."""
        while not (holds := self.status()["jobs"][0]["holds"]):
            pass  # the question itself takes a tenth of a second
        return list(holds)

    def processes(self) -> list[psutil.Process]:
        """What runs in this farm: plotters, commands, plotrun itself."""
        found = []
        for process in psutil.process_iter():
            with contextlib.suppress(psutil.Error, OSError):
                if os.fspath(self.root) in " ".join(process.cmdline()):
                    found.append(process)
        return found

    def end_plotters(self) -> None:
        """Kill what runs in this farm."""
        for process in self.processes():
            with contextlib.suppress(psutil.Error):
                process.kill()

    def plots(self) -> list[Path]:
        """Plots in the destinations."""
        return sorted(p for name in ("a", "b") for p in (self.root / name).glob("*.plot"))

    def leftovers(self) -> list[Path]:
        """Everything in the temporary directory, and what is no plot in the destinations."""
        found = list(self.tmp.rglob("*"))
        for name in ("a", "b"):
            found += [p for p in (self.root / name).rglob("*") if p.suffix != ".plot"]
        return sorted(found)
