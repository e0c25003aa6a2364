"""Work in threads that nobody has to wait for.

Threads of a pool are joined when the program ends; one that hangs on a dead disk would keep
plotrun from stopping. These are left behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def in_daemon_thread(work: Callable[[], T], name: str) -> asyncio.Future[T]:
    """Start *work* in a thread of its own; the future has its result, or what it raised."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def report(result: T | None, error: Exception | None) -> None:
        if future.done():  # cancelled: nobody waits any more
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except Exception as raised:  # it belongs to whoever waits
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has been closed meanwhile
            loop.call_soon_threadsafe(report, result, error)

    if getattr(loop, "works_inline", False):  # a simulated loop: its time stands still meanwhile
        run()
    else:
        threading.Thread(target=run, name=name, daemon=True).start()
    return future
