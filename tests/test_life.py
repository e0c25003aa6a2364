"""The whole life of a worker, with real plots of the embedded plotter."""

from __future__ import annotations

from farm import Farm


def test_a_plot_goes_its_whole_way(farm: Farm) -> None:
    farm.write(
        plots=1,
        pre_command="echo before %worker%",
        post_command="echo after %plot%",
    )
    ended = farm.run_until_done()
    assert ended.returncode == 0, ended.stdout + ended.stderr
    (plot,) = farm.plots()
    assert farm.leftovers() == []
    (post,) = farm.log_dir.glob("*_post.log")
    assert post.read_text() == f"after {plot}\n"
