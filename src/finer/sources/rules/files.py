"""Which files of a folder or a prefix are taken."""

from __future__ import annotations

from fnmatch import fnmatchcase

_UNFINISHED = (".tmp", ".part", ".partial", ".crdownload", ".filepart", ".swp", "~")


def wanted(name: str, pattern: str) -> bool:
    """Whether a file is one of the source's: hidden files and names of unfinished copies never are."""
    last = name.rpartition("/")[2]
    if not last or last.startswith(".") or last.lower().endswith(_UNFINISHED):
        return False
    return fnmatchcase(last, pattern) or fnmatchcase(name, pattern)
