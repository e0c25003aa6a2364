"""What the shell offers when the user presses Tab: workers and jobs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from plotrun.model import Worker
    from plotrun.store import Store

ENDED = 50
"""So many of the workers that ended last are offered."""


def living_workers(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ids of workers that live, their jobs, and ``all``."""

    def ask(store: Store) -> Iterable[tuple[str, str]]:
        workers = store.alive_workers()
        of_jobs = {worker.job: "all of this job" for worker in workers}
        return [*map(_named, workers), *of_jobs.items(), ("all", "all that plotrun started")]

    return _offered(ctx, begun, ask)


def any_worker(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ids of workers, those that live first."""
    return _offered(
        ctx, begun, lambda s: map(_named, (*s.alive_workers(), *s.ended_workers(ENDED)))
    )


def ended_workers(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Ids of workers that have ended, those that failed first."""

    def ask(store: Store) -> Iterable[tuple[str, str]]:
        workers = (*store.failed_workers(ENDED), *store.ended_workers(ENDED))
        return dict(map(_named, workers)).items()

    return _offered(ctx, begun, ask)


def jobs(ctx: click.Context, _: click.Parameter, begun: str) -> list[CompletionItem]:
    """Names of the jobs that the settings had when plotrun ran last."""
    return _offered(ctx, begun, lambda s: ((name, words) for name, words, _ in s.jobs.listed()))


def _named(worker: Worker) -> tuple[str, str]:
    return worker.id, f"{worker.job}, {worker.outcome or worker.stage}"


def _offered(
    ctx: click.Context, begun: str, ask: Callable[[Store], Iterable[tuple[str, str]]]
) -> list[CompletionItem]:
    """What begins so; nothing where there is no state, or the settings are wrong."""
    from plotrun.cli.opening import state_dir
    from plotrun.settings.problems import SettingsError
    from plotrun.store import Store, StoreError, has_state

    with contextlib.suppress(SettingsError, StoreError, OSError):
        directory = state_dir(ctx.find_root().params.get("settings"))
        if has_state(directory):  # a key that is pressed makes no directories
            store = Store(directory)
            try:
                found = [*ask(store)]
            finally:
                store.close()
            return [CompletionItem(n, help=words) for n, words in found if n.startswith(begun)]
    return []
