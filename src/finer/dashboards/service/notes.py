"""Notes about moments: what happened then, for everybody who sees the dashboard."""

from __future__ import annotations

import uuid
from datetime import datetime

from finer.dashboards.errors import AnnotationNotFound, CannotBeUsed
from finer.dashboards.service.dashboards import PREFIX as DASHBOARD
from finer.dashboards.service.dashboards import get_dashboard
from finer.dashboards.store.notes import AnnotationStore
from finer.dashboards.types import Annotation
from finer.identity.service.audit import record_audit
from finer.identity.service.authorisation import reach_of
from finer.identity.types.access import Permission
from finer.kit.ids import new_id, show_id
from finer.kit.tx import Tx

PREFIX = "ann"
SHOWN_MAX = 200
_TEXT_MAX = 500


def list_annotations(tx: Tx, dashboard: uuid.UUID) -> list[Annotation]:
    """The notes of a dashboard, the latest moments first, at most 200. Raises DashboardNotFound."""
    return AnnotationStore(tx).find(get_dashboard(tx, dashboard).id, SHOWN_MAX)


def annotate(tx: Tx, dashboard: uuid.UUID, at: datetime, text: str) -> list[Annotation]:
    """Write a note that everybody sees who sees the dashboard. Raises DashboardNotFound, CannotBeUsed."""
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    found, said = get_dashboard(tx, dashboard), text.strip()
    if not said or len(said) > _TEXT_MAX:
        raise CannotBeUsed(f"A note has 1 to {_TEXT_MAX} characters.")
    identifier = new_id()
    AnnotationStore(tx).add(found.id, identifier, at, said, uuid.UUID(tx.actor.id))
    record_audit(tx, "dashboards:annotate", show_id(DASHBOARD, dashboard), {"annotation": show_id(PREFIX, identifier)})
    return list_annotations(tx, dashboard)


def remove_annotation(tx: Tx, dashboard: uuid.UUID, identifier: uuid.UUID) -> list[Annotation]:
    """Take one's own note away; the dashboard's owner takes any. Raises DashboardNotFound, AnnotationNotFound."""
    reach_of(tx.actor, Permission.DASHBOARDS_WRITE)
    found, caller = get_dashboard(tx, dashboard), uuid.UUID(tx.actor.id)
    author = None if found.owner_id == caller else caller
    if not AnnotationStore(tx).remove(found.id, identifier, author):
        raise AnnotationNotFound(f"There is no note {show_id(PREFIX, identifier)} that you may take away.")
    gone = {"annotation": show_id(PREFIX, identifier)}
    record_audit(tx, "dashboards:unannotate", show_id(DASHBOARD, dashboard), gone)
    return list_annotations(tx, dashboard)
