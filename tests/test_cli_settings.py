"""``plotrun init``, ``settings`` and ``check``, as a user types them."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from farm import Farm
from plotrun.cli.init import template

EXAMPLE = Path(__file__).parents[1] / "settings.example.toml"


def test_init_writes_the_example_and_never_over_a_file(farm: Farm) -> None:
    target = farm.root / "new" / "my.toml"
    assert farm.plotrun("init", str(target)).returncode == 0
    assert target.read_bytes() == EXAMPLE.read_bytes() == template()
    target.write_text("mine")
    again = farm.plotrun("init", str(target))
    assert again.returncode == 1
    assert again.stderr == f"error: {target} exists already: --force replaces it\n"
    assert target.read_text() == "mine"
    assert farm.plotrun("init", "--force", str(target)).returncode == 0
    assert target.read_bytes() == EXAMPLE.read_bytes()


def test_init_goes_where_the_settings_are_looked_for(farm: Farm) -> None:
    assert farm.plotrun("init").returncode == 0
    assert farm.settings.read_bytes() == EXAMPLE.read_bytes()


def test_what_init_wrote_is_right_but_for_its_directories(farm: Farm) -> None:
    farm.plotrun("init")
    checked = farm.plotrun("check")
    assert checked.returncode == 1
    assert "FAIL  tmp of job first /mnt/nvme: missing" in checked.stdout


def test_the_file_is_looked_for_in_order(farm: Farm, monkeypatch: pytest.MonkeyPatch) -> None:
    from plotrun.settings.locate import locate

    here, config = farm.root / "here", farm.root / "config"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(config))
    monkeypatch.delenv("PLOTRUN_SETTINGS", raising=False)
    assert locate(None) == config / "plotrun" / "settings.toml"
    (here / "settings.toml").touch()
    assert locate(None) == here / "settings.toml"
    monkeypatch.setenv("PLOTRUN_SETTINGS", "/from/environment.toml")
    assert locate(None) == Path("/from/environment.toml")
    assert locate("given.toml") == here / "given.toml"
    assert farm.plotrun("settings", "path").stdout == f"{farm.settings}\n"


def test_show_tells_values_and_where_they_come_from(farm: Farm) -> None:
    farm.write(rest="[defaults.chiapos]\nthreads = 7\n", k=20)
    shown = [line.split() for line in farm.plotrun("settings", "show").stdout.splitlines()]
    assert ["job", "test"] in shown
    assert ["threads", "7", "[defaults.chiapos],", "line", "5"] in shown
    assert ["k", "20", "[[job]],", "line", "11"] in shown
    assert ["max_workers", "1", "default"] in shown


COMMENTED = """\
# at the top
[plotrun]
state_dir = "{state}" # why here

[[job]] # the first
name = "one"
plotter = "chia"
tmp = "/t"
# these are full soon
dst = ["/d1",
       "/d2"] # the big ones
plots = 3 # enough

[[job]]
plotter = "chia"
name = "two"
tmp = "/t"
dst = "/d3"
"""


@pytest.fixture
def commented(farm: Farm) -> Farm:
    farm.settings.write_text(COMMENTED.format(state=farm.state_dir))
    return farm


def set_to(farm: Farm, key: str, value: str) -> str:
    changed = farm.plotrun("settings", "set", key, value)
    assert changed.returncode == 0, changed.stderr
    return farm.settings.read_text()


def test_set_changes_one_value_and_nothing_else(commented: Farm) -> None:
    before = commented.settings.read_text()
    assert set_to(commented, "job.one.plots", "40") == before.replace("plots = 3", "plots = 40")


def test_set_adds_keys_and_tables(commented: Farm) -> None:
    before = commented.settings.read_text()
    for key, value, expected in (
        ("job.two.k", "33", "k = 33"),
        ("plugins.limits.max_workers", "4", "[plugins.limits]\nmax_workers = 4"),
        ("defaults.chia.threads", "8", "[defaults.chia]\nthreads = 8"),
        ("job.two.post_command", "echo %plot%", 'post_command = "echo %plot%"'),
        ("job.two.dst", '["/x", "/y"]', 'dst = ["/x", "/y"]'),
    ):
        assert expected in set_to(commented, key, value)
    after = commented.settings.read_text()
    for line in before.splitlines():
        assert line in after or line == 'dst = "/d3"'


def test_set_tells_file_and_line(commented: Farm) -> None:
    changed = commented.plotrun("settings", "set", "job.one.plots", "5")
    assert changed.stdout == f"{commented.settings}:12: job.one.plots = 5\n"


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("job.one.plots", "many", 'found "many", expected a whole number of at least 0'),
        ("job.one.plotz", "1", "did you mean plots?"),
        ("job.three.plots", "1", 'found "three", expected job.NAME.KEY with the name of a job'),
        ("job.on.plots", "1", "did you mean one?"),
        ("plots", "1", "found no table, expected a key such as plotrun.keep_logs"),
        ("odd.key", "1", 'unknown key "odd"'),
        ("plotrun.state_dir.x", "1", '"state_dir" is no table'),
        ("job.one.tmp", "/d1", "expected a directory that is no destination"),
    ],
)
def test_set_writes_nothing_that_would_be_wrong(
    commented: Farm, key: str, value: str, message: str
) -> None:
    before = commented.settings.read_bytes()
    wrong = commented.plotrun("settings", "set", key, value)
    assert wrong.returncode == 2
    assert message in wrong.stderr
    assert str(commented.settings) in wrong.stderr
    assert "Traceback" not in wrong.stderr
    assert commented.settings.read_bytes() == before
    assert [path.name for path in commented.root.glob(".settings-*")] == []


def test_set_keeps_links_and_permissions(commented: Farm) -> None:
    real = commented.root / "real.toml"
    commented.settings.rename(real)
    real.chmod(0o640)
    commented.settings.symlink_to(real)
    set_to(commented, "job.one.plots", "9")
    assert commented.settings.is_symlink()
    assert "plots = 9" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_the_schema_describes_every_key(farm: Farm) -> None:
    schema = json.loads(farm.plotrun("settings", "schema").stdout)
    job = schema["properties"]["job"]["items"]["properties"]
    assert job["k"] == {
        "type": "integer",
        "minimum": 18,
        "maximum": 50,
        "default": 32,
        "description": "Size of the plot. Below 32 is for tests.",
    }
    assert job["plotter"]["enum"] == ["chia", "chiapos", "madmax", "pos2"]
    tables = [job, schema["properties"]["plotrun"]["properties"]]
    plugins = schema["properties"]["plugins"]["properties"]
    tables += [plugins[name]["properties"] for name in ("limits", "backoff", "chiapos")]
    for table in tables:
        assert table
        for name, key in table.items():
            assert key["description"], name
            assert {"type", "anyOf", "enum", "const"} & key.keys(), name


def test_check_tells_each_thing_in_a_line(farm: Farm) -> None:
    farm.write()
    checked = farm.plotrun("check")
    assert checked.returncode == 0
    lines = checked.stdout.splitlines()
    assert all(line.startswith("ok    ") for line in lines)
    for words in ("settings", "state directory", "plotter chiapos", "tmp of job", "dst of job"):
        assert any(words in line for line in lines), words
    assert any("version chiapos 2." in line for line in lines)


def test_check_fails_for_what_is_not_in_place(farm: Farm) -> None:
    gone = farm.root / "gone"
    farm.write(dst=[str(gone), str(farm.root / "a")], command="/nowhere/plotter")
    checked = farm.plotrun("check")
    assert checked.returncode == 1
    failed = [line for line in checked.stdout.splitlines() if line.startswith("FAIL")]
    assert failed == [
        "FAIL  plotter chiapos (/nowhere/plotter): /nowhere/plotter is not found; "
        "set `command` to where it is",
        f"FAIL  dst of job test {gone}: missing",
    ]


def test_check_fails_for_a_plotter_that_does_not_work(farm: Farm) -> None:
    broken = farm.root / "broken"
    broken.write_text("#!/bin/sh\necho no such library; exit 127\n")
    broken.chmod(0o755)
    farm.write(command=str(broken))
    checked = farm.plotrun("check")
    assert checked.returncode == 1
    assert f"`{broken} --version` exited with 127: no such library" in checked.stdout


def test_check_does_not_make_the_state_directory(farm: Farm) -> None:
    farm.write()
    farm.plotrun("check")
    assert not os.path.lexists(farm.state_dir)
