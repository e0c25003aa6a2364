"""Figures and names as people read them."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotrun import duration_words, printable, size_words


@pytest.mark.parametrize(
    ("count", "words"),
    [(0, "0 B"), (1023, "1023 B"), (1536, "1.5 KiB"), (108.8e9, "101.3 GiB"), (4e15, "3638.0 TiB")],
)
def test_sizes(count: float, words: str) -> None:
    assert size_words(count) == words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "0s"),
        (45, "45s"),
        (60, "1m"),
        (725, "12m 5s"),
        (3600, "1h"),
        (12_000, "3h 20m"),
        (187_200, "2d 4h"),
    ],
)
def test_durations(seconds: float, words: str) -> None:
    assert duration_words(seconds) == words


def test_a_name_cannot_forge_a_line_or_clear_the_screen() -> None:
    assert printable("a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert printable(os.fsdecode(b"\xff.plot")) == "\\xff.plot"
    assert printable("ünïcödé 漢字") == "ünïcödé 漢字"


@given(st.binary(max_size=50))
def test_any_name_is_one_printable_line(name: bytes) -> None:
    shown = printable(os.fsdecode(name))
    assert shown.isprintable()
    shown.encode("utf-8")
