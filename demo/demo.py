"""``make demo``: four real, small plots, two at a time, through the whole life of a worker."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
SCRATCH = HERE / ".demo"
PLOTRUN = [sys.executable, "-m", "plotrun", "--settings", str(SCRATCH / "settings.toml")]
SETTINGS = """\
[plotrun]
state_dir = "{scratch}/state"

[[job]]
name = "demo"
plotter = "chiapos"
plots = 4
max_workers = 2
k = 20
tmp = "{scratch}/tmp"
dst = ["{scratch}/disk-1", "{scratch}/disk-2"]
pre_command = "echo worker %worker% begins"
post_command = "echo %plot% is there"
"""


def main() -> None:
    if SCRATCH.exists():
        shutil.rmtree(SCRATCH)
    for name in ("tmp", "disk-1", "disk-2"):
        (SCRATCH / name).mkdir(parents=True)
    # TOML reads a backslash and a quote in a path as more than a character.
    scratch = str(SCRATCH).replace("\\", "\\\\").replace('"', '\\"')
    (SCRATCH / "settings.toml").write_text(SETTINGS.format(scratch=scratch), encoding="utf-8")
    print(f"$ plotrun run --until-done      (in {SCRATCH})", flush=True)
    subprocess.run([*PLOTRUN, "run", "--until-done"], check=True)
    print("\n$ plotrun status", flush=True)
    subprocess.run([*PLOTRUN, "status"], check=True)
    print("What the pre- and post-commands said:")
    for log in sorted((SCRATCH / "state" / "logs").glob("*_p*.log")):
        print(f"  {log.name}: {log.read_text().strip()}")
    print("\nThe plots, each opened and its proofs of space verified:", flush=True)
    subprocess.run(
        [*PLOTRUN, "chiapos-check", str(SCRATCH / "disk-1"), str(SCRATCH / "disk-2")], check=True
    )
    left = list((SCRATCH / "tmp").iterdir())
    print(f"Left in the temporary directory: {left or 'nothing'}")
    if left:
        sys.exit(1)


if __name__ == "__main__":
    main()
