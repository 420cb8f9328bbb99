"""Counting segments as a job: every day, and at once what somebody wrote."""

from __future__ import annotations

import uuid

from finer.app.job_types import Ground
from finer.kit.actors import SYSTEM
from finer.kit.runs import Counts, Run
from finer.segments.service import counting
from finer.warehouse.service.lake import LakeReader


def count_segments(ground: Ground, run: Run) -> Counts:
    """Count one segment, or all of a firm by one look at its lake."""
    only = run.arguments.get("segment")
    with ground.database.transaction(run.tenant, SYSTEM, read_only=True) as tx:
        found, question = counting.ask_of_all(tx, None if only is None else uuid.UUID(only))
    if not found:
        return {"segments": 0}
    reader = LakeReader(ground.url, ground.settings)
    try:
        sizes = counting.measure(reader, question)
    finally:
        reader.close()
    with ground.database.transaction(run.tenant, SYSTEM) as tx:
        kept = counting.note(tx, dict(zip(found, sizes, strict=True)))
    return {"segments": kept, "broken": sum(1 for one in sizes if one.problem)}
