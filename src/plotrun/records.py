"""Workers and plots as JSON and back: the form in the store, and part of ``status --json``."""

from __future__ import annotations

import base64
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from plotrun.model import (
    CopyProgress,
    Plot,
    PlotFormat,
    PlotStage,
    PlotWork,
    ProcessRef,
    Progress,
    Sizes,
    Stage,
    Timing,
    Worker,
)

_PLAIN = frozenset({str, int, float, bool, type(None)})


def as_json(value: Any) -> Any:
    """A model's dataclass as JSON knows it."""
    if type(value) in _PLAIN:  # most values are, and records are written often
        return value
    if dataclasses.is_dataclass(value):
        return {
            field.name: as_json(getattr(value, field.name)) for field in dataclasses.fields(value)
        }
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, tuple | list):
        return [as_json(item) for item in value]
    return value


def worker_from_json(data: Mapping[str, Any]) -> Worker:
    """The worker that `as_json` wrote."""
    paths = ("tmp", "tmp_dir", "tmp2_dir", "final_dir", "dst", "log", "keeps_plots_in")
    process = data["process"]
    return Worker(
        **{
            **data,
            **{name: _path(data.get(name)) for name in paths},
            "stage": Stage(data["stage"]),
            "more_final_dirs": tuple(map(Path, data.get("more_final_dirs", ()))),
            "argv": tuple(data["argv"]),
            "plot_ids": tuple(data["plot_ids"]),
            "emitted": tuple(data.get("emitted", ())),
            "process": ProcessRef(**process) if process else None,
            "sizes": _sizes(data.get("sizes")),
            "timing": _timing(data.get("timing")),
            "progress": _progress(data["progress"]),
            "plots": tuple(_plot_work(work) for work in data["plots"]),
        }
    )


def _sizes(data: Mapping[str, Any] | None) -> Sizes | None:
    return Sizes(**{**data, "apart": data["apart"] and tuple(data["apart"])}) if data else None


def _timing(data: Mapping[str, Any] | None) -> Timing | None:
    if data is None:
        return None
    scale = tuple((end, on) for end, on in data["scale"])
    seconds = data["seconds"] and tuple(data["seconds"])
    return Timing(**{**data, "scale": scale, "seconds": seconds})


def _progress(data: Mapping[str, Any]) -> Progress:
    copies = tuple(CopyProgress(**copy) for copy in data.get("copies", ()))
    starts = tuple(data.get("phase_starts", ()))
    return Progress(**{**data, "phase_starts": starts, "copies": copies})


def _plot_work(data: Mapping[str, Any]) -> PlotWork:
    plot = data["plot"]
    read = Plot(
        **{
            **plot,
            "path": Path(plot["path"]),
            "format": PlotFormat(plot["format"]),
            "memo": base64.b64decode(plot["memo"]),
        }
    )
    return PlotWork(
        **{**data, "plot": read, "stage": PlotStage(data["stage"]), "dst": _path(data["dst"])}
    )


def _path(value: str | None) -> Path | None:
    return None if value is None else Path(value)
