"""Access tokens of OAuth clients in an API process: giving them out, and believing those that come back."""

from __future__ import annotations

import threading
import time
from typing import Any

from joserfc.jwk import ECKey

from finer.identity.service import access_tokens, api_keys
from finer.identity.types.access import Found
from finer.kit.actors import SYSTEM
from finer.kit.db import NO_TENANT, Database
from finer.kit.settings import Settings

_REMEMBER_S = 60.0
_ASK_AGAIN_S = 1.0
"""An id that is not known is looked for in the database at most this often, however many such tokens come."""


class MachineTokens:
    """The signing keys as this process knows them, and what it does with them."""

    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._issuer = settings.web_url
        self._lock = threading.Lock()
        self._public: dict[str, ECKey] = {}
        self._documents: list[dict[str, Any]] = []
        self._public_at = self._signer_at = float("-inf")
        self._signer: access_tokens.Signer | None = None

    def issue(self, client_id: str, secret: str, scope: str | None, address: str) -> tuple[str, list[str]]:
        """(token, scopes) for a client. Raises TokenRequestRefused, TooManyAttempts."""
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            found = access_tokens.check_client(tx, client_id=client_id, secret=secret, scope=scope, address=address)
        if not isinstance(found, access_tokens.Grant):
            raise found
        signer = self._current_signer()
        with self._database.transaction(found.principal.tenant_id, found.principal.actor()) as tx:
            api_keys.touch_key(tx, found.principal.id)
            return access_tokens.issue(tx, found, signer, self._issuer), found.scopes

    def principal(self, token: str) -> Found | None:
        """The client that holds a token, and whether its use should be noted; None when the token is not good."""
        kid = access_tokens.named_key(token)
        if kid is None:
            return None
        claims = access_tokens.read_token(token, self._keys(kid), self._issuer, self._database.clock.now())
        if claims is None:
            return None
        with self._database.transaction(NO_TENANT, SYSTEM) as tx:
            return access_tokens.find_principal_by_token(tx, claims)

    def documents(self) -> list[dict[str, Any]]:
        """The public keys, as a JWK set lists them (RFC 7517)."""
        self._keys(None)
        return self._documents

    def _keys(self, wanted: str | None) -> dict[str, ECKey]:
        with self._lock:
            age = time.monotonic() - self._public_at
            if age > _REMEMBER_S or (wanted not in self._public and age > _ASK_AGAIN_S):
                with self._database.transaction(NO_TENANT, SYSTEM, read_only=True) as tx:
                    found = access_tokens.published_keys(tx)
                self._public = {kid: ECKey.import_key(dict(document)) for kid, document in found.items()}
                use = {"use": "sig", "alg": "ES256"}
                self._documents = [{"kid": kid, **use, **document} for kid, document in found.items()]
                self._public_at = time.monotonic()
            return self._public

    def _current_signer(self) -> access_tokens.Signer:
        with self._lock:
            if self._signer is None or time.monotonic() - self._signer_at > _REMEMBER_S:
                with self._database.transaction(NO_TENANT, SYSTEM) as tx:
                    self._signer = access_tokens.signer(tx)
                self._signer_at = time.monotonic()
            return self._signer
