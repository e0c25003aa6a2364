"""BladeBit: its command line, its settings, and a worker's life with a stand-in."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from farm import Farm, small_disk, until
from plotrun import Job, PlotFormat, Recognised, Run, read_plot
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun_bladebit import BladebitPlotter
from plotrun_bladebit.command_line import size_argument
from plotrun_bladebit.plotter import COMPRESSED_GIB

STANDIN = Path(__file__).with_name("standin_bladebit.py")
KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
CONTRACT = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
POOL = f'pool_contract_address = "{CONTRACT}"\n'
GIB = 2**30


def job(tmp_path: Path, keys: str) -> Job:
    file = tmp_path / "settings.toml"
    base = '[[job]]\nname = "one"\nplotter = "bladebit"\ntmp = "/t"\ndst = "/d"\n'
    file.write_text(f'{base}farmer_public_key = "{KEY}"\n{keys}\n')
    return load_settings(file, load_plugins().schema()).jobs[0]


def command_line(tmp_path: Path, keys: str, plots: int = 1, tmp2: Path | None = None) -> str:
    run = Run(job(tmp_path, POOL + keys), plots, Path("/t/own"), tmp2, Path("/f"))
    return " ".join(BladebitPlotter().arguments(run))


# The command line

KEYS = f"-f {KEY} -c {CONTRACT}"
DISK = f"-n 1 {KEYS} diskplot -b 256 -t1 /t/own /f"
RAM = f"-n 1 {KEYS} ramplot /f"
CUDA = f"-n 1 {KEYS} cudaplot /f"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", DISK),
        ("k = 32", DISK),
        ("threads = 24", DISK.replace("-n 1", "-n 1 -t 24")),
        ("numa = false", DISK.replace(" diskplot", " --no-numa diskplot")),
        ("pin_threads = false", DISK.replace(" diskplot", " --no-cpu-affinity diskplot")),
        ("warm_start = true", DISK.replace(" diskplot", " -w diskplot")),
        ("direct_io = false", DISK.replace(" diskplot", " --no-direct-io diskplot")),
        ("buckets = 128", DISK.replace("256", "128")),
        ("alternate = true", DISK.replace(" -t1", " -a -t1")),
        ('cache = "32GiB"', DISK.replace(" -t1", " --cache 32G -t1")),
        ('cache = "32GB"', DISK.replace(" -t1", " --cache 31250000K -t1")),
        ("f1_threads = 2", DISK.replace(" -t1", " --f1-threads 2 -t1")),
        ("fp_threads = 2", DISK.replace(" -t1", " --fp-threads 2 -t1")),
        ("c_threads = 2", DISK.replace(" -t1", " --c-threads 2 -t1")),
        ("p2_threads = 2", DISK.replace(" -t1", " --p2-threads 2 -t1")),
        ("p3_threads = 2", DISK.replace(" -t1", " --p3-threads 2 -t1")),
        ("tmp_direct_io = false", DISK.replace(" -t1", " --no-t1-direct -t1")),
        ("tmp2_direct_io = false", DISK.replace(" -t1", " --no-t2-direct -t1")),
        ('mode = "ramplot"', RAM),
        ('mode = "ramplot"\ncompression = 7', RAM.replace(" ramplot", " -z 7 ramplot")),
        ('mode = "cudaplot"', CUDA),
        ('mode = "cudaplot"\ncompression = 9', CUDA.replace(" cudaplot", " -z 9 cudaplot")),
        ('mode = "cudaplot"\ndevice = 1', CUDA.replace(" /f", " -d 1 /f")),
        (
            'mode = "cudaplot"\ncompression = 1\ndisk_128 = true',
            f"-n 1 {KEYS} -z 1 cudaplot --disk-128 -t1 /t/own /f",
        ),
        (
            'mode = "cudaplot"\ncompression = 1\ndisk_16 = true\ntmp_direct_io = false',
            f"-n 1 {KEYS} -z 1 cudaplot --disk-16 --no-t1-direct -t1 /t/own /f",
        ),
        (
            'mode = "cudaplot"\ncheck_proofs = 100\ncheck_threshold = 0.8',
            CUDA.replace(" /f", " --check 100 --check-threshold 0.8 /f"),
        ),
    ],
)
def test_each_option(tmp_path: Path, keys: str, expected: str) -> None:
    assert command_line(tmp_path, keys) == expected


def test_a_pool_key_in_place_of_a_contract(tmp_path: Path) -> None:
    run = Run(job(tmp_path, f'pool_public_key = "{KEY}"'), 1, Path("/t/own"), None, Path("/f"))
    expected = DISK.replace(f"-c {CONTRACT}", f"-p {KEY}")
    assert " ".join(BladebitPlotter().arguments(run)) == expected


@pytest.mark.parametrize(
    ("keys", "plots", "expected"),
    [
        ("", 3, f"-n 3 {KEYS} diskplot -b 256 -t1 /t/own -t2 /t2/own /f"),
        ("", 0, f"-n 0 {KEYS} diskplot -b 256 -t1 /t/own -t2 /t2/own /f"),  # endless
        (
            'mode = "cudaplot"\ncompression = 5\ndisk_128 = true',
            2,
            f"-n 2 {KEYS} -z 5 cudaplot --disk-128 -t1 /t/own -t2 /t2/own /f",
        ),
    ],
)
def test_several_plots_and_a_second_directory(
    tmp_path: Path, keys: str, plots: int, expected: str
) -> None:
    assert command_line(tmp_path, keys, plots, Path("/t2/own")) == expected


@pytest.mark.parametrize(
    ("size", "written"),
    [(32 * GIB, "32G"), (512 * 2**20, "512M"), (3 * 2**10, "3K"), (1001, "1001"), (0, "0")],
)
def test_sizes_are_written_as_bladebit_reads_them(size: int, written: str) -> None:
    assert size_argument(size) == written


# Settings


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("k = 33", r"job\.k: found 33, expected 32"),
        ('mode = "chiaplot"', r'job\.mode: found "chiaplot", expected .*"diskplot"'),
        ("compression = 10", r"job\.compression: found 10, expected .* at most 9"),
        ("compression = 3", "BladeBit cannot compress there"),
        ('mode = "ramplot"\ncompression = 8', "BladeBit has no level 8"),
        ('mode = "ramplot"\nbuckets = 128', "no buckets with mode 'ramplot': it belongs to disk"),
        ('mode = "ramplot"\ncache = "1GiB"', "no cache with mode 'ramplot'"),
        ('mode = "cudaplot"\nalternate = true', "no alternate with mode 'cudaplot'"),
        ('mode = "cudaplot"\np2_threads = 2', "no p2_threads with mode 'cudaplot'"),
        ('mode = "ramplot"\ntmp_direct_io = false', "it belongs to diskplot and cudaplot"),
        ("device = 0", "no device with mode 'diskplot': it belongs to cudaplot"),
        ("disk_128 = true", "no disk_128 with mode 'diskplot'"),
        ('mode = "ramplot"\ncheck_proofs = 9', "no check_proofs with mode 'ramplot'"),
        ('mode = "cudaplot"\ndisk_128 = true', "1 to 7 or 9 with disk_128 or disk_16"),
        (
            'mode = "cudaplot"\ncompression = 1\ndisk_128 = true\ndisk_16 = true',
            "either disk_128 or disk_16",
        ),
        ('mode = "cudaplot"\ncheck_threshold = 0.5', "check_proofs beside it"),
        ("buckets = 100", r"job\.buckets: found 100, expected 64 or 128 or 256 or 512"),
        (f'pool_public_key = "{KEY}"', "either pool_public_key or pool_contract_address"),
    ],
)
def test_wrong_values_are_messages(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        job(tmp_path, POOL + keys)


def test_a_pool_must_be_given(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="either pool_public_key or pool_contract_address"):
        job(tmp_path, "")


@pytest.mark.parametrize(
    ("keys", "plot", "tmp"),
    [
        ("", 101.4, 480),
        ("alternate = true", 101.4, 390),
        ('cache = "100GiB"', 101.4, 380),
        ('cache = "400GiB"', 101.4, 288),
        ('mode = "ramplot"', 101.4, 101.4),
        ('mode = "ramplot"\ncompression = 5', 81.3, 81.3),
        ('mode = "cudaplot"\ncompression = 9', 75.2, 75.2),
        ('mode = "cudaplot"\ncompression = 1\ndisk_128 = true', 87.5, 192),
        ('mode = "cudaplot"\ncompression = 1\ndisk_16 = true', 87.5, 352),
    ],
)
def test_sizes_by_compression_and_mode(tmp_path: Path, keys: str, plot: float, tmp: float) -> None:
    sizes = BladebitPlotter().sizes(job(tmp_path, POOL + keys))
    assert sizes.plot / GIB == pytest.approx(plot, rel=0.001)
    assert sizes.tmp / GIB == pytest.approx(tmp, rel=0.001)


def test_more_compression_makes_smaller_plots() -> None:
    sizes = list(COMPRESSED_GIB.values())
    assert sizes == sorted(sizes, reverse=True)


# Processes


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (f"bladebit {DISK}", Recognised(32, Path("/t/own"), None, Path("/f"))),
        (
            f"/opt/bladebit -t 24 -n 5 {KEYS} -z diskplot -b 256 --temp1 /a --temp2 /b --cache 32G"
            " -a /out /more",
            Recognised(32, Path("/a"), Path("/b"), Path("/out")),
        ),
        (f"bladebit -w --no-numa -z 3 {KEYS} ramplot /f", Recognised(32, None, None, Path("/f"))),
        (
            f"bladebit_cuda --compress 7 {KEYS} cudaplot --disk-128 -t1 /t --check 100 /f",
            Recognised(32, Path("/t"), None, Path("/f")),
        ),
        (f"C:\\bin\\Bladebit_CUDA.exe {CUDA}", Recognised(32, None, None, Path("/f"))),
        (f"bladebit -n 1 {KEYS} ramplot", Recognised(32, None, None, None)),
    ],
)
def test_plotting_processes_are_recognised(line: str, expected: Recognised) -> None:
    assert BladebitPlotter().recognise(line.split(" ")) == expected


@pytest.mark.parametrize(
    "line",
    [
        "",
        "bladebit",
        "bladebit --version",
        "bladebit -t 4 simulate --power 10 /plot",
        "bladebit_cuda check -n 100 /diskplot/x.plot",
        "bladebit help ramplot",
        "bladebit -t",
        "vim bladebit ramplot",
        "bladebit_watcher diskplot /f",
        "chia plotters bladebit diskplot",
    ],
)
def test_other_processes_are_not(line: str) -> None:
    assert BladebitPlotter().recognise(line.split(" ")) is None


def test_the_command_line_is_read_back(tmp_path: Path) -> None:
    for keys in ("", 'mode = "cudaplot"\ncompression = 5\ndisk_128 = true'):
        words = command_line(tmp_path, keys, tmp2=Path("/t2/own")).split(" ")
        assert BladebitPlotter().recognise(["bladebit", *words]) == Recognised(
            32, Path("/t/own"), Path("/t2/own"), Path("/f")
        )


def test_the_version() -> None:
    line = BladebitPlotter().version_command(f"{sys.executable} {STANDIN}")
    assert line is not None
    said = subprocess.run(line, shell=True, capture_output=True, text=True, check=True)
    assert said.stdout == "3.1.0\n"


# The life


def write(farm: Farm, **keys: Any) -> None:
    wanted: dict[str, Any] = {
        "plotter": "bladebit",
        "k": 32,
        "command": f"{sys.executable} {STANDIN}",
        "farmer_public_key": KEY,
        "pool_contract_address": CONTRACT,
        # The disks here have no room for 101 GiB, and the stand-in's plots hold no proofs.
        "rest": '[plugins]\nblocked = ["skip_full", "room", "chiapos"]\n'
        "[plugins.backoff]\npause_after = 1\n",
    }
    farm.write(**(wanted | keys))


@pytest.mark.parametrize(
    ("keys", "plot_format"),
    [
        ({}, PlotFormat.V1),
        ({"deliver": "plotter"}, PlotFormat.V1),
        ({"mode": "ramplot"}, PlotFormat.V1),
        ({"mode": "cudaplot"}, PlotFormat.V1),
        ({"mode": "ramplot", "compression": 7}, PlotFormat.V1_COMPRESSED),
        ({"mode": "cudaplot", "compression": 5, "disk_128": True}, PlotFormat.V1_COMPRESSED),
    ],
)
def test_a_plot_goes_its_whole_way(
    farm: Farm, keys: dict[str, Any], plot_format: PlotFormat
) -> None:
    write(farm, post_command="echo %plot%", **keys)
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (plot,) = farm.plots()
    read = read_plot(plot)
    assert (read.k, read.format) == (32, plot_format)
    assert read.plot_id in plot.name
    level = keys.get("compression")
    assert plot.name.startswith(f"plot-k32-c{level:02}-" if level else "plot-k32-2")
    assert farm.leftovers() == []
    assert "phase 4\n" in ended.stdout
    (post,) = farm.log_dir.glob("*_post.log")
    assert post.read_text() == f"{plot}\n"


@pytest.mark.parametrize(
    "keys",
    [
        {"mode": "diskplot"},
        {"mode": "diskplot", "deliver": "plotter"},
        {"mode": "ramplot", "compression": 7},
        {"mode": "ramplot", "deliver": "plotter"},
        {"mode": "cudaplot", "compression": 5},
    ],
)
def test_each_of_two_plots_is_delivered_while_their_process_goes_on(
    farm: Farm, keys: dict[str, Any]
) -> None:
    gate = farm.root / "gate"
    os.mkfifo(gate)
    farm.environment["STANDIN_GATE"] = str(gate)
    write(farm, plots=2, plots_per_process=2, **keys)
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


def test_a_plotter_that_refuses_fails_in_its_own_words(farm: Farm) -> None:
    write(farm, command=f"{sys.executable} {STANDIN} --nonsense")
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "plotter says: Unexpected argument '--nonsense'" in ended.stdout
    assert "failed: the plotter exited with code 1" in ended.stdout
    assert farm.leftovers() == []
    assert farm.plots() == []


@pytest.mark.parametrize("deliver", ["plotrun", "plotter"])
def test_a_crash_leaves_nothing_behind_in_tmp(farm: Farm, deliver: str) -> None:
    farm.environment["STANDIN_CRASH"] = "Running Phase 3"
    write(farm, deliver=deliver)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "plotter says: *** Crashed! ***" in ended.stdout
    assert "failed: the plotter exited with code 1" in ended.stdout
    assert list(farm.tmp.iterdir()) == []
    assert farm.plots() == []


def test_of_two_plots_the_finished_one_is_delivered_when_the_other_fails(farm: Farm) -> None:
    farm.environment["STANDIN_CRASH"] = "Generating plot 2"
    write(farm, plots=2, plots_per_process=2)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "failed: the plotter exited with code 1" in ended.stdout
    assert len(farm.plots()) == 1
    assert list(farm.tmp.iterdir()) == []


def test_a_full_destination_is_told_while_the_plotter_waits(farm: Farm) -> None:
    with small_disk(farm.root / "a", "50k") as full:
        write(farm, deliver="plotter", dst=str(full))
        runner = farm.start("run", "--until-done")
        assert "No space left in plot output directory" in until(runner, "plotter says: No space")
        runner.terminate()
        runner.wait(60)
        farm.end_plotters()
