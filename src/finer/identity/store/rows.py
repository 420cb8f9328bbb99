"""Rows of one tenant."""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.identity.store.sealed import PERSON, email_index, names_of, people_of, sealed_person
from finer.identity.tables.core import api_keys, audit_entries, sessions, sign_in_links, tenants, users
from finer.identity.types.access import Role, Tenant, User
from finer.identity.types.audit import AuditEntry
from finer.kit.tx import Tx

_AUDIT = ("tenant_id", *AuditEntry.__struct_fields__)
# Every change writes a line, so it is no statement that has to be put together each time.
ADD_AUDIT = (
    f"insert into identity_audit_entries ({', '.join(_AUDIT)}) "  # noqa: S608 - our own names
    f"values ({', '.join(f'%({name})s' for name in _AUDIT)})"
)
"""Adds one line to the audit trail of a tenant."""


class IdentityStore:
    """Rows of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def tenant(self) -> Tenant | None:
        """The firm itself."""
        shown = [tenants.c[name] for name in Tenant.__struct_fields__]
        row = self._connection.execute(sa.select(*shown).where(tenants.c.id == self._tenant)).one_or_none()
        return None if row is None else Tenant(**row._mapping)

    def add_tenant(self, tenant: Tenant) -> bool:
        """Add the firm; False when the short name is taken."""
        statement = insert(tenants).values(
            id=tenant.id,
            slug=tenant.slug,
            name=tenant.name,
            base_currency=tenant.base_currency,
            timezone=tenant.timezone,
            branding=tenant.branding,
            created_at=tenant.created_at,
        )
        # SQLAlchemy does not keep the row count of an INSERT; what it returns says whether there was one.
        added = self._connection.execute(statement.on_conflict_do_nothing().returning(sa.literal(1)))
        return added.first() is not None

    def add_user(self, user: User, password_hash: str | None, now: datetime) -> bool:
        """Add a person; False when the address is taken."""
        statement = insert(users).values(
            tenant_id=self._tenant,
            id=user.id,
            **sealed_person(self._tx, user.id, user.email, user.name),
            role=user.role,
            password_hash=password_hash,
            created_at=now,
        )
        # SQLAlchemy does not keep the row count of an INSERT; what it returns says whether there was one.
        added = self._connection.execute(statement.on_conflict_do_nothing().returning(sa.literal(1)))
        return added.first() is not None

    def users(self, email: str | None = None, identifier: uuid.UUID | None = None) -> list[User]:
        """People of the firm, by address."""
        query = sa.select(*PERSON).where(users.c.tenant_id == self._tenant)
        if email is not None:
            query = query.where(users.c.email_index == email_index(self._tx, email))
        if identifier is not None:
            query = query.where(users.c.id == identifier)
        return people_of(self._tx, self._connection.execute(query).all())

    def names(self, wanted: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
        """The names of these people, by id; who is not of the firm is left out."""
        chosen = users.c.id == sa.any_(sa.literal(list(wanted), sa.ARRAY(sa.Uuid)))
        query = sa.select(users.c.id, users.c.name_sealed).where(users.c.tenant_id == self._tenant, chosen)
        return names_of(self._tx, self._connection.execute(query).all())

    def active(self, roles: Collection[Role], most: int | None = None) -> list[uuid.UUID]:
        """People of these roles who are not disabled, who came first before the others."""
        mine = (users.c.tenant_id == self._tenant, users.c.role.in_(roles), users.c.disabled_at.is_(None))
        query = sa.select(users.c.id).where(*mine).order_by(users.c.created_at, users.c.id).limit(most)
        return list(self._connection.scalars(query))

    def set_disabled(self, user: uuid.UUID, at: datetime | None) -> None:
        """Disable a person, or let them in again."""
        self._connection.execute(
            users.update().where(users.c.tenant_id == self._tenant, users.c.id == user).values(disabled_at=at)
        )

    def set_password(self, user: uuid.UUID, password_hash: str) -> None:
        """Put another password in place of the present one."""
        mine = (users.c.tenant_id == self._tenant, users.c.id == user)
        self._connection.execute(users.update().where(*mine).values(password_hash=password_hash))

    def add_link(self, user: uuid.UUID, link: uuid.UUID, token_hash: bytes, expires_at: datetime) -> None:
        """A sign-in link."""
        self._connection.execute(
            sign_in_links.insert().values(
                tenant_id=self._tenant, id=link, user_id=user, token_hash=token_hash, expires_at=expires_at
            )
        )

    def add_audit(self, entry: AuditEntry) -> None:
        """One line of the audit trail."""
        self._tx.write(ADD_AUDIT, audit_parameters(self._tenant, entry))

    def commit_without_waiting(self) -> None:
        """Let this transaction commit before it is on the disk; for those that only note a read."""
        self._connection.exec_driver_sql("set local synchronous_commit = off")

    def audit(self, limit: int, before: uuid.UUID | None) -> list[AuditEntry]:
        """Lines of the audit trail, the newest first."""
        query = sa.select(audit_entries).where(audit_entries.c.tenant_id == self._tenant)
        if before is not None:
            query = query.where(audit_entries.c.id < before)
        query = query.order_by(audit_entries.c.id.desc()).limit(limit)
        return [
            AuditEntry(**{name: getattr(row, name) for name in AuditEntry.__struct_fields__})
            for row in self._connection.execute(query)
        ]

    def remove_links(self, user: uuid.UUID) -> int:
        """Take back every sign-in link of a person; returns how many there were."""
        mine = (sign_in_links.c.tenant_id == self._tenant) & (sign_in_links.c.user_id == user)
        return self._connection.execute(sign_in_links.delete().where(mine)).rowcount

    def impossible_sessions(self) -> list[uuid.UUID]:
        """Sessions seen or revoked before they began; for invariants."""
        early = (sessions.c.last_seen_at < sessions.c.created_at) | (sessions.c.revoked_at < sessions.c.created_at)
        query = sa.select(sessions.c.id).where(sessions.c.tenant_id == self._tenant, early)
        return list(self._connection.scalars(query))

    def nameless_audit(self) -> list[uuid.UUID]:
        """Audit lines that do not say who; for invariants."""
        blank = (audit_entries.c.actor_id == "") | (audit_entries.c.actor_name == "")
        query = sa.select(audit_entries.c.id).where(audit_entries.c.tenant_id == self._tenant, blank)
        return list(self._connection.scalars(query))

    def granted(self) -> list[tuple[str, str]]:
        """(who, role or scope) of every user and key as stored; for invariants."""
        of_users = sa.select(sa.cast(users.c.id, sa.Text), users.c.role).where(users.c.tenant_id == self._tenant)
        scopes = sa.func.unnest(api_keys.c.scopes)
        of_keys = sa.select(api_keys.c.prefix, scopes).where(api_keys.c.tenant_id == self._tenant)
        return [(row[0], row[1]) for query in (of_users, of_keys) for row in self._connection.execute(query)]


def audit_parameters(tenant: uuid.UUID, entry: AuditEntry) -> dict[str, Any]:
    """What `ADD_AUDIT` stands on."""
    fields = {name: getattr(entry, name) for name in AuditEntry.__struct_fields__}
    return fields | {"tenant_id": tenant, "detail": json.dumps(entry.detail)}
