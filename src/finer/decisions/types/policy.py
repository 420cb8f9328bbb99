"""The policy of a firm's case desk: which cases are urgent, until when they are worked, and by which steps."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec

from finer.decisions.types.cases import Priority, Typology


class DueTimes(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Minutes from the moment that a case gets a priority until somebody has to have worked it."""

    urgent: int
    high: int
    normal: int

    def after(self, priority: Priority) -> timedelta:
        """The time that a case of this priority has."""
        return timedelta(minutes=getattr(self, priority.value))


class PriorityFrom(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whole US dollars of expected loss from which a case is urgent, and from which its priority is high."""

    urgent: int
    high: int

    def of(self, expected_loss_usd_minor: int) -> Priority:
        """The priority of a case of which that many USD cents are expected to be lost."""
        if expected_loss_usd_minor >= self.urgent * 100:
            return Priority.URGENT
        return Priority.HIGH if expected_loss_usd_minor >= self.high * 100 else Priority.NORMAL


class PolicyStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A step of an investigation; `id` names it where it is ticked, and is empty for one that is still to be named."""

    text: str
    id: str = ""


class PolicyContent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a policy says: priorities, due times, the steps of every case, and those that follow in one of each kind."""

    priority_from_usd: PriorityFrom
    due_minutes: DueTimes
    common: list[PolicyStep]
    checklists: dict[Typology, list[PolicyStep]]


class CasePolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A version of the policy, who made it and when. Version 0 is what comes with Finer: nobody has changed it."""

    content: PolicyContent
    version: int = 0
    changed_by: str | None = None
    changed_at: datetime | None = None
