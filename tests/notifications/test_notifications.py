"""Notifications reach whom they are for, once for each cause, and everybody reads them for themselves."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from finer.identity.types.access import Permission, Role
from finer.kit.actors import SYSTEM, Actor
from finer.kit.clock import FixedClock
from finer.kit.db import WORKER, Database
from finer.kit.errors import InvalidInput
from finer.kit.tx import Tx
from finer.kit.write_pipeline import WritePipeline
from finer.notifications import service
from finer.notifications.errors import NotificationNotFound
from finer.notifications.types import NewNotification, Severity

ENGINEER = Actor(kind="user", id=str(uuid.UUID(int=1)), name="Dewi", role=Role.DATA_ENGINEER)
COLLEAGUE = Actor(kind="user", id=str(uuid.UUID(int=2)), name="Budi", role=Role.DATA_ENGINEER)
MARKETER = Actor(kind="user", id=str(uuid.UUID(int=3)), name="Ana", role=Role.MARKETING_MANAGER)
MACHINE = Actor(kind="key", id=str(uuid.UUID(int=4)), name="till", role=Role.SERVICE)


def _new(title: str = "Compaction fails", **change: object) -> NewNotification:
    given: dict[str, object] = {
        "kind": "jobs.failing",
        "severity": Severity.WARNING,
        "title": title,
        "text": "It failed 3 times.",
        "link": "/jobs",
    }
    if not {"user", "permission"} & set(change):
        given["permission"] = Permission.QUARANTINE_READ
    return NewNotification(**(given | change))  # type: ignore[arg-type]


def _as(tx: Tx, actor: Actor) -> Tx:
    tx.actor = actor
    return tx


def _titles(tx: Tx, actor: Actor, *, unread: bool = False) -> list[str]:
    return [one.title for one in service.list_notifications(_as(tx, actor), unread=unread)[0]]


def test_who_holds_the_permission_sees_it_and_who_does_not_is_told_nothing(tx: Tx) -> None:
    service.notify(tx, _new())
    service.notify(tx, _new("For Ana", user=uuid.UUID(MARKETER.id)))
    assert _titles(tx, ENGINEER) == ["Compaction fails"]
    assert _titles(tx, MARKETER) == ["For Ana"]
    assert _titles(tx, MACHINE) == []
    found, _ = service.list_notifications(_as(tx, ENGINEER))
    with pytest.raises(NotificationNotFound):
        service.read(_as(tx, MARKETER), found[0].id)


def test_what_somebody_may_do_now_counts_not_what_they_might_when_it_was_told(tx: Tx) -> None:
    service.notify(tx, _new())
    moved = Actor(kind="user", id=ENGINEER.id, name=ENGINEER.name, role=Role.MARKETING_MANAGER)
    assert _titles(tx, ENGINEER) == ["Compaction fails"]
    assert _titles(tx, moved) == []
    assert service.count_unread(tx)[Severity.WARNING] == 0


def test_everybody_reads_for_themselves(tx: Tx) -> None:
    service.notify(tx, _new("First"))
    service.notify(tx, _new("Second", severity=Severity.CRITICAL))
    [second, _] = service.list_notifications(_as(tx, ENGINEER))[0]
    assert service.read(tx, second.id).read
    assert _titles(tx, ENGINEER, unread=True) == ["First"]
    assert _titles(tx, COLLEAGUE, unread=True) == ["Second", "First"]
    assert service.count_unread(tx) == {Severity.INFO: 0, Severity.WARNING: 1, Severity.CRITICAL: 1}
    service.read_all(tx)
    assert _titles(tx, COLLEAGUE, unread=True) == []
    assert len(_titles(tx, COLLEAGUE)) == 2


def test_one_cause_is_one_notification_that_becomes_news_again_only_when_it_gets_worse(tx: Tx) -> None:
    service.notify(tx, _new("Failed once", key="job:compact"))
    [first] = service.list_notifications(_as(tx, ENGINEER))[0]
    service.read(tx, first.id)
    service.notify(tx, _new("Failed twice", key="job:compact"))
    [again] = service.list_notifications(tx)[0]
    assert (again.id, again.title, again.count, again.read) == (first.id, "Failed twice", 2, True)
    assert again.sequence > first.sequence
    service.notify(tx, _new("Failed for an hour", key="job:compact", severity=Severity.CRITICAL))
    [worse] = service.list_notifications(tx)[0]
    assert (worse.count, worse.read) == (3, False)


def test_what_is_settled_is_no_news_and_the_next_one_is_new(tx: Tx) -> None:
    service.settle(tx, "job:compact")
    service.notify(tx, _new(key="job:compact"))
    service.settle(tx, "job:compact")
    [settled] = service.list_notifications(_as(tx, ENGINEER))[0]
    assert settled.settled_at is not None
    assert sum(service.count_unread(tx).values()) == 0
    service.notify(tx, _new("Again", key="job:compact"))
    assert [(one.title, one.count) for one in service.list_notifications(tx)[0]] == [
        ("Again", 1), ("Compaction fails", 1),
    ]  # fmt: skip
    assert sum(service.count_unread(tx).values()) == 1


def test_pages_give_every_notification_once(tx: Tx) -> None:
    for number in range(7):
        service.notify(tx, _new(f"n{number}"))
    seen: list[str] = []
    before: str | None = None
    while True:
        page, before = service.list_notifications(_as(tx, ENGINEER), limit=3, before=before)
        seen += [one.title for one in page]
        if before is None:
            break
    assert seen == [f"n{number}" for number in reversed(range(7))]
    with pytest.raises(InvalidInput, match="not a cursor"):
        service.list_notifications(tx, before="!")


def test_a_live_stream_reads_on_from_what_it_saw(tx: Tx) -> None:
    service.notify(tx, _new("before", key="k"))
    reached = service.last_sequence(tx)
    assert service.changed_notifications(tx, reached) == []
    service.notify(tx, _new("after"))
    service.settle(tx, "k")
    changed = service.changed_notifications(tx, reached)
    assert [one.title for one in changed] == ["after", "before"]
    assert [service.audience_of(actor).sees(changed[0]) for actor in (ENGINEER, MARKETER, MACHINE)] == [
        True, False, False,
    ]  # fmt: skip


def test_the_pipeline_of_the_worker_can_tell_too(database: Database, database_url: str, tenant: uuid.UUID) -> None:
    pipeline = WritePipeline(database_url, WORKER, name="finer-test")
    with pipeline.transaction(tenant, SYSTEM) as tx:
        service.notify(tx, _new(key="k"))
        service.notify(tx, _new(key="k"))
    pipeline.close()
    with database.transaction(tenant, ENGINEER) as tx:
        assert [one.count for one in service.list_notifications(tx)[0]] == [2]


def test_after_ninety_days_it_is_forgotten_with_who_read_it(
    worker_database: Database, database: Database, tenant: uuid.UUID
) -> None:
    with database.transaction(tenant, ENGINEER) as tx:
        service.notify(tx, _new("old"))
        service.read_all(tx)
    with worker_database.transaction(tenant, SYSTEM) as tx:
        assert service.forget_old(tx) == 0
        tx.clock = FixedClock(tx.now() + timedelta(days=service.KEPT_DAYS, seconds=1))
        assert service.forget_old(tx) == 1
    with database.transaction(tenant, ENGINEER) as tx:
        assert service.list_notifications(tx)[0] == []


def test_another_firm_sees_nothing(database: Database, tenant: uuid.UUID) -> None:
    with database.transaction(tenant, SYSTEM) as tx:
        service.notify(tx, _new())
    with database.transaction(uuid.uuid4(), ENGINEER) as tx:
        assert service.list_notifications(tx)[0] == []
        assert service.changed_notifications(tx, 0) == []
        service.read_all(tx)


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"permission": None}, "name one of them"),
        ({"user": uuid.UUID(int=1), "permission": Permission.SQL_RUN}, "name one of them"),
        ({"permission": Permission.SESSION_OWN}, "Everybody holds"),
        ({"link": "https://elsewhere.example"}, "must be a path"),
        ({"link": "//elsewhere.example"}, "must be a path"),
    ],
)
def test_what_cannot_be_told_is_refused_where_it_is_made(change: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        _new(**change)  # type: ignore[arg-type]


def test_long_texts_are_cut(tx: Tx) -> None:
    service.notify(tx, _new("t" * 500, text="x" * 5_000))
    [one] = service.list_notifications(_as(tx, ENGINEER))[0]
    assert (len(one.title), len(one.text)) == (200, 2_000)
