"""The pre- and post-commands of a worker: asked of the plugins, run one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from plotrun.command import Refused, Step, run_once
from plotrun.model import Command, EventKind, Job, Plot, PlotWork
from plotrun.worker_record import WorkerRecord

Side = Literal["pre", "post"]
_STARTED = {"pre": EventKind.PRE_STARTED, "post": EventKind.POST_STARTED}
_FINISHED = {"pre": EventKind.PRE_FINISHED, "post": EventKind.POST_FINISHED}


def pre_commands(record: WorkerRecord, job: Job) -> list[Command]:
    """What the plugins answer to ``plotrun_pre_command``."""
    return _asked(record, "plotrun_pre_command", job=job, worker=record.worker)


def pre_step(number: int) -> str:
    """Name of the step that is the pre-command of this number, from 1."""
    return f"pre-{number}"


async def run_pre_commands(
    record: WorkerRecord, commands: Sequence[Command], resumed: bool
) -> str | None:
    """Run the commands, one after the other; answers the failure that ends the worker."""
    for number, command in enumerate(commands, 1):
        words = await _run(record, "pre", pre_step(number), command, _values(record), resumed)
        if words != "ok" and command.fails_worker:
            return f"pre-command {words}"
    return None


async def run_post_commands(
    record: WorkerRecord, job: Job, work: PlotWork, resumed: bool
) -> tuple[str, str | None]:
    """Run what the plugins answer to ``plotrun_post_command`` for a delivered plot.

    Answers how they ended, in words, and the failure that ends the worker, if there is one.
    """
    plot, words, failure = work.plot, "ok", None
    commands = _asked(record, "plotrun_post_command", job=job, worker=record.worker, plot=plot)
    for number, command in enumerate(commands, 1):
        name = f"post-{work.number}-{number}"
        values = _values(record) | _plot_values(plot)
        result = await _run(record, "post", name, command, values, resumed)
        if result != "ok":
            words = result
            if command.fails_worker:
                failure = f"post-command {result}"
    return words, failure


def _asked(record: WorkerRecord, hook: str, **arguments: Any) -> list[Command]:
    answers = record.around.plugins.answers(hook, **arguments)
    return [Command(line) if isinstance(line, str) else line for line in answers]


async def _run(
    record: WorkerRecord,
    side: Side,
    name: str,
    command: Command,
    values: Mapping[str, str],
    resumed: bool,
) -> str:
    around, worker = record.around, record.worker
    assert worker.log is not None
    step = Step(
        worker=worker.id,
        name=name,
        line=command.line,
        values=values,
        log=worker.log.with_name(f"{worker.id}_{side}.log"),
        result_file=around.store.file.parent / "commands" / f"{worker.id}_{name}",
    )
    # The line itself is not told: it may hold a token or a password.
    await record.save(record.event(_STARTED[side], step=name))
    try:
        words = (await run_once(around.executor, step, resumed)).words
    except OSError as error:
        words = Refused(f"it cannot be run: {error}").words
    await record.save(record.event(_FINISHED[side], step=name, result=words))
    return words


def _values(record: WorkerRecord) -> dict[str, str]:
    worker = record.worker
    return {
        "worker": worker.id,
        "job": worker.job,
        "plotter": worker.plotter,
        "k": str(worker.k or ""),
        "tmp": str(worker.tmp_dir or ""),
        "tmp2": str(worker.tmp2_dir or worker.tmp_dir or ""),
        "log": str(worker.log or ""),
    }


def _plot_values(plot: Plot) -> dict[str, str]:
    return {
        "plot": str(plot.path),
        "plot_id": plot.plot_id,
        "plot_name": plot.path.name,
        "dst": str(plot.path.parent),
        "k": str(plot.k),
    }
