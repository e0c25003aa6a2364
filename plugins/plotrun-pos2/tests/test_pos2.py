"""V2 plots: made, checked, and seen through their whole life."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from chia_rs import Prover

from farm import Farm
from plotrun import Job, PlotFormat, Recognised, Run, puzzle_hash, read_plot
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun_pos2 import Pos2Plotter
from plotrun_pos2.verify import problem, problem_apart

KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
CONTRACT = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"


def plotter(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "plotrun_pos2", "-d", directory, *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.fixture(scope="module")
def plot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real plot of k=18 for a farmer and a pool contract."""
    directory = tmp_path_factory.mktemp("plot")
    made = plotter(directory, "-k", "18", "-f", KEY, "-c", CONTRACT)
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = directory.iterdir()
    return path


def test_a_plot_is_what_its_header_and_its_prover_say(plot: Path) -> None:
    read, prover = read_plot(plot), Prover(str(plot))
    assert (read.k, read.format) == (18, PlotFormat.V2)
    assert read.plot_id == bytes(prover.plot_group_id()).hex()
    assert read.plot_id in plot.name
    assert read.memo == prover.get_memo()
    assert read.memo[:32] == puzzle_hash(CONTRACT)
    assert read.memo[32:80].hex() == KEY


@pytest.mark.parametrize("check", [problem, problem_apart])
def test_a_good_plot_has_a_proof_that_is_right(plot: Path, check: object) -> None:
    assert callable(check)
    assert check(plot, 100) is None


@pytest.mark.parametrize("offset", [200, 1_000, 100_000])
def test_a_spoiled_plot_is_told_from_a_good_one(plot: Path, tmp_path: Path, offset: int) -> None:
    spoiled = tmp_path / plot.name
    content = plot.read_bytes()
    spoiled.write_bytes(content[:offset] + bytes(len(content) - offset))
    assert problem_apart(spoiled, 100) is not None


@pytest.mark.parametrize("size", [0, 10, 60, 300])
def test_a_file_that_is_too_short_is_no_plot(plot: Path, tmp_path: Path, size: int) -> None:
    short = tmp_path / plot.name
    short.write_bytes(plot.read_bytes()[:size])
    assert problem_apart(short, 100) is not None


@pytest.mark.parametrize("keys", [{}, {"farmer_public_key": KEY, "pool_public_key": KEY}])
def test_the_whole_life(farm: Farm, keys: dict[str, str]) -> None:
    farm.write(plotter="pos2", plots=3, plots_per_process=2, post_command="echo %plot%", **keys)
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    plots = sorted((*farm.root.glob("a/*.plot2"), *farm.root.glob("b/*.plot2")))
    assert len(plots) == 3
    assert list(farm.tmp.iterdir()) == []
    assert farm.status()["jobs"][0]["made"] == 3
    said = "".join(log.read_text() for log in farm.log_dir.glob("*_post.log"))
    assert sorted(said.splitlines()) == [str(plot) for plot in plots]
    if keys:
        assert {read_plot(plot).memo[:96].hex() for plot in plots} == {KEY * 2}


def test_a_bad_plot_is_not_delivered(farm: Farm) -> None:
    spoil = farm.root / "plotter"
    spoil.write_text(
        f'#!/bin/sh\n{sys.executable} -m plotrun_pos2 "$@" || exit 1\n'
        'while [ "$1" != -d ]; do shift; done\n'
        'for plot in "$2"/*.plot2; do dd if=/dev/zero of="$plot" bs=1000 seek=1 count=600 '
        "conv=notrunc 2>/dev/null; done\n"
    )
    spoil.chmod(0o755)
    farm.write(plotter="pos2", command=str(spoil), rest="[plugins.backoff]\npause_after = 1\n")
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "bad plot" in ended.stdout
    assert len(list(farm.tmp.rglob("*.plot2"))) == 1, "it stays where it is"


def test_an_error_is_told_in_words(tmp_path: Path) -> None:
    failed = plotter(tmp_path / "gone", "-k", "18")
    assert failed.returncode == 1
    assert failed.stdout.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in failed.stderr


def job(tmp_path: Path, keys: str) -> Job:
    file = tmp_path / "settings.toml"
    file.write_text(f'[[job]]\nname = "one"\nplotter = "pos2"\ntmp = "/t"\ndst = "/d"\n{keys}\n')
    return load_settings(file, load_plugins().schema()).jobs[0]


def test_sizes_are_those_of_real_plots(plot: Path, tmp_path: Path) -> None:
    """Chance moves small plots: of 120 of k=18 all were within 2.1 %, the middle one 0.2 % off."""
    assert Pos2Plotter().sizes(job(tmp_path, "k = 18")).plot == pytest.approx(
        plot.stat().st_size, rel=0.04
    )


def test_the_command_line_is_read_back(tmp_path: Path) -> None:
    run = Run(job(tmp_path, "k = 20\nstrength = 3"), 2, Path("/t/own"), None, Path("/f"))
    arguments = Pos2Plotter().arguments(run)
    assert " ".join(arguments) == "-k 20 -n 2 -s 3 -t /t/own -d /f"
    argv = ["/usr/bin/python3", "-m", "plotrun_pos2", *arguments]
    assert Pos2Plotter().recognise(argv) == Recognised(20, Path("/t/own"), None, Path("/f"))
    assert Pos2Plotter().recognise(["python3", "-m", "plotrun_chiapos"]) is None


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ("k = 27", "job.k: found 27, expected an even number"),
        ("strength = 1", "job.strength: found 1, expected a whole number of at least 2"),
        (f'farmer_public_key = "{KEY}"', "together with a pool key or contract"),
        ('tmp2 = "/x"', "pos2 has no second temporary directory"),
    ],
)
def test_wrong_values_are_messages(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        job(tmp_path, keys)
