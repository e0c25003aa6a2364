"""A plot file in a destination, by its header, and all of them: plain data."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from plotrun.model import PlotFormat

OG_POOL_BYTES = 48
"""Of a pool public key; the puzzle hash of a pool contract has 32."""
_MEMO_OF_CONTRACT, _MEMO_OF_OG = 112, 128
"""Bytes: contract or pool key, then the farmer's key (48) and the plot's secret (32)."""
_DATE_IN_NAME = re.compile(r"-(\d{4})-(\d\d)-(\d\d)-(\d\d)-(\d\d)-([0-9a-f]{64})(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class PlotFacts:
    """What the header of a plot file says, as far as it matters for what may go."""

    plot_id: str
    k: int
    format: PlotFormat
    compression: int | None
    """Level: 0 is none; None where the header does not tell (Gigahorse, V2)."""
    pool: bytes | None
    """Pool public key (48 bytes) or puzzle hash of the contract (32); None: not known."""

    @property
    def og(self) -> bool | None:
        """Whether it belongs to a pool key and not to a contract; None: not known."""
        return None if self.pool is None else len(self.pool) == OG_POOL_BYTES


def pool_of(memo: bytes) -> bytes | None:
    """The pool key or the contract's puzzle hash at the beginning of a plot's memo."""
    return {_MEMO_OF_OG: memo[:48], _MEMO_OF_CONTRACT: memo[:32]}.get(len(memo))


@dataclass(frozen=True)
class FoundPlot:
    """A plot file in a destination, as it was looked at."""

    directory: Path
    """The destination."""
    name: str
    """Its path from there."""
    facts: PlotFacts
    size: int
    allocated: int
    """Bytes that it takes of its file system: so much becomes free when it goes."""
    changed_ns: int
    """When the file was last written, nanoseconds since the epoch."""
    device: int
    inode: int
    links: int = 1
    """Names that the file has: what has another one frees nothing."""

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.directory / self.name

    @property
    def changed_at(self) -> float:
        """When the file was last written."""
        return self.changed_ns / 1e9

    @cached_property
    def made_at(self) -> float:
        """When the plot was made, seconds since the epoch.

        Plotters write the time at which they began into the name, in local time; it counts if
        the name has this very plot's id behind it. Otherwise the time at which the file was
        last written counts, which a copy may have made later, but nothing makes earlier.
        """
        named = _DATE_IN_NAME.search(self.name)
        if named is not None and named[6] == self.facts.plot_id:
            numbers = [int(part) for part in named.groups()[:5]]
            try:
                moment = time.mktime((*numbers, 0, 0, 0, -1))  # type: ignore[arg-type]
            except (ValueError, OverflowError):
                return self.changed_at
            if time.localtime(moment)[:3] == tuple(numbers[:3]):  # there is such a day
                return moment
        return self.changed_at


@dataclass(frozen=True)
class Inventory:
    """The plots of one destination."""

    directory: Path
    plots: tuple[FoundPlot, ...] = ()
    others: Mapping[str, str] = field(default_factory=dict)
    """Files named like plots that are none, or cannot be read: each with the reason."""
    trouble: str | None = None
    """Why the destination could not be looked at."""
