"""``plotrun run`` on a real terminal."""

from __future__ import annotations

import re
import sys

import pexpect

from farm import Farm


def test_the_table_with_progress_is_shown_and_ctrl_c_leaves_it_tidy(farm: Farm) -> None:
    farm.write(k=22)
    child = pexpect.spawn(
        sys.executable,
        ["-m", "plotrun", "--settings", str(farm.settings), "run"],
        dimensions=(24, 80),
        encoding="utf-8",
        timeout=60,
    )
    child.expect("plotter started")
    child.expect(r"plotrun runs \(process \d+\), 1 workers")
    child.expect("phase 1:")
    child.expect("━")
    child.sendintr()
    child.expect(r"1 workers go on by themselves: `plotrun run` takes them up again")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


def test_plain_lines_on_request(farm: Farm) -> None:
    farm.write()
    said = pexpect.run(
        f"{sys.executable} -m plotrun --settings {farm.settings} run --until-done --plain",
        encoding="utf-8",
        timeout=60,
    )
    assert isinstance(said, str)
    lines = said.splitlines()
    assert len(lines) > 10
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d ", line) for line in lines)
