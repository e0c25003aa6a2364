"""Replotting: old plots go, one for one and as late as possible, to make room for new ones."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from plotrun import (
    Candidate,
    Deliver,
    Help,
    Job,
    KeyProblem,
    Plot,
    SettingsSection,
    Tables,
    hookimpl,
    printable,
    read_facts,
)

from .policy import Plan, Policy, plan, rank, sort_out, too_wide, why_stays

if TYPE_CHECKING:
    import click

    from plotrun import Farm

DAY = 86400.0
NOTHING_MATCHED = 3
"""Exit code, as other commands have it."""


@dataclass(frozen=True)
class ReplotKeys:
    """The key added to every job."""

    replot: Annotated[
        Annotated[Policy, Tables(Policy)] | None,
        Help(
            "Which old plots go to make room for the job's: a table `[job.replot]`, see "
            "docs/replotting.md. Default: none ever does."
        ),
    ] = None


@hookimpl
def plotrun_settings() -> SettingsSection:
    """What the settings may say of replotting."""
    return SettingsSection("replot", job_keys=ReplotKeys, check_job=_check)


def _check(job: Job) -> Iterator[KeyProblem]:
    policy = job.keys(ReplotKeys).replot
    if policy is None:
        return
    if too_wide(policy):
        words = "before, formats, pool, max_k or compression in it: without one, all plots could go"
        yield KeyProblem("replot", words)
    others = [path for path in policy.dst or () if path not in job.dst]
    if others:
        yield KeyProblem("replot.dst", f"destinations of the job: {others[0]} is not in its dst")
    early = job.deliver is Deliver.PLOTTER or job.tmp2_in_dst
    if early and policy.when != "start":
        words = '"start": this job\'s destination is chosen before the plot is made'
        yield KeyProblem("replot.when", words)
    if not early and policy.when == "start":
        words = '"delivery": this job\'s destination is chosen when the plot is finished'
        yield KeyProblem("replot.when", words)
    if early and policy.before is None:
        words = 'a date or an age: with when = "start" nothing else is known of the new plot'
        yield KeyProblem("replot.before", words)


@hookimpl
def plotrun_could_make_room(
    job: Job, plot: Plot | None, needed: int, candidates: Sequence[Candidate], farm: Farm
) -> Path | None:
    """The destination of which the fewest plots go; of several, that with the first to go."""
    policy = job.keys(ReplotKeys).replot
    if policy is None:
        return None
    found = []
    for candidate in candidates:
        going = plan_of(policy, plot, candidate, needed, farm).go
        if going:
            found.append((len(going), rank(policy, going[0]), candidate.position, candidate.path))
    return min(found)[-1] if found else None


@hookimpl
def plotrun_make_room(
    job: Job, plot: Plot | None, needed: int, candidate: Candidate, farm: Farm
) -> bool:
    """Remove the plots that the policy lets go, no more than needed."""
    policy = job.keys(ReplotKeys).replot
    if policy is None or (policy.when == "start") != (plot is None):
        return False
    going = plan_of(policy, plot, candidate, needed, farm).go
    enough = (candidate.free or 0) + candidate.lacks(needed)
    return bool(going) and farm.make_room(candidate.path, going, enough)


def refuses(policy: Policy, plot: Plot, now: float) -> bool:
    """Whether the new plot is itself one that the policy lets go.

    One new plot would push out the last one for ever.
    """
    try:
        facts = read_facts(plot.path)
    except OSError:
        return True
    return facts is None or why_stays(policy, facts, now, now) is None


def plan_of(
    policy: Policy, plot: Plot | None, candidate: Candidate, needed: int, farm: Farm
) -> Plan:
    """What would go of a destination for *needed* bytes, or why nothing would."""
    if plot is not None and refuses(policy, plot, farm.now):
        return Plan(problem="the new plot is itself one that may go")
    if policy.dst is not None and candidate.path not in policy.dst:
        return Plan(problem="the policy leaves it out")
    if policy.before is not None and policy.before.moment(farm.now) > farm.now:
        return Plan(problem=f"{policy.before.text} is still to come")
    held = farm.held(candidate.path)
    if held is not None:
        return Plan(problem=held)
    inventory = farm.inventory(candidate.path, policy.subdirectories)
    if inventory.trouble is not None:
        return Plan(problem=inventory.trouble)
    left = None if policy.limit is None else policy.limit - farm.removed_in(DAY)
    found = sort_out(policy, inventory.plots, farm.now, farm.stays)
    return plan(policy, found, candidate.lacks(needed), left, farm.why_open)


@hookimpl
def plotrun_commands(cli: click.Group) -> None:
    """Add ``plotrun replot``."""
    import click

    @cli.command("replot")
    @click.option("--dry-run", is_flag=True, help="Show what would go; nothing is removed.")
    @click.option("--job", help="Only for this job.")
    @click.pass_obj
    def replot(settings: str | None, dry_run: bool, job: str | None) -> None:
        """Show which old plots would go for new ones, in which order, and why the others stay.

        \b
        Example:
          plotrun replot --dry-run
        """
        from plotrun import open_farm

        from .command import lines

        if not dry_run:
            words = (
                "replotting happens by itself: as plots finish, `plotrun run` removes what the "
                "job's [job.replot] lets go. This command removes nothing; see what would go "
                "with --dry-run"
            )
            raise click.UsageError(words)
        with open_farm(settings) as opened:
            jobs = [each for each in opened.settings.jobs if job in (None, each.name)]
            policies = [(each, each.keys(ReplotKeys).replot) for each in jobs]
            found = [(each, policy) for each, policy in policies if policy is not None]
            for each, policy in found:
                for line in lines(opened, each, policy):
                    click.echo(line)
        if not found:
            which = f"no job {job} with [job.replot]" if job else "no job with [job.replot]"
            click.echo(printable(f"error: the settings have {which}"), err=True)
            sys.exit(NOTHING_MATCHED)
