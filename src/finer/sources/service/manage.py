"""Setting sources up, pausing them, beginning again, and what people see of them."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from finer.identity.service.audit import record_audit
from finer.ingest.service import contracts
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx
from finer.notifications.service import settle
from finer.sources.errors import BackfillImpossible, SettingsInvalid, SourceExists, SourceNotFound
from finer.sources.rules.beginnings import is_number
from finer.sources.service.checking import check_name, check_records, check_settings
from finer.sources.service.reach import Reach
from finer.sources.service.taking import key_of
from finer.sources.store.memory import MemoryStore, minutes_of
from finer.sources.store.sources import SourceStore
from finer.sources.types import (
    HOOKED,
    Credentials,
    FolderSettings,
    Item,
    KafkaSettings,
    Minute,
    Note,
    ObjectSettings,
    PlaidSettings,
    PostgresSettings,
    Settings,
    Source,
    State,
    StripeSettings,
)

_SOURCES_MAX = 200
_RECENT = timedelta(hours=1)


def draft(
    tx: Tx, *, name: str, contract: str, mapping: str, settings: Settings, state: State = State.RUNNING
) -> Source:
    """A source that nobody has stored."""
    now = tx.now()
    return Source(
        id=new_id(), name=name, contract=contract, mapping=mapping, settings=settings, state=state, version=1,
        backfill="", received=0, accepted=0, quarantined=0, lag=None, lag_unit="", last_record_at=None, error="",
        failures=0, next_try_at=None, made_by=tx.actor.name, created_at=now, changed_at=now,
    )  # fmt: skip


def create(
    tx: Tx,
    reach: Reach,
    *,
    name: str,
    contract: str,
    mapping: str,
    settings: Settings,
    credentials: Credentials,
    paused: bool = False,
) -> Source:
    """Add a source; it is read from now on, unless `paused`. Raises SettingsInvalid, SourceExists."""
    check_name(name)
    check_settings(settings, credentials, reach)
    check_records(contracts.load(tx), settings, contract, mapping)
    store = SourceStore(tx)
    store.one_at_once()
    if len(store.all()) >= _SOURCES_MAX:
        raise SettingsInvalid(f"A firm has {_SOURCES_MAX} sources at most.")
    state = State.PAUSED if paused else State.RUNNING
    source = draft(tx, name=name, contract=contract, mapping=mapping, settings=settings, state=state)
    if not store.add(source, credentials):
        raise SourceExists(f"There is a source {name!r} already. Choose another name.")
    MemoryStore(tx, source.id).note("created", f"{tx.actor.name} added the source.")
    record_audit(tx, "sources:create", show_id("src", source.id), {"name": name, "kind": source.kind})
    return source


def change(
    tx: Tx,
    reach: Reach,
    identifier: uuid.UUID,
    *,
    name: str,
    contract: str,
    mapping: str,
    settings: Settings,
    credentials: Credentials | None,
) -> Source:
    """Change a source; reading begins anew from where it stands. Raises SettingsInvalid, SourceExists.

    The credentials may be left out while the other side stays: they never go to another one than they were given for.
    """
    source = _locked(tx, identifier)
    check_name(name)
    if type(settings) is not type(source.settings):
        raise SettingsInvalid("The kind of a source cannot change. Add another source.")
    if credentials is None:
        check_destination(source.settings, settings)
    used = SourceStore(tx).credentials(identifier) if credentials is None else credentials
    check_settings(settings, used, reach)
    check_records(contracts.load(tx), settings, contract, mapping)
    state = State.RUNNING if source.state in (State.STOPPED, State.FAILING) else source.state
    changed = SourceStore(tx).change(
        identifier, credentials, name=name, contract=contract, mapping=mapping, settings=settings,
        version=source.version + 1, state=state, error="", failures=0, next_try_at=None, owner=None,
        changed_at=tx.now(),
    )  # fmt: skip
    if not changed:
        raise SourceExists(f"There is a source {name!r} already. Choose another name.")
    settle(tx, key_of(identifier))
    MemoryStore(tx, identifier).note("changed", f"{tx.actor.name} changed the source.")
    detail = {"name": name, "credentials_changed": credentials is not None}
    record_audit(tx, "sources:change", show_id("src", identifier), detail)
    return find(tx, identifier)


def check_destination(before: Settings, after: Settings) -> None:
    """Raises SettingsInvalid when stored credentials would go to another place than they were given for."""
    if type(before) is not type(after) or _destination(before) != _destination(after):
        raise SettingsInvalid("Give the credentials again: the source leads to another place now.")


def pause(tx: Tx, identifier: uuid.UUID) -> Source:
    """Take nothing more until somebody resumes; what was taken is whole. Pausing what is paused changes nothing."""
    return _set_state(tx, identifier, State.PAUSED, "paused")


def resume(tx: Tx, identifier: uuid.UUID) -> Source:
    """Go on where it stopped, at once."""
    return _set_state(tx, identifier, State.RUNNING, "resumed")


def backfill(tx: Tx, identifier: uuid.UUID, begin: str) -> Source:
    """Begin again at a point: records that were taken before are recognised by their event ids, and count once.

    `begin` is empty for everything there is, or a moment (ISO 8601), or the cursor value of a table. Raises
    BackfillImpossible.
    """
    source = _locked(tx, identifier)
    memory = MemoryStore(tx, identifier)
    settings, pending = source.settings, ""
    if isinstance(settings, StripeSettings):
        raise BackfillImpossible("Stripe sends by itself. Send the events again from its page of the endpoint.")
    if isinstance(settings, FolderSettings | ObjectSettings):
        memory.forget_items(_moment(begin) if begin else None)
    elif isinstance(settings, PlaidSettings):
        if begin:
            raise BackfillImpossible("Plaid tells everything again or nothing: leave the beginning empty.")
        memory.put_positions([], fresh=True)
    elif isinstance(settings, KafkaSettings):
        pending = _moment(begin).isoformat() if begin and begin != "earliest" else "earliest"
    elif begin:
        places = [place["place"][0] for place in memory.positions().values() if "place" in place]
        pending = _comparable(begin, places)
    else:
        memory.put_positions([], fresh=True)
    SourceStore(tx).change(identifier, version=source.version + 1, backfill=pending, owner=None, next_try_at=None)
    memory.note("backfill", f"{tx.actor.name} asked to begin again {f'at {begin}' if begin else 'from the start'}.")
    record_audit(tx, "sources:backfill", show_id("src", identifier), {"begin": begin})
    return find(tx, identifier)


def remove(tx: Tx, identifier: uuid.UUID) -> None:
    """Forget a source and its credentials; its records stay where they are."""
    source = _locked(tx, identifier)
    SourceStore(tx).remove(identifier)
    settle(tx, key_of(identifier))
    record_audit(tx, "sources:remove", show_id("src", identifier), {"name": source.name, "kind": source.kind})


def new_hook(tx: Tx, identifier: uuid.UUID) -> str:
    """A new address for the webhooks of a source: the last part of its path, shown once. An older one ends."""
    source = _locked(tx, identifier)
    if not isinstance(source.settings, HOOKED):
        raise SettingsInvalid("Only a source of Stripe or Plaid has an address for webhooks.")
    token = secrets.token_urlsafe(32)
    SourceStore(tx).add_hook(identifier, hook_hash(token))
    record_audit(tx, "sources:hook", show_id("src", identifier))
    return token


def hook_hash(token: str) -> bytes:
    """What is stored of a webhook's address."""
    return hashlib.sha256(token.encode("utf-8", "replace")).digest()


def find(tx: Tx, identifier: uuid.UUID) -> Source:
    """One source. Raises SourceNotFound."""
    found = SourceStore(tx).find(identifier)
    if found is None:
        raise SourceNotFound(f"There is no source {show_id('src', identifier)}. GET /api/v1/sources lists them.")
    return found


def list_sources(tx: Tx) -> list[Source]:
    """Every source of the firm, by name."""
    return SourceStore(tx).all()


def credentials_of(tx: Tx, identifier: uuid.UUID) -> Credentials:
    """What opens a source, for its reader and for nobody else."""
    return SourceStore(tx).credentials(identifier)


def recent(tx: Tx) -> dict[uuid.UUID, list[Minute]]:
    """Records by the minute of the last hour, of every source."""
    return minutes_of(tx, tx.now() - _RECENT)


def history(tx: Tx, identifier: uuid.UUID, limit: int = 100) -> list[Note]:
    """What happened to a source, newest first."""
    find(tx, identifier)
    return MemoryStore(tx, identifier).list_notes(limit)


def list_items(tx: Tx, identifier: uuid.UUID, limit: int, before: tuple[datetime, str] | None) -> list[Item]:
    """Files, objects or events of a source, newest first."""
    find(tx, identifier)
    return MemoryStore(tx, identifier).list_items(limit, before)


def _locked(tx: Tx, identifier: uuid.UUID) -> Source:
    found = SourceStore(tx).find(identifier, lock=True)
    if found is None:
        raise SourceNotFound(f"There is no source {show_id('src', identifier)}. GET /api/v1/sources lists them.")
    return found


def _set_state(tx: Tx, identifier: uuid.UUID, state: State, word: str) -> Source:
    source = _locked(tx, identifier)
    if source.state is state:
        return source
    settle(tx, key_of(identifier))
    # What waits there is not known until somebody reads it again.
    SourceStore(tx).change(
        identifier,
        state=state,
        version=source.version + 1,
        owner=None,
        error="",
        failures=0,
        next_try_at=None,
        lag=None,
    )
    MemoryStore(tx, identifier).note(word, f"{tx.actor.name} {word} the source.")
    record_audit(tx, "sources:pause" if state is State.PAUSED else "sources:resume", show_id("src", identifier))
    return find(tx, identifier)


def _comparable(begin: str, places: Sequence[str]) -> str:
    """A beginning in words of PostgreSQL; one that it cannot compare would stop a source that reads well.

    `places` is where the cursor stands, as text; nothing before the first rows, and then the first sweep says whether
    the table can compare it. Raises BackfillImpossible.
    """
    number = is_number(begin)
    try:
        found = begin if number else datetime.fromisoformat(begin).isoformat()
    except ValueError as error:
        raise BackfillImpossible(
            f"{begin[:80]!r} is neither a number nor a date or a moment such as 2026-11-01T00:00:00Z."
        ) from error
    for place in places:
        if is_number(place) != number:
            raise BackfillImpossible(f"{begin[:80]!r} cannot be held to the cursor, which stands at {place}.")
    return found


def _moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise BackfillImpossible(f"{text[:80]!r} is no moment such as 2026-11-01T00:00:00Z.") from error
    if found.tzinfo is None:
        raise BackfillImpossible("Say the zone of the moment, such as 2026-11-01T00:00:00Z.")
    return found


def _destination(settings: Settings) -> tuple[str, ...]:
    if isinstance(settings, KafkaSettings):
        return (settings.brokers, settings.security.value)
    if isinstance(settings, PostgresSettings):
        return (settings.host, str(settings.port), settings.user, settings.tls)
    if isinstance(settings, ObjectSettings):
        return (settings.endpoint,)
    return (settings.address,) if isinstance(settings, PlaidSettings) else ()
