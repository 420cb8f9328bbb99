"""Signing in, and proving again who one is: acts that begin before a tenant is known, or whose failures must stay.

They open their own transactions: a refused attempt is counted and audited, which a request that ends in an error would
undo with everything else.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from finer.app.authentication import Authenticator
from finer.identity.errors import ProofRefused, SignInRefused
from finer.identity.service import admission, passkeys, passwords, people, proofs, sessions, sign_in
from finer.identity.service.passkeys import Purpose
from finer.identity.service.sso import Vouched
from finer.identity.types.access import Admission, Factor, Passkey, Principal
from finer.kit.actors import SYSTEM, Actor
from finer.kit.db import NO_TENANT, Database
from finer.kit.settings import Settings
from finer.kit.tx import Tx

_NO_FIT = "E-mail address and password do not fit together."
_OLD_LINK = "This sign-in link does not work any more. Ask for a new one, or sign in with your password."
_NO_PASSKEY = "This passkey does not open any account here. Try again, or sign in with your password."
_TOO_LATE = "This sign-in took too long. Begin again with your password."
_NO_CODE = "This code does not fit. Enter the newest one, or a recovery code that was not used before."


class Doorway:
    """The ways in. Every one of them ends in `admission`, and none raises for a wrong proof before it has committed."""

    def __init__(self, database: Database, settings: Settings, authenticator: Authenticator) -> None:
        self._database = database
        self._settings = settings
        self._authenticator = authenticator

    def by_password(self, email: str, password: str, address: str, user_agent: str) -> Admission:
        """Sign in by password. Raises SignInRefused, TooManyAttempts."""
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            found = sign_in.check_password_sign_in(tx, self._settings, email=email, password=password, address=address)
        return self._admit(found, Factor.PASSWORD, address, user_agent, _NO_FIT)

    def by_link(self, token: str, address: str, user_agent: str) -> Admission:
        """Sign in by a link. Raises SignInRefused."""
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            found = sign_in.check_link_sign_in(tx, token)
        return self._admit(found, Factor.LINK, address, user_agent, _OLD_LINK)

    def passkey_options(self, address: str) -> dict[str, Any]:
        """What a browser needs to sign in by passkey. Raises TooManyAttempts, PasskeysUnavailable."""
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            sign_in.count_passkey_attempt(tx, address)
            return passkeys.sign_in_options(tx, self._settings)

    def by_passkey(self, credential: dict[str, Any], address: str, user_agent: str) -> Admission:
        """Sign in by passkey, which needs nothing else. Raises SignInRefused."""
        challenge = self._challenge(NO_TENANT, credential, Purpose.SIGN_IN, None)
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            found = passkeys.check_passkey(tx, self._settings, credential, challenge, None)
            if found is not None:
                sign_in.give_back_attempt(tx, address)
        return self._admit(found, Factor.PASSKEY, address, user_agent, _NO_PASSKEY)

    def by_provider(
        self, tenant: uuid.UUID, user: uuid.UUID, factor: Factor, said: Vouched, address: str, user_agent: str
    ) -> Admission:
        """Sign in somebody whom the firm's own provider vouched for: `sso`, or `sso_mfa` when it said how strongly."""
        return self._admit((tenant, user), factor, address, user_agent, "", said)

    def by_second_factor(self, token: str, code: str, address: str, user_agent: str) -> Admission:
        """End a sign-in whose password fitted, by a code. Raises SignInRefused, TooManyAttempts."""
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            pending = admission.find_pending(tx, token)
        if pending is None:
            raise SignInRefused(_TOO_LATE)
        with self._database.transaction(pending.tenant, self._actor(pending.tenant, pending.user)) as tx:
            factor = proofs.prove_by_code(tx, self._settings, pending.user, code)
            session = factor and admission.complete(tx, pending, factor=factor, address=address, user_agent=user_agent)
        if not session:
            raise SignInRefused(_NO_CODE)
        return Admission(token=session)

    def step_up_by_password(self, caller: Principal, password: str) -> str:
        """A new token for the session of a caller whose password fits. Raises ProofRefused, TooManyAttempts."""
        return self._renewed(
            caller,
            lambda tx: proofs.prove_by_password(tx, self._settings, caller.id, password),
            "This is not your password.",
        )

    def step_up_by_code(self, caller: Principal, code: str) -> str:
        """A new token for the session of a caller whose code fits. Raises ProofRefused, TooManyAttempts."""
        return self._renewed(caller, lambda tx: proofs.prove_by_code(tx, self._settings, caller.id, code), _NO_CODE)

    def step_up_by_passkey(self, caller: Principal, credential: dict[str, Any]) -> str:
        """A new token for the session of a caller whose passkey signed. Raises ProofRefused."""
        challenge = self._challenge(caller.tenant_id, credential, Purpose.STEP_UP, caller.id)

        def prove(tx: Tx) -> Factor | None:
            found = passkeys.check_passkey(tx, self._settings, credential, challenge, caller.id)
            return None if found is None else Factor.PASSKEY

        return self._renewed(caller, prove, "This passkey does not fit. Try again.")

    def change_password(self, caller: Principal, present: str, new: str) -> str:
        """Set a new password; returns the new token of the caller's session, the only one that is left.

        Somebody without a password proves who they are by a fresh sign-in instead. Raises ProofRefused, NotAcceptable,
        TooManyAttempts.
        """
        with self._database.transaction(caller.tenant_id, caller.actor()) as tx:
            if passwords.has_password(tx, caller.id):
                fits = proofs.prove_by_password(tx, self._settings, caller.id, present) is not None
            else:
                fits = caller.stepped_up
        if not fits:
            raise ProofRefused("This is not your present password, so nothing was changed.")
        with self._database.transaction(caller.tenant_id, caller.actor()) as tx:
            return passwords.change_password(tx, self._settings, caller, new)

    def register_passkey(
        self, caller: Principal, name: str, credential: dict[str, Any]
    ) -> tuple[Passkey, list[str], str]:
        """Keep a passkey that the caller's browser made; returns it, recovery codes if there were none, and a token.

        Raises ProofRefused, AlreadyExists, NotAcceptable.
        """
        challenge = self._challenge(caller.tenant_id, credential, Purpose.REGISTER, caller.id)
        with self._database.transaction(caller.tenant_id, caller.actor()) as tx:
            passkey, codes = passkeys.register_passkey(tx, self._settings, caller.id, name, credential, challenge)
            return passkey, codes, sessions.renew_session(tx, caller.session_id, Factor.PASSKEY)

    def leave(self, credential: str) -> None:
        """End the session that a browser had before it signed in again; nothing happens when there is none."""
        caller = self._authenticator.look_up(credential, touch=False)
        if caller is not None and caller.session_id is not None:
            with self._database.transaction(caller.tenant_id, caller.actor()) as tx:
                sessions.end_session(tx, caller.id, caller.session_id)
        self._authenticator.forget(credential)

    def _admit(
        self,
        found: tuple[uuid.UUID, uuid.UUID] | None,
        factor: Factor,
        address: str,
        user_agent: str,
        refusal: str,
        said: Vouched | None = None,
    ) -> Admission:
        if found is None:
            raise SignInRefused(refusal)
        tenant, user = found
        with self._database.transaction(tenant, self._actor(tenant, user)) as tx:
            return admission.admit(tx, user, factor=factor, address=address, user_agent=user_agent, said=said)

    def _actor(self, tenant: uuid.UUID, user: uuid.UUID) -> Actor:
        with self._database.transaction(tenant, SYSTEM, read_only=True) as tx:
            person = people.get_user(tx, user)
        return Actor(kind="user", id=str(user), name=person.name, role=person.role.value)

    def _challenge(
        self, tenant: uuid.UUID, credential: dict[str, Any], purpose: Purpose, user: uuid.UUID | None
    ) -> bytes | None:
        with self._database.transaction(tenant, SYSTEM) as tx:
            return passkeys.take_challenge(tx, credential, purpose, user)

    def _renewed(self, caller: Principal, prove: Callable[[Tx], Factor | None], refusal: str) -> str:
        with self._database.transaction(caller.tenant_id, caller.actor()) as tx:
            factor = prove(tx)
            token = factor and sessions.renew_session(tx, caller.session_id, proofs.worth(caller, factor))
        if token is None:
            raise ProofRefused(refusal)
        return token
