"""Folders that people name: whether they can be looked for and written to, told before anything needs it."""

from __future__ import annotations

import uuid
from pathlib import Path

from finer.kit.errors import InvalidInput


def nearest_folder(folder: Path, advice: str) -> Path:
    """The folder, or the nearest one above it that is there.

    Raises InvalidInput, which ends with `advice`, when the system does not let it be looked for (its name is too long,
    a folder above it is closed), or something else than a folder is in its place.
    """
    try:
        found = folder
        while not found.exists():
            found = found.parent
        is_folder = found.is_dir()
    except OSError as error:
        raise InvalidInput(f"{_shown(found)} cannot be looked for: {error.strerror}. {advice}") from error
    if not is_folder:
        raise InvalidInput(f"{_shown(found)} is no folder. {advice}")
    return found


def try_writing(folder: Path, advice: str) -> Path:
    """The same, after a file was written there and deleted. Raises InvalidInput with what the system says."""
    found = nearest_folder(folder, advice)
    probe = found / f"finer-probe-{uuid.uuid4().hex}"
    try:
        probe.write_bytes(b"finer")
        probe.unlink()
    except OSError as error:
        probe.unlink(missing_ok=True)
        raise InvalidInput(f"Nothing can be written to {_shown(found)}: {error.strerror}. {advice}") from error
    return found


def _shown(folder: Path) -> str:
    text = str(folder)
    return text if len(text) <= 300 else f"{text[:300]}..."
