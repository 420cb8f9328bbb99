"""HTTP of what is done about cases: asked by people, carried out by systems of the firm. Parse, call, answer."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller, get, post
from litestar.params import Parameter

from finer.decisions.routes.case_bodies import ActionBody, ActionOutcomeBody, UndoBody
from finer.decisions.routes.case_documents import AskedAction, AskedActions, CaseActionView, show_action, show_asked
from finer.decisions.service import actions
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_ACT, _CARRY_OUT = Permission.CASES_ACT, Permission.CASES_CARRY_OUT


class CaseActController(Controller):
    """What is done about one case."""

    path = "/api/v1/cases/{case_id:str}/actions"
    tags = ["Cases"]

    @post("/", opt={"permission": _ACT}, sync_to_thread=True, summary="Act on a case")
    def ask(self, tx: Tx, case_id: str, data: ActionBody, settings: Settings, proposal_kinds: Kinds) -> CaseActionView:
        """Block a card or an account, hold or release a payment, have the customer called.

        Blocks are in force from the next payment on. Releasing much money, also in small parts within a day, waits for
        a second person: `waits_because` says why.
        """
        case, alert = read_id("cas", case_id), read_id("alr", data.alert_id)
        return show_action(actions.ask(tx, settings, proposal_kinds, case, data.kind, alert, data.reason))

    @post(
        "/{case_action_id:str}/undoing", opt={"permission": _ACT, "step_up": True}, sync_to_thread=True,
        status_code=200, summary="Undo an action",
    )  # fmt: skip
    def undo(
        self, tx: Tx, case_id: str, case_action_id: str, data: UndoBody, settings: Settings, proposal_kinds: Kinds
    ) -> CaseActionView:
        """Take a block back, or what was not carried out yet. Letting much out by it waits for a second person."""
        case, action = read_id("cas", case_id), read_id("cac", case_action_id)
        return show_action(actions.undo(tx, settings, proposal_kinds, case, action, data.version, data.reason))


class AskedActionController(Controller):
    """What the firm's own systems are to do about cases."""

    path = "/api/v1/case-actions"
    tags = ["Cases"]

    @get("/", opt={"permission": _CARRY_OUT}, sync_to_thread=True, summary="Actions to carry out")
    def list(
        self, tx: Tx, limit: Annotated[int, Parameter(ge=1, le=500)] = 100, after: str | None = None
    ) -> AskedActions:
        """Holds, releases and calls that were asked for and wait, the oldest first."""
        found = actions.asked_elsewhere(tx, limit, None if after is None else read_id("cac", after))
        full = len(found) == limit
        return AskedActions(
            items=[show_asked(one) for one in found], next=show_id("cac", found[-1].id) if full else None
        )

    @post(
        "/{case_action_id:str}/outcome", opt={"permission": _CARRY_OUT}, sync_to_thread=True, status_code=200,
        summary="Say what became of an action",
    )  # fmt: skip
    def settle(self, tx: Tx, case_action_id: str, data: ActionOutcomeBody) -> AskedAction:
        """The system of the firm has done it, or could not. Saying the same again changes nothing."""
        found = actions.settle_elsewhere(tx, read_id("cac", case_action_id), done=data.done, result=data.result)
        return show_asked(found)
