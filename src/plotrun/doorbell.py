"""The bell that lets commands wake a runner."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from plotrun.lock import DOORBELL_NAME


class Doorbell:
    """A named pipe in the state directory: a byte written to it wakes the runner.

    Windows has no named files of this kind; there the runner looks again by itself.
    """

    def __init__(self, state_dir: Path, ring: Callable[[], None]) -> None:
        self._descriptor: int | None = None
        if not hasattr(os, "mkfifo"):
            return
        path = state_dir / DOORBELL_NAME
        with contextlib.suppress(FileExistsError):
            os.mkfifo(path, 0o600)
        # Open for writing too, or the pipe would end with the first visitor.
        self._descriptor = os.open(path, os.O_RDWR | os.O_NONBLOCK)
        self._ring = ring
        asyncio.get_running_loop().add_reader(self._descriptor, self._rung)

    def _rung(self) -> None:
        assert self._descriptor is not None
        with contextlib.suppress(BlockingIOError):
            os.read(self._descriptor, 4096)
        self._ring()

    def close(self) -> None:
        """Listen no more."""
        if self._descriptor is not None:
            asyncio.get_running_loop().remove_reader(self._descriptor)
            os.close(self._descriptor)
