"""Manners of the command line."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from farm import Farm
from plotrun.cli import COMMANDS

ROOT = Path(__file__).parents[1]
HEAVY = ("apprise", "rich", "pydantic", "tomlkit", "schedule", "asyncio")


def modules_after(code: str) -> set[str]:
    """What is imported once *code* has run."""
    said = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print(*sys.modules)"],
        check=True,
        capture_output=True,
        encoding="ascii",
    )
    return set(said.stdout.split())


@pytest.mark.parametrize("code", ["import plotrun.cli", "import plotrun"])
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    assert modules_after(code).isdisjoint(HEAVY)


def test_loading_the_plugins_imports_nothing_heavy() -> None:
    code = "from plotrun.manager import load_plugins; load_plugins()"
    assert modules_after(code).isdisjoint(HEAVY)


@pytest.mark.parametrize("name", [*COMMANDS, "settings show", "alerts test", "chiapos-check"])
def test_every_command_explains_itself(farm: Farm, name: str) -> None:
    shown = farm.plotrun(*name.split(), "--help")
    assert shown.returncode == 0
    assert shown.stdout.startswith(f"Usage: plotrun {name}")


def helps() -> list[tuple[str, str]]:
    """Every command of plotrun, those below others as well, and its help."""
    page = (ROOT / "docs" / "commands.md").read_text("utf-8")
    return re.findall(
        r"^## plotrun ([^\n]*)\n\n```text\n(.*?)\n```$", page, re.DOTALL | re.MULTILINE
    )


def test_the_page_of_commands_is_made_of_their_help() -> None:
    spec = importlib.util.spec_from_file_location("make_commands", ROOT / "docs/make_commands.py")
    assert spec is not None
    assert spec.loader is not None
    make_commands = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(make_commands)
    made = make_commands.page()
    hint = "run PLOTRUN_NO_ENTRY_POINTS=1 python docs/make_commands.py"
    assert (ROOT / "docs" / "commands.md").read_text("utf-8") == made, hint
    assert {name.split()[0] for name, _ in helps()} == set(COMMANDS)


@pytest.mark.parametrize(("name", "shown"), helps(), ids=[name for name, _ in helps()])
def test_every_command_has_an_example_of_itself(name: str, shown: str) -> None:
    if name != "settings":  # a group
        assert re.search(rf"^ +Examples?\b.*:\n(?:.*\n)*?.*plotrun {name}\b", shown, re.MULTILINE)


def test_errors_are_one_line_on_standard_error(farm: Farm) -> None:
    farm.write()
    for words in (["kill", "--yes", "x"], ["logs", "x"], ["retry", "x"], ["details", "x"]):
        said = farm.plotrun(*words)
        assert (said.returncode, said.stdout) == (3, "")
        assert said.stderr.startswith("error: ")
        assert said.stderr.count("\n") == 1


def test_a_wrong_command_is_wrong_usage(farm: Farm) -> None:
    wrong = farm.plotrun("rnu")
    assert wrong.returncode == 2
    assert "No such command 'rnu'" in wrong.stderr


def test_a_job_that_is_not_there_matches_nothing(farm: Farm) -> None:
    farm.write()
    for command in (["unpause", "tset"], ["settings", "show", "tset"]):
        wrong = farm.plotrun(*command)
        assert wrong.returncode == 3
        assert wrong.stderr == "error: there is no job tset; there are: test\n"


def test_until_done_with_an_endless_job_is_wrong_usage(farm: Farm) -> None:
    farm.write(plots=0)
    wrong = farm.plotrun("run", "--until-done")
    assert wrong.returncode == 2
    assert "job test has plots = 0 (endless)" in wrong.stderr


def test_a_state_directory_that_cannot_be_made_is_a_message(farm: Farm) -> None:
    (farm.root / "state").write_text("in the way")
    farm.write()
    wrong = farm.plotrun("run", "--until-done")
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("error: ")
    assert str(farm.state_dir) in wrong.stderr
    assert "Traceback" not in wrong.stderr


def test_a_store_of_a_newer_plotrun_is_refused(farm: Farm) -> None:
    import sqlite3

    farm.write()
    farm.state_dir.mkdir()
    database = sqlite3.connect(farm.state_dir / "plotrun.sqlite3")
    database.execute("PRAGMA user_version = 99")
    database.close()
    wrong = farm.plotrun("status")
    assert wrong.returncode == 1
    assert "made by a newer plotrun" in wrong.stderr


def test_the_log_file_tells_what_happened(farm: Farm) -> None:
    farm.write()
    farm.run_until_done()
    log = (farm.log_dir / "plotrun.log").read_text()
    assert "plot delivered" in log
    assert "INFO" in log


def test_output_may_be_cut_off_by_its_reader(farm: Farm) -> None:
    farm.write()
    program = f"{sys.executable} -m plotrun --settings {farm.settings} plugins"
    cut = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{program} | head -1"],
        capture_output=True,
        encoding="utf-8",
        cwd=Path("/"),
    )
    assert "Traceback" not in cut.stderr
