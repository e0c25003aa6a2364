"""What goes wrong in a worker's life, and that no plot and nobody's file is lost by it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from farm import Farm, small_disk, until

PATIENT = '[plugins.backoff]\nfirst_wait = "10ms"\nlongest_wait = "20ms"\npause_after = 2\n'


def test_a_plotter_that_exits_1_fails_its_workers_and_pauses_the_job(farm: Farm) -> None:
    farm.write(command="echo out of luck >&2; exit 1;", rest=PATIENT)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert ended.stdout.count("failed: the plotter exited with code 1") == 2
    assert "paused after 2 failures in a row" in ended.stderr
    assert "plotrun unpause test" in ended.stderr
    failed = farm.status()["failed"]
    assert [row["exit_code"] for row in failed] == [1, 1]
    assert farm.leftovers() == []
    assert len(list(farm.log_dir.glob("*.log"))) == 3, "logs of failed workers stay"


def test_unpause_lets_a_job_start_again(farm: Farm) -> None:
    farm.write(command="exit 1;", rest=PATIENT)
    assert farm.run_until_done().returncode == 1
    farm.write(rest=PATIENT)
    assert "plotter started" not in farm.run_until_done().stdout
    assert farm.plotrun("unpause", "test").returncode == 0
    assert farm.run_until_done().returncode == 0
    assert len(farm.plots()) == 1


def test_unpause_wakes_a_runner_that_is_up(farm: Farm) -> None:
    flag = farm.root / "works"
    program = farm.root / "plotter"
    program.write_text(f'#!/bin/sh\n[ -e {flag} ] && exec python -m plotrun_chiapos "$@"\nexit 1\n')
    program.chmod(0o755)
    farm.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    farm.write(command=str(program), rest=PATIENT)
    runner = farm.start("run")
    until(runner, "failed: the plotter exited")
    until(runner, "failed: the plotter exited")
    flag.touch()
    assert farm.plotrun("unpause", "test").returncode == 0
    until(runner, "has made its 1 plots")
    runner.send_signal(signal.SIGTERM)
    assert runner.wait(30) == 0


def test_a_plotter_that_cannot_be_found_is_a_failure_in_words(farm: Farm) -> None:
    farm.write(command="/nowhere/chia_plot", rest=PATIENT)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "the plotter cannot be started" in ended.stdout
    assert "/nowhere/chia_plot" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_plotter_that_is_killed_leaves_nothing_behind(farm: Farm) -> None:
    farm.write(k=22, rest=PATIENT.replace("= 2", "= 1"))
    runner = farm.start("run", "--until-done")
    line = until(runner, "plotter started")
    pid = int(line.split("process ")[1].split(",")[0])
    os.kill(pid, signal.SIGKILL)
    said = until(runner, "failed:")
    assert "the plotter was killed (SIGKILL)" in said
    assert runner.wait(30) == 1
    assert farm.leftovers() == []
    assert farm.plots() == []


def test_a_plotter_that_lies_about_success_is_found_out(farm: Farm) -> None:
    farm.write(command="echo 'Renamed final file from x to y'; true", rest=PATIENT)
    ended = farm.run_until_done()
    assert "says the plot is complete, but none is in" in ended.stdout
    assert ended.returncode == 1


def test_a_plotter_that_ends_silently_is_found_out(farm: Farm) -> None:
    farm.write(command="true", rest=PATIENT)
    assert "the plotter ended before the plot was complete" in farm.run_until_done().stdout


def test_a_failing_plotter_never_starts_in_a_tight_loop(farm: Farm) -> None:
    farm.write(
        command="exit 1;",
        general="",
        rest='[plugins]\nblocked = ["backoff"]\n',
    )
    runner = farm.start("run")
    for _ in range(2):
        until(runner, "ended: failed")
    runner.send_signal(signal.SIGTERM)
    runner.wait(30)
    starts = [row["ended_at"] for row in farm.status()["failed"]]
    gaps = [later - earlier for later, earlier in pairwise(starts)]
    assert min(gaps) >= 0.9, "at least a second between a failure and the next start"


# Directories


def test_a_missing_tmp_holds_the_job_and_it_goes_on_by_itself(farm: Farm) -> None:
    farm.tmp.rmdir()
    farm.write()
    runner = farm.start("run", "--until-done")
    until(runner, "plotrun runs with")
    (hold,) = farm.holds()
    assert hold == f"no temporary directory: {farm.tmp}: missing"
    farm.tmp.mkdir()
    farm.settings.touch()  # tells the runner to look again before its half minute is over
    assert runner.wait(60) == 0
    assert len(farm.plots()) == 1


def test_a_tmp_that_is_a_file_holds_the_job(farm: Farm) -> None:
    farm.tmp.rmdir()
    farm.tmp.write_text("mine")
    farm.write()
    runner = farm.start("run")
    until(runner, "plotrun runs with")
    holds = farm.holds()
    runner.terminate()
    assert runner.wait(30) == 0
    assert "not a directory" in holds[0].lower()
    assert farm.tmp.read_text() == "mine"


def test_a_full_tmp_is_told_in_the_plotters_own_words(farm: Farm) -> None:
    with small_disk(farm.tmp, "2m"):
        farm.write(check_room=False)
        runner = farm.start("run")
        assert "Only wrote" in until(runner, "plotter says")
        runner.terminate()
        assert runner.wait(30) == 0
        (worker,) = farm.workers()
        assert "Only wrote" in worker["trouble"]
        psutil.Process(worker["pid"]).kill()


def test_a_finished_plot_waits_for_a_full_destination_and_goes_on(farm: Farm) -> None:
    with small_disk(farm.root / "a", "1m") as full:
        farm.write(when_full="plot", dst=str(full))
        runner = farm.start("run", "--until-done")
        said = until(runner, "no destination for")
        assert "full (" in said
        (worker,) = farm.workers()
        assert "full" in worker["plots"][0]["waiting"]
        subprocess.run(["mount", "-o", "remount,size=50m", str(full)], check=True)
        farm.settings.touch()
        assert runner.wait(60) == 0
        assert len(farm.plots()) == 1
        assert farm.leftovers() == []


def test_a_destination_that_fills_up_is_left_for_another(farm: Farm) -> None:
    with small_disk(farm.root / "a", "3m"):
        # Without the filter plotrun finds out only in the middle of the copy.
        farm.write(rest='[plugins]\nblocked = ["skip_full"]\n')
        ended = farm.run_until_done()
        assert ended.returncode == 0, ended.stdout + ended.stderr
        assert "delivery failed" in ended.stdout
        assert "No space left on device" in ended.stdout
        (plot,) = farm.plots()
        assert plot.parent == farm.root / "b"
        assert farm.leftovers() == [], "no partial file stays on the full disk"


def test_a_read_only_destination_is_left_out(farm: Farm) -> None:
    with small_disk(farm.root / "a", "20m") as disk:
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        farm.write(plots=2)
        assert farm.run_until_done().returncode == 0
        assert len(list((farm.root / "b").glob("*.plot"))) == 2


def test_a_missing_destination_lets_the_plot_wait_and_is_said_once(farm: Farm) -> None:
    farm.write(when_full="plot", dst=str(farm.root / "gone"))
    runner = farm.start("run", "--until-done")
    assert "missing" in until(runner, "no destination for")
    (farm.root / "gone").mkdir()
    farm.settings.touch()
    rest = runner.communicate(timeout=60)[0].decode()
    assert runner.returncode == 0
    assert "no destination for" not in rest
    assert len(list((farm.root / "gone").glob("*.plot"))) == 1


def test_a_new_destination_in_the_settings_takes_a_waiting_plot(farm: Farm) -> None:
    farm.write(when_full="plot", dst=str(farm.root / "gone"))
    runner = farm.start("run", "--until-done")
    until(runner, "no destination for")
    farm.write(dst=[str(farm.root / "gone"), str(farm.root / "b")])
    assert runner.wait(60) == 0
    assert len(list((farm.root / "b").glob("*.plot"))) == 1


# Commands


def test_a_pre_command_that_fails_keeps_the_plotter_from_starting(farm: Farm) -> None:
    farm.write(pre_command="echo no; exit 3", rest=PATIENT)
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "failed: pre-command failed: exit code 3" in ended.stdout
    assert "plotter started" not in ended.stdout
    assert farm.leftovers() == []


def test_a_pre_command_may_fail_if_the_settings_say_so(farm: Farm) -> None:
    farm.write(pre_command="exit 3", pre_command_must_succeed=False)
    ended = farm.run_until_done()
    assert ended.returncode == 0
    assert "pre-command: failed: exit code 3" in ended.stdout
    assert len(farm.plots()) == 1


@pytest.mark.parametrize("must_succeed", [False, True])
def test_a_post_command_that_fails_loses_no_plot(farm: Farm, must_succeed: bool) -> None:
    farm.write(post_command="exit 4", post_command_must_succeed=must_succeed)
    ended = farm.run_until_done()
    assert "post-command: failed: exit code 4" in ended.stdout
    assert ("failed: post-command failed" in ended.stdout) == must_succeed
    assert len(farm.plots()) == 1
    assert farm.status()["jobs"][0]["made"] == 1
    assert farm.leftovers() == []


# Bad plots


def test_a_bad_plot_is_neither_delivered_nor_removed(farm: Farm) -> None:
    spoil = farm.root / "plotter"
    spoil.write_text(
        "#!/bin/sh\n"
        'python -m plotrun_chiapos "$@" || exit 1\n'
        'while [ "$1" != -d ]; do shift; done\n'
        'for plot in "$2"/*.plot; do dd if=/dev/zero of="$plot" bs=4096 seek=1 count=900 '
        "conv=notrunc 2>/dev/null; done\n"
    )
    spoil.chmod(0o755)
    farm.environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    farm.write(command=str(spoil), rest=PATIENT.replace("= 2", "= 1"))
    ended = farm.run_until_done()
    assert ended.returncode == 1
    assert "bad plot" in ended.stdout
    assert farm.plots() == []
    (kept,) = farm.tmp.rglob("*.plot")
    assert f"left in place: {kept}" in ended.stdout
    assert [path for path in farm.leftovers() if path.is_file()] == [kept]
    assert ended.stdout.count("plotter started") == 1, "its failure was counted before a new start"


# Runners


def test_a_second_runner_refuses_and_names_the_first(farm: Farm) -> None:
    farm.write(k=22)
    first = farm.start("run")
    until(first, "plotter started")
    second = farm.plotrun("run")
    assert second.returncode == 1
    assert f"process {first.pid} runs plotrun on {farm.state_dir} already" in second.stderr
    (worker,) = farm.workers()
    psutil.Process(worker["pid"]).kill()
    first.terminate()
    assert first.wait(30) == 0


def test_ctrl_c_leaves_the_plotter_running_and_says_how_to_come_back(farm: Farm) -> None:
    farm.write(k=20)
    runner = farm.start("run", "--until-done", start_new_session=True)
    until(runner, "plotter started")
    os.killpg(runner.pid, signal.SIGINT)
    said = runner.communicate(timeout=30)[0].decode()
    assert runner.returncode == 0
    assert "1 workers go on by themselves: `plotrun run` takes them up again" in said
    (worker,) = farm.workers()
    assert worker["alive"]
    ended = farm.run_until_done()
    assert ended.returncode == 0
    assert "plotter found running" in ended.stdout
    assert len(farm.plots()) == 1


def test_a_plotter_started_by_hand_is_seen_and_counted(farm: Farm) -> None:
    farm.write(rest="[plugins.limits]\nmax_workers = 1\n")
    other = farm.root / "by hand"
    other.mkdir()
    command = [sys.executable, "-m", "plotrun_chiapos", "-k", "22", "-t", other, "-d", other]
    by_hand = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        runner = farm.start("run", "--until-done")
        until(runner, "plotrun runs with")
        (hold,) = farm.holds()
        assert hold.endswith("of 1 workers on this machine")
        (seen,) = (row for row in farm.status()["workers"] if row["tmp"] == str(other))
        assert (seen["own"], seen["k"], seen["plotter"]) == (False, 22, "chiapos")
        runner.terminate()
        runner.wait(30)
    finally:
        by_hand.kill()
        by_hand.wait()


def test_a_whole_plot_of_a_plotter_that_died_before_naming_it_is_delivered(farm: Farm) -> None:
    """chia on a full final disk: the plot is whole in tmp, and the process sleeps for ever."""
    with small_disk(farm.root / "a", "1m") as full:
        farm.write(
            deliver="plotter",
            dst=str(full),
            rest='[plugins]\nblocked = ["skip_full"]\n[plugins.backoff]\npause_after = 1\n',
        )
        runner = farm.start("run", "--until-done")
        pid = int(until(runner, "plotter started").split("process ")[1].split(",")[0])
        assert "Could not copy" in until(runner, "plotter says")
        farm.write(deliver="plotter", dst=[str(full), str(farm.root / "b")])
        until(runner, "the settings have changed")
        os.kill(pid, signal.SIGKILL)
        until(runner, "plot delivered")
        runner.wait(60)
        (plot,) = (farm.root / "b").glob("*.plot")
        assert farm.plotrun("chiapos-check", str(plot)).returncode == 0
        assert list(farm.tmp.iterdir()) == []


@pytest.mark.parametrize("plots", [1, 2])
def test_a_plotter_that_sleeps_on_a_full_disk_is_relieved_of_its_plot(
    farm: Farm, plots: int
) -> None:
    """chiapos tries again every five minutes, for ever, and makes nothing meanwhile."""
    with small_disk(farm.root / "a", "1m") as full:
        farm.write(
            k=20,
            plots=plots,
            plots_per_process=plots,
            deliver="plotter",
            dst=[str(full), str(farm.root / "b")],
            rest='[plugins]\nblocked = ["skip_full", "round_robin"]\n',
        )
        runner = farm.start("run", "--until-done")
        until(runner, "plotter says: Could not copy")
        until(runner, "plot delivered: " + str(farm.root / "b"))
        until(runner, "half a copy that the plotter left")
        until(runner, "ended: done")
        if plots == 1:
            assert runner.wait(60) == 0
            assert list(farm.tmp.iterdir()) == []
        runner.terminate()
        runner.communicate()
        delivered = list((farm.root / "b").glob("*.plot"))
        assert len(delivered) == 1
        assert farm.plotrun("chiapos-check", str(delivered[0])).returncode == 0
