"""What is wrong with a settings file, in words: where, what was found, what is expected."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from plotrun.words import printable

LONGEST = 120
"""Characters of a value that are shown."""
HIDDEN = "a value that is kept secret"
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_URL = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*://)(?!…)[^\s\"']+")


@dataclass(frozen=True)
class Problem:
    """One mistake in a settings file."""

    file: Path
    line: int | None
    key: str | None
    found: str | None
    expected: str
    hint: str | None = None

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else str(self.file)
        key = f"{self.key}: " if self.key else ""
        found = f"found {self.found}, expected " if self.found else ""
        hint = f" ({self.hint})" if self.hint else ""
        said = f"{key}{found}{self.expected}{hint}"
        # A URL may stand where none belongs, and hold a token.
        return printable(f"{place}: {urls_hidden(said)}")


class SettingsError(Exception):
    """The settings cannot be used; `problems` says everything that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


def urls_hidden(text: str) -> str:
    """*text* without what stands behind ``://`` of URLs: that may hold a token or a password."""
    return _URL.sub(_without_rest, text)


def _without_rest(url: re.Match[str]) -> str:
    return f"{url[1]}…"


def nearest(word: str, known: Iterable[str]) -> str | None:
    """A hint at the known word that *word* was probably meant to be."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else None


def dotted(path: Iterable[str | int]) -> str:
    """A key with the names of the tables around it; which ``[[job]]`` it is, the line tells."""
    names = [part for part in path if isinstance(part, str)]
    return ".".join(name if _BARE.fullmatch(name) else _toml(name) for name in names)


def shown(value: object) -> str:
    """A value as it would be written in TOML, cut short: for error messages."""
    text = "nothing" if value is None else _toml(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, str | Path):
        return json.dumps(str(value), ensure_ascii=False)
    if isinstance(value, int) and value.bit_length() > 1000:  # Python writes no very long numbers
        return "a very large number"
    return str(value)
