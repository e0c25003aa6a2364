"""``plotrun alerts``."""

from __future__ import annotations

import sys
import time

import click

from .settings import AlertsSettings


@click.group("alerts")
def alerts() -> None:
    """Messages to phones and mailboxes: see docs/alerts.md."""


@alerts.command("test")
@click.option("--tag", metavar="NAME", help="Only the service of this name.")
@click.pass_obj
def test(settings: str | None, tag: str | None) -> None:
    """Send a message to each service, and tell whether it was delivered and why not.

    Exit code 0 if all were, 1 if any was not or there is none, 3 if no service has this name.

    \b
    Examples:
      plotrun alerts test
      plotrun alerts test --tag phone
    """
    from plotrun import printable, read_settings

    read = read_settings(settings)
    wanted = read.section(AlertsSettings)
    if not wanted.services:
        click.echo("error: no service is set: see urls in [plugins.alerts]", err=True)
        sys.exit(1)
    services = [service for service in wanted.services if tag in (None, service.name)]
    if not services:
        names = ", ".join(dict.fromkeys(service.name for service in wanted.services))
        click.echo(printable(f"error: there is no service {tag}; there are: {names}"), err=True)
        sys.exit(3)
    from .attempt import LIMIT, Attempt
    from .desk import keyed

    failed = False
    for service in services:
        if not service.urls:
            failed = True
            click.echo(f"FAIL  {service.name}: there is no URL: see its urls in the settings")
    started = [
        (key, Attempt(url, "plotrun: test", "This is a test of plotrun's alerts."))
        for service in services
        for key, url in keyed(service, wanted)
    ]
    deadline = time.monotonic() + LIMIT
    for key, attempt in started:
        attempt.ended(max(0.0, deadline - time.monotonic()))
        trouble = attempt.trouble
        failed |= trouble is not None
        click.echo(f"ok    {key}" if trouble is None else f"FAIL  {key}: {trouble}")
    sys.exit(int(failed))
