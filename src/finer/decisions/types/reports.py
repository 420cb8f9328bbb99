"""The nouns of suspicious activity reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, TypeAlias

import msgspec

NARRATIVE_MAX = 20_000
Indicator: TypeAlias = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class ReportDraft(msgspec.Struct, frozen=True, kw_only=True):
    """What people write of a report; transactions and parties come from the case when it is exported."""

    reason: Annotated[str, msgspec.Meta(max_length=NARRATIVE_MAX)] = ""
    action: Annotated[str, msgspec.Meta(max_length=4_000)] = ""
    indicators: Annotated[list[Indicator], msgspec.Meta(max_length=20)] = []


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A draft as it is kept; version 0 is one that nobody has written yet, filled in from the case."""

    draft: ReportDraft
    version: int
    changed_by: str
    changed_at: datetime | None
    exported_at: datetime | None


ReportDocument = dict[str, Any]
"""A whole report: values of JSON by the names of goAML's report of suspicious transactions."""
