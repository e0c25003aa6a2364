"""What dead plotters leave is found and removed, and nothing else."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from farm import Farm, small_disk, until
from plotrun.leftovers import SLACK, Alive, Item, judge, remove, scan
from plotrun.manager import load_plugins
from plotrun.model import Stage
from plotrun.plotfile import is_plot_name, v1_plot_bytes
from plotrun.simulation.processes import write_plot

ID = "ab" * 32
NAME = f"plot-k32-2026-11-21-10-00-{ID}"
PATTERNS = [p for plotter in load_plugins().plotters() for p in plotter.temporary_files]
NOBODY = Alive(workers={}, marked=(), plotters=(), open_files={})


def clean(farm: Farm, *words: str) -> dict[str, Any]:
    """``plotrun clean --json`` without regard of age."""
    said = farm.plotrun("clean", "--json", "--older-than", "0s", *words)
    assert said.returncode == 0, said.stderr
    return dict(json.loads(said.stdout))


def killed_plotter(place: Path) -> set[Path]:
    """What a real plotter leaves in *place* when it is killed at work."""
    before = set(place.iterdir())
    command = [sys.executable, "-m", "plotrun_chiapos", "-k", "20", "-t", place, "-d", place]
    plotter = subprocess.Popen(command, stdout=subprocess.PIPE)
    until(plotter, "Starting phase 3")
    plotter.kill()
    plotter.communicate()
    return set(place.iterdir()) - before


def test_leftovers_of_real_plotters_are_removed(farm: Farm) -> None:
    farm.write(k=22)
    mine = {farm.tmp / name for name in ("holiday.tmp", "plot-k32.sort.tmp", f"{NAME}.txt")}
    for path in mine:
        path.write_text("mine")
    (farm.tmp / "plotrun-notes").mkdir()
    left = killed_plotter(farm.tmp)
    assert len(left) >= 3
    runner = farm.start("run")
    until(runner, "phase 1")
    (row,) = farm.workers()
    dead = farm.tmp / "plotrun-00000000"
    dead.mkdir()
    (dead / "x.tmp").write_bytes(bytes(5000))
    (dead / "link").symlink_to(farm.root / "a")
    (farm.root / "a" / "precious").write_text("")
    (farm.tmp / "plotrun-11111111").symlink_to(farm.root / "a")
    found = clean(farm)
    assert {Path(each["path"]) for each in found["leftovers"]} == left | {dead}
    assert found["kept"] == []
    assert left <= set(farm.tmp.iterdir()), "it was only shown"
    refused = farm.plotrun("clean")
    assert refused.returncode == 0
    assert "ago" in refused.stdout, "it is too young"
    assert "nothing to remove" in refused.stdout
    asked = farm.plotrun("clean", "--older-than", "0s")
    assert asked.returncode == 1, "nobody said yes"
    assert left <= set(farm.tmp.iterdir())
    said = farm.plotrun("clean", "--yes", "--older-than", "0s")
    assert said.stdout.splitlines()[-1].startswith(f"removed {len(left) + 1} leftovers")
    assert set(farm.tmp.iterdir()) == mine | {
        farm.tmp / "plotrun-notes",
        farm.tmp / "plotrun-11111111",
        farm.tmp / f"plotrun-{row['id']}",
    }
    assert (farm.root / "a" / "precious").exists()
    assert farm.workers()[0]["alive"]
    runner.terminate()
    runner.communicate()


def test_where_a_plotter_by_hand_is_at_work_nothing_of_late_goes(farm: Farm) -> None:
    farm.write()
    left = killed_plotter(farm.tmp)
    command = [sys.executable, "-m", "plotrun_chiapos", "-k", "22", "-t", "tmp", "-d", "a"]
    plotter = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=farm.root)
    until(plotter, "Computing table 2")
    os.kill(plotter.pid, signal.SIGSTOP)
    found = clean(farm, "--yes")
    assert found["leftovers"] == []
    assert {Path(each["path"]) for each in found["kept"]} == set(farm.tmp.iterdir()) > left
    plotter.kill()
    plotter.communicate()
    assert clean(farm, "--yes")["kept"] == []
    assert list(farm.tmp.iterdir()) == []


def test_what_lay_still_before_a_plotter_was_started_may_go() -> None:
    path = PLACE / f"{NAME}.plot.sort.tmp"
    item = Item(path, None, ID, bytes=1, changed_at=1000.0, files=((1, 1),))
    for started, goes in ((1000.0, False), (1001 + SLACK, True)):
        living = dataclasses.replace(NOBODY, plotters=[(started, frozenset({PLACE}))])
        assert (judge([item], living, 1e6, 0.0)[0] == [item]) == goes


def test_an_open_file_stays(farm: Farm) -> None:
    farm.write()
    parts = [farm.tmp / f"{NAME}.plot.sort.tmp", farm.tmp / f"{NAME}.plot.table1.tmp"]
    for part in parts:
        part.write_text("x")
    with parts[0].open():
        found = clean(farm, "--yes")
        assert found["leftovers"] == []
        assert {each["why"] for each in found["kept"]} == {f"open in process {os.getpid()}"}
    assert all(part.exists() for part in parts), "those of one plot go together"
    clean(farm, "--yes")
    assert not any(part.exists() for part in parts)


def test_a_plot_is_told_and_stays(farm: Farm) -> None:
    farm.write()
    size = v1_plot_bytes(18)
    whole = farm.tmp / f"{NAME}.plot.2.tmp".replace("k32", "k18")
    half = farm.tmp / f"{NAME}.plot.tmp".replace("k32", "k18").replace("ab", "cd")
    finished = farm.tmp / f"{NAME}.plot"
    below = farm.tmp / "plotrun-00000000" / "finished" / f"{NAME}.plot"
    below.parent.mkdir(parents=True)
    for path, part in ((whole, size), (half, size // 2), (finished, 1000), (below, 1000)):
        write_plot(path, bytes.fromhex("ab" * 32), 18, part)
    found = clean(farm, "--yes")
    assert [each["path"] for each in found["leftovers"]] == [str(half)]
    assert {each["path"] for each in found["kept"]} == {str(whole), str(finished), str(below)}
    assert all(path.exists() for path in (whole, finished, below))
    assert not half.exists()


def test_the_rejected_plot_of_a_worker_is_told_with_the_way_to_deliver_it(farm: Farm) -> None:
    farm.write(rest="[plugins.backoff]\npause_after = 1\n")
    farm.patch("plotrun.clock", "__doc__", "")
    (farm.root / "patches" / "sitecustomize.py").write_text(
        "import plotrun.builtin.plot_header as h\n"
        "from plotrun import hookimpl\n"
        "h.plotrun_check_plot = hookimpl(lambda plot: 'no')\n"
    )
    farm.run_until_done()
    (failed,) = farm.status()["failed"]
    (kept,) = clean(farm, "--yes")["kept"]
    assert kept["why"] == f"a plot: `plotrun retry {failed['id']}` delivers it"
    assert Path(kept["path"]).exists()


def test_what_cannot_be_searched_is_told(farm: Farm) -> None:
    farm.write(tmp=[str(farm.tmp), str(farm.root / "gone")])
    (farm.tmp / f"{NAME}.p1.t4.sort_bucket_10.tmp").write_text("x")
    said = farm.plotrun("clean", "--yes", "--older-than", "0s")
    assert said.returncode == 0
    assert (
        said.stderr
        == f"warning: {farm.root / 'gone'} was not searched: No such file or directory\n"
    )
    assert list(farm.tmp.iterdir()) == []


def test_a_file_system_mounted_in_an_own_directory_keeps_it(farm: Farm) -> None:
    farm.write()
    inner = farm.tmp / "plotrun-00000000" / "disk"
    inner.mkdir(parents=True)
    with small_disk(inner, "1m"):
        (inner / "precious").write_text("x")
        found = clean(farm, "--yes")
        assert found["leftovers"] == []
        assert "another file system" in found["kept"][0]["why"]
        assert (inner / "precious").exists()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (f"{NAME}.plot.p1.t2.sort_bucket_097.tmp", True),
        (f"{NAME}.plot.table1.tmp", True),
        (f"{NAME}.plot.sort.tmp", True),
        (f"{NAME}.plot.2.tmp", True),
        (f"{NAME}.p1.t4.sort_bucket_10.tmp", True),
        (f"{NAME}.p1.table3.tmp", True),
        (f"{NAME}.p3s1.t2.sort_bucket_0.tmp", True),
        (f"{NAME.replace('k32', 'k32-c07')}.plot.tmp", True),
        (f"{NAME}.plot", False),
        (f"{NAME}.plot.bak.tmp", False),
        (f"{NAME}.tmp", False),
        (f"{NAME}.plot.2.tmp.bak", False),
        (f"x{NAME}.plot.2.tmp", False),
        (f"{NAME[:-1]}.plot.2.tmp", False),
        (f"{NAME}.plot.2.tmp\n", False),
    ],
)
def test_names_of_temporary_files(tmp_path: Path, name: str, known: bool) -> None:
    (tmp_path / name).write_text("x")
    items = scan(tmp_path, PATTERNS, is_dst=True)
    assert [item.plot_id for item in items] == ([ID] if known else [])


# Whatever there is: no plot goes, and nothing of what lives

PLACE = Path("/tmp-of-a-farm")
IDS = [f"{number:064x}" for number in range(3)]
WORKERS = [f"{number:08x}" for number in range(3)]


@st.composite
def items(draw: st.DrawFn) -> Item:
    worker = draw(st.sampled_from([None, *WORKERS]))
    plot_id = None if worker else draw(st.sampled_from([None, *IDS]))
    name = f"plotrun-{worker}" if worker else f"plot-{plot_id}-{draw(st.integers(0, 5))}.tmp"
    path = PLACE / name
    return Item(
        path=path,
        worker=worker,
        plot_id=plot_id,
        bytes=1,
        changed_at=draw(st.floats(0, 100)),
        files=tuple(draw(st.lists(st.tuples(st.just(1), st.integers(0, 9)), max_size=3))),
        plots=(path / "x.plot",) if draw(st.booleans()) else (),
        trouble=draw(st.sampled_from([None, None, None, "cannot be listed"])),
    )


alive = st.builds(
    Alive,
    workers=st.dictionaries(st.sampled_from(WORKERS), st.sampled_from(Stage)),
    marked=st.sets(st.sampled_from(WORKERS)),
    plotters=st.lists(
        st.tuples(st.floats(0, 100), st.sampled_from([None, frozenset({PLACE}), frozenset()])),
        max_size=2,
    ),
    open_files=st.dictionaries(st.tuples(st.just(1), st.integers(0, 9)), st.just(7), max_size=3),
)


@settings(max_examples=300)
@given(st.lists(items(), max_size=8), alive, st.floats(0, 50))
def test_nothing_that_lives_and_no_plot_is_ever_a_leftover(
    found: Sequence[Item], living: Alive, age: float
) -> None:
    leftovers, kept = judge(found, living, 100.0, age)
    for item in leftovers:
        together = [other for other in found if other.group == item.group]
        assert item.plots == ()
        for each in together:
            assert each.trouble is None
            assert not set(each.files) & set(living.open_files)
            assert each.worker not in living.marked
            assert living.workers.get(each.worker or "", Stage.ENDED) is Stage.ENDED
            for started, places in living.plotters:
                assert each.changed_at < started - SLACK or places == frozenset()
            assert each.worker in living.workers or 100.0 - each.changed_at >= age
    told = {entry.path for entry in kept}
    for item in found:
        silent = living.workers.get(item.worker or "", Stage.ENDED) is not Stage.ENDED
        plots_told = set(item.plots) <= told and item.plots
        assert item in leftovers or item.path in told or plots_told or silent
    if all(100.0 - i.changed_at >= age and not (i.plots or i.trouble) for i in found):
        nobody = judge(found, NOBODY, 100.0, age)
        assert sorted(nobody[0], key=repr) == sorted(found, key=repr)


@settings(max_examples=100)
@given(st.text(alphabet="plot-k32ab.tmp2_s", max_size=30), st.booleans())
def test_whatever_a_file_is_called_a_plot_stays(name: str, is_dst: bool) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as place:
        paths = [Path(place) / f"{front}{name}.plot" for front in ("", f"{NAME}.", ".")]
        for path in paths:
            path.write_bytes(b"x")
        for item in judge(scan(Path(place), PATTERNS, is_dst), NOBODY, 1e12, 0.0)[0]:
            remove(item)
        assert all(path.exists() for path in paths if is_plot_name(path.name))


def test_an_item_with_a_plot_is_never_removed(tmp_path: Path) -> None:
    path = tmp_path / f"{NAME}.plot"
    path.write_bytes(b"x")
    (item,) = scan(tmp_path, PATTERNS, is_dst=False)
    with pytest.raises(ValueError, match="is no leftover"):
        remove(item)
    with pytest.raises(ValueError, match="is no leftover"):
        remove(dataclasses.replace(item, plots=(), trouble="who knows"))
    assert path.exists()
