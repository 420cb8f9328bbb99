"""People of a firm, and the links that let them in."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Collection, Iterable
from datetime import timedelta

from finer.identity.errors import AlreadyExists, NotAcceptable, UserNotFound
from finer.identity.rules.checks import check_email, check_name
from finer.identity.service.audit import record_audit
from finer.identity.service.password_policy import check_new_password
from finer.identity.service.sessions import secret_hash
from finer.identity.store.rows import IdentityStore
from finer.identity.types.access import Role, User
from finer.kit.ids import new_id, show_id
from finer.kit.passwords import hash_password
from finer.kit.settings import Settings
from finer.kit.tx import Tx

LINK_LIFETIME = timedelta(hours=24)


def create_user(tx: Tx, settings: Settings, *, email: str, name: str, role: Role, password: str | None) -> User:
    """Add a person; without a password only sign-in links let them in. Raises AlreadyExists, NotAcceptable."""
    if role is Role.SERVICE:
        raise NotAcceptable("A machine is no user. Make an API key instead: finer key create.")
    user = User(id=new_id(), tenant_id=tx.tenant, email=check_email(email), name=check_name(name), role=role)
    stored = None
    if password is not None:
        stored = hash_password(check_new_password(settings, password, (user.email, user.name)), settings)
    if not IdentityStore(tx).add_user(user, stored, tx.now()):
        raise AlreadyExists(f"Somebody signs in as {user.email} already.")
    record_audit(tx, "users:create", show_id("usr", user.id), {"role": str(role)})
    return user


def list_users(tx: Tx) -> list[User]:
    """The people of the firm, by address.

    It reads and unseals every one of them: a page that says who did what asks for `names`, one that offers somebody to
    choose for `active`.
    """
    return IdentityStore(tx).users()


def names(tx: Tx, ids: Iterable[uuid.UUID | str | None]) -> dict[str, str]:
    """What these people are called, by id as text: for a page that says who did what.

    Who is nobody of the firm is left out: a machine, the command line, Finer itself, None.
    """
    wanted = {person for one in ids if (person := _read_person(one)) is not None}
    found = IdentityStore(tx).names(wanted) if wanted else {}
    return {str(person): name for person, name in found.items()}


def active(tx: Tx, roles: Collection[Role], most: int | None = None) -> list[uuid.UUID]:
    """The people of these roles who can sign in, at most so many, who came first before the others."""
    return IdentityStore(tx).active(roles, most)


def get_user(tx: Tx, identifier: uuid.UUID) -> User:
    """One person of the firm. Raises UserNotFound."""
    found = IdentityStore(tx).users(identifier=identifier)
    if not found:
        raise UserNotFound(f"There is no user {show_id('usr', identifier)}.")
    return found[0]


def user_by_email(tx: Tx, email: str) -> User:
    """The person of the firm who signs in by that address. Raises UserNotFound, NotAcceptable."""
    found = IdentityStore(tx).users(email=check_email(email))
    if not found:
        raise UserNotFound(f"Nobody of this firm signs in as {email[:80]!r}.")
    return found[0]


def disable_user(tx: Tx, *, email: str) -> None:
    """Let a person in no more; their sessions end within a second. Raises UserNotFound."""
    user = user_by_email(tx, email)
    IdentityStore(tx).set_disabled(user.id, tx.now())
    record_audit(tx, "users:disable", show_id("usr", user.id))


def create_sign_in_link(tx: Tx, *, email: str) -> str:
    """The token of a link that signs a person in, any number of times within 24 hours. Raises UserNotFound."""
    user = user_by_email(tx, email)
    token = secrets.token_urlsafe(32)
    IdentityStore(tx).add_link(user.id, new_id(), secret_hash(token), tx.now() + LINK_LIFETIME)
    record_audit(tx, "sign_in_links:create", show_id("usr", user.id))
    return token


def revoke_sign_in_links(tx: Tx, *, email: str) -> None:
    """Take back every sign-in link of a person. Raises UserNotFound."""
    user = user_by_email(tx, email)
    taken = IdentityStore(tx).remove_links(user.id)
    record_audit(tx, "sign_in_links:revoke", show_id("usr", user.id), {"links": taken})


def _read_person(who: uuid.UUID | str | None) -> uuid.UUID | None:
    if who is None or isinstance(who, uuid.UUID):
        return who
    try:
        return uuid.UUID(who)
    except ValueError:
        return None
