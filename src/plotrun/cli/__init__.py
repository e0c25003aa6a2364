"""The command line. Each command is imported when it is called, so that all start quickly."""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

import click

COMMANDS = {
    "run": "run",
    "status": "status",
    "disks": "disks",
    "why-dst": "why_dst",
    "history": "history",
    "analyze": "analyze",
    "plots": "plots",
    "simulate": "simulate",
    "init": "init",
    "settings": "settings",
    "check": "check",
    "plugins": "plugins",
    "pause": "pause",
    "unpause": "unpause",
    "finish": "finish",
    "details": "details",
    "logs": "logs",
    "files": "files",
    "events": "events",
    "suspend": "suspend",
    "resume": "resume",
    "kill": "kill",
    "retry": "retry",
    "clean": "clean",
    "completion": "completion",
    "start": "start",
    "emit": "emit",
    "version": "version",
}
"""Command and the module of this package that has it."""

EXIT_FAILED, EXIT_USAGE, EXIT_NOTHING_MATCHED = 1, 2, 3


class _Commands(click.Group):
    """plotrun's own commands by name, and those of plugins once one is asked for."""

    _plugins_asked = False

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._ask_plugins(ctx)
        return [*COMMANDS, *sorted(set(self.commands) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"plotrun.cli.{COMMANDS[cmd_name]}")
            command: click.Command = module.command
            return command
        self._ask_plugins(ctx)
        return super().get_command(ctx, cmd_name)

    def _ask_plugins(self, ctx: click.Context) -> None:
        if self._plugins_asked:
            return
        self._plugins_asked = True
        from plotrun.cli.opening import load_plugins_quietly

        plugins = load_plugins_quietly(ctx.params.get("settings"))
        plugins.each("plotrun_commands", cli=self)


@click.command(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--settings",
    metavar="FILE",
    help="The settings file. Default: $PLOTRUN_SETTINGS, ./settings.toml, then the user's own.",
)
@click.pass_context
def cli(ctx: click.Context, settings: str | None) -> None:
    """Keep Chia plotters running.

    \b
    First steps:
      plotrun init      write a settings file
      plotrun check     see whether everything is in place
      plotrun run       start plotting

    Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 nothing matched.
    """
    ctx.obj = settings


def main(arguments: list[str] | None = None) -> Any:
    """Run the command line; what a user did wrong is a message, never a traceback.

    Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 nothing matched.
    """
    from plotrun.settings.problems import SettingsError

    warnings = logging.StreamHandler()
    warnings.setFormatter(_OneLine())
    logging.getLogger("plotrun").addHandler(warnings)
    try:
        return cli.main(args=arguments, prog_name="plotrun")
    except SettingsError as error:
        click.echo("\n".join(f"error: {problem}" for problem in error.problems), err=True)
        sys.exit(EXIT_USAGE)
    except (BrokenPipeError, KeyboardInterrupt):
        sys.stderr.close()  # the reader of a pipe has gone: nobody is there to be told
        sys.exit(EXIT_FAILED)
    except Exception as error:
        if not _is_expected(error):
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(EXIT_FAILED)


class _OneLine(logging.Formatter):
    """Warnings on standard error, each in one line; tracebacks go to plotrun's own log only."""

    def format(self, record: logging.LogRecord) -> str:
        return f"warning: {record.getMessage()}"


def _is_expected(error: Exception) -> bool:
    """Whether the error is the world's fault and says what to do, rather than plotrun's."""
    from plotrun.lock import AlreadyRunning
    from plotrun.store import StoreError

    return isinstance(error, AlreadyRunning | StoreError | OSError)
