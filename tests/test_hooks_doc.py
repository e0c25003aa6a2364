"""Every example of docs/hooks.md is installed as a plugin and used by a real run."""

from __future__ import annotations

import csv
import json
import re
import tomllib
from pathlib import Path

import pytest

from farm import Farm, small_disk, until
from old_plots import write_plot
from plotrun import hookspecs, read_plot
from plugin_package import install

TEXT = (Path(__file__).parents[1] / "docs" / "hooks.md").read_text("utf-8")
HOOKS = [name for name in vars(hookspecs) if name.startswith("plotrun_")]


def example(hook: str) -> str:
    """The code in the section of a hook."""
    section = TEXT.split(f"\n### {hook}\n")[1].split("\n### ")[0].split("\n## ")[0]
    code = re.search(r"```python\n(.*?)```", section, re.DOTALL)
    assert code, f"{hook} has no example"
    return code[1]


def run(farm: Farm) -> str:
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "failed" not in ended.stdout
    return ended.stdout


def test_every_hook_has_a_section_with_an_example() -> None:
    assert re.findall(r"^### (\w+)$", TEXT, re.MULTILINE) == HOOKS
    for hook in HOOKS:
        assert f"def {hook}(" in example(hook)


def test_every_event_is_in_the_table() -> None:
    from plotrun import EventKind

    table = TEXT.split("\n## Events\n")[1]
    assert re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE) == [str(kind) for kind in EventKind]


def test_the_tutorial_makes_a_plotter_a_hold_and_an_observer(farm: Farm) -> None:
    tutorial = TEXT.split("\n## A plugin in ten minutes\n")[1].split("\n## ")[0]
    project, job = re.findall(r"```toml\n(.*?)```", tutorial, re.DOTALL)
    (code,) = re.findall(r"```python\n(.*?)```", tutorial, re.DOTALL)
    entry = tomllib.loads(project)["project"]["entry-points"]["plotrun"]
    assert entry == {"tiny": "plotrun_tiny"}
    assert tomllib.loads(job)["job"][0]["plotter"] == "tiny"
    install(farm, "tiny", code)
    stop_file = farm.root / "stop"
    stop_file.touch()
    section = f'[plugins.tiny]\nstop_file = "{stop_file}"\n'
    farm.write(plotter="tiny", plots=3, plots_per_process=2, bytes_behind=5, rest=section)
    runner = farm.start("run", "--until-done")
    until(runner, "plotrun runs with")
    assert farm.holds() == [f"{stop_file} is there"]
    stop_file.unlink()
    farm.settings.touch()
    assert runner.wait(60) == 0
    assert len(farm.plots()) == 3
    assert sorted((farm.root / "plots.txt").read_text().split()) == list(map(str, farm.plots()))
    shown = farm.plotrun("plugins").stdout
    assert "tiny           plotrun-tiny 0.1: event, hold, plotters, settings" in shown


def test_plotrun_plotters(farm: Farm) -> None:
    install(farm, "example", example("plotrun_plotters"))
    farm.write(plotter="gentle")
    assert "begins with gentle" in run(farm)


def test_plotrun_settings(farm: Farm) -> None:
    install(farm, "example", example("plotrun_settings"))
    farm.write(plots=2, rank=1, rest='[plugins.example]\npatience = "10m"\n')
    runner = farm.start("run")
    until(runner, "ended: done")
    assert farm.holds() == ["rank 1: waiting"]
    farm.write(rank=-1, rest='[plugins.example]\npatience = "soon"\n')
    wrong = farm.plotrun("check")
    assert wrong.returncode == 2
    assert 'plugins.example.patience: found "soon", expected a duration' in wrong.stderr
    assert "job.rank: found -1, expected a whole number of at least 0" in wrong.stderr
    runner.terminate()
    assert runner.wait(30) == 0


def test_plotrun_choose_plotter(farm: Farm) -> None:
    install(farm, "example", example("plotrun_choose_plotter"))
    farm.write()
    assert "begins with second" in run(farm)


def test_plotrun_hold(farm: Farm) -> None:
    install(farm, "example", example("plotrun_hold").replace("6 <= now.hour < 22", "True"))
    farm.write(name="night-job")
    runner = farm.start("run")
    until(runner, "plotrun runs with")
    assert farm.holds() == ["power is cheap only at night"]
    runner.terminate()
    assert runner.wait(30) == 0


def test_plotrun_filter_tmp(farm: Farm) -> None:
    install(farm, "example", example("plotrun_filter_tmp"))
    (farm.tmp / "one-at-a-time").touch()
    farm.write(k=22, plots=2, max_workers=2)
    runner = farm.start("run")
    until(runner, "plotter started")
    (worker,) = farm.workers()
    reason = f"{farm.tmp}: worker {worker['id']} has it for itself"
    assert farm.holds() == [f"no temporary directory: {reason}"]
    runner.terminate()
    assert runner.wait(30) == 0


def test_plotrun_choose_tmp(farm: Farm) -> None:
    install(farm, "example", example("plotrun_choose_tmp"))
    with small_disk(farm.root / "b", "90m") as small:
        farm.write(plots=2, tmp=[str(small), str(farm.tmp)], dst=str(farm.root / "a"))
        assert run(farm).count(f"begins with chiapos in {farm.tmp}") == 2


def test_plotrun_filter_dst(farm: Farm) -> None:
    install(farm, "example", example("plotrun_filter_dst"))
    (farm.root / "a" / "keep-out").touch()
    farm.write(plots=2)
    run(farm)
    assert [plot.parent.name for plot in farm.plots()] == ["b", "b"]


def test_plotrun_choose_dst(farm: Farm) -> None:
    install(farm, "example", example("plotrun_choose_dst"))
    with small_disk(farm.root / "b", "20m"):
        farm.write(plots=2)
        run(farm)
        assert [plot.parent.name for plot in farm.plots()] == ["b", "b"]


def test_plotrun_could_make_room(farm: Farm) -> None:
    install(farm, "example", example("plotrun_could_make_room"))
    with small_disk(farm.root / "a", "6m") as disk:
        small, large = write_plot(disk, 4_700_000, k=17), write_plot(disk, 1_000_000, k=18)
        farm.write(dst=str(disk))
        run(farm)
        assert not small.exists()
        assert large.exists()
        assert len(farm.plots()) == 2


def test_plotrun_make_room(farm: Farm) -> None:
    install(farm, "example", example("plotrun_make_room"))
    with small_disk(farm.root / "a", "6m") as disk:
        filler = disk / "room-for-plots.filler"
        filler.write_bytes(bytes(5_500_000))
        farm.write(when_full="plot", dst=str(disk))
        run(farm)
        assert not filler.exists()
        assert len(farm.plots()) == 1


def test_plotrun_pre_command(farm: Farm) -> None:
    install(farm, "example", example("plotrun_pre_command"))
    farm.write()
    run(farm)
    (log,) = farm.log_dir.glob("*_pre.log")
    worker = log.name.removesuffix("_pre.log")
    assert log.read_text() == f"1 plots wanted, this is worker {worker}\n"


def test_plotrun_post_command(farm: Farm) -> None:
    install(farm, "example", example("plotrun_post_command"))
    farm.write()
    run(farm)
    (plot,) = farm.plots()
    (log,) = farm.log_dir.glob("*_post.log")
    assert log.read_text() == f"{plot.name} is in {plot.parent}\n"


@pytest.mark.parametrize("too_small", [False, True])
def test_plotrun_check_plot(farm: Farm, too_small: bool) -> None:
    code = example("plotrun_check_plot")
    install(farm, "example", code.replace("0.7", "7.0") if too_small else code)
    farm.write(rest="[plugins.backoff]\npause_after = 1\n")
    ended = farm.run_until_done()
    assert ended.returncode == int(too_small)
    assert ("bytes" in ended.stdout) == too_small
    assert len(farm.plots()) == int(not too_small)


def test_plotrun_deliver(farm: Farm) -> None:
    install(farm, "example", example("plotrun_deliver"))
    farm.write(dst=str(farm.root / "a"))
    run(farm)
    (plot,) = (farm.root / "a" / "k18").iterdir()
    assert read_plot(plot).k == 18


def test_plotrun_event(farm: Farm) -> None:
    install(farm, "example", example("plotrun_event"))
    farm.write(dst=str(farm.root / "a"))
    run(farm)
    ((_, job, plot_id),) = csv.reader((farm.root / "a" / "plots.csv").open())
    assert (job, plot_id) == ("test", read_plot(farm.plots()[0]).plot_id)


def test_plotrun_commands(farm: Farm) -> None:
    install(farm, "example", example("plotrun_commands"))
    farm.write()
    assert farm.plotrun("plots-in", "18").stdout == "165\n"
    assert "plots-in" in farm.plotrun("--help").stdout


def test_plotrun_started_and_stopping(farm: Farm) -> None:
    install(farm, "example", example("plotrun_started") + example("plotrun_stopping"))
    farm.write()
    said = run(farm)
    # Plotters that somebody else runs on this machine count too.
    assert re.search(r"^1 jobs, \d+ workers$", said, re.MULTILINE)
    assert re.search(r"^\d+ workers are left to themselves$", said, re.MULTILINE)


def test_the_examples_of_a_simulation_are_asked(farm: Farm) -> None:
    install(farm, "card", example("plotrun_simulated_plot"))
    install(farm, "disks", example("plotrun_simulated_disk"))
    farm.write(plots=0, k=32)
    found = json.loads(farm.plotrun("simulate", "--days", "0.1", "--json").stdout)
    assert found["jobs"][0]["mean_seconds"] == pytest.approx(60, abs=2)
    assert {disk["total"] for disk in found["disks"]} == {18 * 10**12}
