"""What records of the lake look like: profiles by steps of time, summaries of columns, keys of records that fit."""

from __future__ import annotations

from finer.warehouse.store.profiling import TOP_VALUES, find_keys, profile_steps, summarise_columns
from finer.warehouse.types import Bins, ColumnSummary, KeyTest, StepProfile

__all__ = [
    "TOP_VALUES",
    "Bins",
    "ColumnSummary",
    "KeyTest",
    "StepProfile",
    "find_keys",
    "profile_steps",
    "summarise_columns",
]
