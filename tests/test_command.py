"""A command runs once, and how it ended is known whenever anybody can know it."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from plotrun.command import Ended, Refused, Step, Unknown, run_once
from plotrun.process import SystemExecutor


@pytest.fixture
def step(tmp_path: Path) -> Step:
    return Step(
        worker=f"test{os.getpid()}",
        name="post-1-1",
        line=f"echo run >> {tmp_path}/runs; echo said %plot%",
        values={"plot": "/a b/c"},
        log=tmp_path / "post.log",
        result_file=tmp_path / "results" / "one",
    )


def run(step: Step, resumed: bool = False) -> object:
    return asyncio.run(run_once(SystemExecutor(), step, resumed))


def test_success_and_output(step: Step) -> None:
    assert run(step) == Ended(0)
    assert step.log.read_text() == "said /a b/c\n"
    assert step.result_file.read_text() == "0\n"


def test_failure(step: Step) -> None:
    result = run(replace(step, line="exit 3"))
    assert result == Ended(3)
    assert result.words == "failed: exit code 3"


def test_a_command_killed_by_a_signal_has_failed(step: Step) -> None:
    assert run(replace(step, line="kill -9 $$")) == Ended(128 + signal.SIGKILL)


def test_a_line_that_is_no_shell_is_a_failure_with_the_shells_words(step: Step) -> None:
    result = run(replace(step, line="if then"))
    assert isinstance(result, Ended)
    assert result.code != 0
    assert "syntax error" in step.log.read_text()


def test_one_that_never_began_is_run_when_taken_up(step: Step) -> None:
    assert run(step, resumed=True) == Ended(0)


def test_one_that_has_ended_is_not_run_again(step: Step, tmp_path: Path) -> None:
    run(step)
    assert run(step, resumed=True) == Ended(0)
    assert (tmp_path / "runs").read_text() == "run\n"


def test_one_that_was_cut_off_is_unknown_and_not_run_again(step: Step, tmp_path: Path) -> None:
    step.result_file.parent.mkdir()
    step.result_file.touch()
    assert run(step, resumed=True) == Unknown()
    assert not (tmp_path / "runs").exists()


def test_one_that_still_runs_is_waited_for(step: Step, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    step = replace(step, line=f"read code < {gate}; exit $code")

    async def both() -> tuple[object, object]:
        first = asyncio.create_task(run_once(SystemExecutor(), step, False))
        writer = await asyncio.to_thread(gate.open, "w")  # opens once the command reads
        second = asyncio.create_task(run_once(SystemExecutor(), step, True))
        await asyncio.sleep(0)
        writer.write("7\n")
        writer.close()
        return await first, await second

    assert asyncio.run(both()) == (Ended(7), Ended(7))


def test_a_killed_wrapper_is_a_failure_with_the_signal(step: Step, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    step = replace(step, line=f"read code < {gate}")

    async def kill_it() -> object:
        running = asyncio.create_task(run_once(SystemExecutor(), step, False))
        with await asyncio.to_thread(gate.open, "w"):
            found = SystemExecutor().find(step.worker, step.name)
            assert found is not None
            for child in psutil.Process(found.ref.pid).children(recursive=True):
                child.kill()
            psutil.Process(found.ref.pid).kill()
            return await running

    assert asyncio.run(kill_it()) in (Ended(-9), Ended(128 + 9))


def test_an_unsafe_name_is_refused_with_the_way_out(step: Step) -> None:
    result = run(replace(step, line="ssh nas 'mv %plot% /x'"))
    assert isinstance(result, Refused)
    assert "$PLOTRUN_PLOT" in result.words


def test_a_result_that_cannot_be_kept_keeps_the_command_from_running(
    step: Step, tmp_path: Path
) -> None:
    step.result_file.parent.mkdir()
    step.result_file.mkdir()
    result = run(step)
    assert isinstance(result, Ended)
    assert result.code != 0
    assert not (tmp_path / "runs").exists()
