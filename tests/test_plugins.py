"""Plugins: loaded, blocked, broken; none of them can stop the runner."""

from __future__ import annotations

import json
from pathlib import Path

import pluggy
import pytest

from farm import Farm, until
from plotrun import hookimpl
from plotrun.manager import BUILT_IN, Failure, Plugins, load_plugins
from plugin_package import install


@pytest.mark.parametrize("name", BUILT_IN)
def test_the_runner_starts_without_any_one_built_in_plugin(farm: Farm, name: str) -> None:
    farm.write(rest=f'[plugins]\nblocked = ["{name}"]\n')
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(farm.plots()) == 1


def test_plugins_are_listed_with_package_version_and_hooks(farm: Farm) -> None:
    farm.write(rest='[plugins]\nblocked = ["limits"]\n')
    listed = json.loads(farm.plotrun("plugins", "--json").stdout)
    rows = {row["name"]: row for row in listed["plugins"]}
    assert rows["chia"]["package"] == "plotrun"
    assert rows["chiapos"]["package"] == "plotrun-chiapos"
    assert "plotrun_check_plot" in rows["chiapos"]["hooks"]
    assert rows["limits"]["error"] == "blocked in the settings"
    assert set(listed["plotters"]) >= {"chia", "chiapos"}


def test_a_package_that_cannot_be_imported_is_shown_and_the_rest_goes_on(farm: Farm) -> None:
    install(farm, "broken", "import a_module_that_is_not_there\n")
    farm.write()
    ended = farm.run_until_done()
    assert ended.returncode == 0
    assert len(farm.plots()) == 1
    shown = farm.plotrun("plugins").stdout
    assert "broken" in shown
    assert "No module named 'a_module_that_is_not_there'" in shown
    (failure,) = farm.status()["plugin_failures"]
    assert (failure["plugin"], failure["hook"]) == ("broken", "loading")


RAISES = """
from plotrun import hookimpl

@hookimpl
def plotrun_{hook}():
    raise RuntimeError("out of order")
"""


@pytest.mark.parametrize(
    "hook",
    [
        "plotters",
        "settings",
        "choose_plotter",
        "choose_tmp",
        "choose_dst",
        "pre_command",
        "post_command",
        "check_plot",
        "event",
        "commands",
        "started",
        "stopping",
    ],
)
def test_a_hook_that_raises_is_reported_and_stops_nothing(farm: Farm, hook: str) -> None:
    install(farm, "bad", RAISES.format(hook=hook))
    farm.write()
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert len(farm.plots()) == 1
    assert "Traceback" not in ended.stdout + ended.stderr
    failures = farm.status()["plugin_failures"]
    # Commands are asked when the command line needs them, which `plotrun run` does not.
    expected = [] if hook == "commands" else [f"plotrun_{hook}"]
    assert [row["hook"] for row in failures if row["plugin"] == "bad"] == expected
    if expected:
        assert failures[0]["error"] == "RuntimeError: out of order"


def test_a_hold_that_raises_holds(farm: Farm) -> None:
    install(farm, "bad", RAISES.format(hook="hold"))
    farm.write()
    runner = farm.start("run")
    until(runner, "plotrun runs with")
    assert farm.holds() == ["plugin bad: plotrun_hold failed: RuntimeError: out of order"]
    runner.terminate()
    assert runner.wait(30) == 0
    assert farm.plots() == []


def test_a_filter_that_raises_rejects(farm: Farm) -> None:
    install(farm, "bad", RAISES.format(hook="filter_dst"))
    farm.write(when_full="plot")
    runner = farm.start("run")
    assert "plotrun_filter_dst failed" in until(runner, "no destination for")
    runner.terminate()
    assert runner.wait(30) == 0
    assert len(list(farm.tmp.rglob("*.plot"))) == 1, "the plot waits where it is"


def test_an_observer_that_hangs_delays_nobody(farm: Farm) -> None:
    source = """
import threading
from plotrun import hookimpl

@hookimpl
def plotrun_event():
    threading.Event().wait()
"""
    install(farm, "slow", source)
    farm.write()
    ended = farm.run_until_done()
    assert ended.returncode == 0
    assert len(farm.plots()) == 1


class Wrapper:
    @hookimpl(wrapper=True)
    def plotrun_plotters(self):
        return (yield)


class Unknown:
    @hookimpl
    def plotrun_no_such_hook(self) -> None: ...


def test_wrappers_and_unknown_hooks_are_refused() -> None:
    plugins = Plugins()
    with pytest.raises(pluggy.PluginValidationError, match="no hook wrappers"):
        plugins.register(Wrapper(), "wrapper")
    assert [loaded.name for loaded in plugins.loaded()] == []
    plugins.register(Unknown(), "unknown")
    assert plugins.unknown_hooks() == [("unknown", "plotrun_no_such_hook")]


class Loud:
    @hookimpl
    def plotrun_plotters(self) -> list[object]:
        raise ValueError("once is enough")


def test_the_same_failure_is_told_once() -> None:
    told: list[Failure] = []
    plugins = Plugins(on_failure=told.append)
    plugins.register(Loud(), "loud")
    assert plugins.answers("plotrun_plotters") == []
    assert plugins.answers("plotrun_plotters") == []
    assert told == [Failure("loud", "plotrun_plotters", "ValueError: once is enough")]


def test_built_in_plugins_use_nothing_deeper_than_the_public_api() -> None:
    import ast

    import plotrun.builtin

    files = [file for root in plotrun.builtin.__path__ for file in Path(root).rglob("*.py")]
    assert len(files) > len(BUILT_IN)
    for file in files:
        tree = ast.parse(file.read_text("utf-8"))
        froms = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
        deeper = [node.module for node in froms if (node.module or "").startswith("plotrun.")]
        assert deeper == [], f"{file} imports {deeper}"
        assert all(node.level < 2 for node in froms), f"{file} imports from above it"


def test_the_core_names_no_plugin_but_in_the_list() -> None:
    assert {plugin.name for plugin in load_plugins().loaded()} >= set(BUILT_IN)
