"""MadMax: its log by real ones, its life by a stand-in that does what the real program does."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from farm import Farm, small_disk, until
from plotrun import Job, LogParser, Recognised, Run, read_plot
from plotrun.builtin.madmax import MADMAX_LOG, MadMaxPlotter
from plotrun.logparser import (
    CopyFailed,
    Fact,
    PhaseTook,
    PlotComplete,
    PlotNamed,
    PlotTook,
    SizesTold,
    Trouble,
)
from plotrun.manager import load_plugins
from plotrun.model import Progress
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError

DATA = Path(__file__).parent / "data"
TWO_PLOTS = (DATA / "madmax-k22-two-plots.log").read_bytes()
FIRST = "1ca9106d6f464149e7cec7a02f7d1f53bf210c3f58238a82bb0bb67b24584394"
SECOND = "1c4069da5cea8e84cb8484f9474490442bcb3f0b4e7213f4de08ff603a9356f3"
KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
CONTRACT = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"


def facts(log: bytes) -> list[Fact]:
    return LogParser(MADMAX_LOG).feed(log)


# The log


def test_every_phase_and_step_of_two_interleaved_plots() -> None:
    plotter, parser = MadMaxPlotter(), LogParser(MADMAX_LOG)
    progress, seen = Progress(), []
    for line in TWO_PLOTS.splitlines(keepends=True):
        now = plotter.advance(progress, parser.feed(line))
        if (now.phase, now.step, now.plots_complete) != (
            progress.phase,
            progress.step,
            progress.plots_complete,
        ):
            seen.append((now.phase, now.step, now.plots_complete))
        assert progress.plot_id != now.plot_id or now.fraction >= progress.fraction
        progress = now

    def rest(complete: int) -> list[tuple[int, int, int]]:
        """From the end of phase 1; this plotter leaves out tables that compression drops."""
        return [
            (2, 0, complete),
            *((2, step, complete) for step in (1, 2, 3, 4)),
            (3, 0, complete),
            *((3, step, complete) for step in range(3, 13)),
            (4, 0, complete),
            (4, 1, complete),
        ]

    assert seen == [
        (1, 0, 0),
        *((1, table, 0) for table in range(1, 8)),
        *rest(0),
        (0, 0, 0),
        (1, 0, 0),
        (1, 1, 0),
        (1, 2, 0),
        (1, 2, 1),  # the copy of the first ends here
        *((1, table, 1) for table in range(3, 8)),
        *rest(1),
        (4, 1, 2),
    ]
    assert progress.plot_id == SECOND
    assert progress.fraction == 1.0


def test_what_the_log_tells_beside_progress() -> None:
    found = facts(TWO_PLOTS)
    assert [f for f in found if isinstance(f, PlotNamed)] == [PlotNamed(FIRST), PlotNamed(SECOND)]
    assert [f for f in found if isinstance(f, PlotComplete)] == [
        PlotComplete(FIRST),
        PlotComplete(SECOND),
    ]
    assert [f.seconds for f in found if isinstance(f, PlotTook)] == [8.25812, 7.97034]
    assert [f for f in found if isinstance(f, PhaseTook)][:4] == [
        PhaseTook(1, 5.23269),
        PhaseTook(2, 0.533767),
        PhaseTook(3, 2.21481),
        PhaseTook(4, 0.244852),
    ]
    assert not [f for f in found if isinstance(f, Trouble)]
    assert [f.plot for f in found if isinstance(f, SizesTold)] == [68703717, 69316685]
    assert [f.name for f in found if isinstance(f, PlotNamed)] == [
        f"plot-k22-c1-2026-11-20-19-38-{plot_id}" for plot_id in (FIRST, SECOND)
    ]
    assert [f.path for f in found if isinstance(f, PlotComplete)] == [
        f"plot-k22-c1-2026-11-20-19-38-{plot_id}.plot" for plot_id in (FIRST, SECOND)
    ]


def test_a_copy_to_another_disk_completes_a_plot() -> None:
    found = facts((DATA / "madmax-k20-other-disk.log").read_bytes())
    complete = [f.plot_id for f in found if isinstance(f, PlotComplete)]
    assert complete == [f.plot_id for f in found if isinstance(f, PlotNamed)]
    assert len(complete) == 2


@pytest.mark.parametrize(
    "line",
    [
        "Copy to plot-k32-x.plot failed with: fwrite() failed (No space left on device)",
        "Invalid tmpdir: /mnt/tmp (needs trailing '/' or '\\')",
        "Failed to write to tmpdir directory: '/mnt/tmp/'",
    ],
)
def test_trouble_is_told_in_its_own_words(line: str) -> None:
    (fact,) = facts(line.encode() + b"\n")
    assert isinstance(fact, Trouble)
    assert fact.text == line
    assert isinstance(fact, CopyFailed) == line.startswith("Copy to")


# The command line


def job(tmp_path: Path, keys: str) -> Job:
    file = tmp_path / "settings.toml"
    base = '[[job]]\nname = "one"\nplotter = "madmax"\ntmp = "/t"\ndst = "/d"\n'
    file.write_text(f'{base}farmer_public_key = "{KEY}"\n{keys}\n')
    return load_settings(file, load_plugins().schema()).jobs[0]


BASE = f"-k 32 -n 1 -r 4 -u 256 -v 256 -K 1 -x 8444 -t /t/own/ -d /f/ -f {KEY} -c {CONTRACT}"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", BASE),
        ("k = 25", BASE.replace("-k 32", "-k 25")),
        ("threads = 16", BASE.replace("-r 4", "-r 16")),
        ("buckets = 512", BASE.replace("-u 256 -v 256", "-u 512 -v 512")),
        ("buckets3 = 64", BASE.replace("-v 256", "-v 64")),
        ("thread_multiplier = 2", BASE.replace("-K 1", "-K 2")),
        ("network_port = 11337", BASE.replace("8444", "11337")),
        ("tmp_toggle = true", f"{BASE} -G"),
        ("wait_for_copy = true", f"{BASE} -w"),
    ],
)
def test_each_option(tmp_path: Path, keys: str, expected: str) -> None:
    one = job(tmp_path, f'pool_contract_address = "{CONTRACT}"\n{keys}')
    run = Run(one, 1, Path("/t/own"), None, Path("/f"))
    assert " ".join(MadMaxPlotter().arguments(run)) == expected


def test_a_pool_key_several_plots_and_a_second_directory(tmp_path: Path) -> None:
    run = Run(
        job(tmp_path, f'pool_public_key = "{KEY}"'), 3, Path("/t/own"), Path("/t2/own"), Path("/f")
    )
    expected = BASE.replace("-n 1", "-n 3").replace("-d /f/", "-d /f/ -2 /t2/own/")
    expected = expected.replace(f"-c {CONTRACT}", f"-p {KEY}")
    assert " ".join(MadMaxPlotter().arguments(run)) == expected
    argv = ["/usr/local/bin/chia_plot", *MadMaxPlotter().arguments(run)]
    sizes = MadMaxPlotter().sizes(run.job)
    assert [gib * 2**30 for gib in (256, 220, 110)] == [sizes.tmp, *(sizes.apart or ())]
    assert MadMaxPlotter().recognise(argv) == Recognised(
        32, Path("/t/own"), Path("/t2/own"), Path("/f"), sizes
    )


@pytest.mark.parametrize("line", ["chia_plot_sink", "vim chia_plot", "", "chia plots create"])
def test_other_processes_are_not_recognised(line: str) -> None:
    assert MadMaxPlotter().recognise(line.split()) is None


@pytest.mark.parametrize(
    "keys", ["", f'pool_public_key = "{KEY}"\npool_contract_address = "{CONTRACT}"']
)
def test_one_of_pool_key_and_contract_must_be_given(tmp_path: Path, keys: str) -> None:
    with pytest.raises(SettingsError, match="either pool_public_key or pool_contract_address"):
        job(tmp_path, keys)


# The life


def write(farm: Farm, **keys: Any) -> None:
    standin = Path(__file__).with_name("standin_madmax.py")
    wanted: dict[str, Any] = {
        "plotter": "madmax",
        "k": 22,
        "command": f"{sys.executable} {standin}",
        "farmer_public_key": KEY,
        "pool_public_key": KEY,
        "rest": '[plugins]\nblocked = ["skip_full"]\n[plugins.backoff]\npause_after = 1\n',
    }
    farm.write(**(wanted | keys))


@pytest.mark.parametrize("deliver", ["plotrun", "plotter"])
def test_a_plot_goes_its_whole_way(farm: Farm, deliver: str) -> None:
    write(farm, deliver=deliver, post_command="echo %plot%")
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (plot,) = farm.plots()
    assert read_plot(plot).k == 22
    assert farm.leftovers() == []
    assert "phase 4\n" in ended.stdout
    (post,) = farm.log_dir.glob("*_post.log")
    assert post.read_text() == f"{plot}\n"


@pytest.mark.parametrize("deliver", ["plotrun", "plotter"])
def test_each_of_two_plots_is_delivered_while_their_process_goes_on(
    farm: Farm, deliver: str
) -> None:
    gate = farm.root / "gate"
    os.mkfifo(gate)
    farm.environment["STANDIN_GATE"] = str(gate)
    write(farm, plots=2, plots_per_process=2, deliver=deliver)
    runner = farm.start("run", "--until-done")
    until(runner, "plot delivered")
    until(runner, "plot delivered")
    assert farm.status()["jobs"][0]["made"] == 2
    (worker,) = farm.workers()
    assert worker["stage"] == "plotting", "its process goes on while both are delivered"
    gate.write_text("go on")
    assert runner.wait(60) == 0
    assert len(farm.plots()) == 2
    assert farm.leftovers() == []


def test_a_plotter_that_refuses_its_directories_fails_in_its_own_words(farm: Farm) -> None:
    write(farm, command=f"{sys.executable} {Path(__file__).with_name('standin_madmax.py')} -2 /x")
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "plotter says: Invalid tmpdir2: /x (needs trailing" in ended.stdout
    assert "failed: the plotter exited with code 254" in ended.stdout
    assert farm.leftovers() == []


def make_gates(farm: Farm, count: int) -> list[Path]:
    """Pipes that the first plots of a stand-in wait for."""
    gates = [farm.root / "gates" / str(number) for number in range(1, count + 1)]
    gates[0].parent.mkdir()
    for gate in gates:
        os.mkfifo(gate)
    farm.environment["STANDIN_GATES"] = str(gates[0].parent)
    return gates


@pytest.mark.parametrize("plots", [1, 2])
def test_plots_that_their_plotter_cannot_copy_are_taken_elsewhere(farm: Farm, plots: int) -> None:
    with small_disk(farm.root / "a", "50k") as full:
        dst = [str(full), str(farm.root / "b")]
        write(farm, deliver="plotter", dst=dst, plots=plots, plots_per_process=plots)
        ended = farm.run_until_done()
        assert ended.returncode == 0, ended.stdout
        assert "plotter says: Copy to" in ended.stdout
        assert "No space left on device" in ended.stdout
        assert ended.stdout.count("plotter started") == 1
        assert len(list((farm.root / "b").glob("*.plot"))) == plots
        assert list(farm.tmp.iterdir()) == []
        assert not [p for p in farm.processes() if "standin" in " ".join(p.cmdline())]


def test_an_endless_plotter_that_cannot_copy_is_let_go(farm: Farm) -> None:
    with small_disk(farm.root / "a", "50k") as full:
        dst = [str(full), str(farm.root / "b")]
        gates = make_gates(farm, 3)
        write(farm, deliver="plotter", dst=dst, plots=0, plots_per_process=0)
        runner = farm.start("run")
        gates[0].write_text("go on")
        gates[1].write_text("go on")
        until(runner, "plotter says: Copy to")
        until(runner, "plotter asked to end after its plot 3")
        gates[2].write_text("go on")
        until(runner, "ended: done")
        runner.terminate()
        runner.communicate()
        assert len(list((farm.root / "b").glob("*.plot"))) == 3


def test_a_plot_in_the_stage_directory_is_rescued_as_well(farm: Farm) -> None:
    stage = farm.root / "stage"
    stage.mkdir()
    foreign = stage / "plot-of-somebody-else.plot"
    foreign.write_bytes(b"not ours")
    with small_disk(farm.root / "a", "50k") as full:
        dst = [str(full), str(farm.root / "b")]
        write(farm, deliver="plotter", dst=dst, stage=str(stage))
        ended = farm.run_until_done()
        assert ended.returncode == 0, ended.stdout
        assert len(list((farm.root / "b").glob("*.plot"))) == 1
        assert list(stage.iterdir()) == [foreign]


def test_a_plot_is_rescued_when_its_plotter_is_killed_before_the_copy(farm: Farm) -> None:
    gates = make_gates(farm, 2)
    write(farm, deliver="plotter", plots=2, plots_per_process=2)
    runner = farm.start("run", "--until-done")
    pid = int(until(runner, "plotter started").split("process ")[1].split(",")[0])
    gates[0].write_text("go on")  # the copy of the first comes after the second's gate
    while not list(farm.tmp.glob("plotrun-*/*.plot")):
        pass
    os.kill(pid, 9)
    until(runner, "plot delivered")
    runner.wait(60)
    assert len(farm.plots()) == 1
    assert farm.leftovers() == []
