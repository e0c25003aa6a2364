"""Tab in bash, zsh and fish, by the shells themselves."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from farm import Farm, until


@pytest.fixture
def path(farm: Farm) -> str:
    """A search path on which `plotrun` is this one, with the farm's settings."""
    place = farm.root / "bin"
    place.mkdir()
    program = place / "plotrun"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m plotrun "$@"\n')
    program.chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


def offered_by_bash(farm: Farm, path: str, line: str) -> set[str]:
    """What bash offers at the end of *line*."""
    words = line.split(" ")
    script = (
        'eval "$(plotrun completion bash)"\n'
        f"COMP_WORDS=({' '.join(word or chr(39) * 2 for word in words)})\n"
        f"COMP_CWORD={len(words) - 1}\n"
        "$(complete -p plotrun | sed 's/.*-F \\([^ ]*\\).*/\\1/') plotrun\n"
        'printf "%s\\n" "${COMPREPLY[@]}"\n'
    )
    return set(shell("bash", farm, path, "--norc", "-c", script).split())


def shell(
    name: str, farm: Farm, path: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> str:
    said = subprocess.run(
        [name, *arguments],
        env=os.environ
        | {"PATH": path, "PLOTRUN_SETTINGS": str(farm.settings)}
        | dict(environment or {}),
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert said.stderr == ""
    return said.stdout


def test_bash_completes_commands_workers_and_jobs(farm: Farm, path: str) -> None:
    farm.write(when_full="plot", dst=str(farm.root / "gone"))
    assert offered_by_bash(farm, path, "plotrun kill ") == set()
    assert not farm.state_dir.exists(), "Tab makes nothing"
    runner = farm.start("run")
    until(runner, "no destination for")
    (row,) = farm.workers()
    one = row["id"]
    assert {"suspend", "status"} <= offered_by_bash(farm, path, "plotrun s")
    assert offered_by_bash(farm, path, "plotrun kill ") == {one, "test", "all"}
    assert offered_by_bash(farm, path, f"plotrun kill {one[:3]}") == {one}
    assert offered_by_bash(farm, path, "plotrun logs ") == {one}
    assert offered_by_bash(farm, path, "plotrun retry ") == set()
    assert offered_by_bash(farm, path, "plotrun pause te") == {"test"}
    assert offered_by_bash(farm, path, "plotrun events --job ") == {"test"}
    runner.terminate()
    runner.communicate()


@pytest.mark.parametrize("name", ["zsh", "fish"])
def test_other_shells_are_answered_in_their_form(farm: Farm, path: str, name: str) -> None:
    farm.write(plots=1)
    farm.run_until_done()
    line = {"COMP_WORDS": "plotrun pause t", "COMP_CWORD": "t" if name == "fish" else "2"}
    asked = line | {"_PLOTRUN_COMPLETE": f"{name}_complete"}
    said = shell("sh", farm, path, "-c", "plotrun", environment=asked)
    assert said.split() == (
        ["plain", "test", "chiapos"] if name == "zsh" else ["plain,test", "chiapos"]
    )


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_the_script_is_one_of_its_shell(farm: Farm, path: str, name: str) -> None:
    script = farm.plotrun("completion", name).stdout
    assert f"_PLOTRUN_COMPLETE={name}_complete" in script
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    file = farm.root / "script"
    file.write_text(script)
    shell(name, farm, path, "-n", str(file))


def test_a_wrong_settings_file_completes_nothing(farm: Farm, path: str, tmp_path: Path) -> None:
    farm.settings.write_text("not toml")
    assert offered_by_bash(farm, path, "plotrun pause ") == set()
