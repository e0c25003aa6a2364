"""``plotrun status``."""

from __future__ import annotations

import json

import click


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: see docs/status.md.")
@click.pass_obj
def command(settings: str | None, as_json: bool) -> None:
    """Show jobs and workers, whether or not plotrun is running.

    \b
    Examples:
      plotrun status
      plotrun status --json
    """
    from plotrun.cli.opening import load_plugins_quietly, state_dir
    from plotrun.status import gather
    from plotrun.store import Store

    directory = state_dir(settings)
    plugins = load_plugins_quietly(settings)
    store = Store(directory)
    found = gather(directory, store, plugins.plotters())
    store.close()
    if as_json:
        click.echo(json.dumps(found, indent=2))
        return
    from rich.console import Console

    from plotrun.screen import render

    console = Console(highlight=False)
    console.print(render(found, console.width))
