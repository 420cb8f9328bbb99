"""HTTP of what a firm wants to reach. Parse, call, answer."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, put

from finer.identity.types.access import Permission
from finer.kit import money
from finer.kit.documents import Money, show_money
from finer.kit.tx import Tx
from finer.operations.service import targets
from finer.operations.types.goals import Plan, Target, Targets


class PlanOfMonth(msgspec.Struct, frozen=True, kw_only=True):
    """What figures are to reach in a month of the firm's calendar, by name."""

    month: str
    amounts: dict[str, Money]


class TargetsDocument(msgspec.Struct, frozen=True, kw_only=True):
    """Goals by name, those of the house beside them (`standard`), and plans by month. Nobody changed version 0."""

    version: int
    changed_by: str | None
    changed_at: datetime | None
    goals: dict[str, float]
    standard: dict[str, Target]
    plans: list[PlanOfMonth]


class PlanBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A month, like 2026-11, and minor units of the firm's currency by figure."""

    month: Annotated[str, msgspec.Meta(max_length=7)]
    amounts_minor: dict[str, int]


class TargetsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version looked at, and what is wanted from now on; a goal that is left out is that of the house."""

    version: int
    goals: dict[str, float]
    plans: Annotated[list[PlanBody], msgspec.Meta(max_length=100)]


class TargetsController(Controller):
    """What the firm wants to reach: goals of the dashboard Executive, and plans by month."""

    path = "/api/v1/operations/targets"
    tags = ["Operations"]

    @get("/", opt={"permission": Permission.FINANCE_READ}, sync_to_thread=True, summary="Goals and plans")
    def show(self, tx: Tx) -> TargetsDocument:
        """The goals of the firm, and what it plans to earn and move month by month."""
        return _shown(targets.in_force(tx))

    @put("/", opt={"permission": Permission.TARGETS_WRITE}, sync_to_thread=True, summary="Set goals and plans")
    def change(self, tx: Tx, data: TargetsBody) -> TargetsDocument:
        """Hold the firm to these goals and plans from now on; dashboards show them at once.

        409 says that somebody has changed them since the version that was looked at.
        """
        plans = [Plan(month=one.month, currency="", amounts_minor=one.amounts_minor) for one in data.plans]
        return _shown(targets.change(tx, data.version, Targets(goals=data.goals, plans=plans)))


def _shown(found: Targets) -> TargetsDocument:
    return TargetsDocument(
        version=found.version, changed_by=found.changed_by, changed_at=found.changed_at, goals=found.goals,
        standard=targets.TARGETS,
        plans=[
            PlanOfMonth(
                month=plan.month,
                amounts={name: _money(each, plan) for name, each in plan.amounts_minor.items()},
            )
            for plan in found.plans
        ],
    )  # fmt: skip


def _money(minor: int, plan: Plan) -> Money:
    return show_money(money.Money(minor, plan.currency))
