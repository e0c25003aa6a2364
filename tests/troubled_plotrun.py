"""plotrun that runs a shell command once, at a step of a delivery: a program for tests.

$STEP is one of `copy`, `rename` and `source`: in the middle of a file, right before it gets its
name, and before the source goes. $TROUBLE is the command; it knows this process as $PLOTRUN. The
hash of the plot is left in the file $HASH.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from plotrun import copying
from plotrun.cli import main

copying.CHUNK = 256 * 1024


def reach(step: str) -> None:
    """The step is about to be taken."""
    if os.environ.get("STEP") == step:
        del os.environ["STEP"]
        environment = os.environ | {"PLOTRUN": str(os.getpid())}
        subprocess.run(["sh", "-ec", os.environ["TROUBLE"]], env=environment, check=True)


def before(owner: Any, name: str, step: Callable[..., object]) -> None:
    """Let *step* see the arguments of a function before it is called."""
    function = getattr(owner, name)

    def called(*arguments: Any, **keys: Any) -> Any:
        step(*arguments)
        return function(*arguments, **keys)

    setattr(owner, name, called)


def begin(source: Path, *_: object) -> None:
    if source.exists():
        Path(os.environ["HASH"]).write_text(hashlib.blake2b(source.read_bytes()).hexdigest())


before(copying, "bring", begin)
before(copying.Attempt, "progress", lambda _, copied: copied > 1_000_000 and reach("copy"))
before(copying._Directory, "check", lambda _: reach("rename"))
arrive = copying.Attempt.arrive


def arriving(self: copying.Attempt) -> None:
    arrive(self)
    reach("source")


copying.Attempt.arrive = arriving  # type: ignore[method-assign]

main()
