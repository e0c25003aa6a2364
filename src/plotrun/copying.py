"""Bringing a file from one directory to another so that at no moment it is in neither.

Blocking: these run in threads.
"""

from __future__ import annotations

import errno
import hashlib
import os
from collections.abc import Callable
from pathlib import Path

CHUNK = 16 * 1024 * 1024
"""Bytes copied at a time: large enough for a disk's full speed."""


class Cancelled(Exception):  # noqa: N818 - a request, not an error
    """The copy was given up by its caller."""


class DeliveryFailed(Exception):  # noqa: N818 - reads as what it says
    """The file could not be brought; the source is as it was. The message says why."""


def partial_path(destination: Path, worker: str) -> Path:
    """The hidden name under which a file grows at its destination."""
    return destination.with_name(f".{destination.name}.plotrun-{worker}.partial")


def bring(
    source: Path,
    destination: Path,
    worker: str,
    verify: str,
    moved: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> None:
    """Bring *source* to *destination*: a rename on one file system, else copy and compare.

    May be called again after it was cut off at any point. *moved* is told the bytes copied so
    far. An existing file at the destination is never replaced: if it is the same file byte for
    byte the work is done, otherwise it fails.

    Raises:
        DeliveryFailed: it could not be done; the source is untouched.
        Cancelled: *cancelled* answered True.
    """
    partial = partial_path(destination, worker)
    try:
        partial.unlink(missing_ok=True)  # of an attempt that was cut off
        if not source.exists() and destination.exists():
            return  # it was renamed before plotrun was cut off
        if destination.exists():
            if not _same(source, destination, cancelled):
                raise DeliveryFailed(f"{destination} exists already and is another file")
        elif _renamed(source, destination):
            return
        else:
            _copy(source, partial, verify, moved, cancelled)
            if destination.exists():
                raise DeliveryFailed(f"{destination} has appeared meanwhile")
            partial.rename(destination)
            _sync_directory(destination.parent)
        source.unlink()
    except OSError as error:
        _remove(partial)
        raise DeliveryFailed(f"{destination.parent}: {error.strerror or error}") from error
    except (Cancelled, DeliveryFailed):
        _remove(partial)
        raise


def _copy(
    source: Path,
    partial: Path,
    verify: str,
    moved: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> None:
    read_hash = hashlib.blake2b()
    with source.open("rb", buffering=0) as reader, partial.open("xb", buffering=0) as writer:
        size = os.fstat(reader.fileno()).st_size
        buffer = memoryview(bytearray(CHUNK))
        copied = 0
        while count := reader.readinto(buffer):
            if cancelled():
                raise Cancelled
            chunk = buffer[:count]
            if verify == "read":
                read_hash.update(chunk)
            while chunk:
                chunk = chunk[writer.write(chunk) :]
            copied += count
            moved(copied)
        os.fsync(writer.fileno())
        _forget_cache(writer.fileno())
        written = os.fstat(writer.fileno()).st_size
    if not copied == written == size:
        raise DeliveryFailed(f"{partial.parent}: {written} bytes arrived of {size}")
    if verify == "read" and _hash(partial, cancelled) != read_hash.digest():
        raise DeliveryFailed(f"{partial.parent}: what was read back differs from the plot")


def _forget_cache(descriptor: int) -> None:
    """Do not let a plot push everything else out of memory."""
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)


def _hash(path: Path, cancelled: Callable[[], bool]) -> bytes:
    digest = hashlib.blake2b()
    with path.open("rb", buffering=0) as reader:
        _forget_cache(reader.fileno())
        buffer = memoryview(bytearray(CHUNK))
        while count := reader.readinto(buffer):
            if cancelled():
                raise Cancelled
            digest.update(buffer[:count])
    return digest.digest()


def _same(one: Path, other: Path, cancelled: Callable[[], bool]) -> bool:
    return one.stat().st_size == other.stat().st_size and _hash(one, cancelled) == _hash(
        other, cancelled
    )


def _renamed(source: Path, destination: Path) -> bool:
    """Rename, if both are on one file system."""
    if source.stat().st_dev != destination.parent.stat().st_dev:
        return False
    _sync(source)
    try:
        source.rename(destination)
    except OSError as error:
        if error.errno == errno.EXDEV:  # two mounts of one file system
            return False
        raise
    _sync_directory(destination.parent)
    return True


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR if os.name == "nt" else os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_directory(directory: Path) -> None:
    """Make a rename last through a power cut; Windows has no such thing."""
    if os.name != "nt":
        _sync(directory)


def _remove(partial: Path) -> None:
    try:
        partial.unlink(missing_ok=True)
    except OSError:
        return  # the disk is gone; the next attempt removes it
