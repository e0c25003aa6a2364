"""The live screen on a real terminal: ``plotrun run`` and ``plotrun status --watch``."""

from __future__ import annotations

import os
import re
import signal
import sys
from dataclasses import replace
from pathlib import Path

import pexpect
import psutil
import pytest
from rich.cells import cell_len

from asked import worker
from farm import Farm
from plotrun import Progress
from plotrun.screen.layout import cut
from plotrun.store import Store
from screened import Screened, on_terminal, plain

SIZES = ((24, 80), (50, 200), (60, 40), (4, 12), (24, 80))
KEYS = "q quit   space more workers   p pause"


def with_workers(farm: Farm, count: int) -> None:
    """A state with so many workers that are past their plotter's end, and names that are odd."""
    farm.write()
    store = Store(farm.state_dir)
    for number in range(count):
        one = worker("農場-test", 2, 3, tmp=Path("/mnt/\x1b[2J\n農場" + "x" * 50))
        progress = Progress(2, 3, 0.5, plot_id="ab" * 32, trouble="\x1b]0;農場\x07 says chia")
        store.save_worker(replace(one, id=f"{number:08x}", k=32, progress=progress))
    store.close()


def others(screen: Screened) -> int:
    """Plotters of other tests, or of others, that are not shown."""
    found = re.search(r"workers, (\d+) by hand", screen.text)
    shown = sum(line.startswith("pid-") for line in screen.lines)
    return int(found[1]) - shown if found else 0


def assert_tidy(screen: Screened, lines: int, columns: int) -> None:
    """Each line of the last page is within the width and stands where it was put."""
    shown = screen.next_page()
    drawn = plain(screen.raw.rpartition(b"\x1b[H")[2].partition(b"\x1b[J")[0]).split("\r\n")
    assert len(drawn) <= lines
    assert all(cell_len(line) <= columns for line in drawn)
    # pyte shows the second cell of a wide character as an empty one.
    assert [line.rstrip() for line in drawn] == shown[: len(drawn)]
    assert not any(shown[len(drawn) :]), "nothing is left of an older page"
    assert drawn[-1] == cut(KEYS, columns)


@pytest.mark.parametrize("count", [0, 3, 30])
def test_nothing_wraps_or_overlaps(farm: Farm, count: int) -> None:
    with_workers(farm, count)
    with on_terminal(farm, "status", "--watch") as screen:
        screen.until(f"plotrun is not up, {count} workers")
        screen.until("same disk")
        for lines, columns in SIZES:
            screen.resize(lines, columns)
            assert_tidy(screen, lines, columns)
            rows = [line[:8] for line in screen.lines if line.startswith("000000")]
            assert rows == [f"{number:08x}" for number in range(len(rows))]
            more = re.search(r"^… (\d+) more", screen.text, re.MULTILINE)
            if lines > 4:
                assert count - len(rows) == (int(more[1]) - others(screen) if more else 0)
        assert screen.end() == 0


def test_space_goes_on_to_further_workers_and_p_stops_the_refresh(farm: Farm) -> None:
    with_workers(farm, 30)
    with on_terminal(farm, "status", "--watch") as screen:
        screen.until("\n00000000")
        screen.child.send(" ")
        screen.until(lambda: "\n00000000" not in screen.text)
        assert re.search(r"^000000[01][0-9a-f] ", screen.text, re.MULTILINE)
        screen.child.send("p")
        screen.until("paused")
        shown = screen.text
        Store(farm.state_dir).save_worker(replace(worker("late"), id="ffffffff"))
        screen.resize(24, 79)
        screen.next_page()
        assert "30 workers" in screen.text, "it was drawn again, but not asked again"
        screen.resize(24, 80)
        screen.next_page()
        assert screen.text == shown
        screen.child.send("p")
        screen.until("31 workers")
        assert screen.end() == 0


@pytest.mark.parametrize("key", ["q", "\x03"])
def test_the_terminal_is_given_back(farm: Farm, key: str) -> None:
    farm.write()
    with on_terminal(farm, "status", "--watch") as screen:
        screen.until("plotrun is not up")
        assert screen.raw.startswith(b"\x1b[?1049h\x1b[?25l\x1b[?7l")
        assert screen.end(key) == 0
        assert screen.raw.endswith(b"\x1b[?7h\x1b[?25h\x1b[?1049l")


def test_the_terminal_is_as_it_was_after_a_signal_and_after_ctrl_z(farm: Farm) -> None:
    farm.write()
    words = f"{sys.executable} -m plotrun --settings {farm.settings} status --watch"
    with on_terminal(farm, "status", "--watch") as screen:
        screen.child.close(force=True)
        screen.child = pexpect.spawn("/bin/bash", ["--norc", "-i"], timeout=60)
        shell = screen.child
        shell.sendline("PS1='shell> '; stty -a | grep -o '.icanon\\|.echo '")
        before = _modes(shell)
        for number in ("TERM", "HUP"):
            shell.sendline(words)
            shell.expect("plotrun is not up")
            (child,) = psutil.Process(shell.pid).children()
            child.send_signal(getattr(signal, f"SIG{number}"))
            shell.expect_exact("\x1b[?1049l")
            assert _modes(shell) == before
        shell.sendline(words)
        shell.expect("plotrun is not up")
        shell.send("\x1a")
        shell.expect_exact("\x1b[?1049l")
        shell.expect("Stopped")
        assert _modes(shell) == before
        shell.sendline("fg")
        shell.expect_exact("\x1b[?1049h")
        shell.expect("plotrun is not up")
        shell.send("q")
        shell.expect_exact("\x1b[?1049l")
        assert _modes(shell) == before


def _modes(shell: pexpect.spawn[bytes]) -> bytes:
    shell.sendline("stty -a | tr '\\n' ' '; echo en''d")
    shell.expect("speed(.*?)end")
    assert shell.match is not None
    return bytes(shell.match[1])


def test_without_colours_where_they_are_not_wanted(farm: Farm) -> None:
    with_workers(farm, 3)
    colour = re.compile(rb"\x1b\[3\d")
    for wanted in (True, False):
        farm.environment = {} if wanted else {"NO_COLOR": "1"}
        with on_terminal(farm, "status", "--watch") as screen:
            screen.until("\n00000000")
            screen.next_page()
            assert bool(colour.search(screen.raw)) == wanted
            assert screen.end() == 0
    assert "\x1b" not in farm.plotrun("status").stdout


def test_a_run_shows_its_workers_and_leaves_them_running(farm: Farm) -> None:
    farm.write(k=22)
    with on_terminal(farm, "run", lines=50, columns=200) as screen:
        screen.until("plotter started")
        screen.until(lambda: re.search(r"plotrun runs \(process \d+\), 1 workers", screen.text))
        screen.until(
            lambda: re.search(
                r"chiapos 22 [0-9a-f]{8} tmp +at the end .* 1:\d+ +[━─]{8} ", screen.text
            )
        )
        screen.until("same disk")
        assert_tidy(screen, 50, 200)
        assert screen.end("q") == 0
        left = "stopped; 1 workers go on by themselves: `plotrun run` takes them up again"
        assert left in screen.said_after
    (left_running,) = farm.workers()
    assert left_running["alive"]
    os.kill(left_running["pid"], signal.SIGSTOP)
    (suspended,) = farm.workers()
    assert suspended["alive"]
    assert suspended["suspended"]
    assert re.search(r"suspended *$", farm.plotrun("status").stdout, re.MULTILINE)


def test_a_run_until_done_leaves_the_screen_when_it_is_done(farm: Farm) -> None:
    farm.write()
    with on_terminal(farm, "run", "--until-done") as screen:
        screen.raw += screen.child.read()
        screen.child.close()
        assert screen.child.exitstatus == 0
        assert screen.raw.rstrip().endswith(b"\x1b[?1049l")
    assert len(farm.plots()) == 1


def test_a_terminal_that_stands_still_does_not_hold_up_the_runner(farm: Farm) -> None:
    farm.write(plots=2)
    with on_terminal(farm, "run", lines=50, columns=200) as screen:
        screen.until("plotter started")
        screen.child.send("\x13")  # Ctrl-S: what is written stays where it is
        while len(farm.plots()) < 2:
            pass  # the plots themselves take a second
        screen.child.send("\x11")
        screen.until("2 / 2")
        assert screen.end() == 0


def test_plain_lines_on_request(farm: Farm) -> None:
    farm.write()
    said = pexpect.run(
        f"{sys.executable} -m plotrun --settings {farm.settings} run --until-done --plain",
        encoding="utf-8",
        timeout=60,
    )
    assert isinstance(said, str)
    lines = said.splitlines()
    assert len(lines) > 10
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in lines)
