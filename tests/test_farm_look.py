"""What lies in destinations: plots by their headers, and nothing else."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path

import pytest

from farm import small_disk
from old_plots import CONTRACT, age, write_plot
from plotrun import Inventory, PlotFormat
from plotrun.farm import inventories
from plotrun.farm.inventories import Inventories
from plotrun.farm.look import look_into
from plotrun.space import NOT_ANSWERING
from plotrun.store import Store


def look(directory: Path, below: bool = False) -> Inventory:
    return look_into(directory, below, {}, lambda: None)[0]


def test_what_a_plot_is_its_header_says(tmp_path: Path) -> None:
    paths = {kind: write_plot(tmp_path, 5000, kind) for kind in ("v1", "gigahorse", "c7", "v2")}
    paths["og"] = write_plot(tmp_path, k=33, og=True)
    found = {plot.path: plot for plot in look(tmp_path).plots}
    facts = {kind: found[path].facts for kind, path in paths.items()}
    assert {kind: (fact.format, fact.compression, fact.og) for kind, fact in facts.items()} == {
        "v1": (PlotFormat.V1, 0, False),
        "gigahorse": (PlotFormat.V1_COMPRESSED, None, False),
        "c7": (PlotFormat.V1_COMPRESSED, 7, False),
        "v2": (PlotFormat.V2, None, False),
        "og": (PlotFormat.V1, 0, True),
    }
    assert facts["og"].k == 33
    assert facts["v1"].pool == CONTRACT
    assert facts["v1"].plot_id in paths["v1"].name
    assert found[paths["v1"]].size == 5000
    assert found[paths["v1"]].allocated == paths["v1"].stat().st_blocks * 512


def test_what_is_no_plot_is_none(tmp_path: Path) -> None:
    plot = write_plot(tmp_path)
    (tmp_path / "movie.mkv").write_bytes(plot.read_bytes())
    (tmp_path / ".hidden.plot").write_bytes(plot.read_bytes())
    (tmp_path / "text.plot").write_text("Proof of Space")
    (tmp_path / "directory.plot").mkdir()
    os.mkfifo(tmp_path / "pipe.plot")
    (tmp_path / "link.plot").symlink_to(plot)
    (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "plotrun-12345678").mkdir()
    write_plot(tmp_path / "plotrun-12345678")
    inventory = look(tmp_path, below=True)
    assert [found.path for found in inventory.plots] == [plot]
    assert inventory.others == {"text.plot": "it is no plot"}


def test_directories_below_only_if_wanted_and_on_the_same_disk(tmp_path: Path) -> None:
    inner, mounted = tmp_path / "b" / "inner", tmp_path / "mounted"
    inner.mkdir(parents=True)
    mounted.mkdir()
    plots = {write_plot(tmp_path), write_plot(inner)}
    with small_disk(mounted, "1m"):
        write_plot(mounted)
        assert {plot.path for plot in look(tmp_path, below=True).plots} == plots
        assert {plot.path for plot in look(tmp_path).plots} == plots - set(inner.iterdir())


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("plot-k32-2021-05-01-12-34-{id}.plot", (2021, 5, 1, 12, 34)),
        ("plot-k32-c07-2023-12-31-23-59-{id}.plot", (2023, 12, 31, 23, 59)),
        ("plot-k32-2021-05-01-12-34-{other}.plot", None),
        ("plot-k32-2021-02-31-12-34-{id}.plot", None),
        ("plot-k32-9999-99-99-99-99-{id}.plot", None),
        ("plot-k32-{id}.plot", None),
    ],
)
def test_a_plot_was_made_when_its_name_says_or_else_its_file(
    name: str, made: tuple[int, ...] | None, tmp_path: Path
) -> None:
    plot_id = bytes([7]) * 32
    path = write_plot(
        tmp_path, name=name.format(id=plot_id.hex(), other="ab" * 32), plot_id=plot_id
    )
    (found,) = look(tmp_path).plots
    wanted = time.mktime((*made, 0, 0, 0, -1)) if made else path.stat().st_mtime
    assert found.made_at == pytest.approx(wanted, abs=1)


def test_headers_are_read_once_and_again_when_a_file_has_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    real = look_into.__globals__["read_facts"]

    def counting(path: str) -> object:
        read.append(path)
        return real(path)

    monkeypatch.setitem(look_into.__globals__, "read_facts", counting)
    dst = tmp_path / "dst\udcff\n"
    (dst / "in").mkdir(parents=True)
    plots = [write_plot(dst), write_plot(dst, name="b\udcfe.plot"), write_plot(dst / "in")]
    (dst / "none.plot").write_text("no plot")

    def asked(below: bool = True) -> Inventory:
        read.clear()
        store = Store(tmp_path / "state")
        (found,) = asyncio.run(Inventories(store, 10).look([(dst, below)]))
        store.close()
        return found

    first = asked()
    assert len(read) == 4
    assert asked() == first
    assert read == []
    age(plots[0], 1)
    assert asked() != first
    assert read == [str(plots[0])]
    plots[0].unlink()
    assert len(asked(below=False).plots) == 1
    assert len(asked().plots) == 2
    assert read == []
    store = Store(tmp_path / "state")
    assert set(store.headers.of(dst)) == {"b\udcfe.plot", f"in/{plots[2].name}", "none.plot"}
    store.close()


def test_a_disk_that_hangs_is_said_and_a_slow_one_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = threading.Event()

    def looking(directory: Path, below: bool, known: object, step: object) -> object:
        if directory.name == "slow":
            for _ in range(10):
                time.sleep(0.03)
                step()  # type: ignore[operator]
        if directory.name == "dead":
            answer.wait(60)
        return Inventory(directory), {}

    monkeypatch.setattr(inventories, "look_into", looking)
    slow, dead, well = (tmp_path / name for name in ("slow", "dead", "well"))

    async def ask() -> list[Inventory]:
        store = Store(tmp_path / "state")
        asked = Inventories(store, 0.1)
        found = await asked.look([(path, False) for path in (slow, dead, well)])
        assert asked.last((slow, False)) == Inventory(slow)
        assert asked.last((dead, False)) is None
        answer.set()
        return found

    assert asyncio.run(ask()) == [
        Inventory(slow),
        Inventory(dead, trouble=NOT_ANSWERING),
        Inventory(well),
    ]


def test_a_destination_that_is_not_there_is_said(tmp_path: Path) -> None:
    assert look(tmp_path / "gone").trouble == "No such file or directory"
