"""Files that are there whole or not at all."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from predictive.errors import DataError


def replace_text(path: Path, text: str) -> None:
    """Write beside the target and rename, so that a reader finds the old file or the new one, never half of it.

    Missing folders are made. Raises :class:`~predictive.errors.DataError` where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".writing")
        temporary = Path(name)
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
                file.write(text)
            # mkstemp makes files that only their owner reads; a report is for others, as any new file is.
            temporary.chmod(0o666 & ~_umask())
            os.replace(temporary, path)  # noqa: PTH105 - Path.replace is not documented as atomic
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise DataError(
            f"{path}: the report cannot be written: {error.strerror}. What was there is as it was; name a file in a "
            "folder that you may write to (report in the configuration, or --out)"
        ) from None


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
