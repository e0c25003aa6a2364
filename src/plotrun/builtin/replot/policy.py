"""Which old plots may go for a new one: plain functions of what is given, no disk is touched."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Annotated, Any, Literal

from annotated_types import Ge

from plotrun import (
    AbsolutePaths,
    FoundPlot,
    Help,
    PlotFacts,
    PlotFormat,
    Written,
    puzzle_hash,
    read_duration,
)

YEAR = 365.25 * 86400


@dataclass(frozen=True)
class Before:
    """A moment, or an age that moves on with the clock."""

    text: str
    """As it was written."""
    at: float = 0.0
    """Seconds since the epoch."""
    age: float | None = None
    """Seconds; instead of `at`."""

    def moment(self, now: float) -> float:
        """Plots made before it may go."""
        return self.at if self.age is None else now - self.age


def read_before(value: Any) -> Before:
    """The moment of 2026-06-01 (its beginning, in local time), or the age of "180d", "2y".

    Raises:
        ValueError: it is neither.
    """
    if isinstance(value, date):  # a datetime is one as well
        return Before(str(value), _moment(value))
    if not isinstance(value, str):
        raise ValueError("it is neither a date nor an age")
    text = value.strip()
    try:
        return Before(text, _moment(datetime.fromisoformat(text)))
    except ValueError:
        pass
    if text.endswith("y"):
        number = text[:-1].strip()
        if not number.replace(".", "", 1).isdecimal():
            raise ValueError("it cannot be read")
        age = float(number) * YEAR
    else:
        age = read_duration(text)
    if age < 86400:
        raise ValueError("it is less than a day")
    return Before(text, age=age)


def _moment(value: date) -> float:
    if not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day)
    try:
        return value.timestamp()
    except (ValueError, OverflowError):
        raise ValueError("there is no such time") from None


def _items(value: Any) -> list[Any]:
    items = value if isinstance(value, list) else [value]
    if not items:
        raise ValueError("the list is empty")
    return items


def read_formats(value: Any) -> tuple[PlotFormat, ...]:
    """Formats of "v1", or of a list.

    Raises:
        ValueError: one is none, or there is none.
    """
    names = [str(each) for each in PlotFormat]
    for item in _items(value):
        if item not in names:
            raise ValueError(f"a format is one of {', '.join(names)}")
    return tuple(PlotFormat(item) for item in _items(value))


def read_compression(value: Any) -> tuple[int, ...]:
    """Levels of 0, or of a list.

    Raises:
        ValueError: one is none, or there is none.
    """
    for item in _items(value):
        if not isinstance(item, int) or isinstance(item, bool) or not 0 <= item <= 40:
            raise ValueError("a level is a whole number, 0 for none")
    return tuple(_items(value))


@dataclass(frozen=True)
class Pools:
    """Whose plots may go."""

    og_only: bool = False
    """Those of a pool key, and no plots of contracts."""
    staying: tuple[bytes, ...] = ()
    """Puzzle hashes of the contracts whose plots stay."""


def read_pool(value: Any) -> Pools:
    """Whose plots may go, of "og" or { not = ["xch1…"] }.

    Raises:
        ValueError: it is neither.
    """
    if value == "og":
        return Pools(og_only=True)
    if not isinstance(value, dict) or list(value) != ["not"]:
        raise ValueError("it is neither")
    found = []
    for address in _items(value["not"]):
        if not isinstance(address, str):
            raise ValueError("an address is not text")
        try:
            found.append(puzzle_hash(address))
        except ValueError as error:
            raise ValueError(f"{address[:12]}…: {error}") from error
    return Pools(staying=tuple(found))


_STRINGS = {"type": "array", "items": {"type": "string"}, "minItems": 1}
_NUMBERS = {"type": "array", "items": {"type": "integer"}, "minItems": 1}


@dataclass(frozen=True)
class Policy:
    """``[job.replot]``: which plots may go to make room for those of the job."""

    before: Annotated[
        Annotated[
            Before,
            Written(
                read_before,
                'a date such as 2026-06-01, or an age such as "180d" or "2y"',
                {"type": "string"},
            ),
        ]
        | None,
        Help("Plots made before this date, or longer ago than this, may go."),
    ] = None
    formats: Annotated[
        Annotated[
            tuple[PlotFormat, ...],
            Written(
                read_formats,
                'a list of "v1", "v1-compressed", "v2"',
                {"anyOf": [{"type": "string"}, _STRINGS]},
            ),
        ]
        | None,
        Help('Plots of these formats may go; "v1" are uncompressed ones only. Default: all.'),
    ] = None
    pool: Annotated[
        Annotated[
            Pools,
            Written(
                read_pool,
                '"og", or { not = ["xch1…"] } with pool contract addresses',
                {
                    "anyOf": [
                        {"const": "og"},
                        {"type": "object", "properties": {"not": _STRINGS}, "required": ["not"]},
                    ]
                },
            ),
        ]
        | None,
        Help(
            '"og": plots for a pool key may go, none for a contract. `{ not = […] }`: plots for '
            "these contracts stay, all others may go. Default: whosever they are."
        ),
    ] = None
    max_k: Annotated[int | None, Ge(1), Help("Plots up to this k may go. Default: any k.")] = None
    compression: Annotated[
        Annotated[
            tuple[int, ...],
            Written(
                read_compression,
                "a level such as 0, or a list of them",
                {"anyOf": [{"type": "integer"}, _NUMBERS]},
            ),
        ]
        | None,
        Help(
            "V1 plots of these levels may go; 0 are uncompressed ones. Only BladeBit's header "
            "tells the level: Gigahorse's plots, and V2 plots, stay. Default: any."
        ),
    ] = None
    dst: Annotated[
        AbsolutePaths | None,
        Help("Only plots in these of the job's destinations may go. Default: in all of them."),
    ] = None
    subdirectories: Annotated[
        bool, Help("true: plots in directories below the destination may go as well.")
    ] = False
    when: Annotated[
        Literal["delivery", "start"],
        Help(
            'When room is made: "delivery", once the new plot is finished and checked; "start", '
            "before its plotter starts, where the destination has to be chosen then."
        ),
    ] = "delivery"
    keep_at_least: Annotated[
        int, Ge(0), Help("So many plots stay in a destination, whatever they are.")
    ] = 0
    limit: Annotated[
        int | None, Ge(1), Help("No more plots go within 24 hours. Default: no limit.")
    ] = None
    order: Annotated[
        Literal["oldest", "worst first"],
        Help(
            'Which goes first: "oldest", or "worst first": V1 before compressed V1 before V2, a '
            "pool key's before a contract's, less compressed ones first, and then the oldest."
        ),
    ] = "oldest"


def too_wide(policy: Policy) -> bool:
    """Whether nothing in the policy says which plots may go: all of them could."""
    rules = (policy.before, policy.formats, policy.pool, policy.max_k, policy.compression)
    return all(rule is None for rule in rules)


def why_stays(policy: Policy, facts: PlotFacts, made_at: float, now: float) -> str | None:
    """Why *policy* lets a plot of these facts stay; None: it may go."""
    if policy.formats is not None and facts.format not in policy.formats:
        return f"its format is {facts.format}"
    if policy.max_k is not None and facts.k > policy.max_k:
        return f"its k is above {policy.max_k}"
    if policy.pool is not None:
        if facts.pool is None:
            return "its pool is not known"
        if policy.pool.og_only and not facts.og:
            return "it is for a contract"
        if facts.pool in policy.pool.staying:
            return "it is for a contract whose plots stay"
    if policy.compression is not None:
        if facts.compression is None:
            return "its compression is not known"
        if facts.compression not in policy.compression:
            return f"its compression is {facts.compression}"
    if policy.before is not None and made_at >= policy.before.moment(now):
        return f"not made before {policy.before.text}"
    return None


def in_order(policy: Policy, plots: Sequence[FoundPlot]) -> list[FoundPlot]:
    """*plots* in the order in which they go."""
    return sorted(plots, key=lambda plot: rank(policy, plot))


def rank(policy: Policy, plot: FoundPlot) -> tuple[Any, ...]:
    """The least goes first."""
    age = (plot.made_at, plot.name)
    if policy.order == "oldest":
        return age
    formats = list(PlotFormat)
    unknown = 99
    level = plot.facts.compression if plot.facts.compression is not None else unknown
    return formats.index(plot.facts.format), plot.facts.og is not True, level, *age


@dataclass(frozen=True)
class Plan:
    """What goes of one destination for a new plot, or why nothing does."""

    go: tuple[FoundPlot, ...] = ()
    """In order; empty: nothing goes."""
    problem: str = ""
    """Why nothing goes."""


@dataclass(frozen=True)
class Sorted:
    """The plots of one destination: those that may go, in order, and why the others stay."""

    may_go: tuple[FoundPlot, ...]
    """Those that `keep_at_least` keeps are among them."""
    staying: Mapping[str, int] = field(default_factory=dict)
    """How many stay, by reason."""
    all: int = 0
    """How many plots there are."""


def sort_out(
    policy: Policy,
    plots: Sequence[FoundPlot],
    now: float,
    stays: Callable[[FoundPlot], str | None],
) -> Sorted:
    """Which plots may go; *stays* says why one does whatever the policy is."""
    may_go, staying = [], Counter[str]()
    for plot in plots:
        reason = why_stays(policy, plot.facts, plot.made_at, now) or stays(plot)
        if reason is None:
            may_go.append(plot)
        else:
            staying[reason] += 1
    return Sorted(tuple(in_order(policy, may_go)), staying, len(plots))


def plan(
    policy: Policy,
    found: Sorted,
    lacking: int,
    left_today: int | None,
    why_open: Callable[[FoundPlot], str | None],
) -> Plan:
    """What goes to free *lacking* bytes: the first in order, and none that is not needed.

    *left_today* is how many may still go within the day, None: any number. *why_open* is asked
    last, of those that would go: one that is open stays, and another goes.
    """
    if lacking <= 0:
        return Plan(problem="there is room")
    most = max(0, found.all - policy.keep_at_least)
    if left_today is not None:
        most = min(most, left_today)
    taken: list[FoundPlot] = []
    freed = 0
    for plot in found.may_go:
        if freed >= lacking:
            break
        if plot.allocated > 0 and why_open(plot) is None:
            taken.append(plot)
            freed += plot.allocated
    if freed < lacking:
        return Plan(problem="all that may go would not be enough")
    # A large one may have come after small ones that are not needed then.
    for plot in reversed(tuple(taken)):
        if freed - plot.allocated >= lacking:
            taken.remove(plot)
            freed -= plot.allocated
    if len(taken) > most:
        kept = f"keep_at_least is {policy.keep_at_least}"
        reached = "the limit for a day is reached"
        return Plan(problem=kept if found.all - len(taken) < policy.keep_at_least else reached)
    return Plan(tuple(taken))
