"""The SQL of what a case holds: its history, attachments, actions and judgements. Texts of people are sealed."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.decisions.tables.cases import case_actions, case_attachments, case_entries, judgements
from finer.decisions.types.cases import (
    ActionKind,
    ActionState,
    Attachment,
    CaseAction,
    Entry,
    EntryKind,
    Judgement,
    LabelSource,
)
from finer.decisions.types.letting_out import TwoPeople
from finer.kit.crypto.fields import seal, seal_bytes, unseal_all, unseal_bytes
from finer.kit.row_sets import insert_all
from finer.kit.tx import Tx

_TEXT = "decisions_case_entries.text_sealed"
_NAME, _CONTENT = "decisions_case_attachments.name_sealed", "decisions_case_attachments.content_sealed"
_REASON = "decisions_case_actions.reason_sealed"
_FOUND = "decisions_judgements.reason_sealed"
_e, _f, _a, _j = case_entries.c, case_attachments.c, case_actions.c, judgements.c


class CaseFileStore:
    """What the cases of one tenant hold."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add_entries(self, made: Iterable[tuple[uuid.UUID, Entry]]) -> None:
        """What was done, by case."""
        rows = [
            {
                "tenant_id": self._tenant, "id": entry.id, "case_id": case, "kind": entry.kind, "at": entry.at,
                "made_by": entry.by, "version": entry.version, "detail": entry.detail,
                "text_sealed": seal(self._tx, _TEXT, entry.id, entry.text) if entry.text else None,
            }
            for case, entry in made
        ]  # fmt: skip
        insert_all(self._tx, case_entries, rows)

    def entries(self, case: uuid.UUID, *, after_version: int = 0) -> list[Entry]:
        """What was done in a case since a version, the newest first."""
        query = (
            sa.select(case_entries)
            .where(_e.tenant_id == self._tenant, _e.case_id == case, _e.version > after_version)
            .order_by(_e.id.desc())
            .limit(1_000)
        )
        rows = self._connection.execute(query).all()
        texts = unseal_all(self._tx, _TEXT, [(row.id, _bytes(row.text_sealed)) for row in rows])
        return [
            Entry(
                id=row.id, kind=EntryKind(row.kind), at=row.at, by=row.made_by, version=row.version,
                text=text or "", detail=row.detail,
            )
            for row, text in zip(rows, texts, strict=True)
        ]  # fmt: skip

    def add_attachment(self, case: uuid.UUID, attachment: Attachment, content: bytes) -> None:
        """A file of a case."""
        self._connection.execute(
            case_attachments.insert().values(
                tenant_id=self._tenant, id=attachment.id, case_id=case, media_type=attachment.media_type,
                size=attachment.size, sha256=attachment.sha256, added_by=attachment.added_by,
                added_at=attachment.added_at, name_sealed=seal(self._tx, _NAME, attachment.id, attachment.name),
                content_sealed=seal_bytes(self._tx, _CONTENT, attachment.id, content),
            )
        )  # fmt: skip

    def attachments(self, case: uuid.UUID) -> list[Attachment]:
        """The files of a case without their content, the oldest first."""
        columns = [column for column in _f if column.name != "content_sealed"]
        query = sa.select(*columns).where(_f.tenant_id == self._tenant, _f.case_id == case).order_by(_f.id)
        rows = self._connection.execute(query).all()
        names = unseal_all(self._tx, _NAME, [(row.id, bytes(row.name_sealed)) for row in rows])
        return [
            Attachment(
                id=row.id, name=name or "erased", media_type=row.media_type, size=row.size, sha256=row.sha256,
                added_by=row.added_by, added_at=row.added_at,
            )
            for row, name in zip(rows, names, strict=True)
        ]  # fmt: skip

    def content(self, case: uuid.UUID, attachment: uuid.UUID) -> bytes | None:
        """The content of a file."""
        query = sa.select(_f.content_sealed).where(
            _f.tenant_id == self._tenant, _f.case_id == case, _f.id == attachment
        )
        sealed = self._connection.execute(query).scalar_one_or_none()
        return None if sealed is None else unseal_bytes(self._tx, _CONTENT, attachment, bytes(sealed))

    def remove_attachment(self, case: uuid.UUID, attachment: uuid.UUID) -> bool:
        """Delete a file; False when there is none."""
        chosen = sa.and_(_f.tenant_id == self._tenant, _f.case_id == case, _f.id == attachment)
        return self._connection.execute(case_attachments.delete().where(chosen)).rowcount == 1

    def add_action(self, action: CaseAction) -> None:
        """An action of a case."""
        self._connection.execute(
            case_actions.insert().values(
                tenant_id=self._tenant, id=action.id, case_id=action.case_id, kind=action.kind, state=action.state,
                target=action.target, account_id=action.account_id, amount_usd_minor=action.amount_usd_minor,
                asked_by=action.asked_by, asked_by_id=action.asked_by_id, alone=action.alone, asked_at=action.asked_at,
                two_people=action.two_people,
                reason_sealed=seal(self._tx, _REASON, action.id, action.reason),
            )
        )  # fmt: skip

    def actions(self, case: uuid.UUID) -> list[CaseAction]:
        """The actions of a case, the newest first."""
        return self._actions(sa.select(case_actions).where(_a.case_id == case).order_by(_a.id.desc()))

    def action(self, identifier: uuid.UUID, *, lock: bool = False) -> CaseAction | None:
        """One action."""
        query = sa.select(case_actions).where(_a.id == identifier)
        return next(iter(self._actions(query.with_for_update() if lock else query)), None)

    def standing(self, kind: ActionKind, target: str) -> CaseAction | None:
        """The newest action of a kind about a target that is asked for or done, of whatever case."""
        states = (ActionState.ASKED, ActionState.DONE)
        query = sa.select(case_actions).where(_a.state.in_(states), _a.kind == kind, _a.target == target)
        return next(iter(self._actions(query.order_by(_a.id.desc()).limit(1))), None)

    def asked_actions(self, kinds: Sequence[ActionKind], limit: int, after: uuid.UUID | None) -> list[CaseAction]:
        """Actions of these kinds that wait to be carried out, the oldest first."""
        query = sa.select(case_actions).where(_a.state == ActionState.ASKED, _a.kind.in_(kinds))
        if after is not None:
            query = query.where(_a.id > after)
        return self._actions(query.order_by(_a.id).limit(limit))

    def settle(
        self, identifier: uuid.UUID, version: int, state: ActionState, by: str, at: datetime, result: str
    ) -> bool:
        """What became of an action of that version; False when it is not at that version any more."""
        done = self._connection.execute(
            case_actions.update()
            .where(_a.tenant_id == self._tenant, _a.id == identifier, _a.version == version)
            .values(state=state, settled_by=by, settled_at=at, result=result, two_people=None, version=_a.version + 1)
        )
        return done.rowcount == 1

    def waits(self, identifier: uuid.UUID, why: TwoPeople | None) -> None:
        """What is to be done of an action waits for a second person, or no longer does."""
        chosen = sa.and_(_a.tenant_id == self._tenant, _a.id == identifier)
        self._connection.execute(case_actions.update().where(chosen).values(two_people=why))

    def add_judgements(self, found: Sequence[Judgement]) -> None:
        """What was found out about payments."""
        rows = [
            {
                "tenant_id": self._tenant, "id": one.id, "alert_id": one.alert_id, "verdict": one.verdict,
                "source": one.source, "known_at": one.known_at, "recorded_at": one.recorded_at, "made_by": one.by,
                "reason_sealed": seal(self._tx, _FOUND, one.id, one.reason) if one.reason else None,
            }
            for one in found
        ]  # fmt: skip
        if rows:
            self._connection.execute(judgements.insert(), rows)

    def judgements(self, alerts: Sequence[uuid.UUID]) -> list[Judgement]:
        """All that was found out about the payments of alerts, what is known latest first."""
        query = (
            sa.select(judgements)
            .where(_j.tenant_id == self._tenant, _j.alert_id.in_(alerts))
            .order_by(_j.known_at.desc(), _j.id.desc())
        )
        rows = self._connection.execute(query).all()
        reasons = unseal_all(self._tx, _FOUND, [(row.id, _bytes(row.reason_sealed)) for row in rows])
        return [
            Judgement(
                id=row.id, alert_id=row.alert_id, verdict=row.verdict, source=LabelSource(row.source),
                known_at=row.known_at, recorded_at=row.recorded_at, by=row.made_by, reason=reason or "",
            )
            for row, reason in zip(rows, reasons, strict=True)
        ]  # fmt: skip

    def _actions(self, query: Any) -> list[CaseAction]:
        rows = self._connection.execute(query.where(_a.tenant_id == self._tenant)).all()
        reasons = unseal_all(self._tx, _REASON, [(row.id, bytes(row.reason_sealed)) for row in rows])
        return [
            CaseAction(
                id=row.id, case_id=row.case_id, kind=ActionKind(row.kind), state=ActionState(row.state),
                target=row.target, account_id=row.account_id, amount_usd_minor=row.amount_usd_minor,
                reason=reason or "", asked_by=row.asked_by, asked_by_id=row.asked_by_id, alone=row.alone,
                asked_at=row.asked_at, settled_at=row.settled_at, settled_by=row.settled_by, result=row.result,
                two_people=None if row.two_people is None else TwoPeople(row.two_people),
                version=row.version,
            )
            for row, reason in zip(rows, reasons, strict=True)
        ]  # fmt: skip


def _bytes(sealed: Any) -> bytes | None:
    return None if sealed is None else bytes(sealed)
