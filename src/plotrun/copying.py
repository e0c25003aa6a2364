"""Bringing a file from one directory to another so that at no moment it is in neither.

Blocking: these run in threads. A thread may hang on a dead disk for as long as it likes: whoever
began it gives its `Attempt` up, and then it does no harm when it wakes.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import hashlib
import os
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

CHUNK = 1024 * 1024
"""Bytes copied at a time: it stays in a processor's cache, and is large enough for any disk."""
WINDOW = 32 * 1024 * 1024
"""Bytes after which what was written is sent to the disk and taken out of the page cache."""


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The copy was given up by its caller."""


class DeliveryFailed(Exception):  # noqa: N818 - reads as what it says
    """The file could not be brought; the source is as it was. The message says why."""


class FileMissing(DeliveryFailed):
    """The file is in neither place now: it was brought to a disk that is not there any more."""


class Attempt:
    """One attempt to bring a file: what its thread and whoever began it tell each other.

    Until the file has arrived it can be given up; from then on it cannot. So there is no moment
    at which one side takes the file for delivered and the other one brings it elsewhere.
    """

    def __init__(
        self, moved: Callable[[int], None] = lambda _: None, rate: int | None = None
    ) -> None:
        self.steps = 0
        """Grows with whatever is done: an attempt that hangs is one that does not grow."""
        self.copied = 0
        """Bytes."""
        self.reading = False
        """Whether it waits for the disk that it reads from, and not for the destination."""
        self._moved = moved
        self._rate = rate
        self._began = time.monotonic()
        self._lock = threading.Lock()
        self._given_up = threading.Event()
        self._arrived = False

    @property
    def speed(self) -> float:
        """Bytes a second, from the beginning of the copy until now."""
        return self.copied / max(time.monotonic() - self._began, 0.001)

    def give_up(self) -> bool:
        """Let the thread stop at its next step; False if it is too late for that."""
        with self._lock:
            if not self._arrived:
                self._given_up.set()
            return not self._arrived

    def arrive(self) -> None:
        """The file counts as arrived from now on.

        Raises:
            Cancelled: the attempt was given up before.
        """
        with self._lock:
            self._step()
            self._arrived = True

    def step(self, reading: bool = False) -> None:
        """Say that the thread does not hang.

        Raises:
            Cancelled: the attempt was given up.
        """
        with self._lock:
            self._step()
            self.reading = reading

    def _step(self) -> None:
        if self._given_up.is_set():
            raise Cancelled
        self.steps += 1

    def begin(self) -> None:
        """The copy begins now, and can be given up."""
        with self._lock:
            self._began, self._arrived = time.monotonic(), False

    def progress(self, copied: int) -> None:
        """So many bytes are copied; waits before, if that is more than the rate allows.

        Raises:
            Cancelled: the attempt was given up.
        """
        if self._rate:
            ahead = copied / self._rate - (time.monotonic() - self._began)
            if ahead > 0:
                self._given_up.wait(ahead)
        with self._lock:
            self._step()
            self.copied = copied
            self._moved(copied)


class _Directory:
    """The directory that a file is brought to, held open: its disk may be taken away meanwhile."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_RDONLY) if os.name != "nt" else None

    def check(self) -> None:
        """See that the path still leads to the disk that the file was written to.

        Raises:
            DeliveryFailed: it does not.
        """
        if self._descriptor is not None:
            device = os.fstat(self._descriptor).st_dev
            if self._path.stat().st_dev != device:
                raise DeliveryFailed(f"{self._path}: its disk was taken away meanwhile")

    def sync(self) -> None:
        """Make a rename last through a power cut; Windows has no such thing."""
        if self._descriptor is not None:
            os.fsync(self._descriptor)

    def remove(self, name: str) -> None:
        """Remove what was written, if that is possible, also where the path leads elsewhere now."""
        try:
            if self._descriptor is not None:
                os.unlink(name, dir_fd=self._descriptor)
            else:
                (self._path / name).unlink()
        except OSError:
            return  # the disk is gone; the next attempt removes it

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)


def partial_path(destination: Path, worker: str) -> Path:
    """The hidden name under which a file grows at its destination."""
    return destination.with_name(f".{destination.name}.plotrun-{worker}.partial")


def bring(source: Path, destination: Path, worker: str, verify: str, attempt: Attempt) -> None:
    """Bring *source* to *destination*: a rename on one file system, else copy and compare.

    May be called again after it was cut off at any point. An existing file at the destination is
    never replaced: if it is the same file byte for byte the work is done, otherwise it fails. A
    source that cannot be removed afterwards stays: the file has arrived.

    Raises:
        DeliveryFailed: it could not be done; the source is untouched.
        FileMissing: neither is there.
        Cancelled: the attempt was given up; the source is untouched.
    """
    try:
        attempt.step()
        partial_path(destination, worker).unlink(missing_ok=True)  # of one that was cut off
        here, there = _is_there(source), _is_there(destination)
        attempt.step()
        if not here and not there:
            words = f"the plot is neither in {source.parent} nor in {destination.parent} now"
            raise FileMissing(words)
        if not here:
            return  # it was renamed before plotrun was cut off
        if there:
            if not _same(source, destination, attempt):
                raise DeliveryFailed(f"{destination} exists already and is another file")
            attempt.arrive()
        elif _renamed(source, destination, attempt):
            return
        else:
            _bring_copy(source, destination, worker, verify, attempt)
    except OSError as error:
        raise DeliveryFailed(f"{destination.parent}: {error.strerror or error}") from error
    try:
        source.unlink()
    except OSError:
        return  # whoever clears its directory says so


def _bring_copy(
    source: Path, destination: Path, worker: str, verify: str, attempt: Attempt
) -> None:
    partial = partial_path(destination, worker)
    written = partial.name
    directory = _Directory(destination.parent)
    try:
        _copy(source, partial, verify, attempt)
        directory.check()
        if _is_there(destination):
            raise DeliveryFailed(f"{destination} has appeared meanwhile")
        attempt.step()
        partial.rename(destination)
        written = destination.name
        directory.sync()
        directory.check()
        attempt.arrive()
    except (OSError, Cancelled, DeliveryFailed):
        # Not arrived: whatever was written, under either name, is this attempt's own.
        directory.remove(written)
        raise
    finally:
        directory.close()


def _copy(source: Path, partial: Path, verify: str, attempt: Attempt) -> None:
    read_hash = hashlib.blake2b()
    with source.open("rb", buffering=0) as reader, partial.open("xb", buffering=0) as writer:
        size = os.fstat(reader.fileno()).st_size
        buffer = memoryview(bytearray(CHUNK))
        copied = sent = 0
        attempt.begin()
        while True:
            attempt.step(reading=True)
            count = reader.readinto(buffer)
            attempt.step()
            if not count:
                break
            chunk = buffer[:count]
            if verify == "read":
                read_hash.update(chunk)
            while chunk:
                chunk = chunk[writer.write(chunk) :]
            copied += count
            if copied - sent >= WINDOW:
                _send(writer.fileno(), sent, copied)
                _forget_cache(reader.fileno(), copied)
                sent = copied
            attempt.progress(copied)
        os.fsync(writer.fileno())
        _forget_cache(reader.fileno(), copied)
        _forget_cache(writer.fileno(), copied)
        written = os.fstat(writer.fileno()).st_size
    attempt.step()
    if not copied == written == size:
        raise DeliveryFailed(f"{partial.parent}: {written} bytes arrived of {size}")
    if verify == "read" and _hash(partial, attempt) != read_hash.digest():
        raise DeliveryFailed(f"{partial.parent}: what was read back differs from the plot")


def _send(descriptor: int, start: int, end: int) -> None:
    """Let the disk write these bytes now; wait for the ones before, and forget those.

    So never more than two windows of a file wait in memory: neither the page cache is flooded,
    nor does fsync take minutes at the end. Errors are told by that fsync.
    """
    send = _sync_file_range()
    if send is None:
        return
    before = max(0, start - WINDOW)
    send(descriptor, start, end - start, 2)  # SYNC_FILE_RANGE_WRITE
    send(descriptor, before, start - before, 7)  # and WAIT_BEFORE, and WAIT_AFTER
    _forget_cache(descriptor, start)


@functools.cache
def _sync_file_range() -> Callable[..., int] | None:
    """The system call of Linux that Python does not have; None elsewhere."""
    if sys.platform != "linux":
        return None
    import ctypes

    function = getattr(ctypes.CDLL(None), "sync_file_range", None)
    if function is not None:
        function.argtypes = (ctypes.c_int, ctypes.c_int64, ctypes.c_int64, ctypes.c_uint)
    return function


def _forget_cache(descriptor: int, end: int = 0) -> None:
    """Take a file, up to *end* or all of it, out of the page cache, where it is on the disk."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, end, os.POSIX_FADV_DONTNEED)


def _hash(path: Path, attempt: Attempt, reading: bool = False) -> bytes:
    digest = hashlib.blake2b()
    with path.open("rb", buffering=0) as reader:
        _forget_cache(reader.fileno())
        buffer = memoryview(bytearray(CHUNK))
        done = 0
        while count := reader.readinto(buffer):
            attempt.step(reading)
            digest.update(buffer[:count])
            done += count
            if done % WINDOW < CHUNK:
                _forget_cache(reader.fileno(), done)
    return digest.digest()


def _same(source: Path, other: Path, attempt: Attempt) -> bool:
    if source.stat().st_size != other.stat().st_size:
        return False
    attempt.step(reading=True)
    wanted = _hash(source, attempt, reading=True)
    attempt.step()
    return _hash(other, attempt) == wanted


def _is_there(path: Path) -> bool:
    """Whether something has this name; a disk that cannot tell is an error, and not a no."""
    try:
        path.lstat()
    except FileNotFoundError:
        return False
    return True


def _renamed(source: Path, destination: Path, attempt: Attempt) -> bool:
    """Rename, if both are on one file system.

    That is never given up: where a rename hangs, the file itself lies on the disk that hangs.
    """
    if source.stat().st_dev != destination.parent.stat().st_dev:
        return False
    _sync(source)
    attempt.arrive()
    try:
        source.rename(destination)
    except OSError as error:
        if error.errno == errno.EXDEV:  # two mounts of one file system
            return False
        raise
    if os.name != "nt":  # which has no such thing
        with contextlib.suppress(OSError):  # it is there, whichever name a power cut leaves it
            _sync(destination.parent)
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
