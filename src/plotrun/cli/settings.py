"""``plotrun settings``: where they are, what they say, changing them."""

from __future__ import annotations

import json
import os
from typing import Any

import click

from plotrun.cli.completing import jobs


@click.group("settings")
def command() -> None:
    """Show, change and describe the settings."""


@command.command("path")
@click.pass_obj
def path(settings: str | None) -> None:
    """Print which settings file is used.

    \b
    Example:
      plotrun settings path
    """
    from plotrun.settings.locate import locate

    click.echo(os.fsencode(locate(settings)))  # as it is, for other programs


@command.command("show")
@click.argument("job", required=False, shell_complete=jobs)
@click.pass_obj
def show(settings: str | None, job: str | None) -> None:
    """Show the values of JOB (of all jobs without it) and where each comes from.

    \b
    Example:
      plotrun settings show nvme
    """
    from plotrun.cli.jobs import no_job
    from plotrun.cli.opening import open_settings
    from plotrun.settings.problems import HIDDEN
    from plotrun.words import printable

    opened = open_settings(settings)
    jobs = [each for each in opened.settings.jobs if job in (None, each.name)]
    if not jobs:
        no_job(opened.settings, job)
    for each in jobs:
        click.echo(f"job {each.name}")
        keys = opened.schema.job_keys(each.plotter)
        for key, source in sorted(opened.settings.sources[each.name].items()):
            place = f"{source.place}, line {source.line}" if source.line else source.place
            written = HIDDEN if keys[key].help.secret else _written(source.value)
            click.echo(f"  {key:<26} {printable(written):<40} {place}")


def _written(value: Any) -> str:
    """A value in words; a list by its items."""
    if isinstance(value, dict):
        return ", ".join(f"{name} = {item}" for name, item in value.items()) or "-"
    if isinstance(value, tuple):
        return ", ".join(str(item) for item in value) or "-"
    if value is None:
        return "-"
    return str(value).lower() if isinstance(value, bool) else str(value)


@command.command("set", context_settings={"ignore_unknown_options": True})  # "-5" is a value
@click.argument("key")
@click.argument("value")
@click.pass_obj
def set_value(settings: str | None, key: str, value: str) -> None:
    """Change one value; comments and order stay as they are.

    KEY is dotted: plotrun.keep_logs, defaults.chia.k, plugins.limits.max_workers, or
    job.NAME.plots for the job of that name. VALUE is TOML; text needs no quotes of TOML.
    Nothing is written if the settings would be wrong.

    \b
    Examples:
      plotrun settings set job.nvme.plots 40
      plotrun settings set defaults.chia.threads 4
      plotrun settings set job.nvme.dst '["/mnt/a", "/mnt/b"]'
    """
    from plotrun.cli.opening import load_plugins_quietly
    from plotrun.settings.edit import set_key
    from plotrun.settings.locate import locate
    from plotrun.settings.problems import HIDDEN
    from plotrun.words import printable

    schema = load_plugins_quietly(settings).schema()
    file = locate(settings)
    line = set_key(file, key, value, schema)
    written = HIDDEN if schema.keeps_secret(key) else value
    click.echo(printable(f"{file}:{line}: {key} = {written}"))


@command.command("schema")
@click.pass_obj
def schema(settings: str | None) -> None:
    """Print the JSON schema of settings.toml, for editors that complete and check TOML.

    \b
    Example:
      plotrun settings schema > settings.schema.json
    """
    from plotrun.cli.opening import load_plugins_quietly
    from plotrun.settings.json_schema import json_schema

    click.echo(json.dumps(json_schema(load_plugins_quietly(settings).schema()), indent=2))
