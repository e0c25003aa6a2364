"""Whether the destinations will take one more plot, beside all those that are under way."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path

from plotrun.delivery import Deliveries, NoDestination
from plotrun.finished_plot import promise_key
from plotrun.model import Job, PlotStage, Worker
from plotrun.rooms import Promise, around


@dataclass(frozen=True)
class ToCome:
    """A plot that is being made, or waits, and has no destination yet."""

    job: Job
    size: int
    """Bytes, expected or real."""
    source: Path | None
    """The user's directory in which it lies or is made."""


async def no_room_for_another(
    deliveries: Deliveries, job_of: Callable[[Worker], Job | None], another: ToCome
) -> NoDestination | None:
    """Why no destination would take *another* once all plots under way have theirs; or None.

    Plots under way are put one after the other where the least room is that takes them, those with
    the fewest destinations first.
    """
    rooms = deliveries.rooms
    workers, promises = rooms.workers(), []
    to_come = [
        each
        for worker in workers
        if (job := job_of(worker)) is not None
        for each in plots_to_come(worker, job, rooms.promises)
    ]
    strangers = [w for w in workers if not w.job and w.final_dir is not None and w.sizes]
    look = await rooms.look(
        [path for each in (*to_come, another) for path in (*each.job.dst, each.source) if path]
        + [stranger.final_dir for stranger in strangers if stranger.final_dir is not None]
    )
    for stranger in strangers:
        if stranger.final_dir is not None and stranger.sizes is not None:
            disk = look.disks[stranger.final_dir]
            promises.append(Promise(disk.device, disk.path, stranger.sizes.plot))
    for each in sorted(to_come, key=lambda each: len(set(each.job.dst))):
        left = deliveries.judge(look, each.job, None, each.size, each.source, more=promises).left
        if left:
            tightest = min(left, key=lambda candidate: candidate.room)
            device = look.disks[tightest.path].device
            promises.append(Promise(device, tightest.path, tightest.needed))
    judged = deliveries.judge(look, another.job, None, another.size, another.source, more=promises)
    if judged.left or await deliveries.could_make_room(another.job, another.size) is not None:
        return None
    return NoDestination(judged.rejected)


def plots_to_come(worker: Worker, job: Job, promised: Container[str]) -> Iterator[ToCome]:
    """The plots of a worker that will need a destination, and have none promised.

    Of a process that goes on, only the one under way: it can be asked to end after that.
    """
    for work in worker.plots:
        waits = work.stage in (PlotStage.FINISHED, PlotStage.DELIVERING)
        if waits and promise_key(worker.id, work.number) not in promised:
            yield ToCome(job, work.plot.size, around(work.plot.path.parent, worker.id))
    if worker.outcome is not None or worker.dst is not None or worker.final_dir is None:
        return
    goes_on = not worker.plots_wanted and worker.finish_after is None and worker.occupies_slot
    count = 1 if goes_on else worker.plots_promised - worker.plots_seen
    for _ in range(count):
        yield ToCome(job, worker.plot_size, around(worker.final_dir, worker.id))
