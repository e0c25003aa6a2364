"""Whether a V2 plot can be farmed: a proof is looked up, solved and verified."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from chia_rs import Prover, solve_proof, validate_proof_v2
from chia_rs.sized_bytes import bytes32
from chia_rs.sized_ints import uint8


def problem(path: Path, challenges: int) -> str | None:
    """Why the plot is bad, or None. Challenges are the same every time.

    The first proof that is found is solved: that is enough to tell a good plot from a bad one,
    and solving takes longer with every k.
    """
    prover = Prover(str(path))
    group_id, k = prover.plot_group_id(), prover.size()
    strength, meta_group = prover.get_strength(), uint8(prover.get_meta_group())
    for number in range(challenges):
        challenge = bytes32(hashlib.sha256(group_id + number.to_bytes(4, "big")).digest())
        for found in prover.get_qualities_for_challenge(challenge):
            plot_id = prover.plot_id_for_index(found.plot_index)
            proof = solve_proof(found.chain, plot_id, strength, k)
            checked = proof and validate_proof_v2(
                group_id, found.plot_index, k, strength, meta_group, challenge, proof
            )
            return None if checked else "it has a proof that is wrong"
    return f"it has no proof for {challenges} challenges"


def problem_apart(path: Path, challenges: int) -> str | None:
    """`problem` in a process of its own: a broken plot may crash the prover."""
    ended = subprocess.run(
        [sys.executable, "-m", "plotrun_pos2.verify", path, str(challenges)],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="backslashreplace",
        start_new_session=True,  # Ctrl-C is for plotrun
        check=False,
    )
    lines = (ended.stdout or ended.stderr).strip().splitlines()
    if ended.returncode == 0:
        return None
    return lines[-1] if lines else f"the prover fails on it (exit code {ended.returncode})"


if __name__ == "__main__":
    found = problem(Path(sys.argv[1]), int(sys.argv[2]))
    if found is not None:
        print(found)  # noqa: T201 - read by problem_apart
        sys.exit(1)
