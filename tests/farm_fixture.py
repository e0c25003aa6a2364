"""The fixture ``farm``, for the tests of the core and of the plugins."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from farm import Farm


@pytest.fixture
def farm(tmp_path: Path) -> Iterator[Farm]:
    """Directories and a settings file under the test's own directory."""
    farm = Farm(tmp_path)
    yield farm
    farm.end_plotters()
