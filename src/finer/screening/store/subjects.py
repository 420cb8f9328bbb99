"""The SQL of subjects and hits. Who was screened is sealed: by the key of the customer, or of the payee."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from finer.kit.crypto.fields import blind, seal, unseal_all
from finer.kit.ids import new_id
from finer.kit.tx import Tx
from finer.screening.tables import hits, judgements, lists, positions, subjects
from finer.screening.types import (
    Found,
    Hit,
    HitCounts,
    HitFilter,
    HitState,
    Judgement,
    ListKind,
    Subject,
    SubjectKind,
)

_s, _h, _j, _l, _p = subjects.c, hits.c, judgements.c, lists.c, positions.c
SUBJECT, REASON = "screening_subjects.subject_sealed", "screening_judgements.reason_sealed"
ERASED = "(erased)"
"""What stands for a subject whose key was destroyed."""
_ASKED_AGAIN = (HitState.MATCH, HitState.NO_MATCH, HitState.UNSURE, HitState.WAITING, HitState.GONE)
_HIT = (
    _h.id, _s.kind, _s.subject_sealed, _h.subject_id, _h.list_id, _l.name.label("list_name"),
    _l.kind.label("list_kind"), _h.entry_id, _h.entry_name, _h.entry_hash, _h.profile_index, _h.score, _h.state,
    _h.again, _h.judged_by, _h.judged_at, _h.created_at, _h.updated_at, _h.revision,
)  # fmt: skip


class KeptHit(msgspec.Struct, frozen=True):
    """A hit with what it compares: the subject (None when erased) and the hash of the entry."""

    hit: Hit
    subject: Subject | None
    entry_hash: bytes
    profile_index: bytes


def key_of(subject: Subject) -> str:
    """What the key of a subject is kept under; the one of a customer is that of all their values."""
    return f"{subject.kind.value}:{subject.reference}"


class SubjectStore:
    """Subjects and hits of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection = tx.connection
        self._tenant = tx.tenant

    def profile_index(self, subject: Subject) -> bytes:
        """What tells a profile from a changed one, without saying what is in it."""
        return blind(self._tx, SUBJECT + "#profile", msgspec.json.encode(subject.profile, order="sorted").decode())

    def keep(self, subject: Subject) -> uuid.UUID:
        """Keep a subject as it is now; returns its id, the same each time."""
        index = blind(self._tx, SUBJECT + "#reference", subject.reference)
        mine = sa.and_(_s.tenant_id == self._tenant, _s.kind == subject.kind, _s.reference_index == index)
        row = self._connection.execute(sa.select(_s.id, _s.profile_index).where(mine).with_for_update()).one_or_none()
        now, profile = self._tx.now(), self.profile_index(subject)
        if row is not None and bytes(row.profile_index) == profile:
            self._connection.execute(subjects.update().where(mine).values(screened_at=now))
            return uuid.UUID(str(row.id))
        identifier = new_id() if row is None else uuid.UUID(str(row.id))
        text = msgspec.json.encode(subject).decode()
        sealed = seal(self._tx, SUBJECT, identifier, text, subject=key_of(subject))
        changed = {"profile_index": profile, "subject_sealed": sealed, "screened_at": now}
        if row is None:
            new = insert(subjects).values(
                tenant_id=self._tenant, id=identifier, kind=subject.kind, reference_index=index, created_at=now,
                **changed,
            )  # fmt: skip
            again = new.on_conflict_do_update(
                constraint="uq_screening_subjects_tenant_id_kind_reference_index", set_=changed
            )
            return uuid.UUID(str(self._connection.execute(again.returning(_s.id)).scalar_one()))
        self._connection.execute(subjects.update().where(mine).values(**changed))
        return identifier

    def known(self, kind: SubjectKind, after: uuid.UUID | None, limit: int) -> list[tuple[uuid.UUID, Subject | None]]:
        """Subjects of a kind by id; None for who was erased."""
        query = sa.select(_s.id, _s.subject_sealed).where(_s.tenant_id == self._tenant, _s.kind == kind)
        if after is not None:
            query = query.where(_s.id > after)
        rows = self._connection.execute(query.order_by(_s.id).limit(limit)).all()
        texts = unseal_all(self._tx, SUBJECT, [(row.id, bytes(row.subject_sealed)) for row in rows])
        return [(row.id, _subject(text)) for row, text in zip(rows, texts, strict=True)]

    def get(self, identifier: uuid.UUID) -> Subject | None:
        """A subject that is kept; None when it was erased."""
        query = sa.select(_s.subject_sealed).where(_s.tenant_id == self._tenant, _s.id == identifier)
        sealed = self._connection.execute(query).scalar_one()
        return _subject(unseal_all(self._tx, SUBJECT, [(identifier, bytes(sealed))])[0])

    def find_known(self, subject: Subject) -> uuid.UUID | None:
        """The id of a subject that is kept."""
        index = blind(self._tx, SUBJECT + "#reference", subject.reference)
        query = sa.select(_s.id).where(
            _s.tenant_id == self._tenant, _s.kind == subject.kind, _s.reference_index == index
        )
        return self._connection.execute(query).scalar_one_or_none()

    def record(self, subject_id: uuid.UUID, profile: bytes, found: Sequence[Found]) -> int:
        """Keep hits of a subject; a judged one is asked again only when subject or entry changed.

        Returns how many are new or asked again.
        """
        mine = sa.and_(_h.tenant_id == self._tenant, _h.subject_id == subject_id)
        rows = self._connection.execute(sa.select(hits).where(mine).with_for_update()).all()
        known = {(row.list_id, row.entry_id): row for row in rows}
        now, asked = self._tx.now(), 0
        for one in found:
            listed, score = one.listed, one.comparison.score
            row = known.get((listed.list_id, listed.entry.id))
            said = {
                "entry_hash": listed.content_hash, "profile_index": profile, "score": score,
                "entry_name": listed.entry.profile.names[0], "updated_at": now,
            }  # fmt: skip
            if row is None:
                asked += 1
                new = hits.insert().values(
                    tenant_id=self._tenant, id=new_id(), subject_id=subject_id, list_id=listed.list_id,
                    entry_id=listed.entry.id, state=HitState.OPEN, created_at=now, revision=1, **said,
                )  # fmt: skip
                self._connection.execute(new)
                continue
            again = _changed(row, listed.content_hash, profile)
            if again:
                asks = HitState(row.state) in _ASKED_AGAIN
                asked += asks
                more = {"again": again, "state": HitState.OPEN} if asks else {}
                changed = hits.update().where(mine, _h.id == row.id)
                self._connection.execute(changed.values(revision=row.revision + 1, **said, **more))
        return asked

    def undecided(self, subject_id: uuid.UUID) -> list[tuple[uuid.UUID, uuid.UUID, str]]:
        """The hits of a subject that nobody has decided: id, list, entry."""
        query = sa.select(_h.id, _h.list_id, _h.entry_id).where(
            _h.tenant_id == self._tenant, _h.subject_id == subject_id, self._undecided()
        )
        return [(row.id, row.list_id, row.entry_id) for row in self._connection.execute(query)]

    def close_unlike(self, identifiers: Sequence[uuid.UUID]) -> int:
        """Close hits whose two records are alike no more."""
        return self._close(_h.id.in_(identifiers), "The two are alike no more.") if identifiers else 0

    def close_ended(self, list_id: uuid.UUID, entry_ids: Sequence[str]) -> int:
        """Close undecided hits on entries that went off a list."""
        chosen = _h.entry_id == sa.any_(sa.literal(list(entry_ids), sa.ARRAY(sa.Text)))
        return self._close(sa.and_(_h.list_id == list_id, chosen, self._undecided()), "The entry went off the list.")

    def close_list(self, list_id: uuid.UUID) -> int:
        """Close undecided hits of a list that was deleted."""
        return self._close(sa.and_(_h.list_id == list_id, self._undecided()), "The list was deleted.")

    def _undecided(self) -> sa.ColumnElement[bool]:
        return _h.state.in_([HitState.OPEN, HitState.UNSURE, HitState.WAITING])

    def _close(self, chosen: sa.ColumnElement[bool], why: str) -> int:
        closed = hits.update().where(_h.tenant_id == self._tenant, chosen)
        return self._connection.execute(
            closed.values(state=HitState.GONE, again=why, updated_at=self._tx.now(), revision=_h.revision + 1)
        ).rowcount

    def hits(self, wanted: HitFilter) -> list[KeptHit]:
        """A page of hits, the highest score first."""
        query = self._hits().where(_h.state.in_(list(wanted.states)))
        if wanted.kind is not None:
            query = query.where(_s.kind == wanted.kind)
        if wanted.list_id is not None:
            query = query.where(_h.list_id == wanted.list_id)
        if wanted.before is not None:
            query = query.where(sa.tuple_(_h.score, _h.id) < sa.tuple_(*map(sa.literal, wanted.before)))
        return self._shown(query.order_by(_h.score.desc(), _h.id.desc()).limit(wanted.limit))

    def hit(self, identifier: uuid.UUID) -> KeptHit | None:
        """One hit."""
        return next(iter(self._shown(self._hits().where(_h.id == identifier))), None)

    def of_subject(self, subject_id: uuid.UUID) -> list[KeptHit]:
        """Every hit of a subject."""
        return self._shown(self._hits().where(_h.subject_id == subject_id).order_by(_h.score.desc(), _h.id.desc()))

    def counts(self) -> HitCounts:
        """How many hits there are of each state."""
        query = sa.select(_h.state, sa.func.count()).where(_h.tenant_id == self._tenant).group_by(_h.state)
        found = {row[0]: int(row[1]) for row in self._connection.execute(query)}
        return HitCounts(**{state.value: found.get(state.value, 0) for state in HitState})

    def set_state(self, identifier: uuid.UUID, revision: int, state: HitState, **values: Any) -> bool:
        """Put a hit of that revision into a state; False when it is at another revision by now."""
        changed = hits.update().where(_h.tenant_id == self._tenant, _h.id == identifier, _h.revision == revision)
        values |= {"state": state, "updated_at": self._tx.now(), "revision": revision + 1}
        return self._connection.execute(changed.values(**values)).rowcount == 1

    def add_judgement(self, kept: KeptHit, said: Judgement) -> None:
        """Keep what a person said of a hit, with what the two were then."""
        identifier = new_id()
        key = None if kept.subject is None else key_of(kept.subject)
        self._connection.execute(
            judgements.insert().values(
                tenant_id=self._tenant, id=identifier, hit_id=kept.hit.id, state=said.state,
                reason_sealed=seal(self._tx, REASON, identifier, said.reason, subject=key), judged_by=said.by,
                approved_by=said.approved_by, judged_at=said.at, entry_hash=kept.entry_hash,
                profile_index=kept.profile_index,
            )
        )  # fmt: skip

    def judgements(self, hit: uuid.UUID) -> list[Judgement]:
        """What was said of a hit, the latest first."""
        query = sa.select(judgements).where(_j.tenant_id == self._tenant, _j.hit_id == hit).order_by(_j.id.desc())
        rows = self._connection.execute(query).all()
        reasons = unseal_all(self._tx, REASON, [(row.id, bytes(row.reason_sealed)) for row in rows])
        return [
            Judgement(
                state=HitState(row.state), reason=reason or ERASED, by=row.judged_by, at=row.judged_at,
                approved_by=row.approved_by,
            )
            for row, reason in zip(rows, reasons, strict=True)
        ]  # fmt: skip

    def positions(self) -> dict[int, int]:
        """The next offset of each partition of customer profiles that was not screened."""
        query = sa.select(_p.partition, _p.next_offset).where(_p.tenant_id == self._tenant)
        return {row[0]: row[1] for row in self._connection.execute(query)}

    def move(self, partition: int, next_offset: int) -> None:
        """Note up to where customers were screened."""
        new = insert(positions).values(tenant_id=self._tenant, partition=partition, next_offset=next_offset)
        self._connection.execute(
            new.on_conflict_do_update(
                index_elements=[_p.tenant_id, _p.partition],
                set_={"next_offset": sa.func.greatest(_p.next_offset, next_offset)},
            )
        )

    def unjudged(self) -> list[uuid.UUID]:
        """Hits that are judged by their state, and nobody's judgement is there; for invariants."""
        said = sa.select(_j.hit_id).where(_j.tenant_id == self._tenant)
        query = sa.select(_h.id).where(
            _h.tenant_id == self._tenant, _h.state.in_([HitState.MATCH, HitState.NO_MATCH]), _h.id.not_in(said)
        )
        return list(self._connection.execute(query.limit(20)).scalars())

    def _hits(self) -> sa.Select[Any]:
        joined = hits.join(subjects, sa.and_(_s.tenant_id == _h.tenant_id, _s.id == _h.subject_id)).join(
            lists, sa.and_(_l.tenant_id == _h.tenant_id, _l.id == _h.list_id)
        )
        return sa.select(*_HIT).select_from(joined).where(_h.tenant_id == self._tenant)

    def _shown(self, query: sa.Select[Any]) -> list[KeptHit]:
        rows = self._connection.execute(query).all()
        cells = [(row.subject_id, bytes(row.subject_sealed)) for row in rows]
        return [
            _kept(row, _subject(text)) for row, text in zip(rows, unseal_all(self._tx, SUBJECT, cells), strict=True)
        ]


def _changed(row: Any, entry_hash: bytes, profile: bytes) -> str:
    """Why a pair is asked again; empty when it is as it was."""
    if row.state == HitState.GONE:
        return "The two are alike again."
    entry, subject = bytes(row.entry_hash) != entry_hash, bytes(row.profile_index) != profile
    if entry and subject:
        return "Both records changed."
    if entry:
        return "The entry of the list changed."
    return "The subject's record changed." if subject else ""


def _subject(text: str | None) -> Subject | None:
    return None if text is None else msgspec.json.decode(text, type=Subject)


def _kept(row: Any, subject: Subject | None) -> KeptHit:
    hit = Hit(
        id=row.id, kind=SubjectKind(row.kind), reference=ERASED if subject is None else subject.reference,
        subject_name=ERASED if subject is None else subject.profile.names[0], list_id=row.list_id,
        list_name=row.list_name, list_kind=ListKind(row.list_kind), entry_id=row.entry_id, entry_name=row.entry_name,
        score=row.score, state=HitState(row.state), again=row.again, judged_by=row.judged_by, judged_at=row.judged_at,
        created_at=row.created_at, updated_at=row.updated_at, revision=row.revision,
    )  # fmt: skip
    return KeptHit(hit, subject, bytes(row.entry_hash), bytes(row.profile_index))
