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


def test_a_process_is_in_its_directory() -> None:
    (own,) = (process for process in process_table() if process.ref.pid == os.getpid())
    assert own.directory == Path.cwd()
