"""The embedded plotter: its program, its plots, its check, its keys in the settings."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from plotrun import Job, PlotFormat, Recognised, Run, puzzle_hash, read_plot, v1_sizes
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError
from plotrun_chiapos import ChiaposPlotter
from plotrun_chiapos.keys import identity, plot_id_of, random_identity
from plotrun_chiapos.verify import verify, verify_apart

FARMER = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
CONTRACT = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"


def plotter(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the plotter's program in *directory*."""
    return subprocess.run(
        [sys.executable, "-m", "plotrun_chiapos", "-t", directory, "-d", directory, *arguments],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
    )


@pytest.fixture(scope="module")
def plot(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real plot of k=18 for a farmer and a pool contract."""
    directory = tmp_path_factory.mktemp("plot")
    made = plotter(directory, "-k", "18", "-f", FARMER, "-c", CONTRACT)
    assert made.returncode == 0, made.stdout + made.stderr
    (path,) = directory.glob("*.plot")
    return path


def test_a_plot_is_what_its_header_says(plot: Path) -> None:
    read = read_plot(plot)
    assert (read.k, read.format) == (18, PlotFormat.V1)
    assert read.memo[:32] == puzzle_hash(CONTRACT)
    assert read.memo[32:80].hex() == FARMER
    assert read.plot_id == plot_id_of(read.memo).hex()
    assert read.plot_id in plot.name


@pytest.mark.parametrize("check", [verify, verify_apart])
def test_a_good_plot_has_good_proofs(plot: Path, check: object) -> None:
    assert callable(check)
    verdict = check(plot, 20)
    assert verdict.problem is None
    assert verdict.proofs > 0


@pytest.mark.parametrize("offset", [300, 100_000, 1_000_000, 3_000_000])
def test_a_spoiled_plot_is_told_from_a_good_one(plot: Path, tmp_path: Path, offset: int) -> None:
    spoiled = tmp_path / plot.name
    content = bytearray(plot.read_bytes())
    content[offset:] = bytes(len(content) - offset)
    spoiled.write_bytes(content)
    assert verify_apart(spoiled, 20).problem is not None


@pytest.mark.parametrize("size", [0, 10, 60, 300])
def test_a_file_that_is_too_short_is_no_plot(plot: Path, tmp_path: Path, size: int) -> None:
    short = tmp_path / plot.name
    short.write_bytes(plot.read_bytes()[:size])
    assert verify_apart(short, 20).problem is not None


def test_ids_depend_on_every_key() -> None:
    portable, og = identity(FARMER, None, CONTRACT), identity(FARMER, FARMER, None)
    assert (len(portable.memo), len(og.memo)) == (112, 128)
    assert portable.plot_id != identity(FARMER, None, CONTRACT).plot_id, "the local key is random"
    assert len({random_identity().plot_id for _ in range(5)}) == 5


def test_a_stripe_that_is_too_large_is_an_error_in_words(tmp_path: Path) -> None:
    failed = plotter(tmp_path, "-k", "18", "--stripe", "200000", "-u", "16")
    assert failed.returncode == 1
    assert "Stripe size too large" in failed.stdout
    assert list(tmp_path.glob("*.plot")) == []


def test_a_key_that_is_no_point_is_an_error_in_words(tmp_path: Path) -> None:
    failed = plotter(tmp_path, "-k", "18", "-f", "8" + "f" * 95, "-c", CONTRACT)
    assert failed.returncode == 1
    assert failed.stdout.splitlines()[-1].startswith("Error: ")
    assert "Traceback" not in failed.stderr


def read_job(tmp_path: Path, keys: str) -> Job:
    file = tmp_path / "settings.toml"
    file.write_text(f'[[job]]\nname = "one"\nplotter = "chiapos"\ntmp = "/t"\ndst = "/d"\n{keys}\n')
    return load_settings(file, load_plugins().schema()).jobs[0]


def test_the_command_line_is_read_back(tmp_path: Path) -> None:
    job = read_job(tmp_path, "k = 20\nbuckets = 32\nstripe = 16384\nbuffer = 100\nbitfield = false")
    run = Run(job, 2, Path("/t/own"), Path("/t2/own"), Path("/f"))
    arguments = ChiaposPlotter().arguments(run)
    words = "-k 20 -n 2 -r 2 -t /t/own -2 /t2/own -d /f -u 32 --stripe 16384 -b 100 -e"
    assert " ".join(arguments) == words
    argv = ["/usr/bin/python3.11", "-m", "plotrun_chiapos", *arguments]
    expected = Recognised(20, Path("/t/own"), Path("/t2/own"), Path("/f"), v1_sizes(20))
    assert ChiaposPlotter().recognise(argv) == expected
    assert ChiaposPlotter().recognise(["python", "-m", "other"]) is None
    assert ChiaposPlotter().recognise([]) is None


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (f'farmer_public_key = "{FARMER}"', "job.pool_contract_address: found nothing"),
        (f'pool_contract_address = "{CONTRACT}"', "together with a pool key or contract"),
        (
            f'farmer_public_key = "{FARMER}"\npool_public_key = "{FARMER}"\n'
            f'pool_contract_address = "{CONTRACT}"',
            "not both",
        ),
    ],
)
def test_keys_are_given_all_or_none(tmp_path: Path, keys: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message):
        read_job(tmp_path, keys)


def test_the_command_checks_files_and_directories(plot: Path, tmp_path: Path) -> None:
    (tmp_path / "bad.plot").write_bytes(b"nothing")
    command = [sys.executable, "-m", "plotrun", "chiapos-check"]
    good = subprocess.run([*command, plot.parent], capture_output=True, encoding="utf-8")
    assert good.returncode == 0
    assert good.stdout.endswith("1 good, 0 bad\n")
    bad = subprocess.run([*command, plot, tmp_path], capture_output=True, encoding="utf-8")
    assert bad.returncode == 1
    assert f"BAD   {tmp_path / 'bad.plot'}: does not begin like a plot file" in bad.stdout
    assert bad.stdout.endswith("1 good, 1 bad\n")
