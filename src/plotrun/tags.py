"""Tags such as ``%plot%`` in the user's commands, safe whatever a path holds.

The value of a tag never becomes part of the text that the shell reads. It is handed over as an
environment variable, and the tag becomes a reference to it, quoted for the place it stands in:

    unquoted        mv %plot% /x       ->  mv "${PLOTRUN_PLOT}" /x
    double quotes   mv "%plot%" /x     ->  mv "${PLOTRUN_PLOT}" /x
    single quotes   mv '%plot%' /x     ->  mv ''"${PLOTRUN_PLOT}"'' /x

A shell does not read what a quoted variable holds as code. If the place of a tag were misjudged
in some exotic line, the worst is a wrong word, never a command that runs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

PRE_TAGS = ("worker", "job", "plotter", "k", "tmp", "tmp2", "log")
POST_TAGS = (*PRE_TAGS, "plot", "plot_id", "plot_name", "dst")

_ANSI = "$'"
"""Opens bash's quotes with escapes, which end at the next bare single quote."""
_TAG = re.compile(r"%([a-z_][a-z0-9_]{2,}|k)%")
_UNSAFE = re.compile(r"[^A-Za-z0-9_@%+=:,./-]")
_INTERPRETER = re.compile(
    r"(?:^|[\s;&|(`])(?:\S*/)?"
    r"(?:(?:(?:ba|da|z|k|c|tc|fi|a)?sh|su|runuser)\s(?:.*\s)?-\w*c\s|"
    r"(?:eval|ssh|trap|parallel|watch|tmux|screen|at|batch|[gmn]?awk|sed|perl|python[\d.]*|"
    r"ruby|node|php|sqlite3|psql|mysql)\s)",
    re.DOTALL,
)
"""Programs that read an argument as code."""


def variable(tag: str) -> str:
    """The environment variable that holds a tag's value."""
    return f"PLOTRUN_{tag.upper()}"


def unknown_tags(line: str, known: tuple[str, ...]) -> list[str]:
    """Words between percent signs that look like tags and are none.

    Short ones are left alone: ``date +%H%M%S`` is no mistake.
    """
    return [tag for tag in _TAG.findall(line) if tag not in known]


def refer(line: str, known: tuple[str, ...]) -> str:
    """*line* for the shell, each known tag a quoted reference to its variable."""
    return "".join(_Shell(line, known).parts())


def unsafe_for_interpreter(line: str, values: Mapping[str, str]) -> str | None:
    """A tag whose value must not go where *line* would send it: into another program's code.

    ``ssh host 'mv %plot% x'`` hands the path on as code to a second shell. That is harmless
    with a plain path, and must not run with one that holds spaces, quotes or dollars.
    """
    if not _INTERPRETER.search(line):
        return None
    used = (tag for tag in _TAG.findall(line) if tag in values)
    return next((tag for tag in used if _UNSAFE.search(values[tag])), None)


class _Shell:
    """Reads a line as the shell does, as far as quoting goes."""

    def __init__(self, line: str, known: tuple[str, ...]) -> None:
        self._line = line
        self._known = known
        self._at = 0
        self._open = [""]
        """What would close each construct that is open; the last one is the innermost."""

    def parts(self) -> Iterator[str]:
        """The line in pieces, tags replaced."""
        while self._at < len(self._line):
            if self._open[-1] == "'":
                yield self._quoted("'\"${%s}\"'")
            elif self._open[-1] == _ANSI:
                yield self._quoted("'\"${%s}\"$'")
            elif self._open[-1] == '"':
                yield self._quoted("${%s}")
            else:
                yield self._plain()

    def _quoted(self, reference: str) -> str:
        return self._tag(reference) or self._step()

    def _plain(self) -> str:
        comment = self._line[self._at] == "#" and self._begins_word()
        if comment:
            end = self._line.find("\n", self._at)
            return self._take(len(self._line) if end < 0 else end)
        return self._tag('"${%s}"') or self._step()

    def _tag(self, reference: str) -> str | None:
        found = _TAG.match(self._line, self._at)
        if found is None or found[1] not in self._known:
            return None
        self._at = found.end()
        return reference % variable(found[1])

    def _step(self) -> str:
        """Take the next character, or the two that belong together, and keep track of quotes."""
        inner = self._open[-1]
        two = self._line[self._at : self._at + 2]
        first = two[0]
        if first == "\\" and inner != "'":
            return self._take(self._at + 2)
        if first == inner or (first == "'" and inner == _ANSI):
            self._open.pop()
        elif inner in ("'", _ANSI):
            pass
        elif two == "$(":
            self._open.append(")")
            return self._take(self._at + 2)
        elif two == _ANSI and inner != '"':
            self._open.append(_ANSI)
            return self._take(self._at + 2)
        elif first == "`":
            self._open.append("`")
        elif first == '"':
            self._open.append('"')
        elif inner != '"' and first == "'":
            self._open.append("'")
        elif inner != '"' and first == "(":
            self._open.append(")")
        return self._take(self._at + 1)

    def _take(self, end: int) -> str:
        taken, self._at = self._line[self._at : end], end
        return taken

    def _begins_word(self) -> bool:
        return self._at == 0 or self._line[self._at - 1] in " \t\n;&|("
