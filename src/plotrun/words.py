"""Figures and names as people read them."""

from __future__ import annotations

import time

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Names of the days of the week, in settings and messages."""


def size_words(count: float) -> str:
    """Bytes, in units of 1024: "101.4 GiB"."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if abs(count) < 1024:
            return f"{count:.0f} B" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} TiB"


def duration_words(seconds: float) -> str:
    """A duration: "45s", "12m 5s", "3h 20m", "2d 4h"."""
    whole = round(seconds)
    parts = [
        (whole // 86400, "d"),
        (whole // 3600 % 24, "h"),
        (whole // 60 % 60, "m"),
        (whole % 60, "s"),
    ]
    while len(parts) > 1 and not parts[0][0]:
        parts.pop(0)
    return " ".join(f"{count}{unit}" for count, unit in parts[:2] if count) or "0s"


def moment_words(at: float, now: float) -> str:
    """A moment in local time: "Tue 22:00" within a week from *now*, else "2026-12-01 22:00"."""
    soon = abs(at - now) < 6.5 * 86400
    # No %a: the names of days are those that settings are written with.
    local = time.localtime(at)
    day = DAYS[local.tm_wday].capitalize() if soon else time.strftime("%Y-%m-%d", local)
    return f"{day} {time.strftime('%H:%M', local)}"


def printable(text: object) -> str:
    """Text that may be printed in one line, whatever bytes a file name holds.

    Undecodable bytes and control characters are shown as escapes: a file name must not be able
    to clear the screen or forge a line of a log.
    """
    decoded = str(text).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape").decode() for char in decoded
    )
