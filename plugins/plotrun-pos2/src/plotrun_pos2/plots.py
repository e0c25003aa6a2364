"""What is the same for all V2 plots, whoever makes them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, TypeAlias

from annotated_types import Ge, Le

from plotrun import Help, KeyProblem, Sizes

K: TypeAlias = Annotated[int, Ge(18), Le(32), Help("Size of the plot, even; the network's is 28.")]
"""The key ``k`` of a job."""
Strength: TypeAlias = Annotated[
    int, Ge(2), Le(63), Help("Strength of the plot; the network's is 2.")
]
"""The key ``strength`` of a job."""


def v2_sizes(k: int) -> Sizes:
    """Bytes of a plot that grows alone: within 2 % for k from 18 to 28 (measured)."""
    size = int(2**k * (k + 1.9) / 8)
    return Sizes(size, size)


def odd_k(k: int) -> Iterator[KeyProblem]:
    """The problem of a k that no V2 plot has."""
    if k % 2:
        yield KeyProblem("k", "an even number: V2 plots have no other k")
