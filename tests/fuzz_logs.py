"""Coverage-guided fuzzing of the reading of logs: a program, not a test.

    python -m pip install atheris
    python tests/fuzz_logs.py -max_total_time=600 CORPUS

CORPUS is a directory that it keeps its inputs in; on the first run it is filled with the logs that
the tests have. It ends with an error at the first input that breaks what `log_checks` asks.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["plotrun", "re"]):
    from log_checks import check, readers
    from plotrun.manager import load_plugins

ROOT = Path(__file__).parents[1]
PLOTTERS = load_plugins().plotters()
READER = readers(PLOTTERS)
FILE = Path(tempfile.mkdtemp()) / "fuzzed.log"
SEED_BYTES = 3000


def one_input(data: bytes) -> None:
    """The first byte chooses the plotter, the second where the rest is cut."""
    if len(data) < 3:
        return
    plotter, log = PLOTTERS[data[0] % len(PLOTTERS)], data[2:]
    size = 1 + data[1] * 7
    check(plotter, [log[at : at + size] for at in range(0, len(log), size)])
    FILE.write_bytes(log)
    READER.read(str(FILE))


def seed(corpus: Path) -> None:
    """Pieces of real logs, for each plotter."""
    corpus.mkdir(parents=True, exist_ok=True)
    logs = [*ROOT.glob("tests/data/*.log"), *ROOT.glob("plugins/*/tests/data/*.log")]
    for log in logs:
        text = log.read_bytes()
        for number in range(len(PLOTTERS)):
            for end in (SEED_BYTES, len(text)):
                piece = text[max(0, end - SEED_BYTES) : end]
                name = f"{log.stem}-{number}-{end}"
                (corpus / name).write_bytes(bytes([number, 40]) + piece)


if __name__ == "__main__":
    directories = [Path(word) for word in sys.argv[1:] if not word.startswith("-")]
    for directory in directories:
        seed(directory)
    atheris.Setup(sys.argv, one_input)
    atheris.Fuzz()
