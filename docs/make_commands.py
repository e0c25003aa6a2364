"""Writes docs/commands.md from the help of the commands.

PLOTRUN_NO_ENTRY_POINTS=1 python docs/make_commands.py
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from plotrun.cli import COMMANDS, cli

PAGE = Path(__file__).with_name("commands.md")
WIDTH = 96
FRONT = """# Commands

Each command's own help, as `--help` prints it. Commands of plugins are listed by `plotrun --help`.

| exit code | what it means |
| --- | --- |
| 0 | done |
| 1 | failed, or the answer to a question was no |
| 2 | wrong usage, a name that may mean several workers, or wrong settings |
| 3 | nothing matched: there is no such job, worker or log |

Errors are one line each on standard error, wrong usage and settings apart; output can be piped.
"""


def main() -> None:
    """Write the page."""
    PAGE.write_text(page(), "utf-8")


def page() -> str:
    """The whole page."""
    parts = [FRONT]
    for name in COMMANDS:
        found = cli.get_command(click.Context(cli), name)
        assert found is not None
        parts += [
            f"## plotrun {path}\n\n```text\n{words}\n```\n" for path, words in _helps(name, found)
        ]
    return "\n".join(parts)


def _helps(path: str, command: click.Command) -> Iterator[tuple[str, str]]:
    """Path and help of a command and those below it."""
    context = click.Context(
        command, info_name=f"plotrun {path}", terminal_width=WIDTH, max_content_width=WIDTH
    )
    yield path, command.get_help(context).rstrip()
    if isinstance(command, click.Group):
        for name, below in command.commands.items():
            yield from _helps(f"{path} {name}", below)


if __name__ == "__main__":
    main()
