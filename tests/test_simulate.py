"""``plotrun simulate``: what settings would do, without doing any of it."""

from __future__ import annotations

import json
import os
import re
import time
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

from farm import Farm
from plotrun.model import Measured, Worker
from plotrun.store import Store
from simulated import HOUR
from test_endless import worker

DATA = Path(__file__).parent / "data"
BEGUN = "2026-03-02"
PHASES = ["3h", "1h", "90m", "30m"]
"""Six hours together."""
NVME, HDD = "/mnt/nvme-of-nobody", "/mnt/hdd-of-nobody"


def write(farm: Farm, disks: str = "", job: str = "", **keys: Any) -> None:
    values = {"tmp": NVME, "dst": HDD, "plots": 0, "k": 32, "simulated_phases": PHASES}
    farm.write(plotter="chia", rest=disks, job=job, **(values | keys))


def disk(path: str, **figures: str) -> str:
    lines = "".join(f'{name} = "{value}"\n' for name, value in figures.items())
    return f'[plugins.simulation.disks."{path}"]\n{lines}'


def simulate(farm: Farm, *options: str, days: float = 1) -> dict[str, Any]:
    ended = farm.plotrun("simulate", "--json", "--from", BEGUN, "--days", str(days), *options)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


def test_plots_are_made_one_after_the_other(farm: Farm) -> None:
    write(farm, disk(NVME, capacity="2TB") + disk(HDD, capacity="8TB", bandwidth="1GB"))
    found = simulate(farm)
    (job,) = found["jobs"]
    # Four would take 24 hours and a moment; each is in the next one's way for no longer.
    assert job["plots"] == 3
    assert job["mean_seconds"] == pytest.approx(6 * HOUR, rel=0.001)
    starts = [span["begun"] - found["begun"] for span in found["spans"]]
    assert starts == pytest.approx([0, 6 * HOUR, 12 * HOUR, 18 * HOUR], abs=2)
    assert job["holds"] == {"1 of 1 workers of this job": pytest.approx(24 * HOUR, rel=0.01)}
    phases = [(number, at - found["begun"]) for number, at in found["spans"][0]["phases"]]
    assert [number for number, _ in phases] == [1, 2, 3, 4]
    assert [at for _, at in phases] == pytest.approx([0, 3 * HOUR, 4 * HOUR, 5.5 * HOUR], abs=2)


def test_nothing_of_the_user_is_touched(farm: Farm) -> None:
    ran, scratch = farm.root / "ran", farm.root / "scratch"
    scratch.mkdir()
    farm.environment["TMPDIR"] = str(scratch)
    big = disk(str(farm.tmp), capacity="2TB")
    commands = {"pre_command": f"touch {ran}", "post_command": f"touch {ran}"}
    write(farm, big, tmp=str(farm.tmp), **commands)
    before = sorted(farm.root.rglob("*"))
    found = simulate(farm)
    assert found["jobs"][0]["plots"] == 3
    assert sorted(farm.root.rglob("*")) == before
    assert not Path(NVME).exists()


def test_two_simulations_are_the_same(farm: Farm) -> None:
    more = f"""
    max_workers = 4
    max_phase1 = 2
    [[job]]
    name = "other"
    plotter = "chia"
    tmp = "{NVME}"
    dst = "{HDD}"
    plots = 5
    stagger = "50m"
    simulated_phases = {json.dumps(PHASES)}
    """
    write(farm, disk(NVME, capacity="2TB", bandwidth="400MB"), more, stagger="20m")
    first, second = (simulate(farm, days=4) for _ in "12")
    assert first == second
    assert [job["plots"] > 3 for job in first["jobs"]] == [True, True]


def test_plotters_share_the_bandwidth_of_their_disk(farm: Farm) -> None:
    figures = {"max_workers": 2, "simulated_traffic": "4320GB"}
    write(farm, disk(NVME, bandwidth="200MB"), **figures)  # one alone takes 200 MB/s for 6 h
    found = simulate(farm)
    spans = [s["ended"] - s["begun"] for s in found["spans"] if s["ended"] is not None]
    assert spans == pytest.approx([12 * HOUR, 12 * HOUR], rel=0.01)
    write(farm, disk(NVME, bandwidth="400MB"), **figures)
    found = simulate(farm)
    (nvme,) = (each for each in found["disks"] if each["directories"] == [NVME])
    # Finished plots are read from it as well while they are copied.
    assert found["jobs"][0]["mean_seconds"] == pytest.approx(6 * HOUR, rel=0.03)
    assert sum(nvme["busy"]) / len(nvme["busy"]) == pytest.approx(1.0, abs=0.02)


def test_a_full_destination_ends_it(farm: Farm) -> None:
    write(farm, disk(HDD, capacity="330GB", bandwidth="1GB"), max_workers=2)  # plots of 108 GB
    found = simulate(farm, days=3)
    assert found["jobs"][0]["plots"] == 3
    (hdd,) = (each for each in found["disks"] if each["directories"] == [HDD])
    assert hdd["free"][0] == 330_000_000_000
    assert 0 < hdd["free"][-1] < 20_000_000_000


def test_figures_come_from_this_machines_last_plots(farm: Farm) -> None:
    write(farm, simulated_phases=...)
    store = Store(farm.state_dir)
    one: Worker = worker(job="test", plotter="chia", k=32, size_key='{"k": 32}')
    for number, hours in enumerate((1.0, 2.0, 9.0), 1):
        phases = (hours * 3600, 1000.0, 1000.0, 600.0)
        measured = Measured(108_000_000_000, seconds=sum(phases), phases=phases)
        store.measured.add(one, number, time.time(), measured)
    store.close()
    found = simulate(farm)
    assert found["jobs"][0]["mean_seconds"] == pytest.approx(2 * HOUR + 2600, rel=0.001)


def test_figures_come_from_logs(farm: Farm) -> None:
    log = DATA / "chia-k25.log"
    write(farm, simulated_phases=..., k=25)
    found = simulate(farm, "--log", os.fspath(log), days=0.05)
    (one,) = json.loads(farm.plotrun("analyze", "--json", os.fspath(log)).stdout)["plots"]
    assert found["jobs"][0]["mean_seconds"] == pytest.approx(one["total_seconds"], abs=2)


def test_nothing_is_made_up(farm: Farm) -> None:
    write(farm, simulated_phases=...)
    ended = farm.plotrun("simulate")
    assert ended.returncode == 1
    assert ended.stderr == (
        "error: job test: nobody knows how long its plots take: name logs of such plots with "
        '--log, or write simulated_phases = ["3h", …] into the job\n'
    )
    write(farm, simulated_phases=["3h", "3h"])
    ended = farm.plotrun("simulate")
    assert ended.returncode == 1
    assert "simulated_phases has 2 durations, and plots of chia have 4 phases" in ended.stderr
    write(farm, simulated_phases=["0s", "0s", "0s", "0s"])  # would go on at one moment for ever
    ended = farm.plotrun("simulate")
    assert ended.returncode == 1
    assert "job test: simulated_phases has no phase that takes any time" in ended.stderr
    write(farm, simulated_phases=["3"])
    ended = farm.plotrun("simulate")
    assert ended.returncode == 2
    assert 'expected a list of durations such as ["2h30m", "50m"]' in ended.stderr


def test_plots_that_were_made_count(farm: Farm) -> None:
    farm.write(plots=2)
    assert farm.run_until_done().returncode == 0
    farm.write(plots=5, simulated_phases=["1m"] * 4)
    found = simulate(farm)
    assert found["jobs"][0]["plots"] == 3
    assert len(farm.plots()) == 2


def test_a_terminal_shows_it_and_a_picture_as_well(farm: Farm) -> None:
    write(farm, disk(NVME, capacity="2TB") + disk(HDD, capacity="8TB"), max_workers=2)
    picture = farm.root / "a.svg"
    ended = farm.plotrun("simulate", "--days", "1", "--from", BEGUN, "--svg", str(picture))
    assert ended.returncode == 0, ended.stderr
    rows = ended.stdout.splitlines()
    assert rows[0] == "1d from Mon 00:00, to Tue 00:00"
    assert "job test: 6 plots, 6.0 a day" in rows
    assert "  held 1d (100%): 2 of 2 workers of this job" in rows
    assert any(row.startswith(f"plotters in {NVME}: 2.0 at a time, 2 at most") for row in rows)
    assert all(len(row) <= 100 for row in rows)
    drawn = ElementTree.parse(picture).getroot()
    groups = [each for each in drawn.iter() if each.tag.endswith("}g")]
    assert len(groups) == 8
    colours = [r.get("fill") for r in groups[0].iter() if r.tag.endswith("}rect")]
    assert len(set(colours)) == len(colours) == 4


def test_the_documented_settings_are_simulated(farm: Farm) -> None:
    text = (Path(__file__).parents[1] / "docs" / "simulate.md").read_text("utf-8")
    (example,) = re.findall(r"```toml\n(.*?)```", text, re.DOTALL)
    farm.settings.write_text(f'[plotrun]\nstate_dir = "{farm.state_dir}"\n{example}', "utf-8")
    found = simulate(farm, days=2)
    assert found["jobs"][0]["plots"] > 20
    assert found["form"] == 1
    listed = re.findall(r"^\| ((?:`\w+`(?:, )?)+) \|", text.split("## JSON")[1], re.MULTILINE)
    fields = {name for row in listed for name in re.findall(r"`(\w+)`", row)}
    assert fields == set(found) - {"form"}


def test_what_holds_for_want_of_room_is_told_in_full(farm: Farm) -> None:
    write(farm, disk(NVME, capacity="400GB") + disk(HDD, capacity="8TB"), max_workers=3)
    (job,) = simulate(farm, days=0.5)["jobs"]
    held = [words for words in job["holds"] if words.startswith("no temporary directory")]
    assert held
    assert all("GiB free" in words and "needed" in words for words in held), held


def test_a_year_that_no_clock_has_is_refused(farm: Farm) -> None:
    write(farm)
    ended = farm.plotrun("simulate", "--from", "0001-01-01")
    assert ended.returncode == 2
    assert "a year from 1971 to 9000" in ended.stderr
