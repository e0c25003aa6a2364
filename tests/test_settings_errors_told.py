"""Wrong settings, as whoever types a command or changes them while plotrun runs is told of them."""

from __future__ import annotations

import textwrap

import pytest

from farm import Farm, until

JOB = '[[job]]\nname = "one"\nplotter = "chia"\ntmp = "/tmp/t"\ndst = "/tmp/d"\n'


def test_a_missing_file_says_how_to_make_one(farm: Farm) -> None:
    wrong = farm.plotrun("run")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        f"error: {farm.settings}: there is no such file "
        f"(`plotrun init {farm.settings}` writes one)\n"
    )


def test_a_directory_is_no_settings_file(farm: Farm) -> None:
    farm.settings.mkdir()
    wrong = farm.plotrun("check")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        f"error: {farm.settings}: this is a directory, not a settings file (name the file in it)\n"
    )


UNUSABLE = {
    b"": "settings.toml: job: found no job, expected at least one [[job]] (see `plotrun init`)\n",
    b"\n\xff": "settings.toml:2: this line is not UTF-8: save the file as UTF-8\n",
    b"[[job]]\nname = \n": "settings.toml:2: not valid TOML: a value is missing or wrong",
    b"\n[job]\n": "settings.toml:2: job: found [job], expected [[job]] with two brackets",
}


@pytest.mark.parametrize("text", UNUSABLE)
def test_a_file_that_cannot_be_used_at_all(farm: Farm, text: bytes) -> None:
    farm.settings.write_bytes(text)
    wrong = farm.plotrun("check")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.replace(f"{farm.root}/", "").startswith(f"error: {UNUSABLE[text]}")
    assert wrong.stderr.count("\n") == 1


@pytest.mark.parametrize("command", [["run"], ["check"], ["settings", "show"], ["unpause", "x"]])
def test_every_command_tells_them_on_standard_error_with_exit_code_2(
    farm: Farm, command: list[str]
) -> None:
    farm.settings.write_text(JOB + "k = 1\n")
    wrong = farm.plotrun(*command)
    assert wrong.returncode == 2
    assert wrong.stdout == ""
    assert wrong.stderr == (
        f"error: {farm.settings}:6: job.k: found 1, "
        "expected a whole number of at least 18 and at most 50\n"
    )


def test_an_invalid_change_while_running_leaves_the_old_settings_in_force(farm: Farm) -> None:
    farm.write(plots=0, k=20)
    runner = farm.start("run")
    until(runner, "plotter started")
    good = farm.settings.read_text()
    farm.settings.write_text(good.replace("k = 20", "k = 2"))
    assert "the old settings stay in force" in until(runner, "old settings")
    until(runner, "plotter started")
    farm.settings.write_text(good.replace("plots = 0", "plots = 1"))
    until(runner, "the settings have changed")
    runner.terminate()
    assert runner.wait(30) == 0


def test_a_changed_default_reaches_the_next_worker(farm: Farm) -> None:
    farm.write(plots=2, k=..., rest="[defaults.chiapos]\nk = 20\n")
    runner = farm.start("run", "--until-done")
    assert "k=20" in until(runner, "plotter started")
    text = farm.settings.read_text()
    farm.settings.write_text(textwrap.dedent(text).replace("k = 20", "k = 18"))
    assert "k=18" in until(runner, "plotter started")
    assert runner.wait(60) == 0
    sizes = sorted(plot.stat().st_size for plot in farm.plots())
    assert sizes[1] > 3 * sizes[0], "the first worker kept what it was started with"


def test_status_needs_only_the_state_directory(farm: Farm) -> None:
    farm.settings.write_text(f'[plotrun]\nstate_dir = "{farm.state_dir}"\n[[job]]\nodd = 1\n')
    assert farm.plotrun("status").returncode == 0
    farm.settings.write_text('\n[plotrun]\nstate_dir = "state"\n')
    wrong = farm.plotrun("status")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        f'error: {farm.settings}:3: plotrun.state_dir: found "state", expected an absolute path '
        "(it is a relative path)\n"
    )
