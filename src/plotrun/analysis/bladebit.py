"""The log of bladebit: ``ramplot`` of all versions, ``diskplot`` and ``cudaplot``."""

from __future__ import annotations

from plotrun.analysis.forms import NUMBER, FinishedLog, LineForm

NAME = "bladebit"

BLADEBIT_FINISHED = FinishedLog(
    start=LineForm(
        b"Generating plot ", rb"Generating plot \d+(?: / \d+)?: (?P<plot_id>[0-9a-f]{64})\b"
    ),
    head=(
        # Not in the first versions. The name has the date of the start.
        LineForm(
            b"Plot temporary file: ", rb"Plot temporary file: (?P<file>[^\r\n]+\.plot)(?:\.tmp)?\b"
        ),
    ),
    preamble=(
        LineForm(b" Output path ", rb" Output path +: (?P<dst>[^\r\n]+)"),
        LineForm(b" Thread count ", rb" Thread count +: (?P<threads>\d{1,6})\b"),
        LineForm(b" Bucket count ", rb" Bucket count +: (?P<buckets>\d{1,6})\b"),
        LineForm(b" Temp1 path ", rb" Temp1 path +: (?P<tmp>[^\r\n]+)"),
        LineForm(b" Temp2 path ", rb" Temp2 path +: (?P<tmp2>[^\r\n]+)"),
        LineForm(b" Heap size ", rb" Heap size +: [^\r\n]*\( (?P<buffer>" + NUMBER + rb") MiB"),
        LineForm(b"Memory required: ", rb"Memory required: (?P<buffer_gib>\d{1,6}) GiB"),
    ),
    body=(
        LineForm(
            b" Phase ",
            rb"(?:Finished|Completed) Phase (?P<phase>[1-4]) in (?P<seconds>" + NUMBER + rb") sec",
        ),
        LineForm(
            b"Finished plotting in ", rb"Finished plotting in (?P<total>" + NUMBER + rb") sec"
        ),
        LineForm(b"Completed Plot ", rb"Completed Plot \d+ in (?P<total>" + NUMBER + rb") sec"),
        # What is left to write when the phases are done: ramplot, diskplot, cudaplot.
        LineForm(
            b"Finished writing tables to disk in ",
            rb"Finished writing tables to disk in (?P<copy>" + NUMBER + rb") sec",
        ),
        LineForm(
            b"Completed pending writes in ",
            rb"Completed pending writes in (?P<copy>" + NUMBER + rb") sec",
        ),
        LineForm(
            b"Completed writing plot in ",
            rb"Completed writing plot in (?P<copy>" + NUMBER + rb") sec",
        ),
        LineForm(
            b" finished writing to disk", rb"Plot (?P<file>[^\r\n]+\.plot) finished writing to disk"
        ),
        LineForm(
            b"Finished writing plot ",
            rb"Finished writing plot (?P<file>[^\r\n]+?\.plot)(?:\.tmp)?\.?(?=[\r\n]|$)",
        ),
    ),
    k=32,
)
"""How bladebit's lines are read. It makes plots of k=32 only. Its total includes the writing."""
