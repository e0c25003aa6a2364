"""plotrun on a real pseudo-terminal, read as a user sees it."""

from __future__ import annotations

import contextlib
import os
import re
import time
from collections.abc import Callable, Iterator

import pexpect
import pyte

from farm import PLOTRUN, Farm

PATIENCE = 60.0
"""Seconds after which something will not come any more."""


class Screened:
    """A command on a terminal."""

    def __init__(self, farm: Farm, arguments: tuple[str, ...], lines: int, columns: int) -> None:
        self.child = pexpect.spawn(
            PLOTRUN[0],
            [*PLOTRUN[1:], "--settings", str(farm.settings), *arguments],
            dimensions=(lines, columns),
            env=os.environ | {"TERM": "xterm-256color"} | farm.environment,
            timeout=PATIENCE,
        )
        self.raw = b""
        """All that it has written."""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)

    @property
    def lines(self) -> list[str]:
        """What is on the screen, without spaces at the end."""
        return [line.rstrip() for line in self._screen.display]

    @property
    def text(self) -> str:
        return "\n".join(self.lines)

    def until(self, seen: str | Callable[[], bool]) -> list[str]:
        """Read until this stands on the screen; answers its lines."""
        end = time.monotonic() + PATIENCE
        while not (seen in self.text if isinstance(seen, str) else seen()):
            assert time.monotonic() < end, f"it never came: {seen}\n{self.text}"
            with contextlib.suppress(pexpect.TIMEOUT):
                new = self.child.read_nonblocking(65536, timeout=1)
                self.raw += new
                self._stream.feed(new)
        return self.lines

    def next_page(self) -> list[str]:
        """The next page that is drawn as a whole."""
        drawn = self.raw.count(b"\x1b[J")
        return self.until(lambda: self.raw.count(b"\x1b[J") > drawn)

    def resize(self, lines: int, columns: int) -> None:
        """Change the size of the terminal, as a user does with the mouse."""
        self._screen.resize(lines, columns)
        self.child.setwinsize(lines, columns)

    def end(self, key: str = "q") -> int | None:
        """Press a key and wait for the end; answers the exit code."""
        self.child.send(key)
        self.raw += self.child.read()
        self.child.close()
        status: int | None = self.child.exitstatus
        return status

    @property
    def said_after(self) -> str:
        """What it wrote when it had left its screen."""
        return self.raw.rpartition(b"\x1b[?1049l")[2].decode()


@contextlib.contextmanager
def on_terminal(
    farm: Farm, *arguments: str, lines: int = 24, columns: int = 80
) -> Iterator[Screened]:
    """The command on a terminal of this size; it is ended if the test has not."""
    screened = Screened(farm, arguments, lines, columns)
    try:
        yield screened
    finally:
        screened.child.close(force=True)


def plain(raw: bytes) -> str:
    """What was written, without escape sequences."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", raw.decode())
