"""Plugins for tests, found as installed packages are: by the metadata of a distribution."""

from __future__ import annotations

import os
from pathlib import Path

from farm import Farm


def install(farm: Farm, name: str, source: str) -> Path:
    """Make *source* an installed plugin *name* for the plotrun of *farm*; answers its file."""
    site = farm.root / "site"
    metadata = site / f"plotrun_{name}-0.1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: plotrun-{name}\nVersion: 0.1\n"
    )
    (metadata / "entry_points.txt").write_text(f"[plotrun]\n{name} = plotrun_{name}\n")
    module = site / f"plotrun_{name}.py"
    module.write_text(source, "utf-8")
    farm.environment["PYTHONPATH"] = os.fspath(site)
    farm.environment["HOME"] = os.fspath(farm.root)
    return module
