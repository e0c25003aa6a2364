"""plotrun keeps Chia plotters running.

This is the public API for authors of plugins: the marker for hook implementations and every type
that hooks see. Nothing deeper is promised to stay.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pluggy

from plotrun.analysis.forms import FinishedLog, LineForm
from plotrun.farm.found import FoundPlot, Inventory, PlotFacts
from plotrun.keys import puzzle_hash
from plotrun.lines import event_words
from plotrun.logparser import (
    CopyFailed,
    Fact,
    FractionDone,
    LogParser,
    PhaseStarted,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotStarted,
    PlotTook,
    Rule,
    SizesTold,
    StepStarted,
    Trouble,
    log_words,
)
from plotrun.model import (
    EVENT_DATA,
    Candidate,
    Command,
    Deliver,
    Event,
    EventKind,
    Hold,
    Job,
    JobState,
    Memory,
    Plot,
    PlotFormat,
    PlotStage,
    PlotWork,
    ProcessRef,
    Progress,
    Sizes,
    Stage,
    Worker,
)
from plotrun.owner_keys import OptionalOwnerKeys, OwnerKeys, one_pool, whole_owner
from plotrun.plotfile import NotAPlot, read_plot, v1_plot_bytes, v1_sizes, v1_tmp_bytes
from plotrun.plotter import (
    KeyProblem,
    Plotter,
    Recognised,
    Run,
    option,
    options,
    recognised,
    with_v1_sizes,
)
from plotrun.settings.schema import SettingsSection
from plotrun.settings.tables import by_directory
from plotrun.settings.types import (
    AbsolutePath,
    AbsolutePaths,
    Bytes,
    ContractAddress,
    Durations,
    Help,
    Name,
    PublicKey,
    Seconds,
    Tables,
    TellableError,
    Written,
    read_duration,
)
from plotrun.tags import POST_TAGS, PRE_TAGS, unknown_tags
from plotrun.troubles import TroubleKind
from plotrun.words import DAYS, duration_words, moment_words, printable, size_words

if TYPE_CHECKING:
    from plotrun.builtin.chia import (
        CHIAPOS_FINISHED,
        CHIAPOS_LOG,
        CHIAPOS_PHASE_SHARES,
        CHIAPOS_TEMPORARY,
    )
    from plotrun.builtin.madmax import (
        MADMAX_FINISHED,
        MADMAX_LOG,
        MadMaxKeys,
        MadMaxPlotter,
        slashed,
    )
    from plotrun.cli.opening import read_settings
    from plotrun.cli.opening_farm import OpenFarm, open_farm
    from plotrun.clock import Clock
    from plotrun.command_line import plotter_argv
    from plotrun.farm.farm import Farm
    from plotrun.farm.look import read_facts
    from plotrun.hookspecs import Runner
    from plotrun.settings.settings import Settings
    from plotrun.simulation.figures import DiskFigures, PlotFigures

hookimpl = pluggy.HookimplMarker("plotrun")
"""Marks a function as the implementation of the hook of the same name."""

_LATE = {
    "CHIAPOS_FINISHED": "plotrun.builtin.chia",
    "CHIAPOS_LOG": "plotrun.builtin.chia",
    "CHIAPOS_PHASE_SHARES": "plotrun.builtin.chia",
    "CHIAPOS_TEMPORARY": "plotrun.builtin.chia",
    "MADMAX_FINISHED": "plotrun.builtin.madmax",
    "MADMAX_LOG": "plotrun.builtin.madmax",
    "MadMaxKeys": "plotrun.builtin.madmax",
    "MadMaxPlotter": "plotrun.builtin.madmax",
    "slashed": "plotrun.builtin.madmax",
    "Clock": "plotrun.clock",
    "Farm": "plotrun.farm.farm",
    "Runner": "plotrun.hookspecs",
    "Settings": "plotrun.settings.settings",
    "OpenFarm": "plotrun.cli.opening_farm",
    "open_farm": "plotrun.cli.opening_farm",
    "plotter_argv": "plotrun.command_line",
    "read_facts": "plotrun.farm.look",
    "read_settings": "plotrun.cli.opening",
    "DiskFigures": "plotrun.simulation.figures",
    "PlotFigures": "plotrun.simulation.figures",
}
"""Names that bring much with them, imported when they are asked for."""


def __getattr__(name: str) -> Any:
    if name in _LATE:
        import importlib

        return getattr(importlib.import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


__all__ = [
    "CHIAPOS_FINISHED",
    "CHIAPOS_LOG",
    "CHIAPOS_PHASE_SHARES",
    "CHIAPOS_TEMPORARY",
    "DAYS",
    "EVENT_DATA",
    "MADMAX_FINISHED",
    "MADMAX_LOG",
    "POST_TAGS",
    "PRE_TAGS",
    "AbsolutePath",
    "AbsolutePaths",
    "Bytes",
    "Candidate",
    "Clock",
    "Command",
    "ContractAddress",
    "CopyFailed",
    "Deliver",
    "DiskFigures",
    "Durations",
    "Event",
    "EventKind",
    "Fact",
    "Farm",
    "FinishedLog",
    "FoundPlot",
    "FractionDone",
    "Help",
    "Hold",
    "Inventory",
    "Job",
    "JobState",
    "KeyProblem",
    "LineForm",
    "LogParser",
    "MadMaxKeys",
    "MadMaxPlotter",
    "Memory",
    "Name",
    "NotAPlot",
    "OpenFarm",
    "OptionalOwnerKeys",
    "OwnerKeys",
    "PhaseStarted",
    "PhaseTook",
    "Plot",
    "PlotComplete",
    "PlotFacts",
    "PlotFigures",
    "PlotFormat",
    "PlotNamed",
    "PlotStage",
    "PlotStarted",
    "PlotTook",
    "PlotWork",
    "Plotter",
    "ProcessRef",
    "Progress",
    "PublicKey",
    "Recognised",
    "Rule",
    "Run",
    "Runner",
    "Seconds",
    "Settings",
    "SettingsSection",
    "Sizes",
    "SizesTold",
    "Stage",
    "StepStarted",
    "Tables",
    "TellableError",
    "Trouble",
    "TroubleKind",
    "Worker",
    "Written",
    "by_directory",
    "duration_words",
    "event_words",
    "hookimpl",
    "log_words",
    "moment_words",
    "one_pool",
    "open_farm",
    "option",
    "options",
    "plotter_argv",
    "printable",
    "puzzle_hash",
    "read_duration",
    "read_facts",
    "read_plot",
    "read_settings",
    "recognised",
    "size_words",
    "slashed",
    "unknown_tags",
    "v1_plot_bytes",
    "v1_sizes",
    "v1_tmp_bytes",
    "whole_owner",
    "with_v1_sizes",
]
