from __future__ import annotations

from pathlib import Path

import pytest
from farm import Farm


@pytest.fixture
def farm(tmp_path: Path) -> Farm:
    """Directories and a settings file under the test's own directory."""
    return Farm(tmp_path)
