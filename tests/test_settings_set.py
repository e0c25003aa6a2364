"""``plotrun settings set``: one value changes, and all that people wrote around it stays."""

from __future__ import annotations

import os
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

from farm import Farm

EXAMPLE = Path(__file__).parents[1] / "settings.example.toml"
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

[[job]]
name = "b.c"
plotter = "chia"
tmp = "/t"
dst = "/d4"
"""


@pytest.fixture
def commented(farm: Farm) -> Farm:
    farm.settings.write_text(COMMENTED.format(state=farm.state_dir))
    return farm


def set_to(farm: Farm, key: str, value: str) -> str:
    changed = farm.plotrun("settings", "set", key, value)
    assert (changed.returncode, changed.stderr) == (0, "")
    return farm.settings.read_bytes().decode()


def test_set_changes_one_value_and_nothing_else(commented: Farm) -> None:
    before = commented.settings.read_text()
    assert set_to(commented, "job.one.plots", "40") == before.replace("plots = 3", "plots = 40")


def test_set_tells_file_and_line(commented: Farm) -> None:
    changed = commented.plotrun("settings", "set", "job.one.plots", "5")
    assert changed.stdout == f"{commented.settings}:12: job.one.plots = 5\n"


def test_set_adds_keys_where_they_belong_and_tables_at_the_end(commented: Farm) -> None:
    text = commented.settings.read_text()
    for key, value, old, new in (
        ("job.two.k", "33", 'dst = "/d3"\n', 'dst = "/d3"\nk = 33\n'),
        ("job.one.nice", "-5", "# enough\n", "# enough\nnice = -5\n"),
        ("plotrun.keep_logs", "false", "# why here\n", "# why here\nkeep_logs = false\n"),
        ("job.b.c.enabled", "false", 'dst = "/d4"\n', 'dst = "/d4"\nenabled = false\n'),
    ):
        text = text.replace(old, new)
        assert set_to(commented, key, value) == text
    for key, value, new in (
        ("plugins.limits.max_workers", "4", "[plugins.limits]\nmax_workers = 4\n"),
        ("defaults.chia.threads", "8", "[defaults.chia]\nthreads = 8\n"),
    ):
        after = set_to(commented, key, value)
        assert after.startswith(text)
        assert after.endswith(new)


def test_set_puts_a_value_below_the_comment_that_shows_it(farm: Farm) -> None:
    farm.plotrun("init")
    text = EXAMPLE.read_text("utf-8")
    for key, value in (
        ("plotrun.copies_per_disk", "2"),
        ("plugins.limits.max_workers", "3"),
        ("plugins.backoff.pause_after", "0"),
        ("job.first.plots", "7"),
        ("job.first.nice", "19"),
    ):
        name = key.split(".")[-1]
        after = set_to(farm, key, value)
        row = f"{name} = {value}\n"
        assert after.count(row) == 1
        front, _, back = after.partition(row)
        assert front.splitlines()[-1].startswith(f"# {name} = ")
        assert front + back == text
        text = after


@pytest.mark.parametrize(
    ("key", "value", "written"),
    [
        ("job.one.post_command", "echo %plot%", 'post_command = "echo %plot%"'),
        ("job.one.post_command", 'echo "%plot%" # x', r'post_command = "echo \"%plot%\" # x"'),
        ("job.one.post_command", "'echo'", "post_command = 'echo'"),
        ("job.one.command", "5", 'command = "5"'),
        ("job.one.dst", '["/x", "/y"]', 'dst = ["/x", "/y"]'),
        ("job.one.dst", "/x", 'dst = "/x"'),
        ("job.one.io_priority", "low", 'io_priority = "low"'),
        ("job.one.name", "2026-11-20", 'name = "2026-11-20"'),
        ("job.one.enabled", " false ", "enabled = false"),
        ("job.one.k", "0x20", "k = 0x20"),
        ("plotrun.disk_timeout", "30s", 'disk_timeout = "30s"'),
        ("plotrun.disk_timeout", "0", "disk_timeout = 0"),
        (
            "job.one.farmer_public_key",
            "0x97f1d3a73197d7942695638c4fa9ac0fc3688c4f9774b905"
            "a14e3a3f171bac586c55e83ff97a1aeffb3af00adb22c6bb",
            'farmer_public_key = "0x97f1d3a7',
        ),
    ],
)
def test_set_reads_a_value_as_it_is_meant(
    commented: Farm, key: str, value: str, written: str
) -> None:
    assert f"\n{written}" in set_to(commented, key, value)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("job.one.plots", "many", 'found "many", expected a whole number of at least 0'),
        ("job.one.plots", "3\n[odd]", 'found "3\\n[odd]", expected a whole number'),
        ("job.one.plots", "", 'found "", expected a whole number'),
        ("job.one.plotz", "1", "did you mean plots?"),
        ("job.three.plots", "1", 'found "three", expected job.NAME.KEY with the name of a job'),
        ("job.on.plots", "1", "did you mean one?"),
        ("job.one", "1", 'found "one", expected job.NAME.KEY'),
        ("job.two.name", "one", "expected a name that no other job has"),
        ("plots", "1", "found no table, expected a key such as plotrun.keep_logs"),
        ("plotrun..x", "1", "found no table, expected a key such as plotrun.keep_logs"),
        ("odd.key", "1", 'unknown key "odd"'),
        ("plotrun.state_dir.x", "1", 'found "state_dir", which is no table'),
        ("job.one.dst.0", "/x", 'found "dst", which is no table'),
        ("job.one.dst", "[]", "expected an absolute path"),
        ("job.one.tmp", "/d1", "expected a directory that is no destination"),
        ("job.one.post_command", os.fsdecode(b"\xff"), "found bytes that are no text"),
    ],
)
def test_set_writes_nothing_that_would_be_wrong(
    commented: Farm, key: str, value: str, message: str
) -> None:
    before = commented.settings.read_bytes()
    wrong = commented.plotrun("settings", "set", key, value)
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert message in wrong.stderr
    assert all(row.startswith(f"error: {commented.settings}:") for row in wrong.stderr.splitlines())
    assert commented.settings.read_bytes() == before
    assert [path.name for path in commented.root.glob(".settings-*")] == []


def test_set_replaces_no_table(commented: Farm) -> None:
    set_to(commented, "defaults.chia.k", "25")
    wrong = commented.plotrun("settings", "set", "defaults.chia", "{k = 32}")
    assert wrong.returncode == 2
    assert "defaults.chia: found a table, expected one of its keys" in wrong.stderr


def test_set_tells_of_a_missing_file(farm: Farm) -> None:
    wrong = farm.plotrun("settings", "set", "plotrun.keep_logs", "true")
    assert wrong.returncode == 2
    assert "there is no such file" in wrong.stderr


def test_set_keeps_links_and_permissions(commented: Farm) -> None:
    real = commented.root / "real.toml"
    commented.settings.rename(real)
    real.chmod(0o640)
    commented.settings.symlink_to(real)
    set_to(commented, "job.one.plots", "9")
    assert commented.settings.is_symlink()
    assert "plots = 9" in real.read_text()
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root may give")
def test_set_by_root_leaves_the_file_to_its_owner(commented: Farm) -> None:
    os.chown(commented.settings, 12345, 12345)
    set_to(commented, "job.one.plots", "9")
    status = commented.settings.stat()
    assert (status.st_uid, status.st_gid) == (12345, 12345)


def test_set_ends_lines_as_the_file_does(commented: Farm) -> None:
    commented.settings.write_bytes(commented.settings.read_bytes().replace(b"\n", b"\r\n"))
    after = set_to(commented, "job.two.k", "33")
    assert 'dst = "/d3"\r\nk = 33\r\n' in after
    assert after.count("\n") == after.count("\r\n")


ODD = """\
plotrun.keep_logs = true
job = [
  { name = "one", plotter = "chia", tmp = "/t", dst = "/d", k = 25 },
]
[plugins]
backoff.pause_after = 3 # times
[defaults]
command = '''
# threads = 3
chia'''
"""


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("plotrun.keep_logs", False),
        ("plotrun.copies_per_disk", 2),
        ("job.one.k", 32),
        ("job.one.threads", 4),
        ("plugins.backoff.pause_after", 4),
        ("plugins.backoff.first_wait", "9s"),
        ("plugins.limits.max_workers", 2),
        ("defaults.threads", 4),
        ("defaults.chia.threads", 4),
    ],
)
def test_set_finds_its_way_in_a_file_that_is_written_oddly(
    farm: Farm, key: str, value: object
) -> None:
    farm.settings.write_text(ODD)
    expected: Any = tomllib.loads(ODD)
    inner = expected
    *tables, last = key.replace("job.one", "job.0").split(".")
    for name in tables:
        inner = inner[0] if name == "0" else inner.setdefault(name, {})
    inner[last] = value
    after = set_to(farm, key, str(value).lower())
    assert tomllib.loads(after) == expected
    assert "# times" in after
