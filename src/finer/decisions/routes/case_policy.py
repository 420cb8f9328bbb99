"""HTTP of the policy of cases: priorities, due times and checklists. Parse, call, answer."""

from __future__ import annotations

from datetime import datetime

import msgspec
from litestar import Controller, get, put

from finer.decisions.service import policy
from finer.decisions.types.policy import CasePolicy, PolicyContent
from finer.identity.types.access import Permission
from finer.kit.tx import Tx


class CasePolicyDocument(msgspec.Struct, frozen=True, kw_only=True):
    """The policy that cases are worked by, and the one that comes with Finer (`standard`). Nobody changed version 0."""

    version: int
    content: PolicyContent
    changed_by: str | None
    changed_at: datetime | None
    standard: PolicyContent


class CasePolicyBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The version looked at, and what is to be in force. Steps without an id get one; every kind has a checklist."""

    version: int
    content: PolicyContent


class CasePolicyController(Controller):
    """Which cases are urgent, until when they are worked, and which steps an investigation takes."""

    path = "/api/v1/cases/policy"
    tags = ["Cases"]

    @get(
        "/", opt={"permission": Permission.CASES_READ}, sync_to_thread=True,
        summary="Priorities, due times and checklists",
    )  # fmt: skip
    def show(self, tx: Tx) -> CasePolicyDocument:
        """Expected loss in US dollars that begins a priority, minutes until a case is due, and the steps it takes."""
        return _shown(policy.in_force(tx))

    @put(
        "/", opt={"permission": Permission.CASES_CONFIGURE, "step_up": True}, sync_to_thread=True,
        summary="Set priorities, due times and checklists",
    )  # fmt: skip
    def change(self, tx: Tx, data: CasePolicyBody) -> CasePolicyDocument:
        """Work cases by another policy from now on. Open cases keep their steps; priorities and due times move along.

        409 says that somebody has changed it since the version that was looked at.
        """
        return _shown(policy.change(tx, data.version, data.content))


def _shown(found: CasePolicy) -> CasePolicyDocument:
    return CasePolicyDocument(
        version=found.version, content=found.content, changed_by=found.changed_by, changed_at=found.changed_at,
        standard=policy.STANDARD,
    )  # fmt: skip
