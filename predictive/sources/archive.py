"""Files in zip archives, as CRM exports arrive: ``export.zip/contacts.csv`` names a member like a path."""

from __future__ import annotations

import shutil
import zipfile
from pathlib import Path

from predictive.errors import DataError, nearest


def split(path: Path) -> tuple[Path, str] | None:
    """The archive that a path leads into, and the member inside; None if the path leads into none.

    >>> split(Path("/no/such/folder/contacts.csv")) is None
    True
    """
    for parent in (path, *path.parents):
        if parent.suffix.lower() == ".zip" and parent.is_file():
            return parent, path.relative_to(parent).as_posix()
    return None


def extract(archive: Path, member: str, folder: Path, where: str) -> Path:
    """A copy of one member in `folder`, under a name of its own; `where` is the configuration's path to it."""
    try:
        with zipfile.ZipFile(archive) as opened:
            names = [name for name in opened.namelist() if not name.endswith("/") and not name.startswith("__MACOSX/")]
            if member not in names:
                hint = nearest(member, names)
                raise DataError(f"{where}: {archive} holds no file {member!r}; {hint}; write {archive.name}/FILE")
            copy = folder / f"{len(list(folder.iterdir()))}{Path(member).suffix}"
            with opened.open(member) as source, copy.open("wb") as target:
                shutil.copyfileobj(source, target)
    except (zipfile.BadZipFile, EOFError) as error:
        raise DataError(f"{where}: {archive} is not a whole zip archive ({error}); copy or export it again") from None
    except (RuntimeError, NotImplementedError) as error:
        raise DataError(f"{where}: {archive}/{member} cannot be unpacked ({error}); unpack it yourself") from None
    return copy
