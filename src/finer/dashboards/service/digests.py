"""Digests: a dashboard by e-mail, to people who asked for it themselves, with their own rights of that moment."""

from __future__ import annotations

import uuid
from datetime import datetime
from zoneinfo import ZoneInfo

from finer.dashboards.errors import DashboardNotFound
from finer.dashboards.rules.digest import behind_of, line_of, message_of
from finer.dashboards.service.dashboards import PREFIX, get_dashboard
from finer.dashboards.service.viewing import look, sight_of
from finer.dashboards.store.notes import DigestStore
from finer.dashboards.types import Digest, Filters
from finer.identity.service import exports
from finer.identity.service.audit import record_audit
from finer.identity.service.standing import acting_as
from finer.identity.types.access import Permission
from finer.kit.actors import Actor
from finer.kit.errors import FinerError
from finer.kit.ids import show_id
from finer.kit.settings import Settings
from finer.kit.tx import Tx
from finer.notifications import service as notifications
from finer.workspace.service import runs, schedules

_GONE = "The dashboard is not shared with you any more."
_SHUT_OUT = "Whom it was for does not see dashboards any more."


def own_digest(tx: Tx, dashboard: uuid.UUID) -> Digest | None:
    """When the caller gets a dashboard by e-mail, if they do. Raises DashboardNotFound."""
    found = DigestStore(tx).find(dashboard=get_dashboard(tx, dashboard).id, person=uuid.UUID(tx.actor.id))
    return found[0] if found else None


def set_digest(tx: Tx, dashboard: uuid.UUID, cron: str, timezone: str) -> Digest | None:
    """Let the caller have a dashboard by e-mail at these times. Raises DashboardNotFound, CannotBeUsed."""
    found, person = get_dashboard(tx, dashboard), uuid.UUID(tx.actor.id)
    due = schedules.next_time(cron, timezone, tx.now())
    DigestStore(tx).set(found.id, person, cron, timezone, due)
    record_audit(tx, "dashboards:digest", show_id(PREFIX, dashboard), {"cron": cron, "timezone": timezone})
    return own_digest(tx, dashboard)


def end_digest(tx: Tx, dashboard: uuid.UUID) -> None:
    """Let the caller have it no more; one who did not is no error. Raises DashboardNotFound."""
    if DigestStore(tx).remove(get_dashboard(tx, dashboard).id, uuid.UUID(tx.actor.id)):
        record_audit(tx, "dashboards:digest", show_id(PREFIX, dashboard), {"ended": True})


def take_due(tx: Tx) -> list[tuple[Digest, Actor]]:
    """The digests that are due, each taken by one process, and as whom they are made: with the rights of today.

    One whose person is gone, or does not see dashboards any more, is put to rest.
    """
    store, found = DigestStore(tx), list[tuple[Digest, Actor]]()
    for one in store.find(due=tx.now()):
        who, due = acting_as(tx, one.person_id, Permission.DASHBOARDS_READ), one.next_at or tx.now()
        following = None if who is None else _following(one, tx.now())
        if store.move(one.id, due, following, "" if who is not None else _SHUT_OUT) and who is not None:
            found.append((one, who))
    return found


def send(tx: Tx, settings: Settings, digest: Digest) -> bool:
    """Send one digest, as its person; False when there is nothing left that they may see."""
    store = DigestStore(tx)
    try:
        sight = sight_of(tx, digest.dashboard, Filters())
        dashboard = get_dashboard(tx, digest.dashboard)
    except DashboardNotFound:
        store.move(digest.id, _following(digest, tx.now()) or tx.now(), None, _GONE)
        return False
    data = look(tx, sight, exports.rows_alone(settings, runs.EXPORT))
    lines = [line_of(tile, data.get(tile.id)) for tile in sorted(dashboard.tiles, key=lambda one: (one.y, one.x))]
    link = f"{settings.web_url}/dashboards/{show_id(PREFIX, dashboard.id)}"
    now = tx.now().astimezone(ZoneInfo(digest.timezone))
    said = message_of(dashboard.name, link, lines, now, behind_of(data.values()))
    notifications.send_mail(tx, digest.person_id, said)
    store.note(digest.id, tx.now())
    record_audit(tx, "dashboards:mail", show_id(PREFIX, dashboard.id), {"tiles": len(lines)})
    return True


def _following(digest: Digest, now: datetime) -> datetime | None:
    try:
        return schedules.next_time(digest.cron, digest.timezone, now)
    except FinerError:
        return None
