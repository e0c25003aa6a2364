"""A worker's own directory: only that is removed, and no finished plot in it."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotrun.workdir import (
    FINISHED,
    clear_directory,
    make_directory,
    new_plots,
    own_name,
    rescue_plots,
    rescue_whole,
)

HEADER = (
    b"Proof of Space Plot"
    + bytes(range(32))
    + bytes([32])
    + (4).to_bytes(2, "big")
    + b"v1.0"
    + (128).to_bytes(2, "big")
    + bytes(128)
)
ID = bytes(range(32)).hex()


@pytest.fixture
def own(tmp_path: Path) -> Path:
    directory = tmp_path / own_name("w1")
    make_directory(directory)
    (directory / "sub").mkdir()
    (directory / "sub" / "plot-x.plot.p1.t1.sort_bucket_000.tmp").write_bytes(b"x")
    return directory


def test_everything_of_the_worker_goes(own: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").touch()
    assert clear_directory(own, "w1") == []
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_links_are_removed_and_not_followed(own: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "file").write_text("mine")
    (own / "link").symlink_to(precious)
    assert clear_directory(own, "w1") == []
    assert (precious / "file").read_text() == "mine"


def test_a_link_in_the_place_of_the_directory_is_left_alone(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.mkdir()
    (tmp_path / own_name("w1")).symlink_to(precious)
    assert clear_directory(tmp_path / own_name("w1"), "w1") == []
    assert precious.is_dir()


@pytest.mark.parametrize("name", ["a.plot", "b.plot2"])
def test_a_finished_plot_stays_and_the_rest_goes(own: Path, name: str) -> None:
    (own / "sub" / name).write_bytes(HEADER)
    (own / "other.tmp").touch()
    assert clear_directory(own, "w1") == [own / "sub" / name]
    assert [path for path in own.rglob("*") if path.is_file()] == [own / "sub" / name]


def test_no_other_directory_is_ever_cleared(tmp_path: Path) -> None:
    with pytest.raises(AssertionError):
        clear_directory(tmp_path, "w1")
    assert tmp_path.is_dir()


def test_a_directory_that_is_gone_is_clear(tmp_path: Path) -> None:
    assert clear_directory(tmp_path / own_name("w1"), "w1") == []


def test_finished_plots_are_found_by_their_headers(own: Path) -> None:
    (own / f"plot-k32-{ID}.plot").write_bytes(HEADER)
    (own / "no-plot.plot").write_bytes(b"something else")
    (own / f"plot-k32-{ID}.plot.tmp").write_bytes(HEADER)
    (own / ".hidden.plot").write_bytes(HEADER)
    (own / "link.plot").symlink_to(own / f"plot-k32-{ID}.plot")
    (found,) = new_plots(own, known=(), plot_ids=None)
    assert (found.plot_id, found.k, found.size) == (ID, 32, len(HEADER))
    assert new_plots(own, known={found.path.name}, plot_ids=None) == []


def test_in_a_shared_directory_only_the_workers_own_ids_count(own: Path) -> None:
    (own / f"plot-k32-{ID}.plot").write_bytes(HEADER)
    assert new_plots(own, known=(), plot_ids={"0" * 64}) == []
    assert len(new_plots(own, known=(), plot_ids={ID})) == 1


def test_a_directory_that_cannot_be_listed_has_no_plots(tmp_path: Path) -> None:
    assert new_plots(tmp_path / "gone", known=(), plot_ids=None) == []


def test_only_whole_files_are_rescued(own: Path) -> None:
    whole, short, other = (own / f"plot-{n}.plot.2.tmp" for n in ("whole", "short", "other"))
    whole.write_bytes(HEADER + bytes(1000))
    short.write_bytes(HEADER)
    other.write_bytes(bytes(5000))
    assert rescue_whole(own, ".plot.2.tmp", 1000) == [own / "plot-whole.plot"]
    assert short.exists()
    assert other.exists()


def test_only_whole_plots_of_the_worker_are_rescued(tmp_path: Path) -> None:
    own = tmp_path / "plotrun-0a1b2c3d"
    own.mkdir()
    ids = [bytes([n]) * 32 for n in range(4)]
    for number, (size, suffix) in enumerate(
        [(5000, ".plot"), (500, ".plot"), (5000, ".plot.2.tmp"), (5000, ".plot")]
    ):
        header = b"Proof of Space Plot" + ids[number] + bytes([18]) + (4).to_bytes(2, "big")
        header += b"v1.0" + (128).to_bytes(2, "big") + bytes(128)
        (own / f"plot-k18-{ids[number].hex()}{suffix}").write_bytes(header + bytes(size))
    mine = {each.hex(): 1000 for each in ids[:3]}
    left = rescue_plots({own: own}, mine, ".plot.2.tmp")
    assert left == [own / f"plot-k18-{ids[1].hex()}.plot"], "too small: it is not whole"
    rescued = sorted(path.name for path in (own / FINISHED).iterdir())
    assert rescued == sorted(f"plot-k18-{each.hex()}.plot" for each in (ids[0], ids[2]))
    assert (own / f"plot-k18-{ids[3].hex()}.plot").exists(), "not one of the worker's whole ones"
