"""Maker and checker: what one person proposes, another one approves, and it is done in that moment.

A proposal is bound to the hash of its payload and to the version of what it changes. At approval everything is asked
again: that the maker may still propose this, that the checker may approve it, that payload and version are the same.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from finer.identity.errors import (
    NotAcceptable,
    OwnProposal,
    PermissionMissing,
    ProposalChanged,
    ProposalClosed,
    ProposalExpired,
    ProposalNotFound,
    ProposalStale,
)
from finer.identity.rules.canonical import canonical, payload_hash
from finer.identity.rules.grants import permissions_of
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import reach_of
from finer.identity.service.people import active, get_user
from finer.identity.store.proposals import ProposalStore
from finer.identity.types.access import Permission, Role, User
from finer.identity.types.proposals import Approval, Change, Proposal, ProposalState
from finer.kit.errors import Conflict, NotFound
from finer.kit.ids import new_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

LIFETIME = timedelta(days=7)
REASON_MAX = 1000
_LISTED_MAX = 200

Payload = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class ProposalKind:
    """One act that takes two people: who may propose and approve it, and the functions of the domain that does it.

    `version` names the state of what would change, and raises when the payload makes no sense; `describe` shows what
    would change; `execute` does it, in the transaction of the last approval, and returns what to write in the audit.
    `drop` cleans up after a proposal that was rejected or withdrawn, and, without an `expire`, after one that expired.
    """

    name: str
    title: str
    propose: Permission
    approve: Permission
    version: Callable[[Tx, Payload], str]
    describe: Callable[[Tx, Payload], list[Change]]
    execute: Callable[[Tx, Payload], dict[str, Any]]
    drop: Callable[[Tx, Payload], None] | None = None
    expire: Callable[[Tx, Payload], None] | None = None
    approvals: int = 1


Kinds = Mapping[str, ProposalKind]


def needs_approval(settings: Settings, kind: str) -> bool:
    """Whether this installation lets nobody do this alone (FINER_APPROVALS)."""
    listed = {name.strip() for name in settings.approvals.split(",")}
    return "all" in listed or kind in listed


def act_or_propose(
    tx: Tx, settings: Settings, kinds: Kinds, name: str, payload: Payload, reason: str
) -> Proposal | None:
    """Propose an act, or do it at once where no approval is asked for; None when it was done. Raises as `propose`."""
    if needs_approval(settings, name):
        return propose(tx, kinds, name, payload, reason)
    kind = _kind(kinds, name)
    _actor_with(tx, kind.propose)
    kind.version(tx, payload)
    kind.execute(tx, payload)
    return None


def propose(tx: Tx, kinds: Kinds, name: str, payload: Payload, reason: str) -> Proposal:
    """Put an act forward; it waits for somebody else, at most seven days.

    Raises PermissionMissing, NotAcceptable without a reason, and what the kind's `version` raises for its payload.
    """
    kind = _kind(kinds, name)
    maker = _actor_with(tx, kind.propose)
    text = canonical(payload)
    proposal = Proposal(
        id=new_id(),
        kind=name,
        payload=text,
        payload_sha256=payload_hash(text),
        base_version=kind.version(tx, payload),
        reason=_check_reason(reason),
        maker_id=maker.id,
        made_at=tx.now(),
        expires_at=tx.now() + LIFETIME,
    )
    ProposalStore(tx).add(proposal)
    record_audit(tx, "proposals:make", show_id("pro", proposal.id), {"kind": name, "payload": dict(payload)})
    return proposal


def list_proposals(tx: Tx, kinds: Kinds, state: ProposalState | None) -> list[Proposal]:
    """Proposals that the caller reaches or may approve, the newest first, at most 200."""
    reach = reach_of(tx.actor, Permission.PROPOSALS_READ)
    return ProposalStore(tx).all(reach, _approvable(tx, kinds), state, _LISTED_MAX)


def _approvable(tx: Tx, kinds: Kinds) -> list[str]:
    """The kinds that the caller's role may approve, and so has to see."""
    may = permissions_of(Role(tx.actor.role)) if tx.actor.kind == "user" else frozenset()
    return [kind.name for kind in kinds.values() if kind.approve in may and Permission.PROPOSALS_DECIDE in may]


def get_proposal(tx: Tx, kinds: Kinds, identifier: uuid.UUID, *, lock: bool = False) -> Proposal:
    """One proposal. Raises ProposalNotFound, also for one that the caller neither reaches nor may approve."""
    found = ProposalStore(tx).find(identifier, lock=lock)
    reach = reach_of(tx.actor, Permission.PROPOSALS_READ)
    if found is None or not (reach.covers(owner=found.maker_id, team=None) or found.kind in _approvable(tx, kinds)):
        raise ProposalNotFound(f"There is no proposal {show_id('pro', identifier)}.")
    return found


def waiting(tx: Tx, names: Iterable[str]) -> list[Proposal]:
    """Proposals of these kinds that can still be approved, the newest first, for the page of what they change."""
    return ProposalStore(tx).waiting(list(names), tx.now())


def executed(tx: Tx, name: str, maker: uuid.UUID, since: datetime) -> list[Proposal]:
    """Proposals of one kind and maker that were approved since a moment."""
    return ProposalStore(tx).executed(name, maker, since)


def shown_id(proposal: Proposal) -> str:
    """`pro_...`."""
    return show_id("pro", proposal.id)


def payload_of(proposal: Proposal) -> dict[str, Any]:
    """What the proposal says, as values."""
    return msgspec.json.decode(proposal.payload, type=dict[str, Any])


def decide(tx: Tx, kinds: Kinds, identifier: uuid.UUID, *, approve: bool, sha256: bytes, reason: str) -> Proposal:
    """Approve or reject a proposal that the caller has seen with this hash; enough approvals execute it here and now.

    Raises ProposalNotFound, OwnProposal, PermissionMissing, ProposalClosed, ProposalExpired, ProposalChanged (another
    payload than the one that was seen), ProposalStale (what it would change has changed since).
    """
    proposal = get_proposal(tx, kinds, identifier, lock=True)
    kind = _kind(kinds, proposal.kind)
    checker = _actor_with(tx, kind.approve)
    if checker.id == proposal.maker_id:
        raise OwnProposal("You made this proposal, so somebody else has to decide on it. You can withdraw it.")
    _check_open(tx, proposal)
    if sha256 != proposal.payload_sha256 or payload_hash(proposal.payload) != proposal.payload_sha256:
        raise ProposalChanged("This is not the proposal that you looked at. Read it again before you decide.")
    said = Approval(
        checker_id=checker.id,
        approved=approve,
        payload_sha256=proposal.payload_sha256,
        reason=_check_reason(reason),
        at=tx.now(),
    )
    store = ProposalStore(tx)
    if any(one.checker_id == checker.id for one in proposal.approvals):
        raise ProposalClosed("You have approved this already. It waits for one more person.", state=proposal.state)
    if approve:
        _check_current(tx, kind, proposal)
    store.add_approval(identifier, said)
    approvals = sum(one.approved for one in proposal.approvals) + approve
    detail: dict[str, Any] = {"kind": kind.name, "maker": show_id("usr", proposal.maker_id), "reason": said.reason}
    if not approve:
        store.decide(identifier, ProposalState.REJECTED, tx.now())
        _drop(tx, kind, proposal)
    elif approvals >= kind.approvals:
        detail["result"] = kind.execute(tx, payload_of(proposal))
        store.decide(identifier, ProposalState.EXECUTED, tx.now())
    action = "proposals:approve" if approve else "proposals:reject"
    record_audit(tx, action, show_id("pro", identifier), detail | {"sha256": sha256.hex()})
    return get_proposal(tx, kinds, identifier)


def approvers(tx: Tx, kinds: Kinds, proposals: Sequence[Proposal], most: int) -> dict[uuid.UUID, list[uuid.UUID]]:
    """Who may approve each of these proposals now, at most so many people; nobody for one that waits no more.

    They are others than its maker, and have not approved it yet.
    """
    waits = [one for one in proposals if one.kind in kinds and state_of(tx, one) == ProposalState.WAITING.value]
    # As many more as may have had their say: a firm can have hundreds of people who approve, and a page shows a few.
    enough = most + max((1 + len(one.approvals) for one in waits), default=0)
    able: dict[Permission, list[uuid.UUID]] = {}
    for right in {kinds[one.kind].approve for one in waits}:
        roles = [role for role in Role if {right, Permission.PROPOSALS_DECIDE} <= permissions_of(role)]
        able[right] = active(tx, roles, enough)
    found = {}
    for one in waits:
        said = {one.maker_id, *(approval.checker_id for approval in one.approvals)}
        found[one.id] = [person for person in able[kinds[one.kind].approve] if person not in said][:most]
    return found


def withdraw(tx: Tx, kinds: Kinds, identifier: uuid.UUID) -> Proposal:
    """Take one's own proposal back. Raises ProposalNotFound, OwnProposal for somebody else's, ProposalClosed."""
    proposal = get_proposal(tx, kinds, identifier, lock=True)
    if str(proposal.maker_id) != tx.actor.id:
        raise OwnProposal("Only its maker can withdraw a proposal. You can reject it.")
    if proposal.state is not ProposalState.WAITING:
        raise _closed(proposal)
    ProposalStore(tx).decide(identifier, ProposalState.WITHDRAWN, tx.now())
    _drop(tx, _kind(kinds, proposal.kind), proposal)
    record_audit(tx, "proposals:withdraw", show_id("pro", identifier), {"kind": proposal.kind})
    return get_proposal(tx, kinds, identifier)


def overdue(tx: Tx) -> list[uuid.UUID]:
    """Proposals that waited too long and are not closed yet, at most 200.

    The oldest come first, behind them those that could not be closed, the one that was tried last at the end.
    """
    return ProposalStore(tx).overdue(tx.now(), _LISTED_MAX)


def step_back(tx: Tx, identifiers: Sequence[uuid.UUID]) -> None:
    """Let proposals that could not be closed wait behind those that were not tried yet."""
    ProposalStore(tx).tried(identifiers, tx.now())


def expire(tx: Tx, kinds: Kinds, identifier: uuid.UUID) -> bool:
    """Close a proposal that waited too long; what it was about waits no more. False when it is closed already."""
    store = ProposalStore(tx)
    proposal = store.find(identifier, lock=True)
    if proposal is None or proposal.state is not ProposalState.WAITING or tx.now() < proposal.expires_at:
        return False
    store.decide(identifier, ProposalState.EXPIRED, tx.now())
    kind = kinds.get(proposal.kind)
    let_go = None if kind is None else kind.expire or kind.drop
    if let_go is not None:
        with contextlib.suppress(NotFound, Conflict):  # what it was about is gone by itself
            let_go(tx, payload_of(proposal))
    detail = {"kind": proposal.kind, "maker": show_id("usr", proposal.maker_id)}
    record_audit(tx, "proposals:expire", show_id("pro", identifier), detail)
    return True


def state_of(tx: Tx, proposal: Proposal) -> str:
    """The state for people: one that waited too long is `expired`."""
    late = proposal.state is ProposalState.WAITING and tx.now() >= proposal.expires_at
    return "expired" if late else proposal.state.value


def _kind(kinds: Kinds, name: str) -> ProposalKind:
    if name not in kinds:
        raise NotAcceptable(f"Nothing is proposed as {name!r}. There are {', '.join(sorted(kinds))}.")
    return kinds[name]


def _actor_with(tx: Tx, permission: Permission) -> User:
    """The person who acts, read now. A machine or Finer itself is nobody who proposes or approves."""
    if tx.actor.kind != "user":
        raise PermissionMissing("Proposals are made and decided by people, not by machines.", permission=permission)
    person = get_user(tx, uuid.UUID(tx.actor.id))
    if not _holds(person, permission):
        raise PermissionMissing(
            f"{person.name} ({person.role.replace('_', ' ')}) does not have the permission {permission}.",
            permission=permission,
        )
    return person


def _drop(tx: Tx, kind: ProposalKind, proposal: Proposal) -> None:
    if kind.drop is not None:
        kind.drop(tx, payload_of(proposal))


def _holds(person: User, permission: Permission) -> bool:
    return person.disabled_at is None and permission in permissions_of(person.role)


def _check_open(tx: Tx, proposal: Proposal) -> None:
    if proposal.state not in (ProposalState.WAITING, ProposalState.EXPIRED):
        raise _closed(proposal)
    if tx.now() >= proposal.expires_at:
        raise ProposalExpired(
            f"This proposal expired on {proposal.expires_at:%Y-%m-%d}. Make it again if it is wanted."
        )


def _check_current(tx: Tx, kind: ProposalKind, proposal: Proposal) -> None:
    maker = get_user(tx, proposal.maker_id)
    if not _holds(maker, kind.propose):
        raise ProposalStale(f"{maker.name} may not propose this any more. Reject it.")
    if kind.version(tx, payload_of(proposal)) != proposal.base_version:
        raise ProposalStale("What this would change has changed since it was proposed. Reject it, and propose again.")


def _check_reason(reason: str) -> str:
    trimmed = " ".join(reason.split())
    if not 3 <= len(trimmed) <= REASON_MAX:
        raise NotAcceptable(f"Say why, in 3 to {REASON_MAX} characters: the audit trail keeps it.")
    return trimmed


def _closed(proposal: Proposal) -> ProposalClosed:
    return ProposalClosed(f"This proposal is {proposal.state} already.", state=proposal.state)
