"""``plotrun analyze``: from files and directories to groups, charts, CSV and JSON."""

from __future__ import annotations

import csv
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from analyzed import DISKPLOT, K25, MADMAX, RAMPLOT, TABLES, another, only_plots
from farm import PLOTRUN, Farm
from plotrun.analysis.groups import DEFAULT_BY, Spread, spread
from plotrun.analysis.many import analyze
from plotrun.cli.analyze import command
from plugin_package import install

DOC = (Path(__file__).parents[1] / "docs" / "analyze.md").read_text("utf-8")
SHORT = only_plots(K25)
SLOWER = another(SHORT, "ab" * 32).replace(b"phase 1 = 70.609", b"phase 1 = 90.609")
SLOWER = SLOWER.replace(b"Total time = 123.108", b"Total time = 143.108")


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    """A directory as other managers leave it: logs and all sorts of other files."""
    top = tmp_path / "logs"
    (top / "deep" / "er").mkdir(parents=True)
    (top / "chia.log").write_bytes(SHORT + SLOWER + SHORT[:3000])
    (top / "deep" / "madmax.txt").write_bytes(MADMAX)
    (top / "deep" / "er" / "no-suffix").write_bytes(RAMPLOT + DISKPLOT)
    (top / "notes.txt").write_text("buy more disks\n")
    (top / "empty.log").touch()
    (top / "plot.plot").write_bytes(b"Proof of Space Plot" + bytes(2000))
    (top / "same.log").symlink_to(top / "chia.log")
    return top


def run(*arguments: object, columns: int = 80) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*PLOTRUN, "analyze", *map(str, arguments)],
        capture_output=True,
        encoding="utf-8",
        env=os.environ | {"COLUMNS": str(columns)},
        timeout=60,
        check=False,
    )


def found_in(*arguments: object) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("--json", *arguments).stdout)
    return found


def test_a_directory_is_searched_and_the_rest_is_told(logs: Path) -> None:
    shown = run(logs)
    assert shown.returncode == 0
    assert shown.stderr == (
        "skipped 3 files: 1 empty, 1 not text, 1 not the log of a plotter\n"
        "1 unfinished plot not counted\n"
    )
    heads = [line for line in shown.stdout.splitlines() if re.match(r"\d+ plots? ", line)]
    assert heads == [
        "1 plot  bladebit  k=32  tmp /mnt/t1  threads 64",
        "1 plot  bladebit  k=32  tmp ?  threads 88",
        "2 plots  chia  k=25  tmp /mnt/tmp/00  threads 2",
        "2 plots  madmax  k=20  tmp /mnt/tmp/00  threads 2",
    ]


def test_a_file_is_read_once_however_often_it_is_named(logs: Path) -> None:
    found = found_in(logs, logs / "chia.log", logs / "same.log", logs / "deep")
    assert len(found["plots"]) == 6


def test_csv_and_json_say_the_same(logs: Path) -> None:
    found = found_in(logs)
    rows = list(csv.DictReader(run("--csv", logs).stdout.splitlines()))
    for one, other in zip(found["plots"], rows, strict=True):
        assert {key: "" if value is None else str(value) for key, value in one.items()} == other
    chia = rows[0]
    assert (chia["log"], chia["plotter"]) == (str(logs / "chia.log"), "chia")
    assert (chia["phase_1_seconds"], chia["copy_seconds"]) == ("70.609", "")
    assert (chia["total_seconds"], chia["buffer_mib"]) == ("123.108", "500")


def test_the_form_is_the_documented_one(logs: Path) -> None:
    found = found_in(logs)
    (shape,) = re.findall(r"```json\n(.*?)```", DOC, re.DOTALL)
    top = json.loads(shape)
    assert found.keys() == top.keys()
    assert (found["form"], found["unfinished"], found["skipped"]) == (1, 1, 3)
    assert found["groups"][0].keys() == top["groups"][0].keys()
    table = DOC.split("\n## CSV\n")[1].split("\n## ")[0]
    columns = re.findall(r"`(\w+)`", " ".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert list(found["plots"][0]) == columns


def test_figures_of_a_group(logs: Path) -> None:
    (group,) = (group for group in found_in(logs)["groups"] if group["by"]["plotter"] == "chia")
    assert group["by"] == {"plotter": "chia", "k": 25, "tmp": "/mnt/tmp/00", "threads": 2}
    assert group["plots"] == 2
    assert group["phases"][0] == {"median": 80.609, "best": 70.609, "worst": 90.609}
    assert group["copy"] is None
    assert group["total"] == {"median": 133.108, "best": 123.108, "worst": 143.108}


def test_the_median_is_the_middle_one_or_between_two() -> None:
    assert spread([5.0, None, 1.0, 3.0]) == Spread(3.0, 1.0, 5.0)
    assert spread([4.0, 1.0]) == Spread(2.5, 1.0, 4.0)
    assert spread([None]) is None


def test_groups_by_what_is_asked(logs: Path) -> None:
    def groups(by: str) -> list[tuple[list[object], int]]:
        found = found_in("--by", by, logs)["groups"]
        return [(list(group["by"].values()), group["plots"]) for group in found]

    assert groups("k") == [([20], 2), ([25], 2), ([32], 2)]
    assert groups("threads, plotter")[0] == ([2, "chia"], 2)
    assert groups("date") == [(["2021-08-29"], 1), (["2022-05-04"], 1), (["2026-11-20"], 4)]
    assert groups("tmp")[-1] == ([None], 1)


def test_the_default_is_the_documented_grouping() -> None:
    (option,) = (option for option in command.params if option.name == "by")
    assert option.default == ",".join(DEFAULT_BY)


def test_the_chart_can_be_read_without_colours(logs: Path) -> None:
    shown = run("--by", "plotter", logs).stdout
    assert "\x1b" not in shown
    lines = shown.splitlines()
    assert all(len(line) <= 80 for line in lines)
    bars = [line.split()[0] for line in lines if re.match(r" +1+2+3+", line)]
    assert [re.sub(r"(.)\1*", r"\1", bar) for bar in bars] == ["1234c", "1234", "1234c"]
    bladebit = bars[0]
    assert 0.4 < bladebit.count("1") / len(bladebit) < 0.6
    assert len(bars[1]) < len(bladebit)
    (total,) = (line.split() for line in lines if line.startswith("  best     1m 11s"))
    assert total == ["best", "1m", "11s", "11s", "40s", "1.8s", "2m", "3s"]


def test_the_chart_does_not_wrap_on_a_terminal_of_80_columns(logs: Path) -> None:
    long = logs / "long.log"
    long.write_bytes(SHORT.replace(b"/mnt/tmp/00", b"/mnt/" + b"very-long-name/" * 9))
    said = pexpect.run(
        f"{sys.executable} -m plotrun analyze {logs}",
        encoding="utf-8",
        timeout=60,
        env=os.environ | {"TERM": "xterm-256color"},
        dimensions=(24, 80),
    )
    assert isinstance(said, str)
    assert "\x1b[30;46m1111" in said
    lines = [re.sub(r"\x1b\[[\d;]*m", "", line) for line in said.splitlines()]
    assert max(map(len, lines)) <= 80
    assert any(line.startswith("1 plot  chia  k=25  tmp /mnt/very-long") for line in lines)
    assert sum(line.startswith("  median") for line in lines) == 5


def test_a_narrow_terminal_gets_its_figures_in_several_parts(logs: Path) -> None:
    lines = run("--by", "plotter", logs, columns=40).stdout.splitlines()
    assert sum(line.startswith("  median") for line in lines) == 6
    assert all(len(line) <= 40 for line in lines if line.startswith("  "))


def test_what_is_missing_or_tells_nothing_is_one_line_and_an_exit_code(logs: Path) -> None:
    missing = run(logs, logs / "gone")
    assert (missing.returncode, missing.stdout) == (2, "")
    assert missing.stderr == f"error: there is no file or directory {logs / 'gone'}\n"
    nothing = run(logs / "notes.txt")
    assert (nothing.returncode, nothing.stdout) == (3, "")
    assert nothing.stderr == (
        f"error: no finished plot in {logs / 'notes.txt'} (1 file; skipped 1 file: 1 not the log "
        "of a plotter): name logs of plotters, or their directory\n"
    )
    wrong = run("--by", "plotter,size", logs)
    assert wrong.returncode == 2
    assert "'size' is none of plotter, k, tmp" in wrong.stderr
    assert run("--csv", "--json", logs).returncode == 2


def test_what_is_found_does_not_depend_on_the_number_of_processes(logs: Path) -> None:
    for number in range(50):
        (logs / f"more{number}.log").write_bytes(another(SHORT, f"{number:064x}"))
    one, several = (analyze([str(logs)], TABLES, processes) for processes in (1, 2))
    assert one == several
    assert (len(one.plots), one.unfinished, one.files) == (56, 1, 56)


class Deadly(str):
    """A path that kills each process to which it is sent."""

    def __reduce__(self) -> tuple[Any, ...]:
        return os._exit, (1,)


def test_what_a_process_that_was_killed_left_is_read_all_the_same(logs: Path) -> None:
    paths = [str(logs / "chia.log"), Deadly(logs / "deep" / "madmax.txt")]
    assert len(analyze(paths, TABLES, processes=2).plots) == 4


def test_directories_that_may_not_be_read_are_counted(logs: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root may read everything")
    (logs / "deep").chmod(0)
    shown = run(logs)
    (logs / "deep").chmod(0o755)
    assert shown.returncode == 0
    assert "1 cannot be read" in shown.stderr


def test_plots_that_plotrun_made_are_found_in_its_own_logs(farm: Farm) -> None:
    farm.write()
    before = farm.plotrun("analyze")
    assert (before.returncode, before.stdout) == (3, "")
    assert before.stderr.startswith(f"error: no finished plot in {farm.log_dir} (0 files): ")
    farm.write(plots=2)
    assert farm.run_until_done().returncode == 0
    found = json.loads(farm.plotrun("analyze", "--json").stdout)
    (group,) = found["groups"]
    assert group["by"] == {"plotter": "chia", "k": 18, "tmp": str(farm.tmp), "threads": 2}
    assert group["plots"] == 2
    named = {re.findall("[0-9a-f]{64}", path.name)[0] for path in farm.plots()}
    assert {plot["plot_id"] for plot in found["plots"]} == named
    for plot in found["plots"]:
        phases = [plot[f"phase_{number}_seconds"] for number in (1, 2, 3, 4)]
        assert all(seconds > 0 for seconds in phases)
        assert sum(phases) == pytest.approx(plot["total_seconds"], abs=0.1)
    farm.write(rest='[plugins]\nblocked = ["chia"]\n')
    alone = json.loads(farm.plotrun("analyze", "--json").stdout)
    assert [plot["plotter"] for plot in alone["plots"]] == ["chiapos"] * 2
    elsewhere = farm.root / "elsewhere"
    farm.write(general=f'log_dir = "{elsewhere}"')
    farm.log_dir.rename(elsewhere)
    assert len(json.loads(farm.plotrun("analyze", "--json").stdout)["plots"]) == 2


PLUGIN = """
from plotrun import FinishedLog, LineForm, hookimpl
from plotrun_chiapos import ChiaposPlotter

class Tiny(ChiaposPlotter):
    name = "tiny"
    finished_log = FinishedLog(
        start=LineForm(b"making plot ", rb"making plot (?P<plot_id>[0-9a-f]{64})"),
        body=(
            LineForm(b"phase ", rb"phase (?P<phase>\\d) took (?P<seconds>[\\d.]+)"),
            LineForm(b"done after ", rb"done after (?P<total>[\\d.]+)"),
        ),
        phases=6,
    )

class Wrong(ChiaposPlotter):
    name = "wrong"
    finished_log = FinishedLog(start=LineForm(b"making ", rb"making ("))

@hookimpl
def plotrun_plotters():
    return [Wrong(), Tiny()]
"""


def test_a_plugins_plotter_may_state_its_own_lines(farm: Farm) -> None:
    install(farm, "tiny", PLUGIN)
    log = farm.root / "tiny.out"
    log.write_text(f"making plot {'ab' * 32}\nphase 1 took 2.5\nphase 6 took 4\ndone after 7\n")
    shown = farm.plotrun("analyze", "--csv", str(log))
    assert shown.stderr.startswith("warning: plotter wrong: its finished_log cannot be used: ")
    (row,) = csv.DictReader(shown.stdout.splitlines())
    assert (row["plotter"], row["plot_id"], row["total_seconds"]) == ("tiny", "ab" * 32, "7.0")
    assert (row["phase_1_seconds"], row["phase_6_seconds"]) == ("2.5", "4.0")
