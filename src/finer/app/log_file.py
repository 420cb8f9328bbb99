"""Where `finer up` logs: on a terminal people read sentences, and the JSON lines go to a file beside the data."""

from __future__ import annotations

import sys
from typing import TextIO

from finer.kit.settings import Settings

_BYTES_MAX = 64 * 2**20


def open_log(settings: Settings) -> TextIO | None:
    """The file that all processes log to, or None for standard error (FINER_LOG_TO).

    One that has grown large is kept as finer.log.1, in the place of the one before; that happens at a start only.
    """
    if settings.log_to == "stderr" or (settings.log_to == "auto" and not sys.stderr.isatty()):
        return None
    folder = settings.data_path / "logs"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = folder / "finer.log"
    if file.exists() and file.stat().st_size > _BYTES_MAX:
        file.replace(folder / "finer.log.1")
    # Line by line, since several processes append to it; it stays open until the supervisor ends.
    return file.open("a", buffering=1, encoding="utf-8")
