"""Wrong settings are messages: file, line, key, what was found, what is expected."""

from __future__ import annotations

import os
import textwrap
from pathlib import Path

import pytest

from farm import Farm
from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError

SCHEMA = load_plugins().schema()
KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
ADDRESS = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
JOB = '[[job]]\nname = "one"\nplotter = "chia"\ntmp = "/tmp/t"\ndst = "/tmp/d"\n'
LINE = JOB.count("\n") + 1
"""Of what a case adds to the job."""
LAST_CPU = (os.cpu_count() or 1) - 1


def problems(tmp_path: Path, text: str | bytes) -> list[str]:
    """What is said of a settings file, without its directory."""
    file = tmp_path / "settings.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as raised:
        load_settings(file, SCHEMA)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in raised.value.problems]


IN_A_JOB = {
    "unknown key": (
        "treads = 4",
        'job.treads: found unknown key "treads", expected a key that is known here '
        "(did you mean threads?)",
    ),
    "wrong type": ('k = "32"', 'job.k: found "32", expected a whole number of at least 18'),
    "text for a switch": ('bitfield = "no"', 'job.bitfield: found "no", expected true or false'),
    "number for a switch": ("enabled = 1", "job.enabled: found 1, expected true or false"),
    "switch for a number": ("threads = true", "job.threads: found true, expected a whole number"),
    "fraction": ("threads = 1.5", "job.threads: found 1.5, expected a whole number of at least 1"),
    "negative number": ("plots = -1", "job.plots: found -1, expected a whole number of at least 0"),
    "relative path": (
        'tmp2 = "here"',
        'job.tmp2: found "here", expected an absolute path, a list of them, or "dst" '
        "(it is a relative path)",
    ),
    "empty list": ("tmp2 = []", "job.tmp2: found [], expected an absolute path"),
    "path named twice": ('tmp2 = ["/a", "/a/"]', "(a path is named twice)"),
    "number for a path": ("tmp2 = 3", "job.tmp2: found 3, expected an absolute path"),
    "tmp2 is a destination": (
        'tmp2 = "/tmp/d"',
        'job.tmp2: found "/tmp/d", expected a directory that is no destination',
    ),
    "both pool keys": (
        f'pool_public_key = "{KEY}"\npool_contract_address = "{ADDRESS}"',
        "expected either pool_public_key or pool_contract_address, not both",
    ),
    "key too short": (
        f'farmer_public_key = "{KEY[:-2]}"',
        "expected a public key of 96 hex digits (it has 94 hex digits, not 96)",
    ),
    "key not hex": (
        f'farmer_public_key = "{KEY[:-1]}g"',
        "(it has characters that are not hex digits)",
    ),
    "key not on the curve": (
        f'farmer_public_key = "0{KEY[1:]}"',
        "(it is not a point on the curve (first hex digit below 8))",
    ),
    "address mistyped": (
        f'pool_contract_address = "{ADDRESS[:-1]}q"',
        "expected a pool contract address (xch1…) (its checksum is wrong",
    ),
    "address of another coin": (
        f'pool_contract_address = "b{ADDRESS}"',
        "(it does not begin with xch1 or txch1)",
    ),
    "address in mixed case": (
        f'pool_contract_address = "{ADDRESS[:-1]}M"',
        "(it mixes upper and lower case)",
    ),
    "address with wrong characters": (
        f'pool_contract_address = "{ADDRESS[:-1]}b"',
        "(it has characters that no address has)",
    ),
    "cpu that is not there": (
        f"cpu_affinity = [0, {LAST_CPU + 1}]",
        f"expected a list of CPU numbers of this machine (this machine has CPUs 0 to {LAST_CPU})",
    ),
    "unknown tag": (
        'post_command = "mv %plto% /x"',
        "expected a shell command (unknown tag %plto%, did you mean %plot%?)",
    ),
    "plot tag before there is one": ('pre_command = "ls %plot%"', "unknown tag %plot%"),
    "empty command": ('pre_command = ""', "expected a shell command (it is empty)"),
    "wrong choice": (
        'deliver = "me"',
        'job.deliver: found "me", expected "plotrun" or "plotter"',
    ),
    "nice out of range": ("nice = 20", "expected a whole number of at least -20 and at most 19"),
    "table for a value": ("k = {a = 1}", "job.k: found a table, expected a whole number"),
    "key of another plotter": (
        "stripe = 2000",
        'job.stripe: found unknown key "stripe", expected a key that is known here',
    ),
    "name of other characters": ("plots = 1\n[[job]]\nname='a b'", "a name of letters, digits"),
}


@pytest.mark.parametrize("case", IN_A_JOB)
def test_a_mistake_in_a_job(tmp_path: Path, case: str) -> None:
    added, message = IN_A_JOB[case]
    said = "\n".join(problems(tmp_path, JOB + added + "\n"))
    assert message in said
    assert said.startswith("settings.toml:")
    if "\n" not in added:
        assert said.startswith(f"settings.toml:{LINE}: job."), said


IN_THE_FILE = {
    "unknown table": (
        "[plugin]\n" + JOB,
        'settings.toml:1: plugin: found unknown key "plugin", expected one of [plotrun], '
        "[defaults], [plugins], [[job]] (did you mean plugins?)",
    ),
    "unknown plotter": (
        JOB.replace('"chia"', '"chai"'),
        'settings.toml:3: job.plotter: found "chai", expected one of chia, chiapos, madmax, pos2 '
        "(did you mean chia?)",
    ),
    "no plotter": (
        JOB.replace('plotter = "chia"\n', ""),
        "settings.toml:1: job.plotter: found nothing, expected one of chia, chiapos, madmax, pos2 "
        "(plotter must be given)",
    ),
    "plotter of a wrong type": (JOB.replace('"chia"', "3"), "job.plotter: found 3, expected one"),
    "duplicate job": (
        JOB + JOB,
        'settings.toml:7: job.name: found "one", expected a name that no other job has',
    ),
    "missing tmp": (
        JOB.replace('tmp = "/tmp/t"\n', ""),
        "settings.toml:1: job.tmp: found nothing, expected an absolute path or a list of them "
        "(tmp must be given)",
    ),
    "tmp is a destination": (
        JOB.replace("/tmp/t", "/tmp/d/"),
        'settings.toml:4: job.tmp: found "/tmp/d", expected a directory that is no destination: '
        '"/tmp/d" is in dst too',
    ),
    "not TOML": ("[[job]]\nname = \n", "settings.toml:2: not valid TOML: Invalid value"),
    "key given twice": (JOB + "k = 1\nk = 2\n", "not valid TOML: Cannot overwrite a value"),
    "ends in the middle": ('[[job]]\nname = "a', "not valid TOML"),
    "empty": ("", "settings.toml: job: found no job, expected at least one [[job]]"),
    "not UTF-8": (
        JOB.encode() + b'command = "\xff"\n',
        "settings.toml:6: this line is not UTF-8: save the file as UTF-8",
    ),
    "one bracket": (
        JOB.replace("[[job]]", "[job]"),
        "settings.toml:1: job: found [job], expected [[job]] with two brackets on each side",
    ),
    "jobs that are no tables": ("job = [1]", "job: found 1, expected a table"),
    "plugins that are no table": ("plugins = 1\n" + JOB, "plugins: found 1, expected a table"),
    "defaults that are no table": ("defaults = 1\n" + JOB, "defaults: found 1, expected a table"),
    "plotrun that is no table": ("plotrun = 1\n" + JOB, "plotrun: found 1, expected a table"),
    "unknown blocked plugin": (
        '[plugins]\nblocked = ["limit"]\n' + JOB,
        'settings.toml:2: plugins.blocked: found "limit", expected the name of a plugin '
        "(see `plotrun plugins`) (did you mean limits?)",
    ),
    "blocked that is no list": (
        '[plugins]\nblocked = "limits"\n' + JOB,
        'plugins.blocked: found "limits", expected a list of plugin names',
    ),
    "unknown plugin section": (
        "[plugins.alarm]\nx = 1\n" + JOB,
        'settings.toml:1: plugins.alarm: found "alarm", expected the name of a plugin',
    ),
    "section of a plugin without settings": (
        "[plugins.round_robin]\nx = 1\n" + JOB,
        "settings.toml:1: plugins.round_robin: found a section, expected none: this plugin has no",
    ),
    "unknown key of a plugin": (
        "[plugins.limits]\nmax_worker = 1\n" + JOB,
        'settings.toml:2: plugins.limits.max_worker: found unknown key "max_worker"',
    ),
    "number without a unit": (
        "[plugins.backoff]\nfirst_wait = 30\n" + JOB,
        "settings.toml:2: plugins.backoff.first_wait: found 30, expected a duration such as "
        '"30s", "15m" or "1h30m" (the unit is missing)',
    ),
    "defaults of an unknown plotter": (
        "[defaults.chai]\nk = 32\n" + JOB,
        'settings.toml:1: defaults.chai: found "chai", expected the name of a plotter',
    ),
    "name as a default": (
        '[defaults]\nname = "x"\n' + JOB,
        'settings.toml:2: defaults.name: found unknown key "name"',
    ),
}


@pytest.mark.parametrize("case", IN_THE_FILE)
def test_a_mistake_in_the_file(tmp_path: Path, case: str) -> None:
    text, message = IN_THE_FILE[case]
    assert message in "\n".join(problems(tmp_path, text))


def test_a_missing_file_says_how_to_make_one(farm: Farm) -> None:
    wrong = farm.plotrun("run")
    assert wrong.returncode == 2
    assert wrong.stderr == (
        f"error: {farm.settings}: there is no such file (`plotrun init` writes one)\n"
    )


def test_a_directory_is_no_settings_file(farm: Farm) -> None:
    farm.settings.mkdir()
    wrong = farm.plotrun("check")
    assert wrong.returncode == 2
    assert "this is a directory, not a settings file (name the file in it)" in wrong.stderr


def test_all_mistakes_are_told_at_once_in_the_order_of_lines(tmp_path: Path) -> None:
    text = "[plotrun]\nkeep_logs = -1\n[defaults]\nthreads = 0\n" + JOB + "k = 1\nplots = -2\n"
    said = problems(tmp_path, text + JOB.replace('"one"', '"two"').replace("/tmp/d", "d"))
    assert [line.split(": ")[:2] for line in said] == [
        ["settings.toml:2", "plotrun.keep_logs"],
        ["settings.toml:4", "defaults.threads"],
        ["settings.toml:10", "job.k"],
        ["settings.toml:11", "job.plots"],
        ["settings.toml:16", "job.dst"],
    ]


def test_a_mistake_in_a_default_is_told_once_for_all_jobs(tmp_path: Path) -> None:
    jobs = JOB + JOB.replace('"one"', '"two"')
    (said,) = problems(tmp_path, "[defaults]\nthreads = 0\n" + jobs)
    assert "defaults.threads" in said


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
    from farm import until

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
    from farm import until

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
