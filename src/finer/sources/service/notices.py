"""Notices of Plaid: whether one is genuine, by keys that Plaid is asked for, and that are remembered for a while."""

from __future__ import annotations

import threading
import uuid
from datetime import datetime, timedelta
from typing import Any

from finer.kit.outbound import Outbound
from finer.sources.errors import SignatureRefused
from finer.sources.rules import plaid_notices
from finer.sources.service.readers.plaid import verification_key
from finer.sources.types import Credentials, PlaidSettings

_REMEMBERED = timedelta(minutes=10)
_REMEMBERED_MAX = 1_000


class Notices:
    """Verifies notices; for several threads. That there is no key of an id is remembered like a key."""

    def __init__(self) -> None:
        self._known: dict[tuple[uuid.UUID, str], tuple[datetime, dict[str, Any] | None]] = {}
        self._lock = threading.Lock()

    def is_news(
        self,
        source: uuid.UUID,
        settings: PlaidSettings,
        credentials: Credentials,
        outbound: Outbound,
        notice: tuple[str, bytes],
        now: datetime,
    ) -> bool:
        """Whether a notice (signature, body) tells of transactions to be read.

        Raises SignatureRefused for one that is not genuine, SourceFailed when Plaid cannot be asked for its key.
        """
        signature, body = notice
        name = source, plaid_notices.key_id_of(signature)
        with self._lock:
            until, key = self._known.get(name, (now, None))
        if until <= now:
            key = verification_key(settings, credentials, outbound, name[1])
            with self._lock:
                if len(self._known) >= _REMEMBERED_MAX:
                    self._known.clear()
                self._known[name] = now + _REMEMBERED, key
        if key is None:
            raise SignatureRefused("Plaid knows no key of this id, or it has expired.")
        plaid_notices.verify(signature, body, key, now)
        return plaid_notices.read_notice(body).is_news
