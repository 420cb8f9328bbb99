"""The one door: every way of signing in ends here, and here it is decided whether a second factor is missing."""

from __future__ import annotations

import secrets
import uuid
from datetime import timedelta

import msgspec

from finer.identity.rules.provider import Vouched
from finer.identity.rules.step_up import STRONG, missing_factors
from finer.identity.service.factors import proofs_of
from finer.identity.service.sessions import begin_session, secret_hash
from finer.identity.store.factors import FactorStore
from finer.identity.store.lookups import LookupStore
from finer.identity.types.access import Admission, Factor
from finer.kit.ids import new_id
from finer.kit.tx import Tx

PENDING_LIFETIME = timedelta(minutes=5)


class Pending(msgspec.Struct, frozen=True):
    """A sign-in whose first factor fitted and whose second one is missing."""

    tenant: uuid.UUID
    id: uuid.UUID
    user: uuid.UUID


def admit(
    tx: Tx, user: uuid.UUID, *, factor: Factor, address: str, user_agent: str, said: Vouched | None = None
) -> Admission:
    """Let a person in who proved it by `factor`, or as far as to where the second factor is asked for.

    `said` is what the firm's provider said of when that was.
    The token of a half-done sign-in opens nothing: it only says, for five minutes, whose second factor is missing.
    """
    missing = missing_factors(factor, proofs_of(tx, user))
    if not missing:
        return Admission(token=begin_session(tx, user, user_agent, address=address, factor=factor, said=said))
    token = secrets.token_urlsafe(32)
    FactorStore(tx).add_pending(user, new_id(), secret_hash(token), tx.now() + PENDING_LIFETIME)
    return Admission(token=token, missing=missing)


def find_pending(tx: Tx, token: str) -> Pending | None:
    """The half-done sign-in of a token; None when it is over. The transaction may be that of no tenant."""
    row = LookupStore(tx.connection).pending_sign_in(secret_hash(token))
    return None if row is None or row.expires_at <= tx.now() else Pending(row.tenant_id, row.id, row.user_id)


def complete(tx: Tx, pending: Pending, *, factor: Factor, address: str, user_agent: str) -> str | None:
    """The session token of a sign-in whose second factor fitted; None when another request was first."""
    if factor not in STRONG or not FactorStore(tx).take_pending(pending.id):
        return None
    return begin_session(tx, pending.user, user_agent, address=address, factor=factor)
