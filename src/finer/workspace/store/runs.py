"""Runs and their results."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import sqlalchemy as sa

from finer.kit.crypto.fields import blind, seal, seal_bytes, unseal_all, unseal_bytes
from finer.kit.lock_keys import LockKey
from finer.kit.turns import one_at_once
from finer.kit.tx import Tx
from finer.warehouse.types import QueryCost
from finer.workspace.tables import results, runs
from finer.workspace.types import ParameterDefinition, ResultColumn, Run, RunState

_STATEMENT, _PARAMETERS = "workspace_runs.statement_sealed", "workspace_runs.parameters_sealed"
_ERROR, _CONTENT = "workspace_runs.error_sealed", "workspace_results.content_sealed"
_FINGERPRINT = "workspace_runs.fingerprint"
_LOCK = "select pg_advisory_xact_lock(%s, hashtext(%s))"
_OPEN = (RunState.QUEUED, RunState.RUNNING)


class RunStore:
    """The runs of one tenant."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx
        self._connection, self._tenant = tx.connection, tx.tenant

    def add(self, run: Run, kinds: Sequence[ParameterDefinition], question: str) -> None:
        """A run that waits; `question` is what makes two runs the same."""
        self._connection.execute(
            runs.insert().values(
                tenant_id=self._tenant, id=run.id, person_id=run.person_id, role=run.role, state=run.state,
                statement_sealed=seal(self._tx, _STATEMENT, run.id, run.statement),
                parameters_sealed=seal(self._tx, _PARAMETERS, run.id, msgspec.json.encode(run.parameters).decode()),
                kinds=msgspec.to_builtins(kinds), fingerprint=blind(self._tx, _FINGERPRINT, question),
                saved_id=run.saved_id, saved_version=run.saved_version, schedule_id=run.schedule_id,
                rows_max=run.rows_max, as_of=run.as_of, asked_at=run.asked_at,
            )
        )  # fmt: skip

    def same(self, person: str, role: str, question: str, since: datetime) -> Run | None:
        """The newest good run of the same question by this person, in this role, that was finished since then."""
        query = self._select().where(
            runs.c.person_id == person,
            runs.c.role == role,
            runs.c.fingerprint == blind(self._tx, _FINGERPRINT, question),
            runs.c.state == RunState.DONE,
            runs.c.finished_at >= since,
            runs.c.expires_at > self._tx.now(),
        )
        return next(iter(self._read(query.order_by(runs.c.finished_at.desc()).limit(1))), None)

    def latest(self, role: str, questions: Sequence[str], *, good: bool) -> Run | None:
        """The newest run of one of these questions by anybody in this role; with `good`, whose result is kept."""
        marks = [blind(self._tx, _FINGERPRINT, question) for question in questions]
        query = self._select().where(runs.c.role == role, runs.c.fingerprint.in_(marks))
        if good:
            query = query.where(runs.c.state == RunState.DONE, runs.c.expires_at > self._tx.now())
        order = (runs.c.finished_at if good else runs.c.asked_at).desc()
        return next(iter(self._read(query.order_by(order).limit(1))), None)

    def get(self, identifier: uuid.UUID, person: str | None) -> Run | None:
        """One run; of that person when one is given."""
        query = self._select().where(runs.c.id == identifier)
        if person is not None:
            query = query.where(runs.c.person_id == person)
        return next(iter(self._read(query)), None)

    def kinds(self, identifier: uuid.UUID) -> tuple[ParameterDefinition, ...]:
        """What the parameters of a run were declared to be."""
        query = sa.select(runs.c.kinds).where(runs.c.tenant_id == self._tenant, runs.c.id == identifier)
        return msgspec.convert(self._connection.execute(query).scalar_one(), tuple[ParameterDefinition, ...])

    def page(
        self, person: str, limit: int, before: uuid.UUID | None, schedule: uuid.UUID | None, saved: uuid.UUID | None
    ) -> list[Run]:
        """Runs of a person, the newest first."""
        query = self._select().where(runs.c.person_id == person)
        if before is not None:
            query = query.where(runs.c.id < before)
        if schedule is not None:
            query = query.where(runs.c.schedule_id == schedule)
        if saved is not None:
            query = query.where(runs.c.saved_id == saved)
        return self._read(query.order_by(runs.c.id.desc()).limit(limit))

    def waiting(self, person: str) -> int:
        """How many runs of a person are not over; who asks at the same moment is answered one after the other."""
        one_at_once(self._connection, "runs", self._tenant, person)
        query = sa.select(sa.func.count()).where(
            runs.c.tenant_id == self._tenant, runs.c.person_id == person, runs.c.state.in_(_OPEN)
        )
        return int(self._connection.execute(query).scalar_one())

    def claim(self, run: Run, until: datetime, *, person_max: int, tenant_max: int) -> bool:
        """Let a waiting run begin when there is room for it; whoever waits longest goes first."""
        self._connection.exec_driver_sql(_LOCK, (LockKey.QUERY_RUN.value, str(self._tenant)))
        now = self._tx.now()
        query = sa.select(runs.c.person_id).where(
            runs.c.tenant_id == self._tenant, runs.c.state == RunState.RUNNING, runs.c.lease_until > now
        )
        working = list(self._connection.execute(query).scalars())
        if len(working) >= tenant_max or working.count(run.person_id) >= person_max:
            return False
        earlier = sa.select(runs.c.person_id).where(
            runs.c.tenant_id == self._tenant,
            runs.c.state == RunState.QUEUED,
            runs.c.id < run.id,
            runs.c.asked_at > now - timedelta(minutes=2),
        )
        ready = [one for one in self._connection.execute(earlier).scalars() if working.count(one) < person_max]
        if (
            len(working) + len(ready) >= tenant_max
            or working.count(run.person_id) + ready.count(run.person_id) >= person_max
        ):
            return False
        return self.change(run.id, (RunState.QUEUED,), state=RunState.RUNNING, started_at=now, lease_until=until)

    def change(self, identifier: uuid.UUID, states: Sequence[RunState], **values: Any) -> bool:
        """Change a run that is in one of these states; False when it is in none."""
        if "error" in values:
            values["error_sealed"] = seal(self._tx, _ERROR, identifier, values.pop("error"))
        mine = (runs.c.tenant_id == self._tenant) & (runs.c.id == identifier) & runs.c.state.in_(states)
        return self._connection.execute(runs.update().where(mine).values(**values)).rowcount == 1

    def keep(self, identifier: uuid.UUID, parts: Sequence[tuple[int, bytes]]) -> None:
        """Keep a result."""
        rows = [
            {
                "tenant_id": self._tenant, "run_id": identifier, "part": number, "rows": count,
                "content_sealed": seal_bytes(self._tx, _CONTENT, f"{identifier}/{number}", content),
            }
            for number, (count, content) in enumerate(parts)
        ]  # fmt: skip
        self._connection.execute(results.insert(), rows)

    def parts(self, identifier: uuid.UUID, first: int, last: int) -> list[bytes]:
        """The parts of a result with these numbers, both included, in order; none when the result is gone."""
        query = (
            sa.select(results.c.part, results.c.content_sealed)
            .where(
                results.c.tenant_id == self._tenant,
                results.c.run_id == identifier,
                results.c.part.between(first, last),
            )
            .order_by(results.c.part)
        )
        return [
            unseal_bytes(self._tx, _CONTENT, f"{identifier}/{row.part}", bytes(row.content_sealed))
            for row in self._connection.execute(query)
        ]

    def forget_results(self, now: datetime) -> int:
        """Delete the results that are past their time; the runs stay as history."""
        old = sa.select(runs.c.id).where(runs.c.tenant_id == self._tenant, runs.c.expires_at <= now)
        done = self._connection.execute(
            results.delete().where(results.c.tenant_id == self._tenant, results.c.run_id.in_(old))
        )
        return done.rowcount

    def forget_runs(self, before: datetime) -> int:
        """Delete runs from before a moment, with their results."""
        done = self._connection.execute(runs.delete().where(runs.c.tenant_id == self._tenant, runs.c.asked_at < before))
        return done.rowcount

    def end_lost(self, now: datetime, error: str, queued_before: datetime) -> int:
        """End the runs whose process is gone: nobody else would."""
        lost = sa.or_(
            (runs.c.state == RunState.RUNNING) & (runs.c.lease_until <= now),
            (runs.c.state == RunState.QUEUED) & (runs.c.asked_at <= queued_before),
        )
        query = sa.select(runs.c.id).where(runs.c.tenant_id == self._tenant, lost)
        found = list(self._connection.execute(query).scalars())
        for one in found:
            self.change(one, _OPEN, state=RunState.FAILED, finished_at=now, problem="sql-lost", error=error)
        return len(found)

    def _select(self) -> sa.Select[Any]:
        return sa.select(runs).where(runs.c.tenant_id == self._tenant)

    def _read(self, query: sa.Select[Any]) -> list[Run]:
        rows = self._connection.execute(query).all()
        statements = unseal_all(self._tx, _STATEMENT, [(row.id, bytes(row.statement_sealed)) for row in rows])
        parameters = unseal_all(self._tx, _PARAMETERS, [(row.id, bytes(row.parameters_sealed)) for row in rows])
        errors = unseal_all(
            self._tx, _ERROR, [(row.id, None if row.error_sealed is None else bytes(row.error_sealed)) for row in rows]
        )
        return [
            Run(
                id=row.id, person_id=row.person_id, state=RunState(row.state), statement=statement or "",
                parameters=msgspec.json.decode(given or "{}"), saved_id=row.saved_id, saved_version=row.saved_version,
                schedule_id=row.schedule_id, rows_max=row.rows_max, as_of=row.as_of,
                asked_at=row.asked_at, started_at=row.started_at,
                finished_at=row.finished_at, expires_at=row.expires_at, rows=row.rows, truncated=row.truncated,
                result_bytes=row.result_bytes, columns=msgspec.convert(row.result_columns, tuple[ResultColumn, ...]),
                cost=msgspec.convert(row.cost, QueryCost), problem=row.problem, error=error or "",
                position=row.position, role=row.role,
            )
            for row, statement, given, error in zip(rows, statements, parameters, errors, strict=True)
        ]  # fmt: skip
