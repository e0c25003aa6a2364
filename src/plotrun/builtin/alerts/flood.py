"""Messages of one kind that come too often are gathered into one."""

from __future__ import annotations

from collections import deque

from plotrun import moment_words


class Gate:
    """Lets *most* messages pass within *seconds*; counts the others."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._passed: deque[float] = deque()
        self._gathered = 0
        self._since = 0.0
        self._last = ""

    def passes(self, words: str, at: float) -> bool:
        """Whether the message may go now; otherwise it is gathered."""
        while self._passed and self._is_over(self._passed[0], at):
            self._passed.popleft()
        if not self._gathered and len(self._passed) < self._most:
            self._passed.append(at)
            return True
        if not self._gathered:
            self._since = at
        self._gathered += 1
        self._last = words
        return False

    def gathered(self, now: float, what: str, wait: bool = True) -> str | None:
        """One message for all that were gathered, once their time is over (or without *wait*)."""
        if not self._gathered or (wait and not self._is_over(self._since, now)):
            return None
        since = moment_words(self._since, now)
        words = f"{what} {self._gathered} times since {since}, last: {self._last}"
        words = self._last if self._gathered == 1 else words
        self._gathered = 0
        self._passed.append(now)
        return words

    def _is_over(self, since: float, now: float) -> bool:
        return abs(now - since) >= self._seconds  # also when the clock was set back
