"""Real processes: started apart from plotrun, waited for, found again, ended."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

import psutil
import pytest

from plotrun.model import ProcessRef
from plotrun.process import (
    Spawn,
    SystemExecutor,
    SystemProcess,
    exit_words,
    identify,
    is_alive,
)

T = TypeVar("T")
EXECUTOR = SystemExecutor()


def go(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


def spawn(tmp_path: Path, line: str, **wanted: Any) -> Spawn:
    worker = f"w{os.getpid()}"
    return Spawn(["/bin/sh", "-c", line], tmp_path / "log", worker, "plotter", **wanted)


def test_the_exit_code_and_the_output(tmp_path: Path) -> None:
    async def run() -> int | None:
        process = await EXECUTOR.spawn(spawn(tmp_path, "echo out; echo err >&2; exit 7"))
        return await process.wait()

    assert go(run()) == 7
    assert (tmp_path / "log").read_text() == "out\nerr\n"


def test_a_signal_is_a_negative_code(tmp_path: Path) -> None:
    async def run() -> int | None:
        process = await EXECUTOR.spawn(spawn(tmp_path, "kill -9 $$"))
        return await process.wait()

    assert go(run()) == -9


def test_exit_words() -> None:
    assert exit_words(-9) == "was killed (SIGKILL)"
    assert exit_words(1) == "exited with code 1"
    assert exit_words(None) == "ended"


def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        go(EXECUTOR.spawn(Spawn(["/nowhere/at/all"], tmp_path / "log", "w", "plotter")))


def test_it_has_a_session_of_its_own_and_stands_in_no_disk(tmp_path: Path) -> None:
    async def run() -> None:
        process = await EXECUTOR.spawn(spawn(tmp_path, "read x < /dev/zero; sleep 100"))
        pid = process.ref.pid
        assert os.getsid(pid) == pid
        assert Path(f"/proc/{pid}/cwd").readlink() == Path("/")
        await EXECUTOR.end(process.ref)
        await process.wait()

    go(run())


def test_one_that_is_no_child_is_waited_for_without_polling(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.Popen(['cat', '{gate}'])"],
        start_new_session=True,
    )
    with gate.open("w"):  # opens once cat reads: by then its parent may go
        parent.wait()
        (cat,) = (p for p in psutil.process_iter() if str(gate) in _arguments(p))
        ref = identify(cat.pid)
        assert ref is not None
        process = EXECUTOR.attach(ref)
        assert process is not None
    assert go(process.wait()) is None
    assert not is_alive(ref)
    assert EXECUTOR.attach(ref) is None


def _arguments(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()[1:2]
    except psutil.Error:
        return []


def test_a_number_that_was_taken_by_another_process_is_not_mistaken() -> None:
    mine = identify(os.getpid())
    assert mine is not None
    assert is_alive(mine)
    earlier = ProcessRef(mine.pid, "another boot:1")
    assert not is_alive(earlier)
    assert EXECUTOR.attach(earlier) is None
    assert go(SystemProcess(earlier).wait()) is None, "it does not wait for the wrong one"


def test_one_that_has_ended_and_was_not_reaped_is_not_alive(tmp_path: Path) -> None:
    child = subprocess.Popen(["true"])
    ref = identify(child.pid)
    assert ref is not None
    os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
    assert not is_alive(ref)
    child.wait()
    assert identify(child.pid) != ref


def test_a_workers_process_is_found_by_its_mark(tmp_path: Path) -> None:
    async def run() -> None:
        wanted = spawn(tmp_path, "echo begun; sleep 100 & wait")
        process = await EXECUTOR.spawn(wanted)
        while not wanted.log.read_text():
            pass  # the system shows its environment only once it has begun
        found = EXECUTOR.find(wanted.worker, "plotter")
        assert found is not None
        assert found.ref == process.ref, "the topmost, not its child"
        assert EXECUTOR.find(wanted.worker, "post-1-1") is None
        assert EXECUTOR.find("another", "plotter") is None
        (info,) = (info for info in EXECUTOR.table() if info.ref == process.ref)
        assert info.worker == wanted.worker
        await EXECUTOR.end(process.ref)
        await process.wait()
        assert EXECUTOR.find(wanted.worker, "plotter") is None

    go(run())


def test_a_whole_tree_is_ended_also_a_suspended_one(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    async def run() -> None:
        line = f"(sleep 1000 & echo started > {gate}; wait) & wait"
        process = await EXECUTOR.spawn(spawn(tmp_path, line))
        await asyncio.to_thread(gate.read_text)
        tree = psutil.Process(process.ref.pid).children(recursive=True)
        refs = [ref for each in tree if (ref := identify(each.pid))]
        assert len(refs) == 2
        tree[0].suspend()
        await EXECUTOR.end(process.ref)
        assert await process.wait() == -15
        assert not any(map(is_alive, refs))

    go(run())


def test_priorities_are_set_also_for_children(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)

    async def run() -> None:
        wanted = spawn(
            tmp_path,
            f"sleep 1000 & echo started > {gate}; wait",
            nice=7,
            io_priority="idle",
            cpu_affinity=[0],
        )
        process = await EXECUTOR.spawn(wanted)
        await asyncio.to_thread(gate.read_text)
        top = psutil.Process(process.ref.pid)
        for each in (top, *top.children(recursive=True)):
            assert each.nice() == 7
            assert each.ionice().ioclass == psutil.IOPRIO_CLASS_IDLE
            assert each.cpu_affinity() == [0]
        await EXECUTOR.end(process.ref)
        await process.wait()

    go(run())
