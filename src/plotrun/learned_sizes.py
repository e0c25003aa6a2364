"""Sizes of plots: by the plotter's formula, until this machine has made such plots itself."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from plotrun.model import Job, Sizes
from plotrun.plotter import Plotter
from plotrun.store import Store

PLOTS_ASKED = 5
"""The last plots that are asked; the largest counts, so that the next one has room as well."""
TMP_MARGIN = 1.05
"""Temporary files are looked at twice a minute: the highest moment may have been missed."""


def size_key(plotter: Plotter, job: Job) -> str:
    """The values of the job on which the size of a plot depends, as text to compare."""
    keys: Any = job.keys(plotter.keys)
    return json.dumps({name: getattr(keys, name, None) for name in plotter.size_keys})


def sizes_of(plotter: Plotter, job: Job, store: Store) -> Sizes:
    """Bytes of the next plot, by the last ones with the same keys where there are any."""
    computed = plotter.sizes(job)
    k = getattr(job.keys(plotter.keys), "k", None)
    plots = store.measured.last(plotter.name, k, PLOTS_ASKED, size_key(plotter, job))
    tmp = [plot.tmp_bytes for plot in plots if plot.tmp_bytes is not None]
    learned, apart = int(max(tmp) * TMP_MARGIN) if tmp else computed.tmp, None
    if computed.apart is not None and computed.tmp:
        in_tmp, in_tmp2 = computed.apart
        # How it is spread is known of the formula only.
        apart = (in_tmp * learned // computed.tmp, in_tmp2 * learned // computed.tmp)
    return replace(
        computed,
        plot=max((plot.bytes for plot in plots), default=computed.plot),
        tmp=learned,
        apart=apart,
    )
