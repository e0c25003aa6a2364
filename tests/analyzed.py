"""What the tests of ``plotrun analyze`` share: real logs, logs in bladebit's forms, reading."""

from __future__ import annotations

from pathlib import Path

from plotrun.analysis.bladebit import BLADEBIT_FINISHED
from plotrun.analysis.reader import BLOCK, LogRead, LogReader, tables_of
from plotrun.builtin.chia import CHIAPOS_FINISHED
from plotrun.builtin.madmax import MADMAX_FINISHED

DATA = Path(__file__).parent / "data"
K25 = (DATA / "chia-k25.log").read_bytes()
K25_ID = "dbdce5a8c7caa4eb29e27dd31594924eb841ec5887f0c4d50284c0652a8cbefa"
MADMAX = (DATA / "madmax-k20-other-disk.log").read_bytes()
TABLES = tables_of(
    {"chia": CHIAPOS_FINISHED, "madmax": MADMAX_FINISHED, "bladebit": BLADEBIT_FINISHED}
)


def told(directory: Path, log: bytes, block: int = BLOCK) -> LogRead:
    """What a file with these bytes tells."""
    file = directory / "plotter.log"
    file.write_bytes(log)
    return LogReader(TABLES, block).read(str(file))


def another(log: bytes, plot_id: str) -> bytes:
    """The log of another k=25 plot."""
    return log.replace(K25_ID.encode(), plot_id.encode())


def only_plots(log: bytes) -> bytes:
    """A log of chia without its thousands of lines about buckets."""
    return b"".join(line for line in log.splitlines(keepends=True) if b"Bucket" not in line)


RAM_ID, DISK_ID, CUDA_ID = "1f" * 32, "8f" * 32, "c5" * 32

RAMPLOT = f"""Creating 1 plots:
 Output path           : /mnt/out/
 Thread count          : 88

System Memory: 348/503 GiB.
Memory required: 416 GiB.
Generating plot 1 / 1: {RAM_ID}

Running Phase 1
Forward propagating to table 2...
Finished forward propagating table 2 in 56.61 seconds.
Finished Phase 1 in 313.98 seconds.
Running Phase 2
  Prunning table 6...
Finished Phase 2 in 44.60 seconds.
Running Phase 3
  Compressing tables 1 and 2...
Finished Phase 3 in 203.26 seconds.
Running Phase 4
  Writing P7.
Finished Phase 4 in 1.11 seconds.
Writing final plot tables to disk

Plot /mnt/out/plot-k32-2021-08-29-22-22-{RAM_ID}.plot finished writing to disk:
  Table 1 pointer  :             4096 ( 0x0000000000001000 )

Finished writing tables to disk in 19.96 seconds.
Finished plotting in 582.91 seconds (9.72 minutes).
""".encode()

DISKPLOT = f"""[Bladebit Disk Plotter]
 Heap size      : 3.97 GiB ( 4062.88 MiB )
 Cache size     : 200.00 GiB ( 204800.00 MiB )
 Bucket count   : 256
 F1  threads    : 18
 Temp1 path     : /mnt/t1
 Temp2 path     : /mnt/t2

[Global Plotting Config]
 Thread count          : 64
 Output path           : /mnt/d

Generating plot 1 / 1: {DISK_ID}

Running Phase 1
Finished Phase 1 in 526.48 seconds ( 8.8 minutes ).
Running Phase 2
Finished Phase 2 in 100.36 seconds ( 1.7 minutes ).
Running Phase 3
Finished Phase 3 in 562.95 seconds ( 9.4 minutes ).
Completed pending writes in 0.50 seconds.
Finished writing plot plot-k32-2022-05-04-00-44-{DISK_ID}.plot.tmp.
Final plot table pointers:

Finished plotting in 1189.79 seconds ( 19.8 minutes ).
""".encode()

CUDAPLOT = f""" Thread count          : 16

[Bladebit CUDA Plotter]
Generating plot 1: {CUDA_ID}
Plot temporary file: /mnt/a/plot-k32-c05-2023-05-05-21-11-{CUDA_ID}.plot.tmp

Generating F1
Completed Phase 1 in 77.51 seconds
Completed Phase 2 in 4.21 seconds
Completed Phase 3 in 65.30 seconds
Completed Plot 1 in 147.21 seconds ( 2.45 minutes )

Completed writing plot in 12.50 seconds
""".encode()
