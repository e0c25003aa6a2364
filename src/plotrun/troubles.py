"""What a plotter's words of trouble mean, whichever plotter says them."""

from __future__ import annotations

import re
from enum import StrEnum


class TroubleKind(StrEnum):
    """What is wrong with a plotter."""

    COPY_FAILED = "copy failed"
    """The finished plot could not be brought to its final directory."""
    DISK_FULL = "disk full"
    STRIPE_TOO_LARGE = "stripe too large"
    INVALID_KEY = "invalid key"
    OUT_OF_MEMORY = "out of memory"
    DIRECTORY = "directory"
    """A directory is missing, or cannot be written to."""
    OTHER = "other"


_WORDS = tuple(
    (kind, re.compile(words, re.IGNORECASE))
    for kind, words in (
        (TroubleKind.COPY_FAILED, r"could not copy|copy to .* failed"),
        (TroubleKind.STRIPE_TOO_LARGE, r"stripe size too large"),
        (
            TroubleKind.OUT_OF_MEMORY,
            r"out of memory|bad_?alloc|cannot allocate|failed to allocate|memoryerror"
            r"|(?:not enough|insufficient) (?:\w+ )?(?:memory|ram|vram)",
        ),
        (
            TroubleKind.DISK_FULL,
            r"no space left|only wrote \d+ of|not enough (?:disk )?space|disk (?:is )?full"
            r"|destinations are busy or full",
        ),
        (
            TroubleKind.INVALID_KEY,
            r"(?:invalid|bad|malformed|wrong|could not parse|failed to parse)\b.*"
            r"(?:key|contract|address)|non-hexadecimal",
        ),
        (
            TroubleKind.DIRECTORY,
            r"(?:invalid|no such) .*dir|failed to (?:write to|open|create) .*dir"
            r"|no such file or directory|read-only file system|permission denied",
        ),
    )
)
"""In the order in which they are asked: "Could not copy … No space left" is a failed copy."""


def trouble_kind(text: str) -> TroubleKind:
    """What words of a plotter mean, as far as they are known."""
    return next((kind for kind, words in _WORDS if words.search(text)), TroubleKind.OTHER)
