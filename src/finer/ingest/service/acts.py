"""Acts on many refused records: change, undo, release, discard. In steps, so that a million of them is no different.

A step is one transaction: what it did and how far it has come are committed together, so an act that is interrupted
goes on where it was. Records are locked while they are looked at: what somebody else released meanwhile is passed over.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Literal

import msgspec

from finer.identity.service.audit import record_audit
from finer.ingest.errors import NotWaiting
from finer.ingest.service.edits import edit
from finer.ingest.service.quarantine import get_quarantined, refuse_unknown
from finer.ingest.service.releases import release
from finer.ingest.service.repairs import check_assignments, chosen_contract
from finer.ingest.store.acts import ActStore
from finer.ingest.store.quarantine import QuarantineStore
from finer.ingest.types.quarantine import Act, Selection
from finer.ingest.types.receipts import Page
from finer.kit import runs
from finer.kit.errors import Conflict, InvalidInput, NotFound
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.notifications.types import NewNotification, Severity

JOB, QUEUE = "mend_quarantine", "quarantine"
AT_ONCE = 2_000
"""Records that an act takes in the request that asks for it; the rest is a job's."""
STEP = 20_000
STEP_BYTES = 32 * 2**20
REASON_MIN, REASON_MAX = 5, 1_000
Kind = Literal["edit", "undo", "release", "discard"]


def start(
    tx: Tx,
    kind: Kind,
    selection: Selection,
    *,
    assignments: Sequence[tuple[str, str]] = (),
    reason: str = "",
    partitions: int,
) -> Act:
    """Begin an act on the records that fit now; a small one is done when this returns, a job goes on with a large one.

    Raises RepairInvalid for assignments that cannot be used, InvalidInput for a selection or reason that cannot,
    UnknownContract, and for a single record NotFound, or NotWaiting when somebody else has dealt with it.
    """
    selection = _checked(kind, selection, reason)
    contract = chosen_contract(tx, selection).name if kind in ("edit", "release") else selection.contract or ""
    if kind == "edit":
        check_assignments(tx, selection, assignments)
    elif assignments:
        raise InvalidInput(f"Only an edit assigns values; {kind} takes none.")
    matched, last = QuarantineStore(tx).count(selection)
    if not matched:
        refuse_unknown(tx, selection)
        _refuse_gone(tx, selection)
    act = Act(
        id=new_id(),
        kind=kind,
        contract=contract,
        selection=selection,
        assignments=list(assignments),
        reason=" ".join(reason.split()),
        state="running",
        matched=matched,
        last=last,
        actor_kind=tx.actor.kind,
        actor_id=tx.actor.id,
        actor_name=tx.actor.name,
        created_at=tx.now(),
    )
    ActStore(tx).add(act)
    detail = {"matched": matched, "contract": contract, "fields": [target for target, _ in assignments]}
    if selection.ids is not None and len(selection.ids) == 1:
        detail["record"] = show_id("qua", selection.ids[0])
    if reason:
        detail["reason"] = act.reason
    record_audit(tx, f"quarantine:{kind}", show_id("act", act.id), detail)
    act = _step(tx, act, partitions, AT_ONCE)
    if not act.done:
        # It waited when it was counted, and somebody else had it locked then.
        _refuse_gone(tx, selection)
    if act.state == "running":
        runs.start(tx, JOB, arguments={"act": str(act.id), "actor": msgspec.to_builtins(tx.actor)}, queue=QUEUE)
    return act


def carry_on(tx: Tx, identifier: uuid.UUID, partitions: int) -> Act:
    """The next step of an act. Told at its end: whoever began it finds it in the bell of the web app."""
    act = ActStore(tx).act(identifier, lock=True)
    if act is None:
        raise _unknown(identifier)
    if act.state != "running":
        return act
    if act.cancelled:
        act.state, act.finished_at = "cancelled", tx.now()
        ActStore(tx).save(act)
    else:
        act = _step(tx, act, partitions, STEP)
    if act.state != "running":
        _tell(tx, act)
    return act


def reopen(tx: Tx, identifier: uuid.UUID) -> None:
    """Let an act that was stopped or failed go on where it was."""
    act = ActStore(tx).act(identifier, lock=True)
    if act is not None and act.state in ("cancelled", "failed"):
        ActStore(tx).reopen(identifier)


def drop(tx: Tx, identifier: uuid.UUID, error: str) -> None:
    """An act will not go on: why it failed, or "" when somebody stopped it. What it did stands."""
    act = ActStore(tx).act(identifier, lock=True)
    if act is not None and act.state == "running":
        act.state, act.error, act.finished_at = "failed" if error else "cancelled", error[:500], tx.now()
        ActStore(tx).save(act)
        _tell(tx, act)


def get_act(tx: Tx, identifier: uuid.UUID) -> Act:
    """One act. Raises NotFound."""
    found = ActStore(tx).act(identifier)
    if found is None:
        raise _unknown(identifier)
    return found


def list_acts(tx: Tx, *, before: uuid.UUID | None = None, limit: int = 50) -> Page[Act]:
    """Acts, newest first."""
    items = ActStore(tx).acts(before, limit + 1)
    return Page(items[:limit], show_id("act", items[limit - 1].id) if len(items) > limit else None)


def cancel(tx: Tx, identifier: uuid.UUID) -> Act:
    """Stop an act after the step that it is at. What it did stands. Raises NotFound, Conflict when it has ended."""
    act = get_act(tx, identifier)
    if act.state != "running":
        raise Conflict(f"{show_id('act', identifier)} is {act.state}; there is nothing to stop.")
    ActStore(tx).cancel(identifier)
    record_audit(tx, "quarantine:cancel", show_id("act", identifier))
    return get_act(tx, identifier)


def _checked(kind: Kind, selection: Selection, reason: str) -> Selection:
    if kind == "discard" and not REASON_MIN <= len(" ".join(reason.split())) <= REASON_MAX:
        raise InvalidInput(f"Say why these records are not wanted, in {REASON_MIN} to {REASON_MAX} characters.")
    if len(reason) > REASON_MAX:
        raise InvalidInput(f"A reason has at most {REASON_MAX} characters.")
    if kind == "undo":
        state = selection.state or "edited"
        if state not in ("edited", "discarded"):
            raise InvalidInput("Only edited and discarded records can be put back; choose one of these states.")
        return msgspec.structs.replace(selection, state=state)
    if selection.state not in (None, "open", "edited"):
        raise InvalidInput("Only open and edited records can be changed, released or discarded.")
    return selection


def _refuse_gone(tx: Tx, selection: Selection) -> None:
    """Whoever means one record is told that it is not as they saw it, rather than that nothing was done."""
    if selection.ids is None or len(selection.ids) != 1:
        return
    [identifier] = selection.ids
    record = get_quarantined(tx, identifier)
    states = ("open", "edited") if selection.state is None else (selection.state,)
    if record.state not in states:
        raise NotWaiting(f"{show_id('qua', identifier)} is {record.state} already. Reload to see what became of it.")


def _step(tx: Tx, act: Act, partitions: int, limit: int) -> Act:
    """Do the next records of an act and note how far it has come."""
    store = ActStore(tx)
    until = None
    if act.last is not None:
        until = store.step_end(act.selection, act.cursor, act.last, limit, STEP_BYTES)
    if until is not None:
        act.done += _do(tx, act, until, partitions)
        # Records in between that came to fit meanwhile are done as well.
        act.matched = max(act.matched, act.done)
        act.cursor = until
    if until is None or until == act.last:
        act.state, act.finished_at = "done", tx.now()
    store.save(act)
    return act


def _do(tx: Tx, act: Act, until: uuid.UUID, partitions: int) -> int:
    """Do the records up to `until`; returns how many that are."""
    if act.kind in ("edit", "release"):
        ActStore(tx).lock(act.selection, act.cursor, until)
        return edit(tx, act, until) if act.kind == "edit" else release(tx, act, until, partitions)
    ids = ActStore(tx).locked(act.selection, act.cursor, until)
    QuarantineStore(tx).set_state(act.id, tx.now(), ids, "open" if act.kind == "undo" else "discarded")
    act.changed += len(ids)
    return len(ids)


_DONE = {"edit": "changed", "undo": "put back", "release": "released", "discard": "discarded"}


def _tell(tx: Tx, act: Act) -> None:
    record_audit(
        tx,
        f"quarantine:{act.kind}",
        show_id("act", act.id),
        {"done": act.done, "changed": act.changed, "failed": act.failed},
        outcome=act.state,
    )
    if act.actor_kind != "user":
        return
    left = sum(act.failed.values())
    rest = f" {left:,} still break their contract." if left else ""
    if act.state == "done" and (others := act.matched - act.done):
        rest += f" {others:,} did not wait any more: they were dealt with meanwhile."
    notifications.notify(
        tx,
        NewNotification(
            kind=f"quarantine.{act.kind}",
            severity=Severity.WARNING if act.state == "failed" else Severity.INFO,
            title=f"Quarantine: {act.changed:,} of {act.matched:,} records {_DONE[act.kind]}",
            text=f"The {act.kind} is {act.state}.{rest}{' ' + act.error if act.error else ''}",
            link=f"/quarantine?act={show_id('act', act.id)}",
            user=uuid.UUID(act.actor_id),
        ),
    )


def _unknown(identifier: uuid.UUID) -> NotFound:
    return NotFound(f"There is no act {show_id('act', identifier)}. GET /api/v1/quarantine/acts lists them.")
