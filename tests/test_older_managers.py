"""Settings in the manner of each older manager start plots at the moments that its rules give.

The settings and pictures are those of docs/starting.md: plots of ten hours (4 h, 1.5 h, 4 h and
0.5 h) on two tmp directories. Hours are counted from the beginning of the simulation.
"""

from __future__ import annotations

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from farm import Farm
from simulated import HOUR

DOCS = Path(__file__).parents[1] / "docs"
TEXT = (DOCS / "starting.md").read_text("utf-8")
SECTION = TEXT.split("\n## In the manner of other managers\n")[1].split("\n## ")[0]
MACHINE, *EXAMPLES = re.findall(r"```toml\n(.*?)```", SECTION, re.DOTALL)
PICTURES = re.findall(r"\((starting-\w+\.svg)\)", SECTION)
FIGURE = re.compile(r"\d+\.\d")
"""A place in a picture, in pixels."""
SOON = 0.01
"""Hours. Logs are read a second after they were written."""


def simulated(farm: Farm, example: str, days: float = 1.5) -> Any:
    """What came of an example, and its picture in the farm's directory."""
    state = f'[plotrun]\nstate_dir = "{farm.state_dir}"\n'
    farm.settings.write_text("\n".join((state, MACHINE, example)), "utf-8")
    command = ("simulate", "--days", str(days), "--from", "2026-03-02", "--json")
    ended = farm.plotrun(*command, "--svg", str(farm.root / "picture.svg"))
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def hours(found: Any, job: str | None = None, tmp: str = "") -> list[float]:
    """When plotters were started."""
    return [
        (span["begun"] - found["begun"]) / HOUR
        for span in found["spans"]
        if job in (None, span["job"]) and span["tmp"].endswith(tmp)
    ]


def about(*expected: float) -> Any:
    return pytest.approx(list(expected), abs=len(expected) * SOON)


def example_of(job: str) -> str:
    (found,) = (example for example in EXAMPLES if f'name = "{job}"' in example)
    return found


def test_plotboss_one_in_phase_1_for_each_tmp(farm: Farm) -> None:
    found = simulated(farm, example_of("smart"))
    for tmp in ("nvme0", "nvme1"):
        assert hours(found, tmp=tmp) == about(0, 4, 8, 12, 16, 20, 24, 28, 32)


def test_swar_stagger_and_early_start(farm: Farm) -> None:
    found = simulated(farm, example_of("early"))
    # The third when the first has been past phase 3 (9.5 h after its start) for a quarter; a
    # plot that ends makes no room: its successor has started.
    assert hours(found) == about(0.5, 1.5, 10.25, 11.25, 20, 21, 29.75, 30.75)


def test_plotman_tmp_readiness(farm: Farm) -> None:
    found = simulated(farm, example_of("ready"))
    assert hours(found, tmp="nvme0") == about(*(4 * n for n in range(9)))
    assert hours(found, tmp="nvme1") == about(*(0.5 + 4 * n for n in range(9)))


def test_my_chia_farm_events(farm: Farm) -> None:
    found = simulated(farm, example_of("left"))
    # Started at 8:00; past phase 1 after 4 h, past phase 2 after 5.5 h; once more on the next day.
    assert hours(found, "left") == about(8, 17.5, 27, 32)
    assert hours(found, "right") == about(12, 21.5, 31)


def test_no_stagger_is_undercut_in_two_days(farm: Farm) -> None:
    rest = '[[job]]\nname = "many"\nmax_workers = 99\n[plugins.stagger]\nstagger = "17m"\n'
    starts = hours(simulated(farm, rest, 2))
    assert len(starts) > 100
    assert all(b - a >= 17 / 60 - 1e-6 for a, b in pairwise(starts))


@pytest.mark.parametrize(("example", "picture"), list(zip(EXAMPLES, PICTURES, strict=True)))
def test_the_pictures_are_those_of_the_examples(farm: Farm, example: str, picture: str) -> None:
    """Made anew by: plotrun simulate --days 1.5 --from 2026-03-02 --svg docs/…"""
    simulated(farm, example)
    made, wanted = (
        (where / name).read_text("utf-8")
        for where, name in ((farm.root, "picture.svg"), (DOCS, picture))
    )
    assert FIGURE.sub("#", made) == FIGURE.sub("#", wanted)
    # What rounding leaves of a moment can be the tenth of a pixel.
    figures = [list(map(float, FIGURE.findall(text))) for text in (made, wanted)]
    assert figures[0] == pytest.approx(figures[1], abs=0.11)
