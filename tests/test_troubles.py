"""Words of trouble as real plotters say them, and what they mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from farm import Farm
from plotrun import Trouble, TroubleKind
from plotrun.builtin.chia import CHIAPOS_LOG
from plotrun.logparser import LogParser
from plotrun.store import Store

DATA = Path(__file__).parent / "data"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Copy to plot-k32-x.plot failed with: fwrite() failed (No space left)", "copy failed"),
        ("Only wrote 696324 of 789390 bytes at offset 0 to x. Error 1. Retrying", "disk full"),
        ("All destinations are busy or full, waiting ...", "disk full"),
        ("Caught plotting error: Stripe size too large", "stripe too large"),
        ("Invalid poolkey: AB, 'ab' (needs to be 48 bytes, see `chia keys show`)", "invalid key"),
        ("Invalid contract (address): 0x, 'xch1'", "invalid key"),
        ("ValueError: non-hexadecimal number found in fromhex() arg", "invalid key"),
        ("terminate called after throwing: std::bad_alloc", "out of memory"),
        ("CUDA error: out of memory", "out of memory"),
        ("Invalid tmpdir: /mnt/tmp (needs trailing '/' or '\\')", "directory"),
        ("Failed to write to tmpdir directory: '/mnt/tmp/'", "directory"),
        ("Fatal error: the moon is full of cheese", "other"),
    ],
)
def test_kinds(text: str, kind: str) -> None:
    assert Trouble(text).kind == kind


@pytest.mark.parametrize(
    ("log", "kind"),
    [("chia-dst-full.log", TroubleKind.COPY_FAILED), ("chia-tmp-full.log", TroubleKind.DISK_FULL)],
)
def test_kinds_in_real_logs(log: str, kind: TroubleKind) -> None:
    facts = LogParser(CHIAPOS_LOG).feed((DATA / log).read_bytes())
    assert {fact.kind for fact in facts if isinstance(fact, Trouble)} == {kind}


def test_a_real_plotter_whose_stripe_is_too_large(farm: Farm) -> None:
    farm.write(stripe=65536, rest="[plugins.backoff]\npause_after = 1\n")
    ended = farm.run_until_done()
    assert ended.returncode == 1
    store = Store(farm.state_dir)
    told = [e.data for e in store.events.last(100) if e.kind == "plotter_trouble"]
    store.close()
    assert "stripe too large" in {data["kind"] for data in told}
