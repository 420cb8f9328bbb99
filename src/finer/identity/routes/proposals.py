"""HTTP of proposals: what waits for a second person."""

from __future__ import annotations

import builtins
import uuid
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import msgspec
from litestar import Controller, get, post

from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import people, proposals
from finer.identity.service.authorisation import permissions_of
from finer.identity.service.proposals import Kinds, ProposalKind
from finer.identity.types.access import Permission, Role
from finer.identity.types.proposals import Change, Proposal, ProposalState
from finer.kit.errors import FinerError
from finer.kit.ids import read_id, show_id
from finer.kit.tx import Tx

_APPROVERS_MAX = 20


class DecisionBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why, and the SHA-256 of the payload that was looked at."""

    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    reason: Annotated[str, msgspec.Meta(max_length=1000)]


class PersonView(msgspec.Struct, frozen=True):
    """A person, by name."""

    id: str
    name: str


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a proposal."""

    by: PersonView
    approved: bool
    reason: str
    at: datetime


class ProposalView(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal as the API shows it; `decidable` is so for the caller.

    While it waits, `changes` are listed, and `approvers`: who may approve it now.
    """

    id: str
    kind: str
    title: str
    state: str
    payload: dict[str, Any]
    sha256: str
    reason: str
    by: PersonView
    made_at: datetime
    expires_at: datetime
    decided_at: datetime | None
    changes: list[Change]
    approvals: list[ApprovalView]
    approvals_needed: int
    approvers: list[PersonView]
    mine: bool
    decidable: bool


class ProposalController(Controller):
    """What waits for a second person, and what became of it."""

    path = "/api/v1/proposals"
    tags = ["Approvals"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.PROPOSALS_READ}, sync_to_thread=True, summary="List proposals")
    def list(
        self, tx: Tx, proposal_kinds: Kinds, proposal_state: ProposalState | None = None
    ) -> builtins.list[ProposalView]:
        """Proposals that the caller reaches, the newest first."""
        return _shown(tx, proposal_kinds, proposals.list_proposals(tx, proposal_kinds, proposal_state))

    @get("/{proposal_id:str}", opt={"permission": Permission.PROPOSALS_READ}, sync_to_thread=True, summary="A proposal")
    def detail(self, tx: Tx, proposal_kinds: Kinds, proposal_id: str) -> ProposalView:
        """One proposal, with what it would change."""
        return _one(tx, proposal_kinds, proposals.get_proposal(tx, proposal_kinds, read_id("pro", proposal_id)))

    @post(
        "/{proposal_id:str}/approval",
        opt={"permission": Permission.PROPOSALS_DECIDE, "step_up": True},
        sync_to_thread=True,
        status_code=200,
        summary="Approve a proposal",
    )
    def approve(self, tx: Tx, proposal_kinds: Kinds, proposal_id: str, data: DecisionBody) -> ProposalView:
        """Approve what somebody else proposed; it is done in the same moment. Only people, never its maker."""
        return _decide(tx, proposal_kinds, proposal_id, data, approve=True)

    @post(
        "/{proposal_id:str}/rejection",
        opt={"permission": Permission.PROPOSALS_DECIDE, "step_up": True},
        sync_to_thread=True,
        status_code=200,
        summary="Reject a proposal",
    )
    def reject(self, tx: Tx, proposal_kinds: Kinds, proposal_id: str, data: DecisionBody) -> ProposalView:
        """Reject what somebody else proposed; nothing is changed."""
        return _decide(tx, proposal_kinds, proposal_id, data, approve=False)

    @post(
        "/{proposal_id:str}/withdrawal",
        opt={"permission": Permission.PROPOSALS_READ},
        sync_to_thread=True,
        status_code=200,
        summary="Withdraw a proposal",
    )
    def withdraw(self, tx: Tx, proposal_kinds: Kinds, proposal_id: str) -> ProposalView:
        """Take one's own proposal back: whoever could make it can."""
        return _one(tx, proposal_kinds, proposals.withdraw(tx, proposal_kinds, read_id("pro", proposal_id)))


def _decide(tx: Tx, kinds: Kinds, identifier: str, data: DecisionBody, *, approve: bool) -> ProposalView:
    digest = bytes.fromhex(data.sha256)
    proposal = read_id("pro", identifier)
    return _one(tx, kinds, proposals.decide(tx, kinds, proposal, approve=approve, sha256=digest, reason=data.reason))


def _one(tx: Tx, kinds: Kinds, proposal: Proposal) -> ProposalView:
    [shown] = _shown(tx, kinds, [proposal])
    return shown


def _shown(tx: Tx, kinds: Kinds, found: list[Proposal]) -> list[ProposalView]:
    approvers = proposals.approvers(tx, kinds, found, _APPROVERS_MAX)
    speaks_of = {person for one in found for person in (*_people_of(one), *approvers.get(one.id, []))}
    names = people.names(tx, speaks_of)
    return [_show(tx, kinds, one, approvers.get(one.id, []), names) for one in found]


def _people_of(proposal: Proposal) -> Iterator[uuid.UUID]:
    """Everybody who had a say in it."""
    yield proposal.maker_id
    for said in proposal.approvals:
        yield said.checker_id


def _person(names: Mapping[str, str], identifier: uuid.UUID) -> PersonView:
    return PersonView(show_id("usr", identifier), names.get(str(identifier), ""))


def _changes(tx: Tx, kind: ProposalKind, payload: dict[str, Any]) -> list[Change]:
    """What it would change; what has become of it meanwhile must not hide the other proposals."""
    try:
        return kind.describe(tx, payload)
    except FinerError as error:
        return [Change("This can no longer be done", "", error.detail)]


def _show(
    tx: Tx, kinds: Kinds, proposal: Proposal, approvers: Sequence[uuid.UUID], names: Mapping[str, str]
) -> ProposalView:
    kind = kinds.get(proposal.kind)
    payload = proposals.payload_of(proposal)
    state = proposals.state_of(tx, proposal)
    waits = state == ProposalState.WAITING.value
    mine = str(proposal.maker_id) == tx.actor.id
    may = kind is not None and kind.approve in permissions_of(Role(tx.actor.role))
    said_already = any(str(said.checker_id) == tx.actor.id for said in proposal.approvals)
    return ProposalView(
        id=show_id("pro", proposal.id),
        kind=proposal.kind,
        title=proposal.kind if kind is None else kind.title,
        state=state,
        payload=payload,
        sha256=proposal.payload_sha256.hex(),
        reason=proposal.reason,
        by=_person(names, proposal.maker_id),
        made_at=proposal.made_at,
        expires_at=proposal.expires_at,
        decided_at=proposal.decided_at,
        changes=_changes(tx, kind, payload) if waits and kind is not None else [],
        approvals=[
            ApprovalView(
                by=_person(names, said.checker_id),
                approved=said.approved,
                reason=said.reason,
                at=said.at,
            )
            for said in proposal.approvals
        ],
        approvals_needed=1 if kind is None else kind.approvals,
        approvers=sorted((_person(names, one) for one in approvers), key=lambda one: one.name),
        mine=mine,
        decidable=waits and may and not mine and not said_already,
    )
