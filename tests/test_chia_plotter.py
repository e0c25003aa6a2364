"""The command line of chia: written and read back."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from plotrun import Job, Recognised, Run, v1_sizes
from plotrun.builtin.chia import ChiaPlotter
from plotrun.command_line import plotter_argv
from plotrun.manager import load_plugins
from plotrun.plotter import is_shell_line
from plotrun.settings.load import load_settings

KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)


def job(tmp_path: Path, keys: str) -> Job:
    file = tmp_path / "settings.toml"
    base = '[[job]]\nname = "one"\nplotter = "chia"\ntmp = "/t"\ndst = "/d"\n'
    file.write_text(base + keys)
    return load_settings(file, load_plugins().schema()).jobs[0]


def arguments(tmp_path: Path, keys: str = "", plots: int = 1, tmp2: Path | None = None) -> str:
    run = Run(job(tmp_path, keys), plots, Path("/t/own"), tmp2, Path("/f"))
    return " ".join(ChiaPlotter().arguments(run))


BASE = "-k 32 -n 1 -r 2 -u 128 -t /t/own -2 /t/own -d /f -x"


def test_the_defaults(tmp_path: Path) -> None:
    assert arguments(tmp_path) == BASE


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("k = 33", BASE.replace("-k 32", "-k 33")),
        ("k = 25", BASE.replace("-k 32", "-k 25") + " --override-k"),
        ("threads = 4", BASE.replace("-r 2", "-r 4")),
        ("buckets = 64", BASE.replace("-u 128", "-u 64")),
        ("buffer = 4000", BASE.replace(" -x", " -b 4000 -x")),
        ("bitfield = false", BASE.replace(" -x", " -e -x")),
        ("exclude_final_dir = false", BASE.replace(" -x", "")),
        ("fingerprint = 123", BASE.replace(" -x", " -a 123 -x")),
        (f'farmer_public_key = "0x{KEY}"', BASE.replace(" -x", f" -f {KEY} -x")),
        (f'pool_public_key = "{KEY}"', BASE.replace(" -x", f" -p {KEY} -x")),
    ],
)
def test_each_option(tmp_path: Path, keys: str, expected: str) -> None:
    assert arguments(tmp_path, keys) == expected


def test_several_plots_and_a_second_temporary_directory(tmp_path: Path) -> None:
    expected = BASE.replace("-n 1", "-n 5").replace("-2 /t/own", "-2 /t2/own")
    assert arguments(tmp_path, plots=5, tmp2=Path("/t2/own")) == expected


def test_sizes_are_those_of_real_plots(tmp_path: Path) -> None:
    sizes = ChiaPlotter().sizes(job(tmp_path, ""))
    assert sizes.plot == pytest.approx(108.8e9, rel=0.01)
    assert sizes.tmp == 239 * 2**30
    assert ChiaPlotter().sizes(job(tmp_path, "k = 25")).plot == pytest.approx(674e6, rel=0.01)


@pytest.mark.parametrize(
    "line",
    [
        "chia plots create -k 32 -t /t -2 /t2 -d /d",
        "/usr/lib/chia/chia plots create -k32 -t/t -2/t2 -d/d",
        "/venv/bin/python3 /venv/bin/chia plots create -t /t -2 /t2 -d /d -k 25 -k 32",
    ],
)
def test_a_running_plotter_is_recognised(line: str) -> None:
    expected = Recognised(32, Path("/t"), Path("/t2"), Path("/d"), v1_sizes(32))
    assert ChiaPlotter().recognise(line.split()) == expected


@pytest.mark.parametrize(
    "line",
    ["chia plots check", "chia", "", "vim chia plots create.txt", "bash -c chia-plots-create"],
)
def test_other_processes_are_not(line: str) -> None:
    assert ChiaPlotter().recognise(line.split()) is None


def test_the_version_is_asked_of_the_same_program() -> None:
    plotter = ChiaPlotter()
    assert plotter.version_command("/x/chia plots create") == "/x/chia version"
    line = "cd ~/chia && . ./activate && chia plots create"
    assert plotter.version_command(line) == "cd ~/chia && . ./activate && chia version"
    assert plotter.version_command("my-script") is None


def test_a_shell_line_gets_the_arguments_beside_it(tmp_path: Path) -> None:
    home = tmp_path / "chia blockchain"
    home.mkdir()
    (home / "activate").write_text('show() { printf \'%s\\n\' "$MARK" "$@"; }\nMARK=active\n')
    line = f"cd '{home}' && . ./activate && show plots create"
    awkward = ["-t", "/a b", "-d", "$(touch executed)", "it's", ""]
    said = subprocess.run(
        plotter_argv(line, awkward), capture_output=True, check=True, encoding="utf-8"
    )
    assert said.stdout.split("\n")[:-1] == ["active", "plots", "create", *awkward]
    assert not (home / "executed").exists()


def test_a_plain_command_is_started_without_a_shell() -> None:
    argv = plotter_argv("chia plots create", ["-k", "32"])
    assert argv == ["chia", "plots", "create", "-k", "32"]
    assert plotter_argv("'/opt/my chia/chia' plots create", []) == [
        "/opt/my chia/chia",
        "plots",
        "create",
    ]


@pytest.mark.parametrize(
    "line",
    ["cd /x && chia", ". ./activate; chia", "FOO=1 chia", "~/chia", "source x", "chia | tee log"],
)
def test_shell_lines_are_told_from_plain_commands(line: str) -> None:
    assert is_shell_line(line)
    assert not is_shell_line("/opt/chia-blockchain_2.1/chia plots create")
