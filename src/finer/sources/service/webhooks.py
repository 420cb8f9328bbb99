"""Webhooks that come in: genuine ones are taken once, however often they are sent."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from finer.ingest.service import contracts
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.notifications.service import settle
from finer.sources.errors import HookUnknown, SourceChanged, VersionRefused
from finer.sources.rules import stripe
from finer.sources.service.manage import hook_hash
from finer.sources.service.readers.target import Target, newest
from finer.sources.service.taking import append, key_of, tell
from finer.sources.store.memory import MemoryStore
from finer.sources.store.sources import SourceStore, find_hook
from finer.sources.types import Credentials, Item, Page, PlaidSettings, Source, State, StripeSettings


def find_place(tx: Tx, token: str) -> tuple[uuid.UUID, uuid.UUID]:
    """The firm and the source of an address; the transaction is that of no firm. Raises HookUnknown."""
    found = find_hook(tx.connection, hook_hash(token))
    if found is None:
        raise HookUnknown("No source has this address. Copy it again from the page of the source.")
    return found


def receive_stripe(tx: Tx, identifier: uuid.UUID, signature: str, body: bytes, partitions: int) -> str:
    """Take an event of Stripe; returns what became of it: `taken`, `known` or `nothing` (it moves no money).

    Raises SignatureRefused, VersionRefused, HookUnknown, and SourceChanged while the source is paused.
    """
    source = SourceStore(tx).find(identifier)
    if source is None or not isinstance(source.settings, StripeSettings):
        raise HookUnknown("No source has this address. Copy it again from the page of the source.")
    credentials = SourceStore(tx).credentials(identifier)
    keys = [one for one in (credentials.secret, credentials.second_secret) if one]
    stripe.verify(signature, body, keys, tx.now(), source.settings.tolerance_s)
    if source.state is State.PAUSED:
        raise SourceChanged(f"{source.name} is paused. Stripe sends the event again by itself.")
    event = stripe.read_event(body, source.settings)
    records = stripe.records_of(event, source.settings)
    target = Target(contracts.load(tx).named(source.contract), None, source.name, show_id("src", source.id), tx.clock)
    page = Page(what=f"{event.type} {event.id}")
    page.groups = target.lines(records, page.what)
    results = [result for group in page.groups for result in group.bodies]
    item = Item(
        name=event.id,
        version="",
        size=len(body),
        records=len(records),
        accepted=sum(result.accepted for result in results),
        quarantined=sum(len(result.refused) for result in results),
        note=event.type,
    )
    if not MemoryStore(tx, identifier).add_item(item):
        return "known"
    _show_alive(tx, source, newest(page.groups))
    append(tx, source, page, partitions)
    return "taken" if records else "nothing"


def plaid_source(tx: Tx, identifier: uuid.UUID) -> tuple[PlaidSettings, Credentials]:
    """What a notice of Plaid is verified with. Raises HookUnknown, and SourceChanged while the source is paused."""
    source = SourceStore(tx).find(identifier)
    if source is None or not isinstance(source.settings, PlaidSettings):
        raise HookUnknown("No source has this address. Copy it again from the page of the source.")
    if source.state is State.PAUSED:
        raise SourceChanged(f"{source.name} is paused; it reads what is new when somebody resumes it.")
    return source.settings, SourceStore(tx).credentials(identifier)


def wake(tx: Tx, identifier: uuid.UUID) -> None:
    """Let a source be read at once, instead of when its pause is over."""
    SourceStore(tx).change(identifier, woken_at=tx.now())


def _show_alive(tx: Tx, source: Source, at: datetime | None) -> None:
    """A good event came: whatever was wrong is not any more."""
    values: dict[str, Any] = {}
    if source.state is not State.RUNNING:
        values = {"state": State.RUNNING, "error": ""}
        settle(tx, key_of(source.id))
    if at is not None and (source.last_record_at is None or source.last_record_at < at):
        values["last_record_at"] = at
    if values:
        SourceStore(tx).change(source.id, **values)


def refuse_version(tx: Tx, identifier: uuid.UUID, error: VersionRefused) -> None:
    """Show on the source that a genuine event had another version: somebody has to pin the endpoint."""
    store = SourceStore(tx)
    source = store.find(identifier)
    if source is not None and source.error != error.detail and source.state is not State.PAUSED:
        store.change(identifier, state=State.FAILING, error=error.detail)
        MemoryStore(tx, identifier).note("error", error.detail)
        tell(tx, source, error.detail, hopeless=False)
