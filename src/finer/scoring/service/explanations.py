"""Explanations of scores, for alerts: TreeSHAP takes a millisecond, too long for every payment."""

from __future__ import annotations

from finer.scoring.rules.explanation import (
    ADDITIVITY_MAX,
    Contribution,
    Explanation,
    Meaning,
    explain,
    explain_all,
    limits_of,
    shown,
)

__all__ = ["ADDITIVITY_MAX", "Contribution", "Explanation", "Meaning", "explain", "explain_all", "limits_of", "shown"]
