"""Taking what a reader hands over: records, positions and counts together, or not at all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from finer.identity.types.access import Permission
from finer.ingest.service import receipts
from finer.kit.errors import FinerError
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.notifications.service import notify
from finer.notifications.service import settle as settle_notification
from finer.notifications.types import NewNotification, Severity
from finer.sources.errors import SourceChanged, SourceMisconfigured
from finer.sources.rules.backoff import wait_s
from finer.sources.store.memory import MemoryStore
from finer.sources.store.sources import SourceStore
from finer.sources.types import Item, Page, Source, State, Taken


@dataclass(frozen=True)
class Reading:
    """Who reads a source: one reader, of the source as it was when it began."""

    source: Source
    owner: uuid.UUID


def own(tx: Tx, source: Source, owner: uuid.UUID, chance: float) -> Reading:
    """Begin to read a source, in the place of whoever did before. Raises SourceChanged.

    The attempt counts as failed until a page was taken or a sweep has ended: a source that kills its process is tried
    again later and later, and the others go on.
    """
    next_try = tx.now() + timedelta(seconds=wait_s(source.failures + 1, chance))
    if not SourceStore(tx).own(source.id, source.version, owner, next_try):
        raise _changed(source)
    return Reading(source, owner)


def take(tx: Tx, reading: Reading, page: Page, partitions: int) -> Taken:
    """Append the records of a page and remember where to go on. Raises SourceChanged when it is not ours any more."""
    source = reading.source
    values: dict[str, Any] = {"lag": page.lag, "lag_unit": page.lag_unit, "failures": 0, "next_try_at": None,
                              "error": "", "state": State.RUNNING}  # fmt: skip
    if page.last_record_at is not None:
        values["last_record_at"] = page.last_record_at
    if page.restart:
        values["backfill"] = ""
    if not SourceStore(tx).advance(source.id, source.version, reading.owner, **values):
        raise _changed(source)
    memory = MemoryStore(tx, source.id)
    taken = append(tx, source, page, partitions)
    if page.positions or page.restart:
        memory.put_positions(page.positions, fresh=page.restart)
    memory.put_items(page.items)
    memory.put_records(page.records)
    for note in page.notes:
        memory.note("note", note)
    return taken


def append(tx: Tx, source: Source, page: Page, partitions: int) -> Taken:
    """The records of a page into the log or quarantine, and into the counts of the source."""
    received = accepted = quarantined = 0
    for group in page.groups:
        for answer in receipts.append(tx, group, partitions):
            if isinstance(answer, FinerError):
                raise answer
            received += answer.received
            accepted += answer.accepted
            quarantined += answer.quarantined
    if received:
        SourceStore(tx).count(source.id, received=received, accepted=accepted, quarantined=quarantined)
        MemoryStore(tx, source.id).add_minute(tx.now(), accepted=accepted, quarantined=quarantined)
    return Taken(received, accepted, quarantined)


def settle(tx: Tx, reading: Reading) -> None:
    """A sweep has ended well. Raises SourceChanged."""
    values = {"failures": 0, "next_try_at": None, "error": "", "state": State.RUNNING}
    if not SourceStore(tx).advance(reading.source.id, reading.source.version, reading.owner, **values):
        raise _changed(reading.source)
    if reading.source.state is State.FAILING:
        MemoryStore(tx, reading.source.id).note("recovered", "It can be read again.")
        settle_notification(tx, key_of(reading.source.id))


def fail(tx: Tx, source: Source, owner: uuid.UUID, error: Exception, failures: int, chance: float) -> None:
    """Note why a source could not be read on; what was changed meanwhile stays as it is."""
    hopeless = isinstance(error, SourceMisconfigured)
    sentence = error.detail if isinstance(error, FinerError) else _UNEXPECTED
    values = {
        "state": State.STOPPED if hopeless else State.FAILING,
        "error": sentence[:1000],
        "failures": failures,
        "next_try_at": None if hopeless else tx.now() + timedelta(seconds=wait_s(failures, chance)),
    }
    if SourceStore(tx).advance(source.id, source.version, owner, **values):
        if sentence != source.error:
            MemoryStore(tx, source.id).note("error", sentence)
        if hopeless or failures >= _TOLD_AFTER:
            tell(tx, source, sentence, hopeless=hopeless)


def tell(tx: Tx, source: Source, sentence: str, *, hopeless: bool) -> None:
    """Show in the bell of those who mend sources that one does not work."""
    notify(
        tx,
        NewNotification(
            kind="sources.failing",
            severity=Severity.CRITICAL if hopeless else Severity.WARNING,
            title=f"{source.name} {'has stopped' if hopeless else 'cannot be read'}",
            text=sentence,
            link=f"/sources/{show_id('src', source.id)}",
            permission=Permission.SOURCES_WRITE,
            key=key_of(source.id),
        ),
    )


def key_of(source: uuid.UUID) -> str:
    """The key of the notification that a source does not work."""
    return f"source:{source}"


def positions(tx: Tx, source: uuid.UUID) -> dict[str, dict[str, Any]]:
    """Where every part of a source stands."""
    return MemoryStore(tx, source).positions()


def saw(tx: Tx, source: uuid.UUID, names: Sequence[str]) -> None:
    """Note that these files or objects are still there; what was not seen for a long time is forgotten."""
    MemoryStore(tx, source).saw(names)


def items(tx: Tx, source: uuid.UUID, names: Sequence[str]) -> dict[str, Item]:
    """The newest item of each name."""
    return MemoryStore(tx, source).newest(names)


def content(tx: Tx, source: uuid.UUID, digest: bytes) -> Item | None:
    """The item that was taken with this content."""
    return MemoryStore(tx, source).content(digest)


def records(tx: Tx, source: uuid.UUID, keys: Sequence[str]) -> dict[str, bytes]:
    """What was last said of these things."""
    return MemoryStore(tx, source).known(keys)


# One hiccup is no news: what is tried again well within seconds disturbs nobody.
_TOLD_AFTER = 4
_UNEXPECTED = "Something went wrong on our side while the source was read; the log of the process says what."


def _changed(source: Source) -> SourceChanged:
    return SourceChanged(
        f"{source.name} ({show_id('src', source.id)}) was changed, paused or taken over while it was read."
    )
