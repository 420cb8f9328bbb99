"""What is done about a case: asked by who works on it, by two people where much money leaves, carried out by facts.

Finer blocks cards and accounts by itself, from the next payment on. Holds, releases and calls are carried out by the
firm's own systems, which fetch what is asked and say what became of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from finer.decisions.errors import CaseActionChanged, CaseActionNotFound, CaseNotAcceptable
from finer.decisions.service import waiting
from finer.decisions.service.cases import change, get_case, get_locked, open_case
from finer.decisions.service.history import write
from finer.decisions.service.letting_out import person_of, takes_two
from finer.decisions.store.alerts import DecisionStore
from finer.decisions.store.case_files import CaseFileStore
from finer.decisions.store.letting_out import LettingOutStore
from finer.decisions.types.alerts import Alert
from finer.decisions.types.cases import ActionKind, ActionState, Case, CaseAction, EntryKind
from finer.decisions.types.letting_out import TwoPeople
from finer.facts.decisions import CaseActionAsked, CaseActionUndone
from finer.identity.service import proposals
from finer.identity.service.audit import record_audit
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission
from finer.identity.types.proposals import Change
from finer.kit.ids import new_id, read_id, show_id
from finer.kit.money import Money
from finer.kit.settings import Settings
from finer.kit.tx import Tx

ACT = waiting.ACT
BLOCKS = (ActionKind.BLOCK_CARD, ActionKind.BLOCK_ACCOUNT)
LET_OUT_UNDONE = (*BLOCKS, ActionKind.HOLD_PAYMENT)
"""What lets money out when it is undone."""
CARRIED_OUT_ELSEWHERE = (ActionKind.HOLD_PAYMENT, ActionKind.RELEASE_PAYMENT, ActionKind.CONTACT_CUSTOMER)
_REASON_MIN, REASON_MAX, RESULT_MAX = 3, 1_000, 500
_WORDS = {
    ActionKind.BLOCK_CARD: "Block a card",
    ActionKind.BLOCK_ACCOUNT: "Block an account",
    ActionKind.HOLD_PAYMENT: "Hold a payment",
    ActionKind.RELEASE_PAYMENT: "Release a payment",
    ActionKind.CONTACT_CUSTOMER: "Contact the customer",
}


def ask(
    tx: Tx, settings: Settings, kinds: Kinds, identifier: uuid.UUID, kind: ActionKind, alert: uuid.UUID, reason: str
) -> CaseAction:
    """Ask for an action about the card, account, payment or customer of an alert of the case.

    Releasing FINER_CASE_FOUR_EYES_USD or more, with what was released in this case, or let out alone within a day by
    this person or to this customer or account, waits for a second person. Raises CaseNotFound, NotYourCase,
    CaseIsClosed, and CaseNotAcceptable for an alert of another case or one that names no such thing.
    """
    case = open_case(tx, identifier, Permission.CASES_ACT)
    about = next((one for one in DecisionStore(tx).alerts_of_case(identifier) if one.id == alert), None)
    if about is None:
        raise CaseNotAcceptable("Name an alert of this case: the action is about its card, account or payment.")
    target, amount = _target(kind, about), _worth(kind, about, case)
    files = CaseFileStore(tx)
    before = files.actions(identifier)
    if any(one.kind is kind and one.target == target and _stands(one) for one in before):
        raise CaseNotAcceptable("The same was asked before in this case, and stands.")
    why = None
    if kind is ActionKind.RELEASE_PAYMENT:
        usd = None if about.amount_usd is None else amount
        earlier = _let_out_before(before, target)
        accounts = [about.account_id] if about.account_id else []
        why = takes_two(tx, settings, case, accounts, usd, target, whole=False, in_case_usd_minor=earlier)
    new = CaseAction(
        id=new_id(), case_id=identifier, kind=kind, state=ActionState.PROPOSED, target=target,
        account_id=about.account_id, amount_usd_minor=amount, reason=_check_reason(reason), asked_by=tx.actor.name,
        asked_by_id=person_of(tx), alone=why is None, asked_at=tx.now(), settled_at=None, settled_by=None, result="",
        two_people=why, version=1,
    )  # fmt: skip
    files.add_action(new)
    shown = show_id("cac", new.id)
    change(tx, case, EntryKind.ACTION, detail={"action": shown, "kind": kind.value, "step": "asked"})
    if why is not None:
        payload = {"action": shown, "act": "carry_out", "because": why.value}
        proposals.act_or_propose(tx, settings, kinds, ACT, payload, new.reason)
    else:
        _carry_out(tx, new)
    return _action(tx, new.id)


def undo(
    tx: Tx, settings: Settings, kinds: Kinds, identifier: uuid.UUID, action: uuid.UUID, version: int, reason: str
) -> CaseAction:
    """Take a block back, or an action that was not carried out yet, also after the case was closed.

    Where that lets money out, a second person is asked as for a release; a block is worth all that its case is about.
    Raises CaseNotFound, NotYourCase, CaseActionNotFound, CaseActionChanged, CaseNotAcceptable without a reason.
    """
    case = get_case(tx, identifier, Permission.CASES_ACT, lock=True)
    found = _action(tx, action, lock=True)
    if found.case_id != identifier:
        raise _missing(action)
    if found.version != version or not _undoable(found):
        raise CaseActionChanged(f"This action is {found.state.value} by now. Read the case again.", state=found.state)
    said = _check_reason(reason)
    shown = show_id("cac", action)
    if found.two_people is not None and waiting.waits(tx, shown):
        raise CaseActionChanged("A second person is being asked already, on the page Approvals.", state=found.state)
    change(tx, case, EntryKind.ACTION, said, {"action": shown, "kind": found.kind.value, "step": "undo"})
    if found.kind not in LET_OUT_UNDONE:
        _undo(tx, found)
        return _action(tx, action)
    usd, accounts = _let_out_by_undoing(tx, found, case)
    whole = found.kind in BLOCKS
    earlier = 0 if whole else _let_out_before(CaseFileStore(tx).actions(identifier), found.target)
    why = takes_two(tx, settings, case, accounts, usd, found.target, whole=whole, in_case_usd_minor=earlier)
    if why is None:
        _undo(tx, found)
        LettingOutStore(tx).undone_alone(action, person_of(tx), usd or 0)
    else:
        CaseFileStore(tx).waits(action, why)
        payload = {"action": shown, "act": "undo", "because": why.value}
        proposals.act_or_propose(tx, settings, kinds, ACT, payload, said)
    return _action(tx, action)


def act_version(tx: Tx, payload: Mapping[str, Any]) -> str:
    """The state that a proposed action starts from. Raises CaseActionNotFound, CaseActionChanged."""
    found = _proposed(tx, payload)
    return f"{found.id}:{found.version}"


def describe_act(tx: Tx, payload: Mapping[str, Any]) -> list[Change]:
    """What would be done, and how much it is about."""
    found = _proposed(tx, payload)
    case = get_locked(tx, found.case_id)
    asked = _WORDS[found.kind] if payload["act"] == "carry_out" else f"Undo: {_WORDS[found.kind].lower()}"
    worth = str(Money(found.amount_usd_minor, "USD")) if found.amount_usd_minor else "not known in USD"
    return [
        Change("Case", "", f"#{case.number}"),
        Change("Action", "", asked),
        Change("On", "", f"\u2026{found.target[-4:]}"),
        Change("Worth", "", worth),
        *([Change("Takes two people", "", TwoPeople(why).sentence())] if (why := payload.get("because")) else []),
    ]


def execute_act(tx: Tx, payload: Mapping[str, Any]) -> dict[str, Any]:
    """Do what a second person has approved."""
    found = _proposed(tx, payload, lock=True)
    if payload["act"] == "carry_out":
        _carry_out(tx, found)
    else:
        _undo(tx, found)
    return {"action": show_id("cac", found.id), "act": payload["act"]}


def drop_act(tx: Tx, payload: Mapping[str, Any]) -> None:
    """A proposed action that was rejected or withdrawn is over; a block that was to be undone stays."""
    _let_go(tx, payload, ActionState.FAILED, "It was not approved.")


def expire_act(tx: Tx, payload: Mapping[str, Any]) -> None:
    """A proposed action that nobody decided on is over and can be asked for again; so can undoing a block."""
    _let_go(tx, payload, ActionState.EXPIRED, "Nobody decided on it in time. It can be asked for again.")


def asked_elsewhere(tx: Tx, limit: int, after: uuid.UUID | None) -> list[CaseAction]:
    """Actions that the firm's own systems are to carry out, the oldest first."""
    return CaseFileStore(tx).asked_actions(CARRIED_OUT_ELSEWHERE, limit, after)


def settle_elsewhere(tx: Tx, identifier: uuid.UUID, *, done: bool, result: str) -> CaseAction:
    """A system of the firm says what became of an action; saying the same again changes nothing.

    Raises CaseActionNotFound, also for one that Finer carries out itself, and CaseActionChanged.
    """
    found = _action(tx, identifier, lock=True)
    if found.kind not in CARRIED_OUT_ELSEWHERE:
        raise _missing(identifier)
    state = ActionState.DONE if done else ActionState.FAILED
    if found.state is not state:
        if found.state is not ActionState.ASKED:
            raise CaseActionChanged(f"This action is {found.state.value}: nobody waits for it.", state=found.state)
        _settle(tx, found, state, result)
    return _action(tx, identifier)


def settle_block(tx: Tx, identifier: uuid.UUID, state: ActionState, result: str) -> None:
    """Finer has blocked, or not; for the handler of the domain that holds the lists."""
    _settle(tx, _action(tx, identifier, lock=True), state, result)


def get_action(tx: Tx, identifier: uuid.UUID, *, lock: bool = False) -> CaseAction:
    """One action, for handlers. Raises CaseActionNotFound."""
    return _action(tx, identifier, lock=lock)


def standing(tx: Tx, kind: ActionKind, target: str) -> tuple[CaseAction, Case] | None:
    """The newest action that asks for this of a target and was not undone, with its case; of all cases of the firm."""
    found = CaseFileStore(tx).standing(kind, target)
    return None if found is None else (found, get_locked(tx, found.case_id))


def list_actions(tx: Tx, case: uuid.UUID) -> Sequence[CaseAction]:
    """The actions of a case that the caller reaches, the newest first. Raises CaseNotFound."""
    return CaseFileStore(tx).actions(get_case(tx, case).id)


def _let_go(tx: Tx, payload: Mapping[str, Any], state: ActionState, result: str) -> None:
    shown = str(payload["action"])
    found = CaseFileStore(tx).action(read_id("cac", shown), lock=True)
    if found is not None and found.state is ActionState.PROPOSED:
        _settle(tx, found, state, result)
    elif found is not None and not waiting.waits(tx, shown):
        CaseFileStore(tx).waits(found.id, None)
        case = get_locked(tx, found.case_id)
        detail = {"action": shown, "kind": found.kind.value, "step": f"undo_{state.value}"}
        write(tx, case.id, EntryKind.ACTION, case.version, detail=detail)


def _carry_out(tx: Tx, action: CaseAction) -> None:
    _settle(tx, action, ActionState.ASKED, "")
    tx.record(CaseActionAsked(action_id=show_id("cac", action.id), kind=action.kind.value))


def _undo(tx: Tx, action: CaseAction) -> None:
    _settle(tx, action, ActionState.UNDONE, "")
    if action.kind in BLOCKS:
        tx.record(CaseActionUndone(action_id=show_id("cac", action.id), kind=action.kind.value))


def _settle(tx: Tx, action: CaseAction, state: ActionState, result: str) -> None:
    said = " ".join(result.split())[:RESULT_MAX]
    if not CaseFileStore(tx).settle(action.id, action.version, state, tx.actor.name, tx.now(), said):
        raise CaseActionChanged("Somebody settled this action in the meantime. Read the case again.")
    shown = show_id("cac", action.id)
    record_audit(tx, "cases:action", shown, {"kind": action.kind.value, "state": state.value, "result": said})
    case = get_locked(tx, action.case_id)
    detail = {"action": shown, "kind": action.kind.value, "step": state.value}
    write(tx, action.case_id, EntryKind.ACTION, case.version, detail=detail)


def _proposed(tx: Tx, payload: Mapping[str, Any], *, lock: bool = False) -> CaseAction:
    found = _action(tx, read_id("cac", str(payload["action"])), lock=lock)
    fits = found.state is ActionState.PROPOSED if payload["act"] == "carry_out" else _undoable(found)
    if not fits:
        raise CaseActionChanged(f"This action is {found.state.value} by now.", state=found.state)
    return found


def _action(tx: Tx, identifier: uuid.UUID, *, lock: bool = False) -> CaseAction:
    found = CaseFileStore(tx).action(identifier, lock=lock)
    if found is None:
        raise _missing(identifier)
    return found


def _missing(identifier: uuid.UUID) -> CaseActionNotFound:
    return CaseActionNotFound(f"There is no action {show_id('cac', identifier)}.")


def _stands(action: CaseAction) -> bool:
    return action.state not in {ActionState.FAILED, ActionState.UNDONE, ActionState.EXPIRED}


def _undoable(action: CaseAction) -> bool:
    if action.kind in BLOCKS:
        return action.state in {ActionState.ASKED, ActionState.DONE}
    return action.state is ActionState.ASKED


def _target(kind: ActionKind, alert: Alert) -> str:
    found = {
        ActionKind.BLOCK_CARD: f"{alert.account_id}|{alert.card_last4}"
        if alert.account_id and alert.card_last4
        else "",
        ActionKind.BLOCK_ACCOUNT: alert.account_id,
        ActionKind.HOLD_PAYMENT: alert.event_id,
        ActionKind.RELEASE_PAYMENT: alert.event_id,
        ActionKind.CONTACT_CUSTOMER: alert.customer_id,
    }[kind]
    if not found:
        raise CaseNotAcceptable(f"{_WORDS[kind]}: the payment of this alert names none.")
    return found


def _worth(kind: ActionKind, alert: Alert, case: Case) -> int:
    """A payment is worth its amount; what is blocked, all that the case is about."""
    if kind in BLOCKS:
        return case.amount_usd_minor
    return 0 if alert.amount_usd is None else alert.amount_usd.minor


def _let_out_before(actions: Sequence[CaseAction], target: str) -> int:
    """USD cents of the other payments of a case that were released, or not held after all; each counts once.

    So does a release that one person asked for and took back: the firm's system may have paid it in between.
    """
    worth = {}
    for one in actions:
        back = one.state is ActionState.UNDONE
        released = one.kind is ActionKind.RELEASE_PAYMENT and (_stands(one) or (back and one.alone))
        if one.target != target and (released or (one.kind is ActionKind.HOLD_PAYMENT and back)):
            worth[one.target] = one.amount_usd_minor
    return sum(worth.values())


def _let_out_by_undoing(tx: Tx, action: CaseAction, case: Case) -> tuple[int | None, list[str]]:
    """USD cents that undoing an action lets out, None when nobody knows, and the accounts that it names."""
    if action.kind is ActionKind.HOLD_PAYMENT:
        return action.amount_usd_minor or None, [action.account_id] if action.account_id else []
    unknown = any(one.amount_usd is None for one in DecisionStore(tx).alerts_of_case(case.id))
    # The case may have grown since the block was asked for.
    worth = max(action.amount_usd_minor, case.amount_usd_minor)
    return None if unknown else worth, [action.target.partition("|")[0]]


def _check_reason(reason: str) -> str:
    said = " ".join(reason.split())
    if not _REASON_MIN <= len(said) <= REASON_MAX:
        raise CaseNotAcceptable(f"Say why, in {_REASON_MIN} to {REASON_MAX} characters.")
    return said
