"""``plotrun plots``: the inventory of all destinations."""

from __future__ import annotations

import json
import time

from farm import Farm
from old_plots import CONTRACT, YEAR, write_plot
from plotrun.keys import address_of


def test_plots_are_counted_by_what_they_are(farm: Farm) -> None:
    a, b = farm.root / "a", farm.root / "b"
    for directory in (a, a, b):
        write_plot(directory, 10_000, years=3)
    write_plot(b, 30_000, "c7", years=3, k=33)
    write_plot(b, 20_000, years=3, og=True)
    write_plot(b, 20_000, "gigahorse", years=1)
    (b / "below").mkdir()
    write_plot(b / "below", 5_000, "v2", years=3)
    (b / "text.plot").write_text("none")
    (b / "twice.plot").hardlink_to(next(b.glob("*.plot")))
    farm.write()
    found = json.loads(farm.plotrun("plots", "--json").stdout)
    assert found["form"] == 1
    assert found["destinations"] == [
        {"path": str(a), "plots": 2, "bytes": 20_000, "no_plots": {}, "trouble": None},
        {
            "path": str(b),
            "plots": 5,
            "bytes": found["destinations"][1]["bytes"],
            "no_plots": {"text.plot": "it is no plot"},
            "trouble": None,
        },
    ]
    then, last = (time.localtime(time.time() - n * YEAR).tm_year for n in (3, 1))
    rows = [
        (g["format"], g["compression"], g["k"], g["pool"], g["year"], g["plots"], g["bytes"])
        for g in found["groups"]
    ]
    assert rows == [
        ("v1", 0, 32, "contract", then, 3, 30_000),
        ("v1", 0, 32, "og", then, 1, 20_000),
        ("v1-compressed", 7, 33, "contract", then, 1, 30_000),
        ("v1-compressed", None, 32, "contract", last, 1, 20_000),
    ]
    assert found["groups"][0]["pool_key_or_address"] == address_of(CONTRACT)
    assert found["groups"][1]["pool_key_or_address"] == "01" * 48
    below = json.loads(farm.plotrun("plots", "--json", "--below").stdout)
    assert ["v2" in g["format"] for g in below["groups"]].count(True) == 1


def test_the_table_and_a_destination_that_is_not_there(farm: Farm) -> None:
    write_plot(farm.root / "a", 10_000, "gigahorse")
    farm.write(dst=[str(farm.root / "a"), str(farm.root / "gone\n")])
    ended = farm.plotrun("plots")
    assert ended.returncode == 1
    lines = [" ".join(line.split()) for line in ended.stdout.splitlines()]
    year = time.localtime(time.time() - 3 * YEAR).tm_year
    assert f"v1-compressed ? 32 contract {address_of(CONTRACT)[:12]}… {year} 1 9.8 KiB" in lines
    assert any(line.endswith("0 0 B No such file or directory") for line in lines)
    assert not any(line.endswith("gone") for line in lines)
