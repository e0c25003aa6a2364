"""Wrong defaults are told once, where they stand, whatever jobs use them."""

from __future__ import annotations

from pathlib import Path

import pytest

from plotrun.manager import load_plugins
from plotrun.settings.load import load_settings
from plotrun.settings.problems import SettingsError

with pytest.MonkeyPatch.context() as patch:
    patch.setenv("PLOTRUN_NO_ENTRY_POINTS", "1")
    SCHEMA = load_plugins().schema()
PLOTTERS = f"one of {', '.join(sorted(SCHEMA.plotters))}"
KEY = (
    "85695fcbc06cc4c4c9451f4dce21cbf8de3e5a13bf48f44c"
    "dbb18e2038ba7b8bb1632d7911ef1e2e08749bddbf165352"
)
ADDRESS = "xch1qqqsyqcyq5rqwzqfpg9scrgwpugpzysnzs23v9ccrydpk8qarc0srg6dkm"
JOB = '[[job]]\nname = "one"\nplotter = "chia"\ntmp = "/tmp/t"\ndst = "/tmp/d"\n'
TWO = JOB + JOB.replace('"one"', '"two"')


def problems(tmp_path: Path, text: str | bytes) -> list[str]:
    """What is said of a settings file, without its directory."""
    file = tmp_path / "settings.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(SettingsError) as raised:
        load_settings(file, SCHEMA)
    return [str(problem).replace(f"{tmp_path}/", "") for problem in raised.value.problems]


DEFAULTS = {
    "of a key that may be left out": ("threads = 0", "threads: found 0, expected a whole number"),
    "of a key that must be given": ("dst = 3", "dst: found 3, expected an absolute path"),
    "of the plotter": (
        'plotter = "chai"',
        f'plotter: found "chai", expected {PLOTTERS} (did you mean chia?)',
    ),
    "of the plotter's type": ("plotter = 3", f"plotter: found 3, expected {PLOTTERS}"),
    "between two of them": (
        'tmp = "/x"\ndst = "/x"',
        'tmp: found "/x", expected a directory that is no destination: "/x" is in dst too',
    ),
    "for the plotter": (
        f'pool_contract_address = "{ADDRESS}"\npool_public_key = "{KEY}"',
        f'pool_contract_address: found "{ADDRESS}", expected either',
    ),
}


@pytest.mark.parametrize("case", DEFAULTS)
def test_a_mistake_in_a_default_is_told_once_for_all_jobs(tmp_path: Path, case: str) -> None:
    added, message = DEFAULTS[case]
    keys = [line.split(" = ")[0] for line in added.splitlines()]
    jobs = [line for line in TWO.splitlines() if line.split(" = ")[0] not in keys]
    (said,) = problems(tmp_path, f"[defaults]\n{added}\n" + "\n".join(jobs))
    assert said.startswith(f"settings.toml:2: defaults.{message}")


def test_a_default_that_is_right_for_one_plotter_may_be_wrong_for_another(tmp_path: Path) -> None:
    keys = f'farmer_public_key = "{KEY}"\npool_public_key = "{KEY}"\n'
    madmax = JOB.replace('"one"', '"two"').replace("chia", "madmax") + keys
    (said,) = problems(tmp_path, f"[defaults]\nk = 40\n{JOB}{madmax}")
    assert said == (
        "settings.toml:2: defaults.k: found 40, "
        "expected a whole number of at least 16 and at most 34 (for madmax)"
    )
