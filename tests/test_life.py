"""The whole life of a worker, with real plots of the embedded plotter."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest

from farm import Farm, until
from plotrun import read_plot


def done(farm: Farm) -> str:
    """Run until done and expect that all went well."""
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert farm.leftovers() == []
    return ended.stdout


def test_a_plot_goes_its_whole_way(farm: Farm) -> None:
    farm.write(pre_command="echo before %worker%", post_command="echo after %plot%")
    said = done(farm)
    (plot,) = farm.plots()
    (pre,) = farm.log_dir.glob("*_pre.log")
    (post,) = farm.log_dir.glob("*_post.log")
    worker = pre.name.removesuffix("_pre.log")
    assert pre.read_text() == f"before {worker}\n"
    assert post.read_text() == f"after {plot}\n"
    steps = (
        "begins with chiapos",
        "pre-command runs",
        "pre-command: ok",
        "plotter started",
        "plotter finished",
        "plot made",
        "delivery to",
        f"plot delivered: {plot}",
        "post-command runs",
        "post-command: ok",
        "ended: done",
        "has made its 1 plots",
    )
    places = [said.index(step) for step in steps]
    assert places == sorted(places)


def test_several_plots_of_one_process_are_each_delivered_and_counted(farm: Farm) -> None:
    runs = farm.root / "runs"
    farm.write(plots=3, plots_per_process=2, post_command=f"echo %plot_id% >> {runs}")
    said = done(farm)
    assert said.count("plotter started") == 2, "two plots in one process, then one in another"
    assert len(farm.plots()) == 3
    ids = {read_plot(plot).plot_id for plot in farm.plots()}
    assert sorted(runs.read_text().split()) == sorted(ids)
    assert farm.status()["jobs"][0]["made"] == 3


def test_the_first_of_several_plots_is_delivered_while_the_second_is_made(farm: Farm) -> None:
    farm.write(plots=2, plots_per_process=2, k=20)
    said = done(farm)
    assert said.index("plot delivered") < said.index("plotter finished")


def test_destinations_are_taken_in_turn_also_over_restarts(farm: Farm) -> None:
    for plots in (1, 2, 3):
        farm.write(plots=plots)
        done(farm)
    assert [len(list((farm.root / name).iterdir())) for name in ("a", "b")] == [2, 1]


def test_temporary_directories_are_taken_in_turn(farm: Farm) -> None:
    other = farm.root / "tmp-other"
    other.mkdir()
    farm.write(plots=2, tmp=[str(farm.tmp), str(other)])
    said = done(farm)
    assert f"begins with chiapos in {farm.tmp}\n" in said
    assert f"begins with chiapos in {other}\n" in said
    assert list(other.iterdir()) == []


def test_the_number_of_plots_is_counted_over_restarts(farm: Farm) -> None:
    farm.write(plots=1)
    done(farm)
    assert "plotter started" not in done(farm)
    farm.write(plots=2)
    assert done(farm).count("plotter started") == 1
    assert len(farm.plots()) == 2


def test_tmp2_is_used_and_cleared(farm: Farm) -> None:
    tmp2 = farm.root / "tmp2"
    tmp2.mkdir()
    farm.write(tmp2=str(tmp2))
    said = done(farm)
    assert f"plot made: {tmp2}/plotrun-" in said
    assert list(tmp2.iterdir()) == []
    assert len(farm.plots()) == 1


def test_tmp2_follows_the_destination(farm: Farm) -> None:
    farm.write(plots=2, tmp2="dst")
    said = done(farm)
    for name in ("a", "b"):
        (plot,) = (farm.root / name).glob("*.plot")
        assert f"plot made: {farm.root / name}/plotrun-" in said, "it grew in the destination"
        assert plot.is_file()


def test_the_plotter_delivers_when_the_settings_say_so(farm: Farm) -> None:
    farm.write(plots=2, deliver="plotter", post_command="echo %plot%")
    said = done(farm)
    assert "delivery to" not in said
    assert len(farm.plots()) == 2
    posts = sorted(log.read_text().strip() for log in farm.log_dir.glob("*_post.log"))
    assert posts == [str(plot) for plot in farm.plots()]


@pytest.mark.parametrize("keep", [True, False, 1])
def test_logs_are_kept_as_the_settings_say(farm: Farm, keep: bool | int) -> None:
    farm.write(plots=2, general=f"keep_logs = {json.dumps(keep)}", post_command="true")
    done(farm)
    logs = {log.name for log in farm.log_dir.iterdir()} - {"plotrun.log"}
    kept = 2 if keep is True else int(keep)
    assert len([log for log in logs if "_" not in log]) == kept
    assert len([log for log in logs if log.endswith("_post.log")]) == kept


AWKWARD = [
    "two words",
    "it's",
    'say "hi"',
    "$(touch {marker})",
    "`touch {marker}`",
    "new\nline",
    "-n",
    "*",
    "a;touch {marker};b",
    "back\\slash",
    "ünïcödé",
]


@pytest.mark.parametrize("name", AWKWARD)
def test_awkward_directories_are_only_ever_names(farm: Farm, name: str) -> None:
    marker = farm.root / "executed"
    plain_name = name.format(marker="executed").replace("/", "_")
    dst, tmp = farm.root / plain_name, farm.root / f"tmp {plain_name}"
    dst.mkdir()
    tmp.mkdir()
    shown = farm.root / "shown"
    command = f"""printf '%s\\0' %plot% "%plot%" '%plot%' >> {shown}"""
    farm.write(dst=str(dst), tmp=str(tmp), post_command=command, pre_command="cd %tmp%")
    ended = farm.plotrun("run", "--until-done")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (plot,) = dst.glob("*.plot")
    assert shown.read_bytes().split(b"\0") == [*[str(plot).encode()] * 3, b""]
    assert not marker.exists()
    assert not Path("executed").exists()
    assert list(tmp.iterdir()) == []


def test_a_farmable_plot_is_made_for_the_keys_of_the_settings(farm: Farm) -> None:
    farmer = (
        "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
        "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
    )
    farm.write(farmer_public_key=farmer, pool_public_key=farmer)
    done(farm)
    memo = read_plot(farm.plots()[0]).memo
    assert len(memo) == 128
    assert memo[:96].hex() == farmer * 2


def test_a_process_of_several_plots_that_is_taken_up_counts_each_once(farm: Farm) -> None:
    farm.write(plots=3, plots_per_process=3, k=20)
    runner = farm.start("run", "--until-done")
    until(runner, "plot delivered")
    runner.kill()
    runner.wait()
    said = done(farm)
    assert "plotter found running" in said
    assert said.count("plot delivered") == 2
    assert len(farm.plots()) == 3
    assert farm.status()["jobs"][0]["made"] == 3


def test_the_state_is_for_its_owners_eyes_only(farm: Farm) -> None:
    farm.write()
    done(farm)
    assert farm.state_dir.stat().st_mode & 0o777 == 0o700


RENAMING = """\
#!/bin/bash
python -m plotrun_chiapos "$@" || exit 1
while [ "$1" != -d ]; do shift; done
name=$(cat "$NAME_FILE"; printf x)
mv "$2"/*.plot "$2/${name%x}.plot"
"""
FILE_NAMES = [
    b"two words",
    b"it's",
    b'say "hi"',
    b"$(touch executed)",
    b"`touch executed`",
    b"new\nline",
    b"-rf",
    b"*",
    b"a;touch executed;b",
    b"back\\slash",
    b"\xff\xfe no text",
]


@pytest.mark.parametrize("name", FILE_NAMES)
def test_awkward_file_names_are_only_ever_names(farm: Farm, name: bytes) -> None:
    program, name_file = farm.root / "plotter", farm.root / "name"
    program.write_text(RENAMING)
    program.chmod(0o755)
    name_file.write_bytes(name)
    farm.environment |= {
        "NAME_FILE": str(name_file),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    }
    shown = farm.root / "shown"
    command = f"""cd {farm.root}; printf '%s\\0' %plot% "%plot%" '%plot%' >> {shown}"""
    farm.write(command=str(program), dst=str(farm.root / "a"), post_command=command)
    done(farm)
    (plot,) = (farm.root / "a").iterdir()
    assert os.fsencode(plot.name) == name + b".plot"
    assert shown.read_bytes().split(b"\0") == [*[os.fsencode(plot)] * 3, b""]
    assert not (farm.root / "executed").exists()
    assert farm.status()["jobs"][0]["made"] == 1
