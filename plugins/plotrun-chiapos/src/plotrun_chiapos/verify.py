"""Looking for proofs in a plot and verifying them: whether it can be farmed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """What was found in a plot."""

    challenges: int
    proofs: int
    problem: str | None = None


def verify(path: Path, challenges: int) -> Verdict:
    """Look for proofs for a number of challenges, which are the same every time.

    A plot has one proof for a challenge on average; none for twenty of them happens to one
    good plot in five hundred million.
    """
    with _name_for_chiapos(path) as name:
        return _verify(name, challenges)


def _verify(name: str, challenges: int) -> Verdict:
    import chiapos

    try:
        prover = chiapos.DiskProver(name)
    except (RuntimeError, ValueError) as error:
        return Verdict(challenges, 0, f"chiapos cannot open it: {error}")
    verifier, proofs = chiapos.Verifier(), 0
    plot_id, k = prover.get_id(), prover.get_size()
    for number in range(challenges):
        challenge = hashlib.sha256(plot_id + number.to_bytes(4, "big")).digest()
        try:
            for index in range(len(prover.get_qualities_for_challenge(challenge))):
                proof = prover.get_full_proof(challenge, index)
                if not verifier.validate_proof(plot_id, k, challenge, proof):
                    return Verdict(challenges, proofs, "it has a proof that is wrong")
                proofs += 1
        except RuntimeError as error:
            return Verdict(challenges, proofs, f"a proof cannot be read: {error}")
    # With few challenges a good plot may well have no proof at all.
    none = proofs == 0 and challenges >= 20
    problem = f"it has no proof for {challenges} challenges" if none else None
    return Verdict(challenges, proofs, problem)


@contextlib.contextmanager
def _name_for_chiapos(path: Path) -> Iterator[str]:
    """The path as text; chiapos takes UTF-8 only, so a link stands in for any other name."""
    try:
        os.fsencode(path).decode("utf-8")
    except UnicodeDecodeError:
        with tempfile.TemporaryDirectory() as directory:
            link = Path(directory) / "plot"
            link.symlink_to(path)
            yield str(link)
    else:
        yield str(path)


def verify_apart(path: Path, challenges: int) -> Verdict:
    """`verify` in a process of its own: a plot that is broken in the right way crashes chiapos."""
    ended = subprocess.run(
        [sys.executable, "-m", "plotrun_chiapos.verify", path, str(challenges)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,  # Ctrl-C is for plotrun
        check=False,
    )
    if ended.returncode != 0:
        return Verdict(challenges, 0, f"chiapos fails on it (exit code {ended.returncode})")
    return Verdict(**json.loads(ended.stdout.splitlines()[-1]))  # chiapos prints before it


if __name__ == "__main__":
    print(json.dumps(asdict(verify(Path(sys.argv[1]), int(sys.argv[2])))))  # noqa: T201
