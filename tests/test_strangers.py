"""Plotters by hand: which directory they mean, whatever they call it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from plotrun.builtin.chia import ChiaPlotter
from plotrun.model import ProcessRef
from plotrun.process_table import ProcessInfo, process_table
from plotrun.strangers import strangers


@pytest.fixture
def tmp(tmp_path: Path) -> Path:
    """A tmp directory as the settings name it: a link to where it really is."""
    (tmp_path / "disk" / "plots").mkdir(parents=True)
    (tmp_path / "nvme").symlink_to(tmp_path / "disk" / "plots")
    return tmp_path / "nvme"


@pytest.mark.parametrize(
    ("given", "directory", "found"),
    [
        ("ROOT/nvme", "/", "nvme"),
        ("ROOT/nvme/below", "/", "nvme/below"),
        ("ROOT/disk/plots", "/", "nvme"),
        ("ROOT/disk/plots/x/", "/", "nvme/x"),
        ("nvme", "ROOT", "nvme"),
        (".", "ROOT/disk/plots", "nvme"),
        ("../plots/x", "ROOT/disk/plots", "nvme/x"),
        ("ROOT/disk", "/", "disk"),
        ("ROOT/disk/plots2", "/", "disk/plots2"),
    ],
)
def test_a_directory_is_told_as_the_settings_name_it(
    tmp: Path, given: str, directory: str, found: str
) -> None:
    root = tmp.parent
    place = Path(directory.replace("ROOT", str(root)))
    argv = ("chia", "plots", "create", "-t", given.replace("ROOT", str(root)), "-d", "/elsewhere")
    process = ProcessInfo(ProcessRef(7, "x"), argv, 0.0, directory=place)
    (worker,) = strangers([process], [ChiaPlotter()], (), [tmp, root / "missing"])
    assert worker.tmp == worker.tmp_dir == root / found
    assert worker.final_dir == Path("/elsewhere")


def test_their_temporary_files_are_measured(tmp: Path) -> None:
    for name in ("plot-k32-x.plot.p1.t1.tmp", "plot-k32-y.plot.table1.tmp", "done.plot"):
        (tmp / name).write_bytes(bytes(8192))
    old = tmp / "plot-k32-dead.plot.2.tmp"
    old.write_bytes(bytes(8192))
    os.utime(old, (0, 999.0))
    argv = ("chia", "plots", "create", "-t", str(tmp), "-2", str(tmp.parent), "-d", "/elsewhere")
    table = [ProcessInfo(ProcessRef(n, "x"), argv, 1000.0 + n) for n in (1, 2)]
    for worker in strangers(table, [ChiaPlotter()], (), [tmp]):
        assert (worker.progress.tmp_bytes, worker.progress.tmp2_bytes) == (8192, 0)
        assert worker.sizes is not None
        assert worker.sizes.tmp == 239 * 2**30
    (worker, _) = strangers(table, [ChiaPlotter()], ())
    assert worker.progress.tmp_bytes == 0, "no disk is asked"


def test_a_process_is_in_its_directory() -> None:
    (own,) = (process for process in process_table() if process.ref.pid == os.getpid())
    assert own.directory == Path.cwd()
