"""Wrong settings are messages: file, line, key, what was found, what is expected."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PLOTRUN_NO_ENTRY_POINTS", "1")
    SCHEMA = load_plugins().schema()
PLOTTERS = f"one of {', '.join(sorted(SCHEMA.plotters))}"
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
        'job.treads: found unknown key "treads", expected a key of a job of chia '
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
    "no time at all": ('stuck_after = "0s"', "expected a duration"),
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
        "(it is nobody's key: a digit is mistyped)",
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
    "number that is too large": (
        "plots = 99999999999999999999",
        "found 99999999999999999999, expected a whole number of at least 0 (it is too large)",
    ),
    "number of thousands of digits": (
        f"plots = 0x{'f' * 5000}",
        "job.plots: found a very large number, expected a whole number",
    ),
    "date": ("k = 2026-11-20", "job.k: found 2026-11-20, expected a whole number"),
    "list of several things": (
        'tmp2 = ["/a", true, 1.5, {}]',
        'job.tmp2: found ["/a", true, 1.5, a table], expected an absolute path',
    ),
    "text of several lines": ('k = """a\nb"""', 'job.k: found "a\\nb", expected'),
    "text that would clear the screen": (
        'k = "\\u001b[2J\\u009b"',
        'job.k: found "\\u001b[2J\\x9b", expected',
    ),
    "long text": (f'k = "{"x" * 300}"', f'job.k: found "{"x" * 118}…, expected'),
    "key of odd characters": (
        '"a b" = 1',
        'job."a b": found unknown key "a b", expected a key of a job of chia',
    ),
    "key without a name": ('"" = 1', 'job."": found unknown key ""'),
    "key of another section": (
        'state_dir = "/x"',
        'found unknown key "state_dir", expected a key of a job of chia (it belongs in [plotrun])',
    ),
    "command that is empty": (
        'command = " "',
        'job.command: found " ", expected a program or a shell line (it is empty)',
    ),
    "command with an open quote": ('command = "chia \'x"', "(a quote is not closed)"),
    "command of a wrong type": ("command = 5", "(it is not text)"),
    "command with NUL": ('command = "a\\u0000"', "(it has a NUL character)"),
    "path with NUL": ('tmp2 = "/a\\u0000"', "(it has a NUL character)"),
    "path that is a destination but for slashes": (
        'tmp2 = ["/x", "//tmp//d/"]',
        'job.tmp2: found "/tmp/d", expected a directory that is no destination',
    ),
    "home of nobody": ('tmp2 = "~nobody-of-this-name/x"', "Could not determine home directory"),
    "table for a value": ("k = {a = 1}", "job.k: found a table, expected a whole number"),
    "key of another plotter": (
        "tmp_toggle = true",
        'job.tmp_toggle: found unknown key "tmp_toggle", expected a key of a job of chia '
        "(it belongs in a [[job]] of madmax)",
    ),
}


@pytest.mark.parametrize("case", IN_A_JOB)
def test_a_mistake_in_a_job(tmp_path: Path, case: str) -> None:
    added, message = IN_A_JOB[case]
    (said,) = problems(tmp_path, JOB + added + "\n")
    assert message in said
    assert re.match(r"settings\.toml:\d+: job\.\S+.*: found .+, expected .+", said)
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
        f'settings.toml:3: job.plotter: found "chai", expected {PLOTTERS} (did you mean chia?)',
    ),
    "no plotter": (
        JOB.replace('plotter = "chia"\n', ""),
        f"settings.toml:1: job.plotter: found nothing, expected {PLOTTERS} (plotter must be given)",
    ),
    "plotter of a wrong type": (JOB.replace('"chia"', "3"), "job.plotter: found 3, expected one"),
    "duplicate job": (
        JOB + JOB,
        'settings.toml:7: job.name: found "one", expected a name that no other job has',
    ),
    "name of other characters": (
        JOB.replace('"one"', '"a b"'),
        'job.name: found "a b", expected a name of letters, digits',
    ),
    "missing name": (
        JOB.replace('name = "one"\n', ""),
        "settings.toml:1: job.name: found nothing, expected a name of letters",
    ),
    "missing key of the plotter": (
        JOB.replace("chia", "madmax"),
        "settings.toml:1: job.farmer_public_key: found nothing, expected a public key",
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
    "value missing": (
        "[[job]]\nname = \n",
        "settings.toml:2: not valid TOML: a value is missing or wrong",
    ),
    "text without quotes": (
        "[[job]]\nname = one\n",
        'settings.toml:2: not valid TOML: a value is missing or wrong (text stands in quotes: "te',
    ),
    "backslash": (
        JOB + 'command = "C:\\chia"\n',
        'settings.toml:6: not valid TOML: a backslash in "text" is doubled',
    ),
    "key given twice": (
        JOB + "k = 1\nk = 2\n",
        "settings.toml:7: not valid TOML: a key is given twice",
    ),
    "table given twice": (
        "[plotrun]\n[plotrun]\n",
        "settings.toml:2: not valid TOML: a table is there twice",
    ),
    "no equals sign": (JOB + "k 32\n", "not valid TOML: a line is neither KEY = VALUE nor"),
    "open quote": (JOB + 'command = "chia\n', "settings.toml:6: not valid TOML: a quote is not"),
    "ends in the middle": ('[[job]]\nname = "a', "settings.toml:2: not valid TOML: a quote is not"),
    "list that is not closed": ('[[job]]\ndst = ["/a"\n', "not valid TOML: a list is not closed"),
    "NUL": ("\0", "settings.toml:1: not valid TOML: a line is neither"),
    "nested without end": (
        f"x = {'[' * 5000}{']' * 5000}",
        "settings.toml: a number is too long, or lists are nested too deeply",
    ),
    "number without end": ("9" * 5000, "settings.toml:1: not valid TOML"),
    "decimal without end": (f"x = {'9' * 5000}", "settings.toml: a number is too long"),
    "empty": (
        "",
        "settings.toml: job: found no job, expected at least one [[job]] (see `plotrun init`)",
    ),
    "no job": ("[plotrun]\n", "settings.toml: job: found no job, expected at least one [[job]]"),
    "not UTF-8": (
        JOB.encode() + b'command = "\xff"\n',
        "settings.toml:6: this line is not UTF-8: save the file as UTF-8",
    ),
    "one bracket": (
        JOB.replace("[[job]]", "[job]"),
        "settings.toml:1: job: found [job], expected [[job]] with two brackets on each side",
    ),
    "UTF-16": (JOB.encode("utf-16"), "settings.toml:1: this line is not UTF-8"),
    "one bracket and nothing in it": (
        "[job]\n",
        "settings.toml:1: job: found [job], expected [[job]] with two brackets on each side",
    ),
    "job that is a number": ("job = 3", "settings.toml:1: job: found 3, expected [[job]] tables"),
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
        'settings.toml:1: plugins.alarm: found "alarm", expected blocked, or the name of a plugin '
        "that is loaded",
    ),
    "blocked misspelt": (
        "[plugins]\nblock = []\n" + JOB,
        'settings.toml:2: plugins.block: found "block", expected blocked, or the name of a plugin '
        "that is loaded (did you mean blocked?)",
    ),
    "plugin that is no table": (
        "[plugins]\nlimits = 3\n" + JOB,
        "settings.toml:2: plugins.limits: found 3, expected a table",
    ),
    "section of a plugin without settings": (
        "[plugins.round_robin]\nx = 1\n" + JOB,
        "settings.toml:1: plugins.round_robin: found a section, expected none: this plugin has no",
    ),
    "unknown key of a plugin": (
        "[plugins.limits]\nmax_worker = 1\n" + JOB,
        'settings.toml:2: plugins.limits.max_worker: found unknown key "max_worker", '
        "expected a key of [plugins.limits] (did you mean max_workers?)",
    ),
    "number without a unit": (
        "[plugins.backoff]\nfirst_wait = 30\n" + JOB,
        "settings.toml:2: plugins.backoff.first_wait: found 30, expected a duration such as "
        '"30s", "15m" or "1h30m" (the unit is missing)',
    ),
    "duration of ages": (
        '[plugins.backoff]\nfirst_wait = "99999999w"\n' + JOB,
        "(it is longer than 100 years)",
    ),
    "key before all tables": (
        "k = 32\nkeep_logs = true\n" + JOB,
        'settings.toml:2: keep_logs: found unknown key "keep_logs", expected one of [plotrun], '
        "[defaults], [plugins], [[job]] (it belongs in [plotrun])",
    ),
    "key of a job among the general ones": (
        "[plotrun]\nmax_workers = 2\n" + JOB,
        'settings.toml:2: plotrun.max_workers: found unknown key "max_workers", '
        "expected a key of [plotrun] (it belongs in a [[job]] or [plugins.limits])",
    ),
    "defaults of a plotter that are no table": (
        "[defaults]\nchia = 3\n" + JOB,
        "settings.toml:2: defaults.chia: found 3, expected a table",
    ),
    "table for a default": (
        "[defaults.tmp]\na = 3\n" + JOB,
        "settings.toml:1: defaults.tmp: found a table, expected an absolute path",
    ),
    "plotter as a default of a plotter": (
        '[defaults.chia]\nplotter = "madmax"\n' + JOB,
        'settings.toml:2: defaults.chia.plotter: found unknown key "plotter"',
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


def test_a_name_is_told_to_be_taken_though_the_first_job_is_wrong_too(tmp_path: Path) -> None:
    said = problems(tmp_path, JOB + "k = 1\n" + JOB)
    assert [line.split(": ")[:2] for line in said] == [
        ["settings.toml:6", "job.k"],
        ["settings.toml:8", "job.name"],
    ]


def test_a_job_of_an_unknown_plotter_may_have_the_keys_of_any(tmp_path: Path) -> None:
    text = JOB.replace("chia", "none") + "buckets = 512\ntmp_toggle = 1\nodd = 1\n"
    said = [line.split(": ")[1] for line in problems(tmp_path, text)]
    assert said == ["job.plotter", "job.tmp_toggle", "job.odd"]
