"""Who works at the firm and as what: inviting people, their roles, disabling and enabling them.

The acts that give somebody power over others (a role, an administrator's account) come as proposals; the functions
here are what is done when one is approved, or what the operator does at the command line.
"""

from __future__ import annotations

import uuid
from typing import Any

from finer.identity.errors import LastAdministrator, NotAcceptable, NotForOneself, UserNotFound
from finer.identity.rules.checks import check_email
from finer.identity.rules.grants import allowed
from finer.identity.service import people
from finer.identity.service.audit import record_audit
from finer.identity.service.proposals import Payload
from finer.identity.store.rows import IdentityStore
from finer.identity.store.staff import StaffStore
from finer.identity.types.access import Permission, Role, User
from finer.identity.types.proposals import Change
from finer.kit.ids import read_id, show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx

ENABLE, ROLE = "people:enable", "people:role"
"""The kinds of proposal that give somebody power over others."""
ASSIGNABLE = tuple(role for role in Role if role is not Role.SERVICE)


def invite(tx: Tx, settings: Settings, *, email: str, name: str, role: Role) -> tuple[User, str | None]:
    """Add a person; returns them with the token of a sign-in link.

    Somebody whose role approves for others comes in disabled and without a link: enabling them is a proposal, and the
    link is made by the operator, for whoever holds a link is that person. Raises AlreadyExists, NotAcceptable.
    """
    user = people.create_user(tx, settings, email=email, name=name, role=role, password=None)
    if approves(role):
        IdentityStore(tx).set_disabled(user.id, tx.now())
        return people.get_user(tx, user.id), None
    return user, people.create_sign_in_link(tx, email=email)


def invite_again(tx: Tx, identifier: uuid.UUID) -> str:
    """A new sign-in link for somebody who has never been in. Raises UserNotFound, NotAcceptable."""
    user = people.get_user(tx, identifier)
    if approves(user.role):
        raise NotAcceptable(f"{user.name} approves for others. The operator makes the link: finer user link.")
    if user.disabled_at is not None:
        raise NotAcceptable(f"{user.name} is disabled. Enable the account first.")
    if StaffStore(tx).has_been_in(identifier):
        raise NotAcceptable(f"{user.name} has signed in before, so a link would let you in as them.")
    return people.create_sign_in_link(tx, email=user.email)


def by_email(tx: Tx, email: str) -> User:
    """The person of the firm who signs in with this address. Raises UserNotFound."""
    found = IdentityStore(tx).users(email=check_email(email))
    if not found:
        raise UserNotFound(f"Nobody of this firm signs in as {email[:80]!r}.")
    return found[0]


def approves(role: Role) -> bool:
    """Whether a role can approve what other people propose."""
    return allowed(role, Permission.PROPOSALS_DECIDE) is not None


def disable(tx: Tx, identifier: uuid.UUID) -> User:
    """Let a person in no more; their sessions end within a second.

    Raises UserNotFound, NotForOneself, LastAdministrator.
    """
    user = people.get_user(tx, identifier)
    _not_oneself(tx, user)
    if user.role is Role.ADMINISTRATOR:
        _not_the_last(tx, user)
    if user.disabled_at is None:
        people.disable_user(tx, email=user.email)
        StaffStore(tx).end_sessions(identifier, tx.now())
    return people.get_user(tx, identifier)


def enable(tx: Tx, identifier: uuid.UUID) -> User:
    """Let a disabled person in again. Raises UserNotFound."""
    user = people.get_user(tx, identifier)
    if user.disabled_at is not None:
        IdentityStore(tx).set_disabled(identifier, None)
        record_audit(tx, "users:enable", show_id("usr", identifier), {"role": str(user.role)})
    return people.get_user(tx, identifier)


def change_role(tx: Tx, identifier: uuid.UUID, role: Role) -> User:
    """Give a person another role. Their sessions end, so that nothing opened under the old one goes on.

    Raises UserNotFound, NotForOneself, NotAcceptable, LastAdministrator.
    """
    user = people.get_user(tx, identifier)
    _not_oneself(tx, user)
    if role not in ASSIGNABLE:
        raise NotAcceptable("A person is no machine. Make an API key instead.")
    if user.role is Role.ADMINISTRATOR and role is not Role.ADMINISTRATOR:
        _not_the_last(tx, user)
    StaffStore(tx).set_role(identifier, role)
    StaffStore(tx).end_sessions(identifier, tx.now())
    record_audit(tx, "users:role", show_id("usr", identifier), {"from": str(user.role), "to": str(role)})
    return people.get_user(tx, identifier)


def role_version(tx: Tx, payload: Payload) -> str:
    """The state that a change of role starts from. Raises UserNotFound, NotForOneself, NotAcceptable."""
    user, role = _person(tx, payload), _role(payload)
    if role is user.role:
        raise NotAcceptable(f"{user.name} is {role.replace('_', ' ')} already.")
    if payload["user"] == show_id("usr", uuid.UUID(tx.actor.id)):
        raise NotForOneself("Nobody changes their own role. Ask another administrator.")
    return _version(user)


def describe_role(tx: Tx, payload: Payload) -> list[Change]:
    """What a change of role changes."""
    user = _person(tx, payload)
    return [Change(f"Role of {user.name}", user.role.replace("_", " "), _role(payload).replace("_", " "))]


def execute_role(tx: Tx, payload: Payload) -> dict[str, Any]:
    """Change the role."""
    return {"role": change_role(tx, read_id("usr", str(payload["user"])), _role(payload)).role.value}


def enable_version(tx: Tx, payload: Payload) -> str:
    """The state that enabling starts from. Raises UserNotFound, NotAcceptable for somebody who is not disabled."""
    user = _person(tx, payload)
    if user.disabled_at is None:
        raise NotAcceptable(f"{user.name} is not disabled.")
    return _version(user)


def describe_enable(tx: Tx, payload: Payload) -> list[Change]:
    """What enabling changes."""
    user = _person(tx, payload)
    role = user.role.replace("_", " ")
    return [Change(f"{user.name} ({role})", "cannot sign in", f"can sign in as {role}")]


def execute_enable(tx: Tx, payload: Payload) -> dict[str, Any]:
    """Enable the person."""
    return {"role": enable(tx, read_id("usr", str(payload["user"]))).role.value}


def _person(tx: Tx, payload: Payload) -> User:
    return people.get_user(tx, read_id("usr", str(payload.get("user", ""))))


def _role(payload: Payload) -> Role:
    wanted = payload.get("role")
    if wanted not in ASSIGNABLE:
        raise NotAcceptable(f"{str(wanted)[:40]!r} is no role that a person can have.")
    return Role(wanted)


def _version(user: User) -> str:
    since = "" if user.disabled_at is None else user.disabled_at.isoformat()
    return f"{user.role}|{since}"


def _not_oneself(tx: Tx, user: User) -> None:
    if tx.actor.id == str(user.id):
        raise NotForOneself("Nobody changes their own account here. Ask another administrator.")


def _not_the_last(tx: Tx, user: User) -> None:
    if people.active(tx, [Role.ADMINISTRATOR]) == [user.id]:
        raise LastAdministrator(f"{user.name} is the last administrator of the firm. Make another one first.")
