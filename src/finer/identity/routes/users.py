"""HTTP of the people of a firm."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Annotated

import msgspec
from litestar import Controller, get, post, put

from finer.identity.routes.edge import NOT_KEPT
from finer.identity.service import people, proposals, staff
from finer.identity.service.proposals import Kinds
from finer.identity.types.access import Permission, Role, User
from finer.identity.types.proposals import Proposal
from finer.kit.ids import read_id, show_id
from finer.kit.masking import personal
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_Reason = Annotated[str, msgspec.Meta(max_length=1000)]


class InvitationBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody who is to sign in. The reason is for whoever approves, where an approval is asked for."""

    email: Annotated[str, msgspec.Meta(max_length=254)]
    name: Annotated[str, msgspec.Meta(max_length=120)]
    role: Role
    reason: _Reason = ""


class RoleBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Another role, and why."""

    role: Role
    reason: _Reason


class ReasonBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why."""

    reason: _Reason


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A person as the API shows them to others."""

    id: str
    name: str
    email: Annotated[str | None, personal("email")]
    role: Role
    disabled_at: datetime | None


class UserChange(msgspec.Struct, frozen=True, kw_only=True):
    """A person after a change, or before it when `proposal` names what waits for approval."""

    user: UserView
    proposal: str | None


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody invited. `link` lets them in for 24 hours and is shown only here; null when the operator makes it."""

    user: UserView
    link: str | None
    proposal: str | None


class UserController(Controller):
    """The people of the firm."""

    path = "/api/v1/users"
    tags = ["People"]
    response_headers = NOT_KEPT

    @get("/", opt={"permission": Permission.USERS_READ}, sync_to_thread=True, summary="List people")
    def list(self, tx: Tx) -> builtins.list[UserView]:
        """The people of the firm, by address."""
        return [_show(user) for user in people.list_users(tx)]

    @post(
        "/",
        opt={"permission": Permission.USERS_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        summary="Invite a person",
    )
    def create(self, tx: Tx, data: InvitationBody, settings: Settings, proposal_kinds: Kinds) -> Invitation:
        """Add a person, with a link to sign in by. Whoever can approve for others waits for approval, disabled."""
        user, token = staff.invite(tx, settings, email=data.email, name=data.name, role=data.role)
        made = None
        if user.disabled_at is not None:
            payload = {"user": show_id("usr", user.id)}
            made = proposals.act_or_propose(tx, settings, proposal_kinds, staff.ENABLE, payload, data.reason)
        link = None if token is None else _link(settings, token)
        return Invitation(user=_show(people.get_user(tx, user.id)), link=link, proposal=_made(made))

    @put(
        "/{user_id:str}/role",
        opt={"permission": Permission.USERS_WRITE, "step_up": True},
        sync_to_thread=True,
        summary="Change somebody's role",
    )
    def role(self, tx: Tx, user_id: str, data: RoleBody, settings: Settings, proposal_kinds: Kinds) -> UserChange:
        """Propose another role for a person; it is theirs when a second administrator approves."""
        user = people.get_user(tx, read_id("usr", user_id))
        payload = {"user": show_id("usr", user.id), "role": data.role.value}
        made = proposals.act_or_propose(tx, settings, proposal_kinds, staff.ROLE, payload, data.reason)
        return UserChange(user=_show(people.get_user(tx, user.id)), proposal=_made(made))

    @post(
        "/{user_id:str}/disabling",
        opt={"permission": Permission.USERS_WRITE, "step_up": True},
        sync_to_thread=True,
        status_code=200,
        summary="Disable a person",
    )
    def disable(self, tx: Tx, user_id: str) -> UserView:
        """Let a person in no more; their sessions end within a second. This waits for nobody."""
        return _show(staff.disable(tx, read_id("usr", user_id)))

    @post(
        "/{user_id:str}/enabling",
        opt={"permission": Permission.USERS_WRITE, "step_up": True},
        sync_to_thread=True,
        status_code=200,
        summary="Enable a person",
    )
    def enable(self, tx: Tx, user_id: str, data: ReasonBody, settings: Settings, proposal_kinds: Kinds) -> UserChange:
        """Let a disabled person in again; for whoever can approve for others, when a second administrator approves."""
        user = people.get_user(tx, read_id("usr", user_id))
        made = None
        if staff.approves(user.role):
            payload = {"user": show_id("usr", user.id)}
            made = proposals.act_or_propose(tx, settings, proposal_kinds, staff.ENABLE, payload, data.reason)
        else:
            staff.enable(tx, user.id)
        return UserChange(user=_show(people.get_user(tx, user.id)), proposal=_made(made))

    @post(
        "/{user_id:str}/invitation",
        opt={"permission": Permission.USERS_WRITE, "step_up": True, "answer_once": True},
        sync_to_thread=True,
        summary="Invite somebody again",
    )
    def invite(self, tx: Tx, user_id: str, settings: Settings) -> Invitation:
        """A new link for somebody who has never signed in."""
        identifier = read_id("usr", user_id)
        link = _link(settings, staff.invite_again(tx, identifier))
        return Invitation(user=_show(people.get_user(tx, identifier)), link=link, proposal=None)


def _show(user: User) -> UserView:
    return UserView(
        id=show_id("usr", user.id), name=user.name, email=user.email, role=user.role, disabled_at=user.disabled_at
    )


def _made(proposal: Proposal | None) -> str | None:
    return None if proposal is None else show_id("pro", proposal.id)


def _link(settings: Settings, token: str) -> str:
    return f"{settings.web_url}/sign-in?token={token}"
