"""Figures and names as people read them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from plotrun import duration_words, moment_words, printable, size_words


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


@pytest.mark.parametrize(
    ("zone_name", "at", "words"),
    [
        ("UTC", 1_000_000, "Mon 13:46"),
        ("Europe/Berlin", 1_000_000, "Mon 14:46"),
        ("UTC", 1_000_000 + 6 * 86400, "Sun 13:46"),
        ("UTC", 1_000_000 + 7 * 86400, "1970-01-19 13:46"),
        ("UTC", 1_000_000 - 7 * 86400, "1970-01-05 13:46"),
    ],
)
def test_moments(zone_name: str, at: float, words: str, zone: Callable[[str], None]) -> None:
    zone(zone_name)
    assert moment_words(at, 1_000_000) == words


def test_a_name_cannot_forge_a_line_or_clear_the_screen() -> None:
    assert printable("a\nb\x1b[2J") == "a\\nb\\x1b[2J"
    assert printable(os.fsdecode(b"\xff.plot")) == "\\xff.plot"
    assert printable("ünïcödé 漢字") == "ünïcödé 漢字"


@given(st.binary(max_size=50))
def test_any_name_is_one_printable_line(name: bytes) -> None:
    shown = printable(os.fsdecode(name))
    assert shown.isprintable()
    shown.encode("utf-8")
