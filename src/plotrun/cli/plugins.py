"""``plotrun plugins``."""

from __future__ import annotations

import json

import click


@click.command("plugins")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.pass_obj
def command(settings: str | None, as_json: bool) -> None:
    """Show the plugins: name, package and version, plotters, hooks.

    \b
    Example:
      plotrun plugins
    """
    from plotrun.cli.opening import load_plugins_quietly

    plugins = load_plugins_quietly(settings)
    loaded = plugins.loaded()
    plotters = [plotter.name for plotter in plugins.plotters()]
    if as_json:
        rows = [
            {
                "name": plugin.name,
                "package": plugin.package,
                "version": plugin.version,
                "hooks": list(plugin.hooks),
                "error": plugin.error,
            }
            for plugin in loaded
        ]
        click.echo(json.dumps({"form": 1, "plugins": rows, "plotters": plotters}, indent=2))
        return
    for plugin in loaded:
        what = plugin.error or ", ".join(hook.removeprefix("plotrun_") for hook in plugin.hooks)
        click.echo(f"{plugin.name:<14} {plugin.package} {plugin.version}: {what}")
    click.echo(f"plotters: {', '.join(sorted(plotters))}")
