"""The terminal while it shows a live screen: its keys, its size, and its state given back.

Pages are drawn on the terminal's second screen, so that what was there before comes back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Any

from rich.text import Text

if sys.platform != "win32":
    import termios
    import tty

ENTER = "\x1b[?1049h\x1b[?25l\x1b[?7l"
"""Second screen, no cursor, and what is too long is cut instead of going on in the next line."""
LEAVE = "\x1b[?7h\x1b[?25h\x1b[?1049l"
TOP, END_OF_LINE, REST = "\x1b[H", "\x1b[K", "\x1b[J"
STYLES = {"bold": 1, "dim": 2, "red": 31, "green": 32, "magenta": 35}
"""Numbers of ECMA-48, 8.3.117: the terminal's own colours, which suit its background."""
FIRST_COLOUR = 30


def in_colours(line: Text, colours: bool) -> str:
    """*line* with escape sequences for its styles; without *colours* only bold and dim.

    A tenth of the work that rich's own console makes of it, once a second for every line.
    """

    def styled(text: str, style: object) -> str:
        number = STYLES.get(str(style))
        if not text or number is None or (number >= FIRST_COLOUR and not colours):
            return text
        return f"\x1b[{number}m{text}\x1b[0m"

    plain, parts, at = line.plain, [], 0
    for span in line.spans:
        parts += [plain[at : span.start], styled(plain[span.start : span.end], span.style)]
        at = span.end
    return styled("".join([*parts, plain[at:]]), line.style)


class Terminal:
    """Standard output and input of this process, which are a terminal; on its event loop."""

    def __init__(
        self,
        key: Callable[[str], None] = lambda _: None,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        """*key* is called with each key; *changed* when the size has changed."""
        self._key = key
        self._changed = changed
        self._colours = not os.environ.get("NO_COLOR")
        self._before: list[Any] | None = None
        self._lock = threading.Lock()
        self._shown = False

    @property
    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            columns, lines = os.get_terminal_size(sys.stdout.fileno())
        except OSError:
            columns, lines = 80, 24
        return columns or 80, lines or 24  # a serial line tells 0

    def __enter__(self) -> Terminal:
        loop = asyncio.get_running_loop()
        self._begin()
        if sys.platform != "win32":
            loop.add_signal_handler(signal.SIGWINCH, self._changed)
            loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        if self._has_keys():
            loop.add_reader(sys.stdin.fileno(), self._read)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        loop = asyncio.get_running_loop()
        if sys.platform != "win32":
            loop.remove_signal_handler(signal.SIGWINCH)
            loop.remove_signal_handler(signal.SIGTSTP)
        with contextlib.suppress(OSError, ValueError):
            loop.remove_reader(sys.stdin.fileno())
        self._end()

    def draw(self, lines: Sequence[Text]) -> None:
        """Show *lines* in place of what is shown. Blocks while the terminal stands still."""
        shown = [in_colours(line, self._colours) + END_OF_LINE for line in lines]
        with self._lock:
            if self._shown:
                # No line feed after the last one: it would scroll.
                self._write(TOP + "\r\n".join(shown) + REST)

    def _begin(self) -> None:
        if self._has_keys():
            descriptor = sys.stdin.fileno()
            self._before = termios.tcgetattr(descriptor)
            tty.setcbreak(descriptor, termios.TCSANOW)
        with self._lock:
            self._shown = True
            self._write(ENTER)

    def _end(self) -> None:
        # A page that is being written holds the lock: for ever, where the terminal stands still.
        locked = self._lock.acquire(timeout=1.0)
        self._shown = False
        if self._before is not None:
            with contextlib.suppress(OSError, termios.error):  # the terminal may have gone
                termios.tcsetattr(sys.stdin.fileno(), termios.TCSANOW, self._before)
            self._before = None
        self._write(LEAVE)
        if locked:
            self._lock.release()

    def _suspend(self) -> None:
        """Ctrl-Z: give the terminal back, stop, and take it again when the user comes back."""
        self._end()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._begin()
        self._changed()

    def _has_keys(self) -> bool:
        """Whether keys come to this process: to one in the background they do not."""
        if sys.platform == "win32" or sys.stdin is None or not sys.stdin.isatty():
            return False
        with contextlib.suppress(OSError):
            return os.tcgetpgrp(sys.stdin.fileno()) == os.getpgrp()
        return False

    def _read(self) -> None:
        try:
            keys = os.read(sys.stdin.fileno(), 64)
        except OSError:
            keys = b""
        if not keys:  # the terminal has gone
            asyncio.get_running_loop().remove_reader(sys.stdin.fileno())
        if keys.startswith(b"\x1b"):
            return  # an arrow or a function key: its other bytes are no keys
        for key in keys.decode("ascii", "ignore"):
            self._key(key)

    def _write(self, text: str) -> None:
        data = text.encode(sys.stdout.encoding or "utf-8", "replace")
        with contextlib.suppress(OSError):  # the terminal has gone
            while data:
                data = data[os.write(sys.stdout.fileno(), data) :]
