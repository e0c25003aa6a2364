"""A timeline of a simulation as an SVG picture: a row for each plotter at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from xml.sax.saxutils import escape

from plotrun.simulation.findings import Findings, Span
from plotrun.words import moment_words, printable

WIDTH, LEFT, ROW, TOP = 1000, 12, 16, 34
COLOURS = ("#4e79a7", "#f28e2b", "#59a14f", "#b07aa1")
OTHER = "#76b7b2"
"""Of a plotter without phases, and while its phase is not known."""
FAILED = "#e15759"
HOURS_BETWEEN_LINES = (1, 2, 3, 6, 12, 24, 48)
MOST_LINES = 16


def svg(findings: Findings) -> str:
    """The picture, as text."""
    return "\n".join(_parts(findings)) + "\n"


def _parts(findings: Findings) -> Iterator[str]:
    groups = dict.fromkeys((span.job, span.tmp) for span in findings.spans)
    rows = {
        group: 1 + max(s.slot for s in findings.spans if (s.job, s.tmp) == group)
        for group in groups
    }
    height = TOP + sum((count + 1) * ROW + 8 for count in rows.values()) + 24
    yield (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        f'font-family="sans-serif" font-size="11">'
    )
    yield f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>'
    yield from _hours(findings, height)
    y = TOP
    for job, tmp in groups:
        yield f'<text x="{LEFT}" y="{y + 11}" fill="#333333">{_words(f"{job} in {tmp}")}</text>'
        y += ROW
        for span in findings.spans:
            if (span.job, span.tmp) == (job, tmp):
                yield from _span(span, findings, y + span.slot * ROW)
        y += rows[job, tmp] * ROW + 8
    yield from _legend(height - 10)
    yield "</svg>"


def _x(at: float, findings: Findings) -> float:
    part = (at - findings.begun) / (findings.end - findings.begun)
    return LEFT + part * (WIDTH - 2 * LEFT)


def _span(span: Span, findings: Findings, y: int) -> Iterator[str]:
    end = span.ended or findings.end
    first = span.phases[0][0] if span.phases else 0  # told a moment after its beginning
    parts = [(first, span.begun), *span.phases[1:], (0, end)]
    title = f"{span.job}: {moment_words(span.begun, findings.begun)}"
    yield f"<g><title>{_words(title)}</title>"
    for (phase, begun), (_, until) in pairwise(parts):
        if until > begun:
            colour = COLOURS[(phase - 1) % len(COLOURS)] if phase else OTHER
            yield _box(_x(begun, findings), _x(until, findings), y, colour)
    if span.failed:
        yield _box(_x(end, findings) - 3, _x(end, findings), y, FAILED)
    yield "</g>"


def _box(left: float, right: float, y: int, colour: str) -> str:
    width = max(0.5, right - left)
    return (
        f'<rect x="{left:.1f}" y="{y + 2}" width="{width:.1f}" height="{ROW - 4}" fill="{colour}"/>'
    )


def _hours(findings: Findings, height: int) -> Iterator[str]:
    hours = (findings.end - findings.begun) / 3600
    step = next((h for h in HOURS_BETWEEN_LINES if hours / h <= MOST_LINES), 24 * 7)
    for number in range(int(hours // step) + 1):
        x = _x(findings.begun + number * step * 3600, findings)
        ends = f'y1="{TOP - 6}" y2="{height - 22}"'
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" {ends} stroke="#dddddd"/>'
        yield f'<text x="{x:.1f}" y="{TOP - 12}" fill="#666666">{number * step}h</text>'


def _legend(y: int) -> Iterator[str]:
    x = LEFT
    for number, colour in enumerate(COLOURS, 1):
        yield f'<rect x="{x}" y="{y - 9}" width="10" height="10" fill="{colour}"/>'
        yield f'<text x="{x + 14}" y="{y}" fill="#333333">phase {number}</text>'
        x += 80


def _words(text: str) -> str:
    return escape(printable(text))
