"""What there is to be shown at one moment, and directories by short names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from plotrun.words import printable

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Copy:
    """A finished plot that is being copied to its destination."""

    worker: str
    number: int
    dst: str
    size: int
    fraction: float

    @property
    def bytes(self) -> float:
        """How much of it has been copied."""
        return self.size * self.fraction


@dataclass(frozen=True)
class View:
    """All that one picture is made of."""

    status: Row
    """See docs/status.md."""
    file_systems: Sequence[Row] | None = None
    """As in ``plotrun disks --json``, see docs/space.md; None: not known."""
    no_disks: str | None = None
    """Why they are not known."""
    speeds: Mapping[tuple[str, int], float] = field(default_factory=dict)
    """Bytes a second of copies, by worker and number of its plot."""

    def copies(self) -> Iterator[Copy]:
        """Plots that are being copied."""
        for worker in self.status["workers"]:
            for plot in worker["plots"]:
                if plot["stage"] == "delivering" and plot["dst"] is not None:
                    yield Copy(
                        worker["id"],
                        plot["number"],
                        plot["dst"],
                        plot["size"],
                        worker["copied"],
                    )


@dataclass(frozen=True)
class Short:
    """Directories without the beginning that all of them share."""

    prefix: str | None

    @classmethod
    def of(cls, paths: Iterable[str | None]) -> Short:
        """Short names for *paths*; the last part of each stays."""
        parents = {os.path.dirname(path) for path in paths if path and Path(path).is_absolute()}  # noqa: PTH120 - by the hundred
        common = os.path.commonpath(parents) if parents else "/"
        return cls(None if common == "/" else common)

    def name(self, path: str | None) -> str:
        """The short name of *path*."""
        if path is None:
            return ""
        if self.prefix is not None and path.startswith(f"{self.prefix}/"):
            path = path[len(self.prefix) + 1 :]
        return printable(path)
