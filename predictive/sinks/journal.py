"""Several files replaced as one: a lock, new versions beside the old ones, one commit record, then the renames.

New versions are written in full under temporary names in the folders of the files that they replace. Writing the
record commits them. A process that dies before leaves temporary files, which mean nothing; one that dies after leaves
the record, and whoever comes next finishes the renames. Each single file is old or new at every instant.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from predictive.errors import DataError


@dataclass(frozen=True)
class Journal:
    """The commit record and the lock, both hidden files in `folder`.

    Args:
        folder: must be there before :meth:`locked` is called; any file in it may be replaced.
        beside: files next to the folder that may be replaced too.
    """

    folder: Path
    beside: tuple[Path, ...]

    @property
    def _record(self) -> Path:
        return self.folder / ".commit.json"

    def temporary(self, file: Path) -> Path:
        """Where the new version of `file` is written."""
        return file.with_name(f".{file.name}.tmp")

    def committed(self, file: Path) -> Path:
        """Where the committed version of `file` is: itself, or the new version that awaits its renaming."""
        waiting = self.temporary(file)
        return waiting if file in self.pending() and waiting.exists() else file

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes out, and first finish or clear away what a dead one left.

        The lock is the operating system's, so it ends with its process however that ends; the file stays.
        Raises :class:`~predictive.errors.DataError` when another process has it.
        """
        lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not acquire(lock):
                holder = os.pread(lock, 20, 0).decode() if hasattr(os, "pread") else ""
                raise DataError(
                    f"{self.folder}: another process{f' ({holder})' if holder else ''} is writing scores here; nothing "
                    "was written. Run again when it is done"
                )
            os.ftruncate(lock, 0)
            os.write(lock, str(os.getpid()).encode())
            self._finish()
            for stray in [*self.folder.glob(".*.tmp"), *map(self.temporary, self.beside)]:
                stray.unlink(missing_ok=True)
            yield
        finally:
            os.close(lock)

    def commit(self, files: Sequence[Path]) -> None:
        """Replace `files` by what stands under their temporary names; inside :meth:`locked`."""
        if not files:
            return
        for file in files:
            _sync(self.temporary(file))
        record = self.temporary(self._record)
        record.write_text(
            json.dumps([file.relative_to(self.folder.parent).as_posix() for file in files]), encoding="utf-8"
        )
        _sync(record)
        for folder in {file.parent for file in files}:
            _sync_folder(folder)
        record.replace(self._record)
        _sync_folder(self.folder)
        self._finish()

    def pending(self) -> list[Path]:
        """The files of a commit record: those whose renaming a dead process left undone, perhaps in part."""
        try:
            return [self.folder.parent / name for name in json.loads(self._record.read_text(encoding="utf-8"))]
        except FileNotFoundError:
            return []

    def _finish(self) -> None:
        """Do the renames of a commit record, as often as it takes, and remove it."""
        files = self.pending()
        for file in files:
            waiting = self.temporary(file)
            if waiting.exists():
                waiting.replace(file)
        for folder in {file.parent for file in files}:
            _sync_folder(folder)
        self._record.unlink(missing_ok=True)
        # The record must be gone for good before a next run writes temporary files that it would name.
        _sync_folder(self.folder)


def _sync(file: Path) -> None:
    with file.open("rb+") as opened:
        os.fsync(opened.fileno())


def _sync_folder(folder: Path) -> None:
    if sys.platform != "win32":  # Windows cannot open folders
        opened = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(opened)
        finally:
            os.close(opened)


def acquire(lock: int) -> bool:
    """Take the lock if no other process has it; any other trouble is an OSError."""
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(lock, 1 << 20, os.SEEK_SET)  # beyond the text, which stays readable
            msvcrt.locking(lock, msvcrt.LK_NBLCK, 1)
            os.lseek(lock, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
