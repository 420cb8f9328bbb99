"""Requests of people and holds on their records; what names a person is sealed by that person's own key."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from finer.kit.crypto.fields import blind, seal, unseal_all
from finer.kit.ids import show_id
from finer.kit.tx import Tx
from finer.privacy.rules.terms import request_due
from finer.privacy.rules.workflow import CLOSED
from finer.privacy.tables import holds, requests, steps
from finer.privacy.types import (
    Hold,
    HoldKind,
    Law,
    RequestKind,
    RequestState,
    RequestStep,
    Step,
    SubjectKind,
    SubjectRequest,
)

ERASED = "(erased)"
_SUBJECT, _DETAIL = "privacy_requests.subject_sealed", "privacy_requests.detail_sealed"
_NOTE = "privacy_request_steps.note_sealed"
_HELD, _REASON = "privacy_holds.subject_sealed", "privacy_holds.reason_sealed"


def key_of(kind: SubjectKind, subject: str) -> str:
    """What the keys of a person are kept under, here and wherever else their values are sealed."""
    return f"user:{subject.removeprefix('usr_')}" if kind is SubjectKind.USER else f"{kind.value}:{subject}"


class SubjectStore:
    """Requests and holds of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def add_request(self, identifier: uuid.UUID, wanted: SubjectRequest) -> None:
        """A request as it came in."""
        key = key_of(wanted.subject_kind, wanted.subject)
        self._connection.execute(
            requests.insert().values(
                tenant_id=self._tenant,
                id=identifier,
                kind=wanted.kind,
                law=wanted.law,
                state=wanted.state,
                subject_kind=wanted.subject_kind,
                subject_sealed=seal(self._tx, _SUBJECT, identifier, wanted.subject, subject=key),
                subject_index=self._index(wanted.subject_kind, wanted.subject),
                detail_sealed=seal(self._tx, _DETAIL, identifier, wanted.detail, subject=key),
                received_at=wanted.received_at,
                opened_by=wanted.opened_by,
            )
        )

    def requests(self, *, open_only: bool, limit: int) -> list[SubjectRequest]:
        """Requests: the open ones by when they came, then the closed ones, the latest first."""
        query = sa.select(requests).where(requests.c.tenant_id == self._tenant)
        if open_only:
            query = query.where(requests.c.closed_at.is_(None))
        closed = requests.c.closed_at.is_not(None)
        query = query.order_by(closed, requests.c.closed_at.desc(), requests.c.received_at).limit(limit)
        return self._shown(self._connection.execute(query).all())

    def request(self, identifier: uuid.UUID, *, lock: bool = False) -> SubjectRequest | None:
        """One request; with `lock` nobody else changes it until this transaction ends."""
        query = sa.select(requests).where(requests.c.tenant_id == self._tenant, requests.c.id == identifier)
        found = self._shown(self._connection.execute(query.with_for_update() if lock else query).all())
        return found[0] if found else None

    def proposer(self, identifier: uuid.UUID) -> str | None:
        """The id of whoever proposed what a request asks for."""
        query = sa.select(requests.c.proposed_by_id).where(
            requests.c.tenant_id == self._tenant, requests.c.id == identifier
        )
        return self._connection.execute(query).scalar_one_or_none()

    def change(self, identifier: uuid.UUID, version: int, **values: Any) -> bool:
        """Change a request of that version; False when somebody else changed it first."""
        done = self._connection.execute(
            requests.update()
            .where(requests.c.tenant_id == self._tenant, requests.c.id == identifier, requests.c.version == version)
            .values(version=requests.c.version + 1, **values)
        )
        return done.rowcount == 1

    def add_step(self, identifier: uuid.UUID, request: uuid.UUID, wanted: RequestStep, key: str | None) -> None:
        """What was done with a request; sealed by the firm's key when the person's `key` is gone."""
        self._connection.execute(
            steps.insert().values(
                tenant_id=self._tenant,
                id=identifier,
                request_id=request,
                at=wanted.at,
                by=wanted.by,
                step=wanted.step,
                note_sealed=seal(self._tx, _NOTE, identifier, wanted.note, subject=key),
            )
        )

    def steps(self, request: uuid.UUID) -> list[RequestStep]:
        """Everything that was done with a request, oldest first."""
        query = sa.select(steps).where(steps.c.tenant_id == self._tenant, steps.c.request_id == request)
        rows = self._connection.execute(query.order_by(steps.c.id)).all()
        notes = unseal_all(self._tx, _NOTE, [(row.id, bytes(row.note_sealed)) for row in rows])
        return [
            RequestStep(at=row.at, by=row.by, step=Step(row.step), note=ERASED if note is None else note)
            for row, note in zip(rows, notes, strict=True)
        ]

    def add_hold(self, identifier: uuid.UUID, wanted: Hold) -> None:
        """A reason to keep a person's records."""
        key = key_of(wanted.subject_kind, wanted.subject)
        self._connection.execute(
            holds.insert().values(
                tenant_id=self._tenant,
                id=identifier,
                kind=wanted.kind,
                subject_kind=wanted.subject_kind,
                subject_sealed=seal(self._tx, _HELD, identifier, wanted.subject, subject=key),
                subject_index=self._index(wanted.subject_kind, wanted.subject),
                reason_sealed=seal(self._tx, _REASON, identifier, wanted.reason, subject=key),
                placed_by=wanted.placed_by,
                placed_at=wanted.placed_at,
            )
        )

    def holds(self, *, open_only: bool, kinds: Sequence[HoldKind] = tuple(HoldKind)) -> list[Hold]:
        """Holds, the latest first."""
        query = sa.select(holds).where(holds.c.tenant_id == self._tenant, holds.c.kind.in_(kinds))
        if open_only:
            query = query.where(holds.c.released_at.is_(None))
        rows = self._connection.execute(query.order_by(holds.c.placed_at.desc())).all()
        people = unseal_all(self._tx, _HELD, [(row.id, bytes(row.subject_sealed)) for row in rows])
        reasons = unseal_all(self._tx, _REASON, [(row.id, bytes(row.reason_sealed)) for row in rows])
        return [
            Hold(
                id=show_id("hld", row.id),
                kind=HoldKind(row.kind),
                subject_kind=SubjectKind(row.subject_kind),
                subject=person or ERASED,
                reason=reason or ERASED,
                placed_by=row.placed_by,
                placed_at=row.placed_at,
                released_by=row.released_by,
                released_at=row.released_at,
            )
            for row, person, reason in zip(rows, people, reasons, strict=True)
        ]

    def release_hold(self, identifier: uuid.UUID, by: str, at: datetime) -> bool:
        """End a hold; False when there is none that is open."""
        done = self._connection.execute(
            holds.update()
            .where(holds.c.tenant_id == self._tenant, holds.c.id == identifier, holds.c.released_at.is_(None))
            .values(released_by=by, released_at=at)
        )
        return done.rowcount == 1

    def approved_erasures(self, hold: uuid.UUID) -> list[SubjectRequest]:
        """Erasures of the person of a hold that two people agreed to and nobody has carried out yet."""
        held = sa.select(holds.c.subject_index).where(holds.c.tenant_id == self._tenant, holds.c.id == hold)
        query = sa.select(requests).where(
            requests.c.tenant_id == self._tenant,
            requests.c.state == RequestState.RUNNING,
            requests.c.subject_index == held.scalar_subquery(),
        )
        return self._shown(self._connection.execute(query).all())

    def closed_before(self, at: datetime) -> int:
        """How many requests were closed before then."""
        query = sa.select(sa.func.count()).select_from(requests).where(*self._closed(at))
        return int(self._connection.execute(query).scalar_one())

    def forget_closed(self, at: datetime) -> int:
        """Delete requests that were closed before then, with their steps."""
        old = sa.select(requests.c.id).where(*self._closed(at))
        self._connection.execute(steps.delete().where(steps.c.tenant_id == self._tenant, steps.c.request_id.in_(old)))
        return self._connection.execute(requests.delete().where(*self._closed(at))).rowcount

    def _closed(self, at: datetime) -> list[sa.ColumnElement[bool]]:
        return [requests.c.tenant_id == self._tenant, requests.c.closed_at < at, requests.c.state.in_(sorted(CLOSED))]

    def _index(self, kind: SubjectKind, subject: str) -> bytes:
        return blind(self._tx, "privacy.subject", f"{kind}:{subject}")

    def _held(self, indexes: Sequence[bytes]) -> dict[bytes, HoldKind]:
        query = sa.select(holds.c.subject_index, holds.c.kind).where(
            holds.c.tenant_id == self._tenant, holds.c.released_at.is_(None), holds.c.subject_index.in_(indexes)
        )
        found: dict[bytes, HoldKind] = {}
        strength = list(HoldKind)
        for row in self._connection.execute(query):
            kind, index = HoldKind(row.kind), bytes(row.subject_index)
            if index not in found or strength.index(kind) < strength.index(found[index]):
                found[index] = kind
        return found

    def _shown(self, rows: Sequence[sa.Row[Any]]) -> list[SubjectRequest]:
        people = unseal_all(self._tx, _SUBJECT, [(row.id, bytes(row.subject_sealed)) for row in rows])
        details = unseal_all(self._tx, _DETAIL, [(row.id, bytes(row.detail_sealed)) for row in rows])
        held = self._held([bytes(row.subject_index) for row in rows])
        return [
            SubjectRequest(
                id=show_id("prq", row.id),
                kind=RequestKind(row.kind),
                law=Law(row.law),
                state=RequestState(row.state),
                subject_kind=SubjectKind(row.subject_kind),
                subject=ERASED if person is None else person,
                detail=ERASED if detail is None else detail,
                received_at=row.received_at,
                due_at=request_due(Law(row.law), row.received_at, extended=row.extended),
                extended=row.extended,
                opened_by=row.opened_by,
                proposed_by=row.proposed_by,
                closed_at=row.closed_at,
                version=row.version,
                held=held.get(bytes(row.subject_index)),
            )
            for row, person, detail in zip(rows, people, details, strict=True)
        ]
