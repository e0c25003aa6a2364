"""Rules of when to start, asked about workers that exist only on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from farm import Farm
from plotrun import Candidate, Hold, JobState, Progress, Stage, Worker
from plotrun.holds import hold_of
from plotrun.manager import Plugins, load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.settings import Settings

NOW = 1_000_000.0


@dataclass(frozen=True)
class At:
    """A clock that stands still."""

    time: float = NOW

    def now(self) -> float:
        return self.time

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("holds do not wait")


def worker(
    job: str = "test",
    phase: int = 1,
    step: int = 0,
    tmp: Path = Path("/x"),
    stage: Stage = Stage.PLOTTING,
    started: float | None = 0.0,
    starts: Sequence[float] = (),
    tmp2: Path | None = None,
) -> Worker:
    """A worker in *phase*; *starts* are the times at which its phases began."""
    phase = len(starts) or phase
    return Worker(
        id="w",
        job=job,
        plotter="chia",
        stage=stage,
        created_at=started or 0.0,
        started_at=started,
        tmp=tmp,
        tmp_dir=tmp / "plotrun-w",
        tmp2_dir=tmp2,
        progress=Progress(phase, step, phase_starts=tuple(starts)),
    )


def by_hand(tmp: Path = Path("/x"), started: float = 0.0) -> Worker:
    """A plotter that plotrun did not start."""
    return replace(worker("", 0, tmp=tmp, started=started), tmp_dir=tmp)


class Asked:
    """The settings of *farm* with these keys, and what they say to a start of the first job."""

    def __init__(self, farm: Farm, rest: str = "", **keys: Any) -> None:
        self.plugins: Plugins = load_plugins()
        file = farm.write(rest=rest, **{"plotter": "chia", "plots": 0, "k": 32} | keys)
        self.settings: Settings = load_settings(file, self.plugins.schema())
        self.job = self.settings.jobs[0]

    def hold(
        self, *workers: Worker, now: float = NOW, state: JobState | None = None
    ) -> Hold | None:
        """Why the job may not start."""
        mine = [w for w in workers if w.job == self.job.name and w.occupies_slot]
        state = replace(state or JobState(self.job.name), running=len(mine))
        return hold_of(self.plugins, self.settings, self.job, state, workers, At(now))

    def reason(
        self, *workers: Worker, now: float = NOW, state: JobState | None = None
    ) -> str | None:
        """The same, in words only."""
        hold = self.hold(*workers, now=now, state=state)
        return hold.reason if hold else None

    def rejected(self, *workers: Worker, second: bool = False) -> dict[Path, str]:
        """Directories that may not be taken, with the reason."""
        paths = self.job.tmp2 if second else self.job.tmp
        candidates = [Candidate(path, position) for position, path in enumerate(paths)]
        _, reasons = self.plugins.left_by_filters(
            "plotrun_filter_tmp",
            candidates,
            job=self.job,
            second=second,
            workers=workers,
            settings=self.settings,
        )
        return reasons

    def chosen(
        self, candidates: Sequence[Candidate], *workers: Worker, second: bool = False
    ) -> Path:
        """The directory that the next worker gets."""
        answer: Path = self.plugins.first(
            "plotrun_choose_tmp",
            job=self.job,
            second=second,
            candidates=candidates,
            workers=workers,
        )
        return answer

    def judged(
        self, candidates: Sequence[Candidate], needed: int = 0
    ) -> tuple[list[Path], dict[Path, str]]:
        """Destinations that take a plot, and why the others do not."""
        left, rejected = self.plugins.left_by_filters(
            "plotrun_filter_dst",
            candidates,
            job=self.job,
            plot=None,
            needed=needed,
            settings=self.settings,
        )
        return [candidate.path for candidate in left], rejected

    def destination(self, candidates: Sequence[Candidate]) -> Path:
        """The destination that the next plot gets."""
        answer: Path = self.plugins.first(
            "plotrun_choose_dst", job=self.job, plot=None, needed=0, candidates=candidates
        )
        return answer
