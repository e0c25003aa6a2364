"""A new worker: its directories, its destination where one is needed, and its record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from plotrun.command_line import plotter_argv
from plotrun.delivery import Deliveries, NoDestination
from plotrun.estimate import PLOTS_ASKED, timing_of
from plotrun.finished_plot import promise_key
from plotrun.learned_sizes import size_key
from plotrun.manager import Plugins
from plotrun.model import Deliver, Hold, Job, Sizes, Stage, Worker
from plotrun.plotter import Plotter, Run
from plotrun.rooms import around, still_to_take
from plotrun.settings.schema import JobKeys
from plotrun.settings.settings import Settings
from plotrun.space import Disk
from plotrun.store import Store
from plotrun.under_way import ToCome, no_room_for_another
from plotrun.workdir import FINISHED, own_name


@dataclass(frozen=True)
class Places:
    """Directories chosen for a worker; those named ``…_dir`` are its own."""

    tmp: Path
    tmp_dir: Path
    tmp2_dir: Path | None
    final_dir: Path
    dst: Path | None
    more_final_dirs: tuple[Path, ...] = ()


@dataclass(frozen=True)
class Wish:
    """A worker that is to be started."""

    name: str
    job: Job
    plotter: Plotter
    plots: int
    """How many plots it is to make; 0: it goes on."""
    sizes: Sizes


@dataclass(frozen=True)
class Placement:
    """Chooses directories, by the plugins' word, among those that can be written to."""

    plugins: Plugins
    deliveries: Deliveries
    job_of: Callable[[Worker], Job | None]
    """The job of a living worker."""

    async def place(
        self, wish: Wish, workers: Sequence[Worker], settings: Settings
    ) -> Places | Hold:
        """Directories for a new worker; or why there are none."""
        job = wish.job
        pair = await self._temporary_pair(wish, workers, settings)
        if isinstance(pair, Hold):
            return pair
        tmp, tmp2 = pair
        dst = None
        if job.deliver is Deliver.PLOTTER or job.tmp2_in_dst:
            found = await self._destination(wish, tmp)
            if isinstance(found, Hold):
                return found
            dst = found
            tmp2 = dst if job.tmp2_in_dst else tmp2
        elif job.keys(JobKeys).when_full == "hold":
            made_in = around(_places(wish, tmp, tmp2, None).final_dir, wish.name)
            another = ToCome(job, wish.sizes.plot, made_in)
            full = await no_room_for_another(self.deliveries, self.job_of, another)
            if full is not None:
                return Hold(f"no destination for one more plot: {full.words}")
        places = _places(wish, tmp, tmp2, dst)
        if job.deliver is Deliver.PLOTTER and wish.plotter.chooses_dst:
            look = await self.deliveries.rooms.look(job.dst)
            left = self.deliveries.judge(look, job, None, 0).left
            others = tuple(candidate.path for candidate in left if candidate.path != dst)
            places = replace(places, more_final_dirs=others)
        return places

    async def _temporary_pair(
        self, wish: Wish, workers: Sequence[Worker], settings: Settings
    ) -> tuple[Path, Path | None] | Hold:
        """A tmp, and a tmp2 if the job has any; on one file system they share its room."""
        first_hold: Hold | None = None
        left = list(wish.job.tmp)
        while left:
            tmp = await self._temporary(wish, left, None, workers, settings)
            if isinstance(tmp, Hold) or not wish.job.tmp2:
                return (first_hold or tmp) if isinstance(tmp, Hold) else (tmp, None)
            tmp2 = await self._temporary(wish, wish.job.tmp2, tmp, workers, settings)
            if not isinstance(tmp2, Hold):
                return tmp, tmp2
            first_hold = first_hold or tmp2
            left.remove(tmp)  # with another tmp, there may be room in tmp2
        assert first_hold is not None
        return first_hold

    async def _temporary(
        self,
        wish: Wish,
        paths: Sequence[Path],
        tmp: Path | None,
        workers: Sequence[Worker],
        settings: Settings,
    ) -> Path | Hold:
        """One of *paths* for tmp, or for tmp2 when *tmp* has been chosen; or why there is none."""
        second = tmp is not None
        look = await self.deliveries.rooms.look([*paths, *([tmp] if tmp is not None else [])])
        elsewhere = Path("/") if (wish.job.tmp2 or wish.job.tmp2_in_dst) and not second else None

        def needed(disk: Disk) -> int:
            pair = (disk.path, elsewhere) if tmp is None else (tmp, disk.path)
            worker = _draft(wish, _places(wish, *pair, None))
            here = {disk.path}
            if tmp is not None and disk.device is not None:
                here |= {tmp} if look.disks[tmp].device == disk.device else set()
            return still_to_take(worker, here)

        candidates = look.temporary(paths, second, needed)
        left, rejected = self.plugins.left_by_filters(
            "plotrun_filter_tmp",
            candidates,
            job=wish.job,
            second=second,
            workers=workers,
            settings=settings,
        )
        if not left:
            reasons = "; ".join(f"{c.path}: {rejected[c.path]}" for c in candidates)
            return Hold(f"no temporary directory: {reasons}")
        answer = self.plugins.first(
            "plotrun_choose_tmp", job=wish.job, second=second, candidates=left, workers=workers
        )
        known = any(candidate.path == answer for candidate in left)
        return answer if known else left[0].path

    async def _destination(self, wish: Wish, tmp: Path) -> Path | Hold:
        """A destination that has room for all plots of the worker, promised to them."""
        size, count = wish.sizes.plot, max(1, wish.plots)
        needed = size * count
        if wish.job.tmp2_in_dst:
            needed = max(needed, (wish.sizes.apart or (0, wish.sizes.tmp))[1])
        chosen = await self.deliveries.choose(promise_key(wish.name, 1), wish.job, None, needed)
        if isinstance(chosen, NoDestination):
            return Hold(f"no destination: {chosen.words}")
        for number in range(1, count + 1):
            source = tmp if number == 1 else None  # the first takes what its temporary files leave
            await self.deliveries.promise(promise_key(wish.name, number), chosen, size, source)
        return chosen


def _places(wish: Wish, tmp: Path, tmp2: Path | None, dst: Path | None) -> Places:
    own, plotter = own_name(wish.name), wish.plotter
    tmp_dir = tmp / own
    tmp2_dir = tmp2 / own if tmp2 is not None and tmp2 != tmp else None
    beside = tmp2_dir if plotter.finishes_in_tmp2 and tmp2_dir is not None else tmp_dir
    if wish.job.deliver is Deliver.PLOTTER:
        return Places(tmp, tmp_dir, tmp2_dir, dst or tmp_dir, dst)
    return Places(tmp, tmp_dir, tmp2_dir, beside / FINISHED, dst)


def _draft(wish: Wish, places: Places) -> Worker:
    """What of a new worker decides how much room it takes."""
    return Worker(
        id=wish.name,
        job=wish.job.name,
        plotter=wish.plotter.name,
        stage=Stage.CREATED,
        created_at=0.0,
        tmp_dir=places.tmp_dir,
        tmp2_dir=places.tmp2_dir,
        plots_wanted=wish.plots,
        sizes=wish.sizes,
        keeps_plots_in=_keeps_plots_in(wish, places),
    )


def _keeps_plots_in(wish: Wish, places: Places) -> Path | None:
    if wish.plots == 1:
        return None
    if wish.job.deliver is Deliver.PLOTRUN:
        return places.final_dir
    if wish.plotter.copy_blocks(wish.job):
        return None
    return next(iter(wish.plotter.other_dirs(wish.job)), places.tmp_dir)


def new_worker(
    wish: Wish, most: int, places: Places, now: float, log_dir: Path, store: Store
) -> Worker:
    """The record of a worker in these places.

    *most* is the number of plots that its process is told, 0: none.
    """
    job, plotter = wish.job, wish.plotter
    k: int | None = getattr(job.keys(plotter.keys), "k", None)
    run = Run(job, most, places.tmp_dir, places.tmp2_dir, places.final_dir, places.more_final_dirs)
    return replace(
        _draft(wish, places),
        created_at=now,
        tmp=places.tmp,
        final_dir=places.final_dir,
        more_final_dirs=places.more_final_dirs,
        dst=places.dst,
        k=k,
        plot_size=wish.sizes.plot,
        size_key=size_key(plotter, job),
        timing=timing_of(plotter, store.measured.last(plotter.name, k, PLOTS_ASKED)),
        log=log_dir / f"{wish.name}.log",
        argv=tuple(plotter_argv(plotter.command(job), plotter.arguments(run))),
        settings=job.written,
    )
