"""The real ``chia`` command: plots made with it, and its judgement of the embedded plotter's.

$PLOTRUN_TEST_CHIA names the command; `.ci/run` installs it and sets that.
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from farm import Farm
from plotrun import puzzle_hash, read_plot
from plotrun_chiapos.keys import plot_id_of

pytestmark = pytest.mark.chia

FARMER = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
CONTRACT = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
PLOTTING_SECONDS = 900
"""At most, for k=25, the smallest that the command takes: about 125 s on two quiet cores."""


@pytest.fixture
def chia(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The command, with a configuration of its own."""
    named = os.environ.get("PLOTRUN_TEST_CHIA")
    if not named:
        pytest.skip("PLOTRUN_TEST_CHIA does not name a chia command")
    monkeypatch.setenv("CHIA_ROOT", str(farm.root / "chia"))
    subprocess.run([named, "init"], check=True, capture_output=True, timeout=120)
    return Path(named)


def assert_chia_accepts(chia: Path, directory: Path, count: int) -> None:
    """``chia plots check`` finds *count* valid plots."""
    subprocess.run([chia, "plots", "add", "-d", directory], check=True, capture_output=True)
    checked = subprocess.run(
        [chia, "plots", "check", "-n", "30"],
        check=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        timeout=120,
    )
    assert f"Found {count} valid plots" in checked.stdout, checked.stdout


@pytest.mark.timeout(PLOTTING_SECONDS + 120)
def test_a_plot_made_with_chia_from_a_shell_line(farm: Farm, chia: Path) -> None:
    farm.write(
        plotter="chia",
        k=25,
        buffer=500,
        farmer_public_key=FARMER,
        pool_public_key=FARMER,
        command=f"cd {chia.parent.parent} && . bin/activate && chia plots create",
        post_command="echo %plot_id% %k%",
    )
    ended = farm.plotrun("run", "--until-done", timeout=PLOTTING_SECONDS)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    for phase in (1, 2, 3, 4):
        assert f"phase {phase}\n" in ended.stdout
    (path,) = farm.plots()
    plot = read_plot(path)
    assert plot.k == 25
    assert plot.memo[:96].hex() == FARMER * 2
    assert plot.plot_id == plot_id_of(plot.memo).hex()
    assert plot.plot_id in path.name
    (post,) = farm.log_dir.glob("*_post.log")
    assert post.read_text() == f"{plot.plot_id} 25\n"
    assert farm.leftovers() == []
    assert_chia_accepts(chia, path.parent, 1)


def test_chia_accepts_plots_of_the_embedded_plotter(farm: Farm, chia: Path) -> None:
    farm.write(k=20, farmer_public_key=FARMER, pool_public_key=FARMER, dst=str(farm.root / "a"))
    assert farm.run_until_done().returncode == 0
    farm.write(
        name="portable",
        k=20,
        farmer_public_key=FARMER,
        pool_contract_address=CONTRACT,
        dst=str(farm.root / "a"),
    )
    assert farm.run_until_done().returncode == 0
    memos = {len(read_plot(plot).memo): read_plot(plot).memo for plot in farm.plots()}
    assert memos[128][:96].hex() == FARMER * 2
    assert memos[112][:32] == puzzle_hash(CONTRACT)
    assert memos[112][32:80].hex() == FARMER
    assert_chia_accepts(chia, farm.root / "a", 2)


def test_chia_makes_the_same_id_of_the_same_keys(farm: Farm, chia: Path) -> None:
    """Ids are compared with what chia's own code makes of the keys in a plot's memo."""
    farm.write(farmer_public_key=FARMER, pool_contract_address=CONTRACT)
    assert farm.run_until_done().returncode == 0
    (path,) = farm.plots()
    program = """
import sys
from chia.plotting.util import parse_plot_info
from chia.types.blockchain_format.proof_of_space import (
    calculate_plot_id_ph, generate_plot_public_key,
)
from chia.wallet.derive_keys import master_sk_to_local_sk
pool, farmer, master = parse_plot_info(bytes.fromhex(sys.argv[1]))
local = master_sk_to_local_sk(master).get_g1()
print(calculate_plot_id_ph(pool, generate_plot_public_key(local, farmer, True)).hex())
"""
    plot = read_plot(path)
    said = subprocess.run(
        [chia.parent / "python", "-c", program, plot.memo.hex()],
        check=True,
        capture_output=True,
        encoding="ascii",
    )
    assert said.stdout.strip() == plot.plot_id


def test_check_tells_the_version_of_chia(farm: Farm, chia: Path) -> None:
    farm.write(plotter="chia", k=25, command=f"{chia} plots create", pool_public_key=FARMER)
    checked = farm.plotrun("check")
    assert checked.returncode == 0, checked.stdout
    assert "plotter chia" in checked.stdout
    assert "version 2." in checked.stdout
