"""Gigahorse: its command lines, its log, and its life by a stand-in for the real programs."""

from __future__ import annotations

import os
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import farm as farm_module
from farm import Farm, small_disk, until
from plotrun import Job, LogParser, Progress, Recognised, Run, read_plot
from plotrun.logparser import Fact, PhaseTook, PlotComplete, PlotTook, Trouble
from plotrun.manager import load_plugins
from plotrun.model import ProcessRef
from plotrun.process_table import ProcessInfo
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun.strangers import strangers
from plotrun_gigahorse import GigahorseCpuPlotter, GigahorseGpuPlotter

LOG = Path(__file__).parent / "data" / "gigahorse-gpu-k32.log"
STANDIN = Path(farm_module.__file__).with_name("standin_madmax.py")
CPU_LOG = STANDIN.parent / "data" / "madmax-k22-two-plots.log"
PLOT_ID = "51b2a0e9e8d0a0a1c27e5ff1f9bd1c37e1f5c0a3a67e0d5b9ac90e1fb0a7c2d3"
KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
CONTRACT = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
GPU, CPU = GigahorseGpuPlotter(), GigahorseCpuPlotter()


def job(tmp_path: Path, keys: str = "", plotter: str = "gigahorse-gpu") -> Job:
    file = tmp_path / "settings.toml"
    base = f'[[job]]\nname = "one"\nplotter = "{plotter}"\ntmp = "/t"\ndst = ["/d", "/e"]\n'
    key = "" if "pool_public_key" in keys else f'pool_contract_address = "{CONTRACT}"\n'
    file.write_text(f'{base}farmer_public_key = "{KEY}"\n{key}{keys}\n')
    return load_settings(file, load_plugins().schema()).jobs[0]


# The command line

BASE = f"-C 7 -n -1 -g 0 -r 1 -x 8444 -t /t/own/ -d /f/ -f {KEY} -c {CONTRACT}"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", BASE),
        ("compression = 5", BASE.replace("-C 7", "-C 5")),
        ("gpu = 1", BASE.replace("-g 0", "-g 1")),
        ("gpus = 2", BASE.replace("-r 1", "-r 2")),
        ("streams = 3", BASE.replace("-f ", "-S 3 -f ")),
        ("chunk = 8", BASE.replace("-f ", "-B 8 -f ")),
        ('memory = "128GiB"', BASE.replace("-f ", "-M 128 -f ")),
        ("max_cached = 2", BASE.replace("-f ", "-Q 2 -f ")),
        ("max_copies = 4", BASE.replace("-f ", "-A 4 -f ")),
        ("max_copies_per_dst = 2", BASE.replace("-f ", "-W 2 -f ")),
        ("wait_for_copy = true", f"{BASE} -w"),
        ("unique = true", f"{BASE} -Z"),
        ("network_port = 11337", BASE.replace("8444", "11337")),
        (f'pool_public_key = "{KEY}"', BASE.replace(f"-c {CONTRACT}", f"-p {KEY}")),
    ],
)
def test_each_option_of_the_gpu_plotter(tmp_path: Path, keys: str, expected: str) -> None:
    run = Run(job(tmp_path, keys), 0, Path("/t/own"), None, Path("/f"))
    assert " ".join(GPU.arguments(run)) == expected


@pytest.mark.parametrize(("disk_mode", "flag"), [("false", "-2"), ("true", "-3")])
def test_a_second_directory_and_several_destinations(
    tmp_path: Path, disk_mode: str, flag: str
) -> None:
    one = job(tmp_path, f'disk_mode = {disk_mode}\ntmp2 = "/t2"\nk = 33')
    run = Run(one, 3, Path("/t/own"), Path("/t2/own"), Path("/d"), (Path("/e"),))
    words = " ".join(GPU.arguments(run))
    assert f"-n 3 -g 0 -r 1 -x 8444 -t /t/own/ {flag} /t2/own/ -d /d/ -d /e/ -f" in words
    assert GPU.command(one) == "cuda_plot_k33"
    argv = ["/opt/gh/cuda_plot_k33", *GPU.arguments(run)]
    assert GPU.recognise(argv) == Recognised(33, Path("/t/own"), Path("/t2/own"), Path("/e"))


def test_the_cpu_plotter_takes_madmaxs_options_and_a_level(tmp_path: Path) -> None:
    one = job(tmp_path, "compression = 9\nthreads = 16\nunique = true", "gigahorse-cpu")
    run = Run(one, 2, Path("/t/own"), None, Path("/f"))
    assert " ".join(CPU.arguments(run)) == (
        "-k 32 -n 2 -r 16 -u 256 -v 256 -K 1 -x 8444 -t /t/own/ -d /f/ "
        f"-f {KEY} -c {CONTRACT} -Z -C 9"
    )


@pytest.mark.parametrize(
    ("keys", "said"),
    [
        ("gpus = 3", "found 3, expected a power of two"),
        ("k = 35", "found 35, expected a whole number of at least 18 and at most 34"),
        (
            f'pool_public_key = "{KEY}"\npool_contract_address = "{CONTRACT}"',
            "either pool_public_key or pool_contract_address",
        ),
        ("streams = 1", "found 1, expected a whole number of at least 2"),
    ],
)
def test_wrong_settings_are_named(tmp_path: Path, keys: str, said: str) -> None:
    with pytest.raises(SettingsError, match=said):
        job(tmp_path, keys)


def test_who_a_running_process_is() -> None:
    def named(*argv: str) -> str:
        process = ProcessInfo(ProcessRef(1, "x"), argv, 0.0)
        schema = load_plugins().schema()
        (found,) = strangers([process], list(schema.plotters.values()), set())
        return found.plotter

    assert named("chia_plot", "-k", "32", "-t", "/t/") == "madmax"
    assert named("chia_plot", "-k", "32", "-C", "3", "-t", "/t/") == "gigahorse-cpu"
    assert named("cuda_plot_k32", "-t", "/t/") == "gigahorse-gpu"


# Sizes


@pytest.mark.parametrize(
    ("keys", "gib"),
    [("compression = 0", 101.4), ("compression = 5", 81.3), ("compression = 9", 75.0)],
)
def test_sizes_by_level(tmp_path: Path, keys: str, gib: float) -> None:
    sizes = GPU.sizes(job(tmp_path, keys))
    assert sizes.plot == pytest.approx(gib * 2**30, rel=0.001)
    assert sizes.tmp == sizes.plot
    cpu = CPU.sizes(job(tmp_path, keys.replace("= 0", "= 1"), "gigahorse-cpu"))
    assert cpu.tmp == 256 * 2**30


# The log


def test_every_phase_and_step_of_the_gpu_plotter() -> None:
    parser, progress, seen = LogParser(GPU.rules), Progress(), [(0, 0)]
    for line in LOG.read_bytes().splitlines(keepends=True):
        now = GPU.advance(progress, parser.feed(line))
        if (now.phase, now.step) != seen[-1]:
            seen.append((now.phase, now.step))
        assert now.fraction >= progress.fraction
        progress = now
    assert seen == [
        (0, 0),
        (1, 0),
        *((1, table) for table in range(1, 8)),
        (2, 0),
        *((2, step) for step in (1, 2, 3)),
        (3, 0),
        *((3, step) for step in (8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18)),
        (4, 0),
        (4, 1),
    ]
    assert progress.plot_id == PLOT_ID
    assert (progress.plots_started, progress.plots_complete) == (1, 1)


def facts(log: bytes) -> list[Fact]:
    return LogParser(GPU.rules).feed(log)


def test_what_the_log_tells_beside_progress() -> None:
    found = facts(LOG.read_bytes())
    took = [(fact.phase, fact.seconds) for fact in found if isinstance(fact, PhaseTook)]
    assert took == [(1, 80.904), (2, 6.812), (3, 89.6), (4, 7.7)]
    assert PlotTook(185.2) in found
    assert PlotComplete(PLOT_ID) in found
    assert not [fact for fact in found if isinstance(fact, Trouble)]


@pytest.mark.parametrize(
    "line",
    [
        "All destinations are busy or full, waiting ...",
        "Failed drive: /mnt/dst/00/",
        "Rename to /mnt/tmp/plot-k32.plot failed with: No space left on device",
        "Closing plot file failed with: Input/output error",
        "Invalid -r | --ndevices, not enough devices: 0",
        "Copy to /d/plot-k32-x.plot failed with: fwrite() failed",
        "Failed to write to directory: '/mnt/dst/00/'",
    ],
)
def test_trouble_is_told_in_its_own_words(line: str) -> None:
    (fact,) = facts(line.encode() + b"\n")
    assert isinstance(fact, Trouble)
    assert fact.text == line


@given(st.lists(st.integers(0, 7000), max_size=12))
def test_cut_anywhere_the_log_says_the_same(cuts: list[int]) -> None:
    log, parser = LOG.read_bytes(), LogParser(GPU.rules)
    ends = [0, *sorted(cuts), len(log)]
    pieces = [log[start:end] for start, end in pairwise(ends)]
    assert [fact for piece in pieces for fact in parser.feed(piece)] == facts(log)


@given(st.binary(max_size=2000))
def test_nothing_in_a_log_is_an_error(junk: bytes) -> None:
    parser = LogParser(GPU.rules)
    parser.feed(junk)
    (fact,) = parser.feed(b"\nCrafting plot 1 out of -1\n")[-1:]
    assert GPU.advance(Progress(), [fact]).plots_started == 1


# The life


def write(farm: Farm, **keys: Any) -> None:
    farm.environment["STANDIN_LOG"] = str(LOG)
    wanted: dict[str, Any] = {
        "plotter": "gigahorse-gpu",
        "k": 32,
        "command": f"{sys.executable} {STANDIN}",
        "farmer_public_key": KEY,
        "pool_public_key": KEY,
        "rest": '[plugins]\nblocked = ["skip_full", "room"]\n[plugins.backoff]\npause_after = 1\n',
    }
    farm.write(**(wanted | keys))


def test_one_process_makes_all_plots_of_the_job_and_is_asked_to_end(farm: Farm) -> None:
    gates = [farm.root / "gates" / str(number) for number in (1, 2, 3)]
    gates[0].parent.mkdir()
    for gate in gates:
        os.mkfifo(gate)
    farm.environment["STANDIN_GATES"] = str(gates[0].parent)
    write(farm, plots=3)
    runner = farm.start("run", "--until-done")
    gates[0].write_text("go on")
    gates[1].write_text("go on")
    until(runner, "plotter asked to end after its plot 3")
    gates[2].write_text("go on")
    assert runner.wait(60) == 0
    assert len(farm.plots()) == 3
    assert {read_plot(plot).k for plot in farm.plots()} == {32}
    assert farm.leftovers() == []


def test_one_plot_in_one_process(farm: Farm) -> None:
    write(farm, plots=2, plots_per_process=1, post_command="echo %plot%")
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout
    assert ended.stdout.count("plotter started") == 2
    assert len(farm.plots()) == 2
    assert farm.leftovers() == []


def test_the_cpu_plotter_with_two_plots(farm: Farm) -> None:
    write(farm, plotter="gigahorse-cpu", k=22, compression=3, plots=2, plots_per_process=2)
    farm.environment["STANDIN_LOG"] = str(CPU_LOG)
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout
    assert all("-c3-" in plot.name for plot in farm.plots())
    assert len(farm.plots()) == 2
    assert farm.leftovers() == []


def test_the_plotter_itself_goes_round_a_full_destination(farm: Farm) -> None:
    with small_disk(farm.root / "a", "50k") as full:
        write(farm, deliver="plotter", plots=2, plots_per_process=2)
        ended = farm.run_until_done()
        assert ended.returncode == 0, ended.stdout
        assert len(list((farm.root / "b").glob("*.plot"))) == 2
        assert list(full.glob("*.plot")) == []
        assert list(farm.tmp.iterdir()) == []


def test_a_plotter_without_a_gpu_fails_in_its_own_words(farm: Farm) -> None:
    line = "Invalid -r | --ndevices, not enough devices: 0"
    write(farm, command=f"echo '{line}'; exit 254; true")
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert f"plotter says: {line}" in ended.stdout
    assert "failed: the plotter exited with code 254" in ended.stdout
    assert farm.leftovers() == []
