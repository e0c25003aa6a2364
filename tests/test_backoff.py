"""The wait after failures, at its boundaries."""

from __future__ import annotations

import pytest

from asked import NOW, Asked
from farm import Farm
from plotrun import JobState


@pytest.mark.parametrize(
    ("failures", "at", "until"),
    [
        (1, NOW - 60, None),
        (1, NOW - 59, NOW + 1),
        (2, NOW - 59, NOW + 61),
        (9, NOW, NOW + 3600),
        (1, NOW + 60, NOW + 120),  # the clock was set back
        (1, NOW + 61, None),  # by more than is waited
        (1, NOW + 400 * 86400, None),
    ],
)
def test_it_doubles_and_ends(failures: int, at: float, until: float | None, farm: Farm) -> None:
    state = JobState("test", failures_in_row=failures, last_failure_at=at)
    hold = Asked(farm, "[plugins.backoff]\npause_after = 0").hold(state=state)
    assert (hold.until if hold else None) == until


def test_what_has_failed_does_not_start_in_a_tight_loop(farm: Farm) -> None:
    asked = Asked(farm, '[plugins.backoff]\nfirst_wait = "0s"\nlongest_wait = "0s"')
    for at, held in ((NOW - 0.5, True), (NOW - 1, False), (NOW + 1, True), (NOW + 9, False)):
        state = JobState("test", failures_in_row=1, last_failure_at=at)
        assert (asked.hold(state=state) is not None) == held, at
