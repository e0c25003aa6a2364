"""``plotrun version``."""

from __future__ import annotations

import click


@click.command("version")
def command() -> None:
    """Print the version of plotrun.

    \b
    Example:
      plotrun version
    """
    import importlib.metadata

    click.echo(f"plotrun {importlib.metadata.version('plotrun')}")
