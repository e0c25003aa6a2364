"""``plotrun init``, ``settings`` and ``check``, as a user types them."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import tomllib
from pathlib import Path

from farm import PLOTRUN, Farm, small_disk
from plotrun.cli.init import template

EXAMPLE = Path(__file__).parents[1] / "settings.example.toml"


def plotrun(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run plotrun in *cwd*, with no settings but those of *environment*."""
    inherited = {k: v for k, v in os.environ.items() if k != "PLOTRUN_SETTINGS"}
    return subprocess.run(
        [*PLOTRUN, *arguments],
        cwd=cwd,
        env=inherited | environment,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",
        check=False,
    )


# init


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
    named = farm.root / "named.toml"
    config = {"XDG_CONFIG_HOME": str(farm.root / "config")}
    assert farm.plotrun("init").returncode == 0
    assert plotrun("init", cwd=farm.root, PLOTRUN_SETTINGS=str(named), **config).returncode == 0
    said = plotrun("init", cwd=farm.root, **config)
    users = farm.root / "config" / "plotrun" / "settings.toml"
    assert said.stdout == f"wrote {users}: edit the [[job]] at its end, then run `plotrun check`\n"
    for file in (farm.settings, named, users):
        assert file.read_bytes() == EXAMPLE.read_bytes()


def test_init_keeps_away_from_what_is_no_file(farm: Farm) -> None:
    farm.settings.mkdir()
    for arguments in (["init"], ["init", "--force"], ["init", f"{EXAMPLE}/below"]):
        failed = farm.plotrun(*arguments)
        assert failed.returncode == 1
        assert failed.stderr.startswith("error: ")
        assert failed.stderr.count("\n") == 1


def test_what_init_wrote_is_right_but_for_its_directories(farm: Farm) -> None:
    farm.plotrun("init")
    checked = farm.plotrun("check")
    assert checked.returncode == 1
    assert "FAIL  tmp of job first /mnt/nvme: missing" in checked.stdout


# path


def test_the_file_is_looked_for_in_order(farm: Farm) -> None:
    here = farm.root / "here"
    here.mkdir()
    config = {"XDG_CONFIG_HOME": str(farm.root / "config")}

    def path(*options: str, **environment: str) -> str:
        found = plotrun(*options, "settings", "path", cwd=here, **config, **environment)
        assert (found.returncode, found.stderr) == (0, "")
        return found.stdout

    assert path() == f"{farm.root}/config/plotrun/settings.toml\n"
    (here / "settings.toml").touch()
    assert path() == f"{here}/settings.toml\n"
    assert path(PLOTRUN_SETTINGS="/from/environment.toml") == "/from/environment.toml\n"
    assert path("--settings", "given.toml", PLOTRUN_SETTINGS="/x") == f"{here}/given.toml\n"
    assert path("--settings", "~/x.toml", HOME="/home/me") == "/home/me/x.toml\n"


def test_a_path_of_any_bytes_is_printed_as_it_is(farm: Farm) -> None:
    odd = os.fsdecode(b"odd \xff.toml")
    found = plotrun("--settings", odd, "settings", "path", cwd=farm.root)
    assert found.stdout == f"{farm.root}/{odd}\n"
    missing = plotrun("--settings", odd, "check", cwd=farm.root)
    assert missing.returncode == 2
    assert missing.stderr.startswith(f"error: {farm.root}/odd \\xff.toml: there is no such file")


# show


def test_show_tells_values_and_where_they_come_from(farm: Farm) -> None:
    farm.write(rest="[defaults.chiapos]\nthreads = 7\n", k=20)
    shown = [line.split() for line in farm.plotrun("settings", "show").stdout.splitlines()]
    assert ["job", "test"] in shown
    assert ["threads", "7", "[defaults.chiapos],", "line", "5"] in shown
    assert ["k", "20", "[[job]],", "line", "11"] in shown
    assert ["max_workers", "1", "default"] in shown
    assert ["enabled", "true", "default"] in shown
    assert ["buckets", "-", "default"] in shown


JOB = '[[job]]\nname = "%s"\nplotter = "chia"\ntmp = "/t"\ndst = "/d"\n'
THREE = "".join(JOB % name for name in ("one", "two", "b.c"))


def test_show_of_one_job_tells_of_no_other(farm: Farm) -> None:
    farm.settings.write_text(THREE)
    shown = farm.plotrun("settings", "show", "two")
    assert shown.returncode == 0
    assert "job two" in shown.stdout
    assert "job one" not in shown.stdout
    missing = farm.plotrun("settings", "show", "three")
    assert (missing.returncode, missing.stdout) == (3, "")
    assert missing.stderr == "error: there is no job three; there are: one, two, b.c\n"


# schema


def test_the_schema_describes_every_key(farm: Farm) -> None:
    schema = json.loads(farm.plotrun("settings", "schema").stdout)
    tables = schema["properties"]
    job = tables["job"]["items"]["properties"]
    assert job["nice"] == {
        "type": "integer",
        "minimum": -20,
        "maximum": 19,
        "description": "Priority of the plotter: 19 is the lowest.",
    }
    assert {"bladebit", "chia", "chiapos", "madmax", "xchplot2"} <= set(job["plotter"]["enum"])
    plugins = tables["plugins"]["properties"]
    defaults = tables["defaults"]["properties"]
    found = [job, tables["plotrun"]["properties"], defaults["chia"]["properties"]]
    found += [plugins[name]["properties"] for name in ("limits", "backoff", "chiapos")]
    for table in found:
        assert table
        for name, key in table.items():
            assert key["description"], name
            assert {"type", "anyOf", "enum", "const"} & key.keys(), name


def test_the_schema_allows_what_any_plotter_allows(farm: Farm) -> None:
    schema = json.loads(farm.plotrun("settings", "schema").stdout)
    tables = schema["properties"]
    buckets = tables["job"]["items"]["properties"]["buckets"]["anyOf"]
    assert {type_["maximum"] for type_ in buckets} >= {128, 1024}
    chia = tables["defaults"]["properties"]["chia"]["properties"]
    assert (chia["buckets"]["maximum"], chia["buckets"]["default"]) == (128, 128)
    assert tables["plugins"]["properties"]["backoff"]["properties"]["first_wait"] == {
        "type": "string",
        "default": "1m",
        "description": "Wait after the first failure; then it doubles.",
    }


def test_the_example_is_right_by_the_schema(farm: Farm) -> None:
    schema = json.loads(farm.plotrun("settings", "schema").stdout)
    example = tomllib.loads(EXAMPLE.read_text("utf-8"))
    assert set(example) <= set(schema["properties"])
    assert set(schema["properties"]["job"]["items"]["required"]) <= set(example["job"][0])
    if importlib.util.find_spec("jsonschema"):
        import jsonschema

        jsonschema.validate(example, schema)


# check


def test_check_tells_each_thing_in_a_line(farm: Farm) -> None:
    farm.write()
    checked = farm.plotrun("check")
    assert checked.returncode == 0
    lines = checked.stdout.splitlines()
    assert all(line.startswith("ok    ") for line in lines)
    for words in ("settings", "state directory", "plotter chiapos", "tmp of job", "dst of job"):
        assert any(words in line for line in lines), words
    assert any("version chiapos 2." in line for line in lines)


def failures(farm: Farm) -> list[str]:
    checked = farm.plotrun("check")
    assert checked.returncode == 1
    return [line for line in checked.stdout.splitlines() if line.startswith("FAIL")]


def test_check_fails_for_what_is_not_in_place(farm: Farm) -> None:
    gone = farm.root / "gone"
    farm.write(dst=[str(gone), str(farm.root / "a")], command="/nowhere/plotter")
    assert failures(farm) == [
        "FAIL  plotter chiapos (/nowhere/plotter): /nowhere/plotter is not found; "
        "set `command` to where it is",
        f"FAIL  dst of job test {gone}: missing",
    ]


def test_check_fails_for_a_destination_that_is_no_directory(farm: Farm) -> None:
    (farm.root / "file").touch()
    farm.write(dst=str(farm.root / "file"))
    assert failures(farm) == [f"FAIL  dst of job test {farm.root}/file: not a directory"]


def test_check_fails_for_a_disk_that_cannot_be_written_to(farm: Farm) -> None:
    farm.write(dst=str(farm.root / "a"))
    with small_disk(farm.root / "a", "1m,ro"):
        (failed,) = failures(farm)
    assert failed.startswith(f"FAIL  dst of job test {farm.root}/a: ")


def test_check_fails_for_a_plotter_that_does_not_work(farm: Farm) -> None:
    broken = farm.root / "broken"
    broken.write_text("#!/bin/sh\necho no such library; exit 127\n")
    broken.chmod(0o755)
    farm.write(command=str(broken))
    (failed,) = failures(farm)
    assert f"`{broken} --version` exited with 127: no such library" in failed


def test_check_does_not_make_the_state_directory(farm: Farm) -> None:
    farm.write()
    farm.plotrun("check")
    assert not os.path.lexists(farm.state_dir)
