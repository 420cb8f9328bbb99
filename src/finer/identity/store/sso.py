"""Rows of single sign-on of one tenant."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.identity.rules.provider import RoleMapping, SsoProvider
from finer.identity.tables.core import users
from finer.identity.tables.sso import external_identities, sso_attempts, sso_domains, sso_providers
from finer.identity.types.access import Role
from finer.kit.crypto import fields
from finer.kit.tx import Tx

_SECRET = "identity_sso_providers.client_secret_sealed"  # noqa: S105 - the name of a column
_SHOWN = [sso_providers.c[name] for name in SsoProvider.__struct_fields__]


class SsoStore:
    """The provider of a firm, its people there, and the sign-ins under way."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def provider(self) -> SsoProvider | None:
        """The firm's provider."""
        query = sa.select(*_SHOWN).where(sso_providers.c.tenant_id == self._tenant)
        row = self._connection.execute(query).one_or_none()
        if row is None:
            return None
        shown = dict(row._mapping)
        return SsoProvider(**shown | {"role_map": msgspec.convert(row.role_map, list[RoleMapping])})

    def secret(self, provider: uuid.UUID) -> str:
        """The client's secret at the provider."""
        query = sa.select(sso_providers.c.client_secret_sealed).where(
            sso_providers.c.tenant_id == self._tenant, sso_providers.c.id == provider
        )
        return fields.unseal(self._tx, _SECRET, provider, bytes(self._connection.execute(query).scalar_one()))

    def put(self, provider: SsoProvider, secret: str | None) -> None:
        """Store the provider in the place of the one before; without a secret the stored one stays."""
        row: dict[str, Any] = {name: getattr(provider, name) for name in SsoProvider.__struct_fields__}
        row["role_map"] = msgspec.to_builtins(provider.role_map)
        if secret is None:
            mine = sso_providers.c.tenant_id == self._tenant
            self._connection.execute(sso_providers.update().where(mine).values(**row))
            return
        sealed = fields.seal(self._tx, _SECRET, provider.id, secret)
        statement = insert(sso_providers).values(tenant_id=self._tenant, client_secret_sealed=sealed, **row)
        changed = {name: statement.excluded[name] for name in [*row, "client_secret_sealed"]}
        self._connection.execute(statement.on_conflict_do_update(index_elements=["tenant_id"], set_=changed))

    def remove(self) -> None:
        """Forget the provider."""
        self._connection.execute(sso_providers.delete().where(sso_providers.c.tenant_id == self._tenant))

    def begin(self, state_hash: bytes, **row: Any) -> None:
        """A sign-in under way."""
        self._connection.execute(sso_attempts.insert().values(tenant_id=self._tenant, state_hash=state_hash, **row))

    def take(self, state_hash: bytes, browser_hash: bytes, now: datetime) -> Any:
        """The sign-in under way of this state and browser, which is over with this; None when there is none."""
        statement = (
            sso_attempts.delete()
            .where(
                sso_attempts.c.tenant_id == self._tenant,
                sso_attempts.c.state_hash == state_hash,
                sso_attempts.c.browser_hash == browser_hash,
                sso_attempts.c.expires_at > now,
            )
            .returning(sso_attempts)
        )
        return self._connection.execute(statement).one_or_none()

    def forget_attempts(self, now: datetime) -> None:
        """Sign-ins that nobody ended in time."""
        old = (sso_attempts.c.tenant_id == self._tenant) & (sso_attempts.c.expires_at <= now)
        self._connection.execute(sso_attempts.delete().where(old))

    def person(self, issuer: str, subject: str, now: datetime) -> uuid.UUID | None:
        """Who somebody at the provider is here, seen just now; None for somebody who was never here."""
        statement = (
            external_identities.update()
            .where(*self._identity(issuer, subject))
            .values(last_seen_at=now)
            .returning(external_identities.c.user_id)
        )
        return self._connection.execute(statement).scalar_one_or_none()

    def link(self, issuer: str, subject: str, user: uuid.UUID, now: datetime) -> bool:
        """Somebody at the provider is this person; False when another request said so first."""
        statement = insert(external_identities).values(
            tenant_id=self._tenant, issuer=issuer, subject=subject, user_id=user, linked_at=now, last_seen_at=now
        )
        added = statement.on_conflict_do_nothing().returning(sa.literal(1))
        return self._connection.execute(added).first() is not None

    def set_role(self, user: uuid.UUID, role: Role) -> None:
        """What a person is at the firm."""
        mine = (users.c.tenant_id == self._tenant) & (users.c.id == user)
        self._connection.execute(users.update().where(mine).values(role=role))

    def domains(self) -> list[str]:
        """The e-mail domains that are this firm's, as an operator confirmed."""
        query = sa.select(sso_domains.c.domain).where(sso_domains.c.tenant_id == self._tenant)
        return list(self._connection.scalars(query.order_by(sso_domains.c.domain)))

    def add_domain(self, domain: str) -> bool:
        """Confirm a domain; False when it is a firm's already."""
        statement = insert(sso_domains).values(tenant_id=self._tenant, domain=domain)
        added = statement.on_conflict_do_nothing().returning(sa.literal(1))
        return self._connection.execute(added).first() is not None

    def remove_domain(self, domain: str) -> bool:
        """Take a domain back; False when it was not this firm's."""
        mine = (sso_domains.c.tenant_id == self._tenant) & (sso_domains.c.domain == domain)
        return self._connection.execute(sso_domains.delete().where(mine)).rowcount == 1

    def _identity(self, issuer: str, subject: str) -> list[sa.ColumnElement[bool]]:
        return [
            external_identities.c.tenant_id == self._tenant,
            external_identities.c.issuer == issuer,
            external_identities.c.subject == subject,
        ]
