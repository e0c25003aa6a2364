"""When phases began: by the first look at them, and across restarts."""

from __future__ import annotations

import json

import pytest

from asked import worker
from plotrun import Progress
from plotrun.phase_times import dated
from plotrun.records import as_json, worker_from_json

NOTHING = Progress()


@pytest.mark.parametrize(
    ("progress", "known", "starts"),
    [
        (Progress(0), NOTHING, ()),
        (Progress(1), NOTHING, (9.0,)),
        (Progress(3, phase_starts=(1.0,)), NOTHING, (1.0, 9.0, 9.0)),
        (Progress(2, phase_starts=(1.0, 2.0)), NOTHING, (1.0, 2.0)),
        # the log is read anew
        (Progress(1, plots_started=1), Progress(3, 0, 0, None, 1, phase_starts=(1, 2, 3)), (1,)),
        (
            Progress(4, plots_started=1),
            Progress(2, 0, 0, None, 1, phase_starts=(1, 2)),
            (1, 2, 9, 9),
        ),
        # and tells of another plot
        (Progress(2, plots_started=2), Progress(3, 0, 0, None, 1, phase_starts=(1, 2, 3)), (9, 9)),
    ],
)
def test_a_phase_has_the_time_of_the_first_look(
    progress: Progress, known: Progress, starts: tuple[float, ...]
) -> None:
    assert dated(progress, known, 9.0).phase_starts == starts


def test_they_are_stored_with_the_worker() -> None:
    before = worker(starts=(1.0, 2.5))
    assert worker_from_json(json.loads(json.dumps(as_json(before)))) == before


def test_workers_of_an_older_plotrun_have_none() -> None:
    data = as_json(worker(starts=(1.0, 2.5)))
    del data["progress"]["phase_starts"]
    assert worker_from_json(data).progress.phase_starts == ()
