"""What the benchmarks share: a plotter that does nothing, and a farm for it."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from plotrun import (
    Job,
    PhaseStarted,
    PlotComplete,
    PlotNamed,
    Plotter,
    Rule,
    Run,
    SettingsSection,
    Sizes,
    hookimpl,
)

PLOT_ID = "ab" * 32
HEADER = b"Proof of Space Plot" + bytes.fromhex(PLOT_ID) + bytes([32])
HEADER += (5).to_bytes(2, "big") + b"bench" + (128).to_bytes(2, "big") + bytes(128)


@dataclass(frozen=True)
class NothingKeys:
    script: str
    times: str = "/dev/null"


class NothingPlotter(Plotter):
    """Runs a shell script that the settings name: script, final directory, file for times."""

    name: ClassVar[str] = "nothing"
    keys: ClassVar[type] = NothingKeys
    default_command: ClassVar[str] = "/bin/bash"
    rules: ClassVar = (
        Rule(rb"ID: ([0-9a-f]{64})", lambda line: PlotNamed(line[1].decode())),
        Rule(rb"phase (\d)", lambda line: PhaseStarted(int(line[1]))),
        Rule(rb"complete", lambda _: PlotComplete()),
    )

    def arguments(self, run: Run) -> list[str]:
        keys = run.job.keys(NothingKeys)
        return [keys.script, str(run.final_dir), keys.times]

    def sizes(self, job: Job) -> Sizes:  # noqa: ARG002 - all plots have one size
        return Sizes(len(HEADER), len(HEADER))


class Bench:
    """The plugin of the benchmarks."""

    @hookimpl
    def plotrun_plotters(self) -> list[Plotter]:
        return [NothingPlotter()]

    @hookimpl
    def plotrun_settings(self) -> SettingsSection:
        return SettingsSection("bench")


def write_settings(root: Path, job: str) -> Path:
    """Settings with one job of the plotter that does nothing."""
    for name in ("tmp", "dst"):
        (root / name).mkdir(exist_ok=True)
    file = root / "settings.toml"
    file.write_text(
        f'[plotrun]\nstate_dir = "{root}/state"\nkeep_logs = false\n'
        f'[[job]]\nname = "bench"\nplotter = "nothing"\ntmp = "{root}/tmp"\ndst = "{root}/dst"\n'
        + job
    )
    return file


def report(name: str, figures: dict[str, object]) -> None:
    """Print the figures as one JSON object."""
    machine = f"{platform.system()} {platform.machine()}, Python {platform.python_version()}"
    print(json.dumps({"benchmark": name, "machine": machine, **figures}, indent=2))
