"""The nouns of segments: what somebody writes, what is kept, how many they are, who they are."""

from __future__ import annotations

import uuid
from datetime import date, datetime
from typing import Any

import msgspec

PREFIX = "seg"
CONTRACT = "customer_profile"
"""The contract whose records say what is known of a customer; the newest of each counts."""


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody writes of a segment."""

    name: str
    description: str = ""
    condition: str


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How many of all `customers` were in version `version` of a segment; None with the `problem` when nobody knows."""

    people: int | None
    customers: int
    version: int
    counted_at: datetime
    problem: str = ""


class SegmentSize(msgspec.Struct, frozen=True, kw_only=True):
    """A size as a role may see it: to the person when `exact`, else in tens, and `few` when they are fewer than ten."""

    people: int | None
    few: bool
    exact: bool
    customers: int | None
    counted_at: datetime
    version: int
    problem: str = ""


class Segment(msgspec.Struct, frozen=True, kw_only=True):
    """A segment as it is kept. `reads` are the columns of customers' records that its condition reads."""

    id: uuid.UUID
    owner_id: uuid.UUID
    draft: Draft
    reads: tuple[str, ...]
    version: int
    archived_at: datetime | None
    created_at: datetime
    changed_at: datetime
    size: Size | None = None


class SegmentWord(msgspec.Struct, frozen=True):
    """A column that a condition can name."""

    name: str
    type: str
    description: str


class SegmentAssessment(msgspec.Struct, frozen=True, kw_only=True):
    """What a condition is worth: how it reads and what it costs, or what is wrong with it and where."""

    usable: bool
    reading: str = ""
    steps: int = 0
    steps_max: int = 0
    problem: str = ""
    hint: str = ""
    position: int | None = None
    line: int | None = None
    column: int | None = None


class SegmentColumn(msgspec.Struct, frozen=True):
    """A column of members; `shown` is clear, part or token."""

    name: str
    shown: str


class SegmentMembers(msgspec.Struct, frozen=True, kw_only=True):
    """A page of people, in no order that means anything; `next` is what `after` takes for the page behind it."""

    columns: list[SegmentColumn]
    items: list[list[Any]]
    next: str | None


class Daily(msgspec.Struct, frozen=True):
    """The size of a day (UTC)."""

    day: date
    size: Size
