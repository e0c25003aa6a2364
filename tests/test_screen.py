"""The page that a terminal shows: what is on it, and that it fits."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from rich.cells import cell_len

from asked import worker
from farm import Farm
from plotrun import Plot, PlotFormat, Progress, Worker
from plotrun.machine import Machine
from plotrun.model import Event, EventKind, Measured, PlotStage, PlotWork, Stage, Timing
from plotrun.process_table import identify
from plotrun.screen import View, page
from plotrun.screen.layout import Cell, Column, cut, fitted, folded
from plotrun.screen.view import Short
from plotrun.status import Seen, assemble, delivered
from plotrun.store import Store
from plotrun.views import Speeds

SIZES = [(24, 80), (50, 200), (60, 40), (5, 20), (2, 8)]
MACHINE = Machine(16, 3.2, 0.5, 64 << 30, 16 << 30)
DELIVERED = {
    "today": {"plots": 12, "mean_seconds": 11100.0},
    "yesterday": {"plots": 30, "mean_seconds": 10920.0},
    "seven_days": {"plots": 201, "mean_seconds": None},
}


def many(count: int, **changes: Any) -> list[Worker]:
    """So many workers, with everything that a worker may have."""
    return [
        replace(
            worker("first" if number % 2 else "second", 3, 2, tmp=Path(f"/mnt/nvme{number % 3}")),
            id=f"{number:08x}",
            k=32,
            dst=Path(f"/farm/disk{number % 7}/plots"),
            progress=Progress(3, 2, 0.5, plot_id="ab" * 32, tmp_bytes=200 << 30, memory=4 << 30),
            timing=Timing(5, ((0.0, 0.0), (1.0, 0.95)), (9000.0, 10000.0, 12000.0)),
            **changes,
        )
        for number in range(count)
    ]


def view(store: Store, own: Sequence[Worker], **more: Any) -> View:
    return View(assemble(store, Seen(own, (), 4711), MACHINE, DELIVERED), **more)


def file_systems(count: int) -> list[dict[str, Any]]:
    """So many disks with two directories each, as ``plotrun disks --json`` tells them."""

    def directory(path: str, use: str, trouble: str | None) -> dict[str, Any]:
        return {
            "path": path,
            "used_as": [use],
            "trouble": trouble,
            "refused": None,
            "plots": 108 if use == "dst" else None,
            "coming": 1,
            "fits": {"first": 12} if use == "dst" else {},
            "fits_tmp": {"first": 3},
        }

    return [
        {
            "free": 1 << 40,
            "promised": 101 << 30,
            "expected": 0,
            "directories": [
                directory(f"/farm/disk{number}/plots", "dst", None if number else "missing"),
                directory(f"/farm/disk{number}/tmp", "tmp", None),
            ],
        }
        for number in range(count)
    ]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


@pytest.mark.parametrize("count", [0, 3, 30])
@pytest.mark.parametrize(("height", "width"), SIZES)
def test_a_page_is_never_wider_nor_higher_than_the_terminal(
    store: Store, count: int, height: int, width: int
) -> None:
    name = Path("/mnt/nvme/\x1b[2J\n農場農場農場農場" + "x" * 300)
    odd = replace(
        worker("農" * 40, 1, tmp=name, started=None),
        progress=Progress(1, 1, trouble="\x1b[31m農場 " * 50),
        dst=name,
    )
    told = Event(EventKind.WORKER_FAILED, 1.0, "農" * 99, data={"reason": "農\n" * 99})
    store.save_failed(replace(odd, id="f", reason="農" * 99), [told])
    store.save_ended(
        replace(odd, id="f", stage=Stage.ENDED, outcome="failed", reason="農" * 99), []
    )
    found = view(store, [*many(count), *([odd] if count else [])], file_systems=file_systems(9))
    for turned in range(4):
        lines = page(found, width, height, turned, "q quit")
        assert len(lines) <= height
        assert lines[-1].plain.startswith("q quit")
        assert all(cell_len(line.plain) <= width for line in lines)
        assert all(line.plain.isprintable() for line in lines)
    assert all(cell_len(line.plain) <= width for line in page(found, width))


def text(found: View, width: int, height: int | None = None, turned: int = 0) -> str:
    return "\n".join(line.plain for line in page(found, width, height, turned))


def test_a_wide_page_tells_everything_of_a_worker(store: Store) -> None:
    odd = many(1, plotter_ended_at=None)[0]
    odd = replace(odd, progress=replace(odd.progress, since=0.0, cpu=3.9))
    found = view(store, [replace(odd, process=identify(os.getpid()))])
    (row,) = (line for line in text(found, 200).splitlines() if line.startswith("00000000"))
    for words in (
        "second",
        "chia",
        " 32 ",
        "abababab",
        "nvme0",
        "plots",
        "3:2",
        "━",
        " 47 ",
        "200.0 GiB",
        "4.0 GiB",
        "390%",
        f" {os.getpid()} running",
    ):
        assert words in row, words


def test_a_narrow_page_keeps_who_where_and_how_far(store: Store) -> None:
    lines = text(view(store, many(3)), 40).splitlines()
    (row,) = (line for line in lines if line.startswith("00000001"))
    assert "first" in row
    assert "3:2" in row
    assert row.endswith(" 47")


def test_what_is_wrong_with_a_worker_is_said(store: Store) -> None:
    (one,) = many(1)
    plot = Plot(Path("/mnt/nvme0/x.plot"), "ab" * 32, 32, PlotFormat.V1, 1 << 30)
    waits = PlotWork(1, plot, PlotStage.FINISHED, waiting="all full")
    for changed, words in (
        (replace(one, progress=replace(one.progress, trouble="no space")), "no space"),
        (replace(one, progress=replace(one.progress, still_since=0.0)), "stuck since"),
        (replace(one, plots=(waits,)), "waiting: all full"),
    ):
        for width in (40, 80, 200):
            assert words[:8] in text(view(store, [changed]), width)


def test_the_plots_of_days_and_the_machine_are_told(store: Store) -> None:
    shown = text(view(store, []), 80)
    assert "today 12 plots (3h 5m)   yesterday 30 plots (3h 2m)   7 days 201 plots" in shown
    assert "cpu 50% of 16 cores   memory 48.0 GiB of 64.0 GiB" in shown


def test_more_workers_than_fit_are_on_further_pages(store: Store) -> None:
    found = view(store, many(30))
    seen: list[str] = []
    for turned in range(30):
        lines = text(found, 80, 24, turned).splitlines()
        rows = [line[:8] for line in lines if line.startswith("000000")]
        assert f"… {30 - len(rows)} more" in lines
        if rows[0] in seen:
            break
        seen += rows
    assert seen == [f"{number:08x}" for number in range(30)], "each once, then the first again"


def test_all_workers_are_printed_where_the_height_has_no_limit(store: Store) -> None:
    lines = text(view(store, many(30)), 80).splitlines()
    assert sum(line.startswith("000000") for line in lines) == 30
    assert "more" not in text(view(store, many(30)), 80)


def test_every_part_has_a_place_however_many_workers_there_are(store: Store) -> None:
    store.events.add([Event(EventKind.RUNNER_STOPPING, 1.0)] * 20)
    shown = text(view(store, many(64), file_systems=file_systems(40)), 80, 24)
    assert "plotrun stops" in shown
    assert "\ndisk0" in shown
    assert "missing" in text(view(store, [], file_systems=file_systems(3)), 80)
    assert shown.count("more") == 2, "of workers and of disks"


def test_directories_lose_what_they_share() -> None:
    short = Short.of(["/mnt/nvme0", "/mnt/nvme1/plots", None])
    assert short.prefix == "/mnt"
    assert short.name("/mnt/nvme1/plots") == "nvme1/plots"
    assert short.name("/mntx/a") == "/mntx/a"
    assert Short.of(["/a", "/b/c"]).prefix is None
    assert Short.of([]).name("/a") == "/a"
    assert Short.of(["/mnt/\x1b[2J"]).name("/mnt/\x1b[2J") == "\\x1b[2J"


def column(title: str, rank: int, *texts: str, least: int = 0) -> Column:
    return Column(title, [Cell(each) for each in texts], rank, least)


def test_columns_go_by_their_rank_and_shrink_before_they_go() -> None:
    columns = [column("a", 0, "aaaa"), column("b", 2, "bbbb"), column("c", 1, "cccc", least=2)]
    for width, left in ((14, "abc"), (13, "abc"), (12, "abc"), (11, "ac"), (7, "ac"), (6, "a")):
        chosen = fitted(columns, width)
        assert "".join(each.title for each in chosen) == left
        assert sum(each.width for each in chosen) + len(chosen) - 1 <= width
    assert [each.title for each in fitted([*columns, column("", 9, "")], 99)] == ["a", "b", "c"]


def test_texts_are_cut_by_what_a_terminal_needs_for_them() -> None:
    assert cut("農場農場", 8) == "農場農場"
    assert cut("農場農場", 7) == "農場農…"
    assert cut("農場農場", 6) == "農場…"
    assert cut("/farm/disk7", 6, keeps_end=True) == "…disk7"
    assert cut("abc", 0) == ""
    assert [line.plain for line in folded("one two three", 8)] == ["one two", "  three"]
    assert [line.plain for line in folded("農場農場", 5)] == ["農場", "  農", "  場"]


def test_the_speed_of_a_copy_is_that_of_the_last_seconds(store: Store) -> None:
    plot = Plot(Path("/mnt/nvme0/x.plot"), "ab" * 32, 32, PlotFormat.V1, 1000 << 20)
    work = PlotWork(1, plot, PlotStage.DELIVERING, dst=Path("/farm/disk1/plots"))
    (one,) = many(1, plots=(work,))
    speeds, told = Speeds(), []
    for second in range(20):
        copied = min(1.0, second / 10) if second < 10 else 0.9 + (second - 9) / 200
        now = replace(one, progress=replace(one.progress, copied=copied))
        found = view(store, [now], file_systems=file_systems(3))
        found = replace(found, status={**found.status, "at": 100.0 + second})
        found = replace(found, speeds=speeds.of(found))
        told.append(found.speeds.get((one.id, 1)))
    assert told[0] is None
    assert told[9] == pytest.approx(100 << 20)
    assert told[19] == pytest.approx(5 << 20)
    assert "1 at 5.0 MiB/s" in text(found, 100)
    assert speeds.of(view(store, [])) == {}


def test_days_are_those_of_the_calendar(store: Store, zone: Callable[[str], None]) -> None:
    zone("Europe/Zurich")
    now = datetime(2026, 3, 29, 12).timestamp()  # a day of 23 hours
    plot = Plot(Path("/farm/disk1/x.plot"), "ab" * 32, 32, PlotFormat.V1, 1 << 30)
    (one,) = many(1, plots=(PlotWork(1, plot, PlotStage.DELIVERED),))
    days = (
        (29, 0, 100.0),
        (28, 23, 300.0),
        (28, 0, 500.0),
        (27, 23, None),
        (23, 0, None),
        (22, 23, 9.0),
    )
    for number, (day, hour, seconds) in enumerate(days):
        at = datetime(2026, 3, day, hour, 0, 1).timestamp()
        told = Event(EventKind.PLOT_DELIVERED, at, data={"plot": "x"})
        measured = Measured(1, seconds=seconds, delivery_seconds=None)
        store.save_delivered(1, measured, replace(one, id=f"{number:08x}"), [told])
    assert delivered(store, now) == {
        "today": {"plots": 1, "mean_seconds": 100.0},
        "yesterday": {"plots": 2, "mean_seconds": 400.0},
        "seven_days": {"plots": 5, "mean_seconds": 300.0},
    }


def test_what_was_delivered_today_is_on_the_status(farm: Farm) -> None:
    farm.write(plots=2)
    farm.run_until_done()
    today = farm.status()["delivered"]
    assert today["today"]["plots"] == today["seven_days"]["plots"] == 2
    assert today["yesterday"] == {"plots": 0, "mean_seconds": None}
    assert 0 < today["today"]["mean_seconds"] < 60
    shown = farm.plotrun("status").stdout
    assert "today 2 plots (" in shown


def test_the_disks_are_on_the_status_and_a_wrong_settings_file_is_said(farm: Farm) -> None:
    farm.write()
    shown = farm.plotrun("status").stdout
    assert f"dst in {farm.root}" in shown
    assert re.search("^a +dst ", shown, re.MULTILINE)
    farm.settings.write_text(farm.settings.read_text() + "colour = 1\n")
    broken = farm.plotrun("status")
    assert broken.returncode == 0
    assert "no disks: the settings cannot be read" in broken.stdout


def test_watching_a_pipe_is_a_mistake_that_is_explained(farm: Farm) -> None:
    farm.write()
    said = farm.plotrun("status", "--watch")
    assert said.returncode == 2
    assert said.stderr == "error: --watch is for a terminal, not for a pipe or a file\n"
    assert json.loads(farm.plotrun("status", "--json").stdout)["form"] == 1


def test_an_event_of_an_older_plotrun_does_without_what_it_did_not_tell(store: Store) -> None:
    store.events.add([Event(EventKind.SETTINGS_CHANGED, 1.0)])
    assert "in force: ?" in text(view(store, []), 80)
