"""Cursors of lists that are read page by page: where a page ended, as a text that the client sends back."""

from __future__ import annotations

import base64
import uuid
from datetime import datetime

import msgspec

from finer.kit.errors import InvalidInput
from finer.kit.moments import from_microseconds, microseconds

_NO_CURSOR = "The parameter 'before' is not a cursor of this list. Use the value of 'next' as it came, or leave it out."


class Cursor(msgspec.Struct, frozen=True, array_like=True):
    """Where a page ended: the value sorted by, and the id that breaks ties."""

    value: int
    id: uuid.UUID

    @property
    def at(self) -> datetime:
        """The value of a list that is sorted by time. Raises InvalidInput for one that is no moment."""
        try:
            return from_microseconds(self.value)
        except OverflowError as error:
            raise InvalidInput(_NO_CURSOR) from error


def show_cursor(value: int | datetime, identifier: uuid.UUID) -> str:
    """The text a client sends back to get the next page."""
    number = microseconds(value) if isinstance(value, datetime) else value
    return base64.urlsafe_b64encode(msgspec.json.encode(Cursor(number, identifier))).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """The cursor behind `show_cursor`. Raises InvalidInput for anything else."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=Cursor)
    except (ValueError, msgspec.DecodeError) as error:
        raise InvalidInput(_NO_CURSOR) from error
