"""What is wrong with a settings file, in words: where, what was found, what is expected."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


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
        parts = [f"{self.key}: " if self.key else ""]
        parts.append(f"found {self.found}, expected {self.expected}" if self.found else "")
        parts.append("" if self.found else self.expected)
        parts.append(f" ({self.hint})" if self.hint else "")
        return f"{place}: {''.join(parts)}"


class SettingsError(Exception):
    """The settings cannot be used; `problems` says everything that is wrong with them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line or 0))
        super().__init__("\n".join(map(str, self.problems)))


def nearest(word: str, known: Iterable[str]) -> str | None:
    """A hint at the known word that *word* was probably meant to be."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean {close[0]}?" if close else None


def shown(value: object) -> str:
    """A value as it would be written in TOML, cut short: for error messages."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict):
        return "a table"
    if value is None:
        return "nothing"
    text = f'"{value}"' if isinstance(value, str) else str(value)
    return text if len(text) <= 120 else f"{text[:117]}…"
