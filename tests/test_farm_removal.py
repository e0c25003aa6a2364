"""A plot is removed only as what it was found to be, in the directory where it was found."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from old_plots import age, header, write_plot
from plotrun import FoundPlot, process_files
from plotrun.farm.look import look_into
from plotrun.farm.removal import Stays, remove, why_open


def found(directory: Path, below: bool = False) -> FoundPlot:
    (plot,) = look_into(directory, below, {}, lambda: None)[0].plots
    return plot


def found_one(directory: Path) -> FoundPlot:
    write_plot(directory)
    return found(directory)


def test_a_plot_is_removed_and_nothing_beside_it(tmp_path: Path) -> None:
    (tmp_path / "movie.mkv").touch()
    plot = found_one(tmp_path)
    told: list[bool] = []
    remove(plot, lambda: told.append(plot.path.exists()))
    assert told == [True]  # it is written down before it goes
    assert [path.name for path in tmp_path.iterdir()] == ["movie.mkv"]


def test_a_plot_in_a_directory_below(tmp_path: Path) -> None:
    (tmp_path / "a" / "b").mkdir(parents=True)
    path = write_plot(tmp_path / "a" / "b")
    remove(found(tmp_path, below=True), lambda: None)
    assert not path.exists()


def to_link(path: Path) -> None:
    path.rename(path.with_name("elsewhere"))
    path.symlink_to(path.with_name("elsewhere"))


def to_other_plot(path: Path) -> None:
    write_plot(path.parent, name="new")
    (path.parent / "new").rename(path)


def to_other_bytes(path: Path) -> None:
    """In place, with the same size and time."""
    before = path.stat()
    with path.open("r+b") as file:
        file.write(header(plot_id=bytes(32)))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def grown(path: Path) -> None:
    before = path.stat()
    with path.open("ab") as file:
        file.write(b"more")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def directory_to_link(path: Path) -> None:
    path.parent.rename(path.parent.with_name("moved"))
    path.parent.symlink_to(path.parent.with_name("moved"))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (to_link, "it is a link"),
        (to_other_plot, "it has changed since it was found"),
        (to_other_bytes, "it has changed since it was found"),
        (grown, "it has changed since it was found"),
        (lambda path: age(path, 1), "it has changed since it was found"),
        (lambda path: path.with_name("second").hardlink_to(path), "it has another name"),
        (Path.unlink, "No such file or directory"),
        (directory_to_link, "Not a directory"),
    ],
)
def test_what_has_changed_since_stays(
    change: Callable[[Path], None], reason: str, tmp_path: Path
) -> None:
    (tmp_path / "sub").mkdir()
    write_plot(tmp_path / "sub")
    plot = found(tmp_path, below=True)
    change(plot.path)
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(Stays, match=reason):
        remove(plot, lambda: pytest.fail("it was about to be removed"))
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before


def test_what_takes_its_name_at_the_last_moment_stays(tmp_path: Path) -> None:
    plot = found_one(tmp_path)
    with pytest.raises(Stays, match="another file has taken its name"):
        remove(plot, lambda: to_other_plot(plot.path))
    assert plot.path.exists()


def test_a_name_on_another_disk_stays(tmp_path: Path) -> None:
    plot = replace(found_one(tmp_path), device=0)
    with pytest.raises(Stays, match="it is not on the disk where it was found"):
        remove(plot, lambda: None)
    assert plot.path.exists()


@pytest.mark.parametrize("leases", [True, False])
def test_a_plot_that_is_open_in_a_process_stays(
    leases: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not leases:  # as on a network mount: only the table of processes is left
        monkeypatch.setattr(process_files, "_lease", lambda _: None)
    plot = found_one(tmp_path)
    with plot.path.open() as opened:
        harvester = subprocess.Popen(["sleep", "100"], stdin=opened)
    try:
        with pytest.raises(Stays, match=rf"^open in sleep \(process {harvester.pid}\)$"):
            remove(plot, lambda: None)
        assert why_open(plot) == f"open in sleep (process {harvester.pid})"
    finally:
        harvester.kill()
        harvester.wait()
    assert why_open(plot) is None
    remove(plot, lambda: None)
    assert not plot.path.exists()


@pytest.mark.parametrize("leases", [True, False])
def test_a_plot_that_is_mapped_or_open_in_this_process_stays(
    leases: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not leases:
        monkeypatch.setattr(process_files, "_lease", lambda _: None)
    plot = found_one(tmp_path)
    with plot.path.open("rb") as opened:
        assert "open in" in (why_open(plot) or "")
        mapped = mmap.mmap(opened.fileno(), 0, prot=mmap.PROT_READ)
    assert f"(process {os.getpid()})" in (why_open(plot) or "")
    mapped.close()
    assert why_open(plot) is None


@pytest.mark.skipif(sys.platform != "linux", reason="leases are Linux'")
def test_who_opens_it_meanwhile_ends_nobody(tmp_path: Path) -> None:
    """The kernel tells the holder of a lease by a signal, which would end plotrun."""
    plot = found_one(tmp_path)
    # Not to wait for the lease, as others do, is an error that still has the signal sent.
    opening = "import os, sys; os.open(sys.argv[1], os.O_RDONLY | os.O_NONBLOCK)"

    def opened_meanwhile() -> None:
        command = [sys.executable, "-c", opening, plot.path]
        ended = subprocess.run(command, capture_output=True, check=False)
        assert b"BlockingIOError" in ended.stderr

    remove(plot, opened_meanwhile)
    assert not plot.path.exists()
