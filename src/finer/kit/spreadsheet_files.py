"""CSV files that are made whole before their first byte is sent."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from typing import Any

from finer.kit.spreadsheets import MARK, csv_text

_IN_MEMORY, _PIECE = 2**20, 2**16  # bytes


def csv_file(header: Iterable[str], pages: Iterable[Iterable[Iterable[Any]]]) -> Iterator[bytes]:
    """A whole file of CSV in pieces. Every page is read before this returns; much of it waits on the disk.

    So whoever takes it slowly keeps no transaction open.
    """
    file = tempfile.SpooledTemporaryFile(_IN_MEMORY)  # noqa: SIM115 - closed when its last piece is read
    try:
        file.write((MARK + csv_text([header])).encode())
        for page in pages:
            file.write(csv_text(page).encode())
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return _pieces(file)


def _pieces(file: tempfile.SpooledTemporaryFile[bytes]) -> Iterator[bytes]:
    with file:
        while piece := file.read(_PIECE):
            yield piece
