"""The database of a state directory: opened, brought to its present form, written to."""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from plotrun.store.schema import FORMS

FILE_NAME = "plotrun.sqlite3"


class StoreError(Exception):
    """The state cannot be read or written; the message says why and what to do."""


class Database:
    """The tables of one state directory. May be used from any thread."""

    def __init__(self, state_dir: Path, lasting: bool = True) -> None:
        """Open the state, making it if there is none.

        A *lasting* one outlives a power cut: each commit is on the disk before it is answered.

        Raises:
            StoreError: it cannot be opened, or was made by a newer plotrun.
        """
        self.file = state_dir / FILE_NAME
        self._lock = threading.RLock()
        try:
            make_state_dir(state_dir)
            self._connection = sqlite3.connect(
                self.file, timeout=30, isolation_level=None, check_same_thread=False
            )
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if lasting else 'OFF'}")
            self._make()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(
                f"{self.file}: cannot be opened ({error}): check that the directory is writable"
            ) from error

    def _make(self) -> None:
        (version,) = self._connection.execute("PRAGMA user_version").fetchone()
        if version > len(FORMS):
            raise StoreError(
                f"{self.file}: made by a newer plotrun (form {version}, this one knows "
                f"{len(FORMS)}): install that version again"
            )
        if version < len(FORMS):
            with self.writing():
                (version,) = self._connection.execute("PRAGMA user_version").fetchone()
                for statements in FORMS[version:]:  # unless another has made them meanwhile
                    for statement in statements.split(";\n"):
                        self._connection.execute(statement)
                self._connection.execute(f"PRAGMA user_version = {len(FORMS)}")

    def close(self) -> None:
        """Close the database."""
        with self._lock:
            self._connection.close()

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction: all of it or nothing. One within another is part of it.

        Raises:
            StoreError: it cannot be written.
        """
        with self._lock:
            if self._connection.in_transaction:
                yield
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                yield
                self._connection.execute("COMMIT")
            except BaseException as error:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise StoreError(f"{self.file}: cannot be written: {error}") from error
                raise

    def copy_to(self, state_dir: Path) -> None:
        """Copy all of it, as it is at one moment, into another state directory."""
        make_state_dir(state_dir)
        with self._lock, contextlib.closing(sqlite3.connect(state_dir / FILE_NAME)) as other:
            self._connection.backup(other)

    def changes_of_others(self) -> int:
        """A number that is another one once another process has written."""
        ((number,),) = self.rows("PRAGMA data_version")
        return int(number)

    def reading(self) -> AbstractContextManager[object]:
        """What is read meanwhile is of one moment, as far as this process writes."""
        return self._lock

    def rows(self, query: str, *values: Any) -> list[tuple[Any, ...]]:
        """The rows that *query* answers."""
        with self._lock:
            return self._connection.execute(query, values).fetchall()

    def run(self, statement: str, *values: Any) -> None:
        """Carry out one statement; outside of `writing` it is a transaction of its own."""
        with self._lock:
            self._connection.execute(statement, values)


def has_state(state_dir: Path) -> bool:
    """Whether plotrun has ever written to this state directory."""
    return (state_dir / FILE_NAME).exists()


def make_state_dir(state_dir: Path) -> None:
    """Make the state directory, if there is none, for its owner's eyes only.

    It holds the user's commands, and there may be passwords in them.
    """
    state_dir.parent.mkdir(parents=True, exist_ok=True)
    state_dir.mkdir(mode=0o700, exist_ok=True)
