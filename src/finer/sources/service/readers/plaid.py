"""Plaid's /transactions/sync: each customer's link from its cursor on, page by page."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from finer.kit.outbound import Answer, Outbound, OutboundRefused
from finer.sources.errors import SourceFailed, SourceMisconfigured
from finer.sources.rules.plaid import Book, Update, keys_of
from finer.sources.service.readers.target import TRIAL_ROWS, Target, newest
from finer.sources.types import Credentials, KeyedRecord, Memory, Page, PlaidItem, PlaidSettings, Position

_BYTES_MAX = 8 << 20
_KEY_BYTES_MAX = 64 << 10
_RESTARTS_MAX = 5
_MUTATED = "TRANSACTIONS_SYNC_MUTATION_DURING_PAGINATION"
_RELINK = frozenset({"ITEM_LOGIN_REQUIRED", "ITEM_NOT_FOUND", "INVALID_ACCESS_TOKEN", "ACCESS_NOT_GRANTED"})
_HOPELESS = frozenset({"INVALID_API_KEYS", "UNAUTHORIZED_ENVIRONMENT", "INVALID_CLIENT_ID", "INVALID_SECRET"})


class _Problem(msgspec.Struct, frozen=True):
    """What Plaid says of a request that failed."""

    error_code: str = ""
    error_message: str = ""


class _Mutated(Exception):
    """The list changed between two pages: its pages have to be read again from the first one on."""


class PlaidReader:
    """Reads every link; one that the customer has to mend is said so, and does not hold back the others."""

    def __init__(
        self,
        settings: PlaidSettings,
        credentials: Credentials,
        outbound: Outbound,
        target: Target,
        memory: Memory,
        *,
        trial: bool = False,
    ) -> None:
        self.every_s = settings.every_s
        self._settings, self._credentials, self._outbound = settings, credentials, outbound
        self._target, self._memory, self._trial = target, memory, trial

    def sweep(self) -> Iterator[Page]:
        """All pages of all links."""
        positions = self._memory.positions()
        failed: SourceFailed | None = None
        for item in self._credentials.items:
            try:
                yield from self._link(item, positions.get(item.customer_id, {}))
            except SourceFailed as error:
                failed = error
            if self._trial:
                break
        if failed is not None:
            raise failed

    def close(self) -> None:
        """There is nothing to let go of."""

    def _link(self, item: PlaidItem, position: dict[str, Any]) -> Iterator[Page]:
        """`start` is the cursor of the update under way, `cursor` that of its next page."""
        start, cursor = str(position.get("start", "")), str(position.get("cursor", ""))
        restarts, more = 0, True
        while more:
            try:
                update = self._ask(item, cursor)
            except _Mutated:
                restarts += 1
                if restarts > _RESTARTS_MAX:
                    raise SourceFailed(
                        f"The transactions of customer {item.customer_id} keep changing while they are read."
                    ) from None
                # What was taken of the earlier pages is told again; nothing of it moves money twice.
                cursor = start
                continue
            more = update.has_more and not self._trial
            if update.has_more and update.next_cursor == cursor:
                raise SourceFailed("Plaid promises more, and gives the same cursor again.")
            moved = update.next_cursor != cursor
            cursor = update.next_cursor
            start = start if more else cursor
            if moved or update.added or update.modified or update.removed:
                yield self._page(item, update, Position(item.customer_id, {"start": start, "cursor": cursor}))

    def _page(self, item: PlaidItem, update: Update, position: Position) -> Page:
        prefix = f"{item.customer_id}/"
        book = Book(self._known(prefix, keys_of(update)), item.customer_id)
        book.learn(self._known(prefix, book.roots()))
        book.take(update)
        what = f"customer {item.customer_id}"
        records = book.records[:TRIAL_ROWS] if self._trial else book.records
        page = Page(groups=self._target.lines(records, what), what=what, positions=[position])
        page.records = [KeyedRecord(f"{prefix}{key}", item.customer_id, value) for key, value in book.changed.items()]
        page.last_record_at = newest(page.groups)
        page.lag, page.lag_unit = int(update.has_more), "pages"
        return page

    def _known(self, prefix: str, keys: list[str]) -> dict[str, bytes]:
        found = self._memory.records([f"{prefix}{key}" for key in keys]) if keys else {}
        return {key.removeprefix(prefix): value for key, value in found.items()}

    def _ask(self, item: PlaidItem, cursor: str) -> Update:
        asked = {
            "client_id": self._credentials.user,
            "secret": self._credentials.secret,
            "access_token": item.access_token,
            "count": TRIAL_ROWS if self._trial else self._settings.page,
        } | ({"cursor": cursor} if cursor else {})
        try:
            answer = self._outbound.post_json(
                f"{self._settings.address.rstrip('/')}/transactions/sync", msgspec.json.encode(asked),
                bytes_max=_BYTES_MAX,
            )  # fmt: skip
        except OutboundRefused as error:
            raise SourceFailed(error.detail) from error
        if answer.status == 200:
            try:
                return msgspec.json.decode(answer.body, type=Update)
            except (msgspec.DecodeError, RecursionError) as error:
                raise SourceFailed(f"The answer of Plaid cannot be read: {error}.") from error
        raise _refusal(answer, item)


class _KeyAnswer(msgspec.Struct, frozen=True):
    key: dict[str, Any]


def verification_key(
    settings: PlaidSettings, credentials: Credentials, outbound: Outbound, key_id: str
) -> dict[str, Any] | None:
    """The key (a JWK) by which Plaid signs notices; None for one that it does not know, or that has expired.

    Raises SourceFailed when Plaid cannot be asked.
    """
    asked = {"client_id": credentials.user, "secret": credentials.secret, "key_id": key_id}
    try:
        answer = outbound.post_json(
            f"{settings.address.rstrip('/')}/webhook_verification_key/get", msgspec.json.encode(asked),
            bytes_max=_KEY_BYTES_MAX,
        )  # fmt: skip
    except OutboundRefused as error:
        raise SourceFailed(error.detail) from error
    if answer.status == 429 or answer.status >= 500:
        raise SourceFailed(f"Plaid answered {answer.status} when it was asked for its key.")
    try:
        key = msgspec.json.decode(answer.body, type=_KeyAnswer).key if answer.status == 200 else None
    except (msgspec.DecodeError, RecursionError):
        return None
    return key if key is not None and key.get("expired_at") is None else None


def _refusal(answer: Answer, item: PlaidItem) -> Exception:
    try:
        problem = msgspec.json.decode(answer.body, type=_Problem)
    except (msgspec.DecodeError, RecursionError):
        problem = _Problem()
    if problem.error_code == _MUTATED:
        return _Mutated()
    if problem.error_code in _HOPELESS:
        return SourceMisconfigured(f"Plaid refuses the client: {problem.error_code}. Give its id and secret again.")
    if problem.error_code in _RELINK:
        return SourceFailed(f"Customer {item.customer_id} has to link the bank again ({problem.error_code}).")
    if answer.status == 429:
        return SourceFailed("Plaid asks to slow down (429).")
    return SourceFailed(f"Plaid answered {answer.status} {problem.error_code[:60]}".rstrip() + ".")
