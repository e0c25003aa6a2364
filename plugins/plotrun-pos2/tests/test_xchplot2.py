"""xchplot2: its command line, its log, and a worker's life with a stand-in.

The logs in data/ are put together from the lines in its source: with and without what ``-v``
tells of each plot.
"""

from __future__ import annotations

import os
import shlex
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm import Farm, until
from plotrun import (
    Fact,
    Job,
    LogParser,
    PlotComplete,
    PlotFormat,
    PlotNamed,
    PlotStarted,
    Progress,
    Recognised,
    Run,
    Trouble,
    read_plot,
)
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun_pos2 import Pos2Plotter, Xchplot2Plotter
from plotrun_pos2.xchplot2 import XCHPLOT2_LOG
from plotrun_pos2.xchplot2_verify import verify_problem

DATA = Path(__file__).parent / "data"
THREE = (DATA / "xchplot2-three-plots.log").read_bytes()
OLD = (DATA / "xchplot2-old-two-plots.log").read_bytes()
STANDIN = Path(__file__).with_name("standin_xchplot2.py")
COMMAND = shlex.join([sys.executable, str(STANDIN)])
KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
CONTRACT = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
POOL = f'pool_contract_address = "{CONTRACT}"\n'


# The log


def facts(log: bytes) -> list[Fact]:
    return LogParser(XCHPLOT2_LOG).feed(log)


def counts(log: bytes) -> tuple[list[int], Progress]:
    """How many plots are complete, each time that changes, line by line."""
    parser, progress = LogParser(XCHPLOT2_LOG), Progress()
    seen = []
    for line in log.splitlines(keepends=True):
        now = Xchplot2Plotter().advance(progress, parser.feed(line))
        if now.plots_complete != progress.plots_complete:
            seen.append(now.plots_complete)
        progress = now
    return seen, progress


def test_plots_are_counted_one_by_one_and_not_twice() -> None:
    seen, progress = counts(THREE)
    assert seen == [1, 2, 3]
    assert progress.fraction == 0.0, "of the next one: it does not tell that one begins"
    assert progress.trouble is None


def test_what_is_told_only_at_the_end_is_counted_there() -> None:
    seen, progress = counts(OLD)
    assert seen == [2]
    assert progress.plots_complete == 2


def test_all_plots_are_named_before_the_first_is_complete() -> None:
    found = facts(THREE)
    first = next(i for i, fact in enumerate(found) if isinstance(fact, PlotComplete))
    named = [fact.plot_id for fact in found[:first] if isinstance(fact, PlotNamed)]
    assert len(set(named)) == 3
    assert sum(isinstance(fact, PlotStarted) for fact in found) == 1


@pytest.mark.parametrize(("log", "plots"), [(THREE, 3), (OLD, 2)])
def test_every_plot_is_looked_for_when_its_path_is_told(log: bytes, plots: int) -> None:
    """By the ids, also where another plotter's files lie beside."""
    found = facts(log)
    named = {fact.plot_id for fact in found if isinstance(fact, PlotNamed)}
    complete = {fact.plot_id for fact in found if isinstance(fact, PlotComplete)} - {None}
    assert complete == named
    assert len(named) == plots


@pytest.mark.parametrize(
    "line",
    [
        "Error: --farmer-pk is required",
        "[plot] FAILED: CUDA error: out of memory",
        "[batch:gpu1] plot 3 FAILED: No space left on device",
        "[batch] WARNING: /o has 0.4 GB free but 10 plot(s) may need up to ~140.0 GB",
    ],
)
def test_trouble_is_told_in_its_own_words(line: str) -> None:
    assert facts(line.encode() + b"\n") == [Trouble(line)]


@pytest.mark.parametrize(
    "line",
    [
        "[batch] vram: peak 13582 MiB of 23900 free",
        "/mnt/out/plot-k28-" + "ab" * 32 + ".plot2.partial",
        "[batch] skipping plot 0: /o/plot-k28-" + "ab" * 32 + ".plot2 (already exists)",
        "[xchplot2] cancel requested — finishing current plot then stopping.",
    ],
)
def test_lines_that_mean_nothing(line: str) -> None:
    assert facts(line.encode() + b"\n") == []


@settings(max_examples=50, deadline=None)
@given(cuts=st.lists(st.integers(0, len(THREE)), max_size=20))
def test_a_log_cut_anywhere_says_the_same(cuts: list[int]) -> None:
    parser, found = LogParser(XCHPLOT2_LOG), []
    for start, end in pairwise([0, *sorted(cuts), len(THREE)]):
        found += parser.feed(THREE[start:end])
    assert found == facts(THREE)


@settings(max_examples=200, deadline=None)
@given(chunks=st.lists(st.binary(max_size=200) | st.sampled_from([b"\n[plot] wrote 1", b"\n["])))
def test_no_bytes_raise_anything(chunks: list[bytes]) -> None:
    parser, progress = LogParser(XCHPLOT2_LOG), Progress()
    for chunk in chunks:
        progress = Xchplot2Plotter().advance(progress, parser.feed(chunk))
    assert 0.0 <= progress.fraction <= 1.0


# The command line and the settings


def job(tmp_path: Path, keys: str) -> Job:
    file = tmp_path / "settings.toml"
    base = '[[job]]\nname = "one"\nplotter = "xchplot2"\ntmp = "/t"\ndst = "/d"\n'
    file.write_text(f'{base}farmer_public_key = "{KEY}"\n{keys}\n')
    return load_settings(file, load_plugins().schema()).jobs[0]


BASE = f"plot -k 28 -n 1 -s 2 -i 0 -g 0 -f {KEY} -c {CONTRACT} -v -o /f"


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("", BASE),
        ("k = 30", BASE.replace("-k 28", "-k 30")),
        ("strength = 5", BASE.replace("-s 2", "-s 5")),
        ("plot_index = 7", BASE.replace("-i 0", "-i 7")),
        ("meta_group = 9", BASE.replace("-g 0", "-g 9")),
        ('devices = "gpu"', BASE.replace(" -v", " --devices gpu -v")),
        ('devices = "gpu,2:tiny"', BASE.replace(" -v", " --devices gpu,2:tiny -v")),
        ("continue_on_error = true", BASE.replace(" -v", " --continue-on-error -v")),
    ],
)
def test_each_option(tmp_path: Path, keys: str, expected: str) -> None:
    run = Run(job(tmp_path, POOL + keys), 1, Path("/t/own"), None, Path("/f"))
    assert " ".join(Xchplot2Plotter().arguments(run)) == expected


def test_a_pool_key_and_several_plots(tmp_path: Path) -> None:
    one = job(tmp_path, f'pool_public_key = "{KEY}"')
    arguments = Xchplot2Plotter().arguments(Run(one, 10, Path("/t/own"), None, Path("/f")))
    assert " ".join(arguments) == BASE.replace("-n 1", "-n 10").replace(
        f"-c {CONTRACT}", f"-p {KEY}"
    )
    recognised = Xchplot2Plotter().recognise(["/usr/bin/xchplot2", *arguments])
    assert recognised == Recognised(28, None, None, Path("/f"))


def test_long_options_are_recognised() -> None:
    line = "xchplot2 plot --k 30 --out /o -f x"
    assert Xchplot2Plotter().recognise(line.split()) == Recognised(30, None, None, Path("/o"))


@pytest.mark.parametrize(
    "line", ["", "xchplot2", "xchplot2 verify /plot", "xchplot2 batch x.tsv", "vim xchplot2 plot"]
)
def test_other_processes_are_not_recognised(line: str) -> None:
    assert Xchplot2Plotter().recognise(line.split()) is None


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (POOL + "k = 27", r"job\.k: found 27, expected an even number"),
        (POOL + "strength = 1", r"job\.strength: found 1, expected a whole number of at least 2"),
        (POOL + "plot_index = 65536", r"job\.plot_index: found 65536"),
        (POOL + "meta_group = 256", r"job\.meta_group: found 256"),
        (POOL + 'devices = "gpu; rm"', r'job\.devices: found "gpu; rm", expected devices as "gpu"'),
        (POOL + 'tmp2 = "/x"', "xchplot2 has no second temporary directory"),
        (POOL + f'pool_public_key = "{KEY}"', "either pool_public_key or pool_contract_address"),
        ("", "either pool_public_key or pool_contract_address"),
    ],
)
def test_wrong_values_are_messages(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        job(tmp_path, keys)


def test_plots_have_the_size_of_any_v2_plot(tmp_path: Path) -> None:
    sizes = Xchplot2Plotter().sizes(job(tmp_path, POOL))
    assert sizes.plot == sizes.tmp == pytest.approx(2**28 * 29.9 / 8)
    assert Xchplot2Plotter.size_keys == Pos2Plotter.size_keys == ("k", "strength")


# The check of a finished plot


@pytest.mark.parametrize("command", [COMMAND, f"cd / && {COMMAND}"])
def test_a_plot_is_verified_by_the_jobs_own_command(tmp_path: Path, command: str) -> None:
    good, bad = tmp_path / "a b; $(touch x).plot2", tmp_path / "bad.plot2"
    good.write_bytes(b"pos2 whole")
    bad.write_bytes(b"pos2 sp")
    assert verify_problem(good, command, 100) is None
    assert verify_problem(bad, command, 100) == (
        "xchplot2 verify fails on it (exit code 4): "
        "[verify] FAIL: no proofs produced — plot is likely corrupt"
    )


def test_a_program_that_cannot_verify_says_so(tmp_path: Path) -> None:
    assert verify_problem(tmp_path, "false", 100) == "xchplot2 verify fails on it (exit code 1)"


# The life


def write(farm: Farm, **keys: Any) -> None:
    wanted: dict[str, Any] = {
        "plotter": "xchplot2",
        "command": COMMAND,
        "farmer_public_key": KEY,
        "pool_contract_address": CONTRACT,
        "rest": "[plugins.backoff]\npause_after = 1\n",
    }
    farm.write(**(wanted | keys))


def plots(farm: Farm) -> list[Path]:
    return sorted((*farm.root.glob("a/*.plot2"), *farm.root.glob("b/*.plot2")))


@pytest.mark.parametrize("old", [False, True])
@pytest.mark.parametrize("deliver", ["plotrun", "plotter"])
def test_the_whole_life(farm: Farm, old: bool, deliver: str) -> None:
    farm.environment |= {"STANDIN_OLD": "1"} if old else {}
    write(farm, plots=3, plots_per_process=2, deliver=deliver, post_command="echo %plot%")
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    made = plots(farm)
    assert len(made) == 3
    assert {read_plot(plot).format for plot in made} == {PlotFormat.V2}
    assert farm.status()["jobs"][0]["made"] == 3
    assert list(farm.tmp.iterdir()) == []
    said = "".join(log.read_text() for log in farm.log_dir.glob("*_post.log"))
    assert sorted(said.splitlines()) == [str(plot) for plot in made]


@pytest.mark.parametrize("deliver", ["plotrun", "plotter"])
def test_each_plot_is_delivered_while_their_process_goes_on(farm: Farm, deliver: str) -> None:
    gate = farm.root / "gate"
    os.mkfifo(gate)
    farm.environment["STANDIN_GATE"] = str(gate)
    write(farm, plots=3, plots_per_process=3, deliver=deliver)
    runner = farm.start("run", "--until-done")
    for _ in range(3):
        until(runner, "plot delivered")
    assert farm.status()["jobs"][0]["made"] == 3
    (worker,) = farm.workers()
    assert worker["stage"] == "plotting", "its process goes on while all are delivered"
    gate.write_text("go on")
    assert runner.wait(60) == 0
    assert len(plots(farm)) == 3


@pytest.mark.parametrize("go_on", [False, True])
def test_plots_beside_a_failed_one_are_delivered(farm: Farm, go_on: bool) -> None:
    farm.environment["STANDIN_FAIL"] = "2"
    write(farm, plots=3, plots_per_process=3, continue_on_error=go_on)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    # Where it goes on, its next words may follow too soon for these to be told.
    assert go_on or "[plot] FAILED: CUDA error: out of memory" in ended.stdout
    code = 3 if go_on else 2
    assert f"failed: the plotter exited with code {code}" in ended.stdout
    assert len(plots(farm)) == (2 if go_on else 1)
    assert list(farm.tmp.iterdir()) == []


def test_a_plot_that_an_older_version_only_lists_is_missed(farm: Farm) -> None:
    """It lists plots that failed, too, and exits with 0."""
    farm.environment |= {"STANDIN_FAIL": "2", "STANDIN_OLD": "1"}
    write(farm, plots=3, plots_per_process=3, continue_on_error=True)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "failed: the plotter ended with 2 of 3 plots complete" in ended.stdout
    assert len(plots(farm)) == 2


def test_a_plotter_that_refuses_fails_in_its_own_words(farm: Farm) -> None:
    write(farm, command=f"{COMMAND} plot --nonsense")
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "plotter says: Error: unknown argument: --nonsense" in ended.stdout
    assert list(farm.tmp.iterdir()) == []


def test_a_bad_plot_is_not_delivered(farm: Farm) -> None:
    farm.environment["STANDIN_SPOIL"] = "1"
    write(farm)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "bad plot" in ended.stdout
    assert "[verify] FAIL: no proofs produced" in ended.stdout
    assert plots(farm) == []
    assert len(list(farm.tmp.rglob("*.plot2"))) == 1, "it stays where it is"


def test_the_check_can_be_switched_off(farm: Farm) -> None:
    farm.environment["STANDIN_SPOIL"] = "1"
    write(farm, rest="[plugins.pos2]\ncheck_challenges = 0\n")
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(plots(farm)) == 1
